// What was typed survives the end of a session: it is kept in this tab while somebody signs in
// again, and stands in the form when the same person is back on the page. Nothing is sent by itself.

const STORE = "draft"
const NOT_TYPED = ["key", "preset", "pin", "code", "password", "current"]
const PATIENT = "patient_" // how fields about a patient begin: never in the browser's storage
const KEPT = "Votre session avait pris fin : votre saisie est conservée, rien n’a été envoyé."
const FORGOT = " Les coordonnées du patient, elles, ne sont pas gardées : tapez-les à nouveau."

const account = () => document.querySelector("publish-queue")?.dataset.account

/** Keep what was to be sent from this page: of each form the address, what stands in it, and its method. */
export function keepDrafts(...sent) {
  const forms = sent.map(([action, body, method = "post"]) => {
    const typed = [...body].filter(([name, value]) => typeof value === "string" && !NOT_TYPED.includes(name) && !name.startsWith(PATIENT))
    const forgot = [...body].some(([name, value]) => name.startsWith(PATIENT) && value)
    return { pathname: new URL(action, location.href).pathname, method, typed, forgot }
  })
  sessionStorage.setItem(STORE, JSON.stringify({ page: location.pathname, account: account(), forms }))
}

function restore() {
  const draft = JSON.parse(sessionStorage.getItem(STORE) ?? "null")
  if (!draft || !account()) return
  if (draft.account !== account()) return sessionStorage.removeItem(STORE) // somebody else is signed in now
  if (draft.page !== location.pathname) return
  sessionStorage.removeItem(STORE)
  for (const { pathname, method, typed, forgot } of draft.forms) {
    const form = [...document.forms].find((one) => one.method === method && new URL(one.action, location.href).pathname === pathname)
    if (form) fill(form, Map.groupBy(typed, ([name]) => name), forgot)
  }
}

function fill(form, typed, forgot) {
  for (const details of form.querySelectorAll("details")) details.open = true
  for (const [name, pairs] of typed) {
    const values = pairs.map(([, value]) => value)
    const fields = () => [...form.elements].filter((one) => one.name === name)
    const more = form.querySelector("[data-add-moment]")
    while (more && name === "day" && fields().length < values.length) more.click()
    fields().filter(({ type }) => type !== "hidden").forEach((field, index) => {
      if (["radio", "checkbox"].includes(field.type)) field.checked = values.includes(field.value)
      else field.value = values[index] ?? field.value
      field.dispatchEvent(new Event("change", { bubbles: true })) // what depends on it follows
    })
  }
  const told = Object.assign(document.createElement("p"), { className: "notice", textContent: forgot ? KEPT + FORGOT : KEPT })
  told.setAttribute("role", "status")
  form.before(told)
  told.scrollIntoView({ block: "nearest" })
}

addEventListener("DOMContentLoaded", restore) // when all modules are there
