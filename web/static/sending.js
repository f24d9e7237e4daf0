// Forms are sent without leaving the page, and a lost answer is asked for again with the same key:
// "vérification…", never "échec", since the first try may well have succeeded. Without this script
// the same forms are posted as they are. What publishes waits in the queue where no answer comes.

import { keepDrafts } from "./draft.js"
import { keep } from "./outbox.js"

const TRIES_FOR = 60_000 // ms
const WAIT_FIRST = 500 // ms
const WAIT_MAX = 5_000 // ms
const QUEUED_AFTER = 8_000 // ms
const NOTHING_DONE = "Pas de réponse du service. Vérifiez le réseau, puis réessayez : rien ne sera fait deux fois."

const NOBODYS = [502, 503, 504] // a proxy's word while the service starts anew: no answer yet
const isAnswer = (answer) => answer && !NOBODYS.includes(answer.status)
let latest = 0 // of several that were sent, the last alone may change the page

const pause = (ms) => new Promise((done) => setTimeout(done, ms))
const verifying = () => document.getElementById("verifying")

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event
  if (form.method !== "post" || event.defaultPrevented) return
  event.preventDefault()
  if (submitter?.ariaBusy === "true") return
  const typed = new FormData(form, submitter)
  const body = form.enctype === "multipart/form-data" ? typed : new URLSearchParams(typed) // a file goes as it is
  const action = submitter?.getAttribute("formaction") ?? form.action
  busy(submitter, true)
  const turn = ++latest
  const sending = form.hasAttribute("data-offer") ? publish(form, action, body, turn) : send(action, body, turn)
  sending.finally(() => busy(submitter, false))
})

function busy(button, is) {
  if (button) button.ariaBusy = is ? "true" : null
}

const post = (action, body, signal) =>
  fetch(action, { method: "POST", body, headers: { accept: "text/html" }, signal }).catch(() => null)

// Nobody waits for a network between two patients.
async function publish(form, action, body, turn) {
  const answer = navigator.onLine ? await post(action, body, AbortSignal.timeout(QUEUED_AFTER)) : null
  if (isAnswer(answer)) return show(answer, action, body, turn)
  if (!keep(form, body, navigator.onLine)) return send(action, body, turn)
}

async function send(action, body, turn) {
  const until = Date.now() + TRIES_FOR
  for (let wait = WAIT_FIRST; ; wait = Math.min(WAIT_MAX, wait * 2)) {
    const answer = await post(action, body)
    if (isAnswer(answer)) return show(answer, action, body, turn)
    if (!body.has("key") || Date.now() > until) return answer ? show(answer, action, body, turn) : say(NOTHING_DONE)
    say("Vérification…")
    await pause(wait)
  }
}

function say(words) {
  verifying().hidden = !words
  verifying().textContent = words
}

async function show(answer, action, body, turn) {
  if (turn !== latest) return
  say("")
  // What was typed stays under the lock, to be sent again by whoever typed it.
  if (answer.status === 423) return document.dispatchEvent(new Event("session-locked"))
  if (answer.redirected && new URL(answer.url).pathname === "/connexion" && body.has("key")) keepDrafts([action, body])
  const page = new DOMParser().parseFromString(await answer.text(), "text/html")
  const main = page.querySelector("main")
  if (!main && !answer.redirected) return say(NOTHING_DONE)
  // Signing in and out changes the frame of the page as well.
  if (!main || !document.querySelector(".screens") || !page.querySelector(".screens")) {
    if (answer.redirected) return location.assign(answer.url)
    document.querySelector("main").replaceWith(document.adoptNode(main))
    return focusIn(main)
  }
  const url = new URL(answer.url)
  const here = url.pathname === location.pathname
  if (answer.redirected) history[here ? "replaceState" : "pushState"]({}, "", url)
  document.title = page.title
  document.querySelector("main").replaceWith(document.adoptNode(main))
  const told = main.querySelector("[role=alert], .notice")
  if (told) told.scrollIntoView({ block: "nearest" })
  else if (!here) scrollTo(0, 0)
  focusIn(main)
}

// What is to be mended first; else where one goes on.
function focusIn(main) {
  ;(main.querySelector("[aria-invalid]") ?? main.querySelector("[autofocus]") ?? main).focus({ preventScroll: true })
}

// Pages that were left by pushState are asked for again: what they showed may be old.
addEventListener("popstate", () => location.reload())
