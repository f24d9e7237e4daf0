// Before a lock: over a page that attention.js has covered, and on the page /verrou. What was typed
// stays where it is; the sixth digit opens.

import { isCovered, post, staysOpenFor, tabs } from "./attention.js"
import { keepDrafts } from "./draft.js"
import { live } from "./live.js"

const ASK_AGAIN_AFTER = 5_000 // ms; where nobody answered
const SIX_DIGITS = /^\d{6}$/
const NO_ANSWER = "Pas de réponse du service. Vérifiez le réseau, puis réessayez."
const NO_KEY = "Aucune clé n’a été présentée. Réessayez, ou choisissez un autre moyen."

const dialog = document.querySelector("dialog.lock")
const part = (name) => dialog.querySelector(`[data-with=${name}]`)
const again = dialog?.querySelector("[data-again]")
const pin = dialog && part("pin").elements.pin
const key = dialog && part("passkey").firstChild
let title = document.title
let isWanted = false // somebody said so, and the service has not heard it yet

/** Lock at once, because somebody says so. */
export function close() {
  isWanted = true
  return ask()
}

/** What the server says of the session is what counts. */
export async function ask() {
  if (isWanted && (await post("/lock"))?.ok) {
    isWanted = false
    tabs.postMessage("locked")
  }
  const answer = await fetch("/api/v1/lock").catch(() => null)
  if (answer?.status === 401) return ended()
  if (answer?.status === 403) return location.reload() // a phone since, perhaps somebody else's
  if (!answer?.ok || isWanted) {
    setTimeout(ask, ASK_AGAIN_AFTER)
    return say(NO_ANSWER)
  }
  const { account, locked, locks_in_s, opened_by } = await answer.json()
  // Somebody else has signed in since: nothing of this page is theirs.
  if (account.id !== document.querySelector("publish-queue").dataset.account) return location.reload()
  if (locked) return offer(opened_by)
  staysOpenFor(Math.max(1, locks_in_s) * 1000)
  open()
}

function offer(means) {
  const can = means.filter((one) => one === "pin" || window.PublicKeyCredential)
  part("pin").hidden = !can.includes("pin")
  part("passkey").hidden = !can.includes("passkey")
  part("nothing").hidden = can.length > 0
  key.classList.toggle("quiet", can.includes("pin"))
  const heading = dialog.querySelector("h1").textContent
  if (document.title !== heading) title = document.title
  document.title = heading
  if (dialog.querySelector("#lock-said").textContent === NO_ANSWER) say("")
  ;(can.includes("pin") ? pin : can.length ? key : again).focus()
}

function ended() {
  for (const name of ["pin", "passkey", "nothing"]) part(name).hidden = true
  part("ended").hidden = false
  again.focus()
}

async function shows() {
  const { shown } = await import("./passkey.js")
  const body = await shown().catch(() => null)
  return body ? attempt(body) : say(NO_KEY)
}

async function attempt(body) {
  pin.readOnly = true
  say("")
  const answer = await post("/lock/open", body)
  pin.readOnly = false
  pin.value = ""
  if (answer?.ok) {
    tabs.postMessage("opened")
    staysOpenFor()
    return open()
  }
  if (!answer || answer.status >= 500) return say(NO_ANSWER)
  const { code, detail } = await answer.json()
  say(detail)
  if (code === "not-signed-in") return ended()
  if (!body.pin) return
  pin.ariaInvalid = "true"
  pin.focus()
}

function say(words) {
  pin.ariaInvalid = null
  const said = dialog.querySelector("#lock-said")
  if (said.textContent !== words) said.textContent = words // else it would be read out again
}

const isTyped = (field) =>
  field.matches("select")
    ? [...field.options].some((one) => one.selected !== one.defaultSelected)
    : field.matches("input:not([type=hidden], [type=password]), textarea") &&
      (field.value !== field.defaultValue || field.checked !== field.defaultChecked)

/** All that was typed on this page and not yet sent, for whoever signs in again. */
function keepTyped() {
  const forms = [...document.querySelectorAll("main form")].filter((form) => [...form.elements].some(isTyped))
  keepDrafts(...forms.map((form) => [form.action, new FormData(form), form.method]))
}

function open() {
  if (!isCovered()) return
  delete document.documentElement.dataset.locked
  dialog.close() // which gives the focus back to where it was
  document.title = title
  say("")
  live.resume()
}

if (dialog) {
  dialog.addEventListener("cancel", (event) => event.preventDefault())
  dialog.addEventListener("close", () => isCovered() && dialog.showModal()) // whatever closed it
  part("pin").addEventListener("submit", (event) => event.preventDefault())
  pin.addEventListener("input", () => {
    pin.value = pin.value.replace(/\D/g, "")
    if (SIX_DIGITS.test(pin.value)) attempt({ pin: pin.value })
  })
  key.addEventListener("click", shows)
  again.addEventListener("click", () => {
    keepTyped()
    again.href = `/connexion?suite=${encodeURIComponent(location.pathname + location.search)}`
  })
}

// The sixth digit has sent it: what Enter sends after it would be another try.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-pin]")) return
  if ("sent" in event.target.dataset) {
    event.preventDefault()
    event.stopImmediatePropagation()
  }
  event.target.dataset.sent = ""
}, { capture: true })
document.addEventListener("input", ({ target }) => {
  if (target.matches("form[data-pin] [name=pin]") && SIX_DIGITS.test(target.value)) target.form.requestSubmit()
})
