// A PC locks when nobody is there: the server decides. This tells it when somebody moves, and covers
// the page when its time is over; lock.js opens it again.

import { live } from "./live.js"
import { ask, close } from "./lock.js"

const SIGNS = ["pointermove", "pointerdown", "keydown", "touchstart", "wheel"]
const TOLD_EVERY = 60_000 // ms
const dialog = document.querySelector("dialog.lock") // none on a phone of one's own, and before signing in
const { dataset } = document.documentElement
let opensUntil = 0 // as far as this page knows
let deadline = 0
let toldAt = Date.now() // opening the page was a sign
let telling = 0

export const tabs = new BroadcastChannel("lock") // of this browser: they share a session
export const isCovered = () => "locked" in dataset

export function post(path, body = {}) {
  const headers = { "content-type": "application/json" }
  return fetch(`/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null)
}

export function staysOpenFor(ms = Number(dialog.dataset.afterMs)) {
  opensUntil = Date.now() + ms
  clearTimeout(deadline)
  deadline = setTimeout(look, ms)
}

/** Hide all but the dialog, at once, and let it say what opens it. */
export function cover(now = false) {
  if (!isCovered()) {
    dataset.locked = ""
    dialog.showModal()
  }
  return now ? close() : ask()
}

/** A machine that slept hears of nothing: whoever comes back finds the page covered. */
function look() {
  if (!isCovered() && Date.now() >= opensUntil) cover()
}

function seen() {
  look()
  if (!isCovered()) telling ||= setTimeout(tell, Math.max(0, toldAt + TOLD_EVERY - Date.now()))
}

async function tell() {
  telling = 0
  if (isCovered()) return
  toldAt = Date.now()
  const answer = await post("/attention")
  if (answer?.status === 423) return cover()
  if (!answer?.ok) return
  staysOpenFor()
  tabs.postMessage("seen")
}

if (dialog) {
  staysOpenFor()
  for (const sign of SIGNS) addEventListener(sign, seen, { capture: true, passive: true })
  document.addEventListener("visibilitychange", () => document.hidden || look())
  document.addEventListener("session-locked", () => cover())
  live.addEventListener("state", () => live.state === "locked" && cover())
  tabs.onmessage = ({ data }) => {
    if (data === "locked" || isCovered()) cover() // which asks what counts
    else if (data === "seen") staysOpenFor()
  }
  addEventListener("pageshow", ({ persisted }) => persisted && cover())
  document.addEventListener("submit", (event) => {
    if (!event.submitter?.matches("[data-lock]")) return
    event.preventDefault()
    event.stopPropagation()
    cover(true)
  }, { capture: true })
}
