// A form[data-narrows] is asked again while somebody types: what it names is replaced by the newest
// answer. The fields are never touched; an answer that was overtaken is dropped.

const WAIT = 200 // ms after the last key

let waiting = 0
let asking = new AbortController()

document.addEventListener("input", ({ target, isComposing }) => {
  const form = target.form
  if (!form?.dataset.narrows || isComposing) return
  clearTimeout(waiting)
  waiting = setTimeout(() => narrow(form), WAIT)
})

async function narrow(form) {
  asking.abort()
  const { signal } = (asking = new AbortController())
  const asked = [...new FormData(form)].filter(([, typed]) => typed.trim())
  const page = `${new URL(form.action).pathname}?${new URLSearchParams(asked)}`
  const fragment = `${page}&fragment=${form.dataset.narrows}`
  const answer = await fetch(fragment, { signal, headers: { accept: "text/html" } }).catch(() => null)
  // Signed out: the page itself leads to the door, and back to what was typed.
  if (answer?.redirected || answer?.status === 401) return form.requestSubmit()
  if (answer?.status === 423) return document.dispatchEvent(new Event("session-locked"))
  const html = answer?.ok ? await answer.text().catch(() => "") : ""
  const old = document.getElementById(form.dataset.narrows)
  if (signal.aborted || !form.isConnected || !old) return
  if (!html) return say(form, "Pas de réponse du service : la liste est celle d’avant. Continuez à taper ou pressez Chercher.")
  const template = document.createElement("template")
  template.innerHTML = html
  const found = template.content.firstElementChild
  old.replaceWith(found)
  history.replaceState(history.state, "", page.replace(/\?$/, ""))
  say(form, found.dataset.said)
}

function say(form, words) {
  document.getElementById(`${form.dataset.narrows}-dite`).textContent = words
}

addEventListener("click", ({ target }) => target.closest("[data-prints]") && print())
for (const button of document.querySelectorAll("[data-prints]")) button.hidden = false
