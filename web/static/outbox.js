// What is published without a network waits here. It leaves by itself when the network is back, with
// the key of its first try: once only, whatever became of that try. <publish-queue> shows its state.

import { nearDayAndHour, parisInstant } from "./clock.js"

const STORE = "publish-queue"
const STARTED_GRACE = 5 * 60_000 // ms, as slots/slot.py: when a créneau may still be given
const TRY_EVERY = 5_000 // ms
const ANSWER_WITHIN = 20_000 // ms
const DONE_STAYS = 60_000 // ms
const OTHERS_KEPT = 24 * 3_600_000 // ms; of somebody else who was signed in on this phone
const WORDS = {
  waiting: "En attente de réseau. Part tout seul.",
  sending: "Envoi…",
  "signed-out": "Votre session a pris fin. Reconnectez-vous : le créneau partira.",
  published: "Publié.",
  late: "Trop tard : ce moment est passé. Rien n’est publié.",
  refused: "Non publié.",
}
const MAY_LEAVE = ["waiting", "sending", "signed-out"]
const UNKNOWN = "Heure passée. Le premier envoi est peut-être arrivé : réponse au retour du réseau."

const queue = () => document.querySelector("publish-queue")
const read = () => JSON.parse(localStorage.getItem(STORE) ?? "[]")

function write(items) {
  localStorage.setItem(STORE, JSON.stringify(items))
  queue()?.draw()
}

const change = (key, said) => write(read().map((item) => (item.key === key ? { ...item, ...said, since: Date.now() } : item)))

/** Keep what *form* would have sent, until the network is back. *tried*: it may have arrived. */
export function keep(form, body, tried) {
  if (!queue() || !form.hasAttribute("data-offer")) return false
  const fields = new URLSearchParams(body)
  const key = fields.get("key")
  form.elements.key.value = crypto.randomUUID() // what is typed next is something else
  fields.delete("key")
  const same = fields.toString()
  const { label, lateAt } = moments(fields)
  if (!label) return false // nothing that could be published
  const items = read()
  const known = items.find((item) => item.same === same && MAY_LEAVE.includes(item.state))
  const item = {
    key, same, tried, body: body.toString(), action: form.action, account: queue().dataset.account,
    label, lateAt, state: "waiting", since: Date.now(),
  }
  try {
    if (!known) write([...items, item])
  } catch {
    return false // no room, or none allowed: the page says that there is no answer
  }
  queue().scrollIntoView({ block: "nearest" })
  return true
}

/** What is to be published, in words, and when it is too late for all of it. */
function moments(fields) {
  const [hours, folds] = [fields.getAll("at"), fields.getAll("fold")]
  const starts = fields.has("preset")
    ? [new Date(fields.get("preset"))]
    : fields.getAll("day").map((day, index) => parisInstant(day, hours[index], folds[index])).filter(Number)
  const last = Math.max(...starts)
  const ends = last + Number(fields.get("duration_min")) * 60_000
  const lateAt = Number(fields.get("capacity")) > 1 ? ends : Math.min(ends, last + STARTED_GRACE)
  return { label: starts.map((start) => nearDayAndHour(start)).join(", "), lateAt }
}

/** Send what waits, one after the other; in one tab only. */
function leave() {
  if (!queue()?.dataset.account) return
  navigator.locks.request(STORE, { ifAvailable: true }, async (lock) => {
    if (!lock) return
    for (const { key } of read().filter(mine)) {
      const item = read().find((one) => one.key === key)
      if (!item || !MAY_LEAVE.includes(item.state)) continue
      if (isLate(item) && !item.tried) change(key, { state: "late" })
      else if (navigator.onLine) await send(item)
    }
  })
}

const mine = (item) => item.account === queue().dataset.account
const isLate = (item) => Date.now() > item.lateAt

async function send({ key, action, body }) {
  change(key, { state: "sending", tried: true })
  // Of the page, only the list is asked for: opening the whole would say that somebody has seen it.
  const answer = await fetch(`${action}?fragment=liste`, {
    method: "POST", body: new URLSearchParams(body), headers: { accept: "text/html" }, signal: AbortSignal.timeout(ANSWER_WITHIN),
  }).catch(() => null)
  if (!answer || answer.status >= 500 || [423, 429].includes(answer.status)) return change(key, { state: "waiting" })
  const { pathname, searchParams } = new URL(answer.url)
  if (pathname === "/connexion") return change(key, { state: "signed-out" })
  if (answer.redirected && searchParams.has("fait")) return change(key, { state: "published" })
  const page = new DOMParser().parseFromString(await answer.text(), "text/html")
  const told = [...page.querySelectorAll("main [role=alert] :is(li, p)")].map((line) => line.textContent)
  const late = read().some((item) => item.key === key && isLate(item))
  change(key, late ? { state: "late" } : { state: "refused", told: told.join(" ") })
}

class PublishQueue extends HTMLElement {
  #stop = new AbortController()
  #drawn = ""

  connectedCallback() {
    const { signal } = (this.#stop = new AbortController())
    const going = setInterval(() => this.#tick(), TRY_EVERY)
    signal.addEventListener("abort", () => clearInterval(going))
    addEventListener("online", leave, { signal })
    addEventListener("offline", () => this.draw(), { signal })
    addEventListener("storage", () => this.draw(), { signal }) // another tab's
    document.addEventListener("visibilitychange", () => document.hidden || this.#tick(), { signal })
    this.addEventListener("click", ({ target }) => this.#drop(target.closest("[data-key]")?.dataset.key), { signal })
    this.#tick()
  }

  disconnectedCallback() {
    this.#stop.abort()
  }

  #tick() {
    const now = Date.now()
    const kept = read().filter((item) =>
      mine(item) ? item.state !== "published" || now - item.since < DONE_STAYS : now - item.since < OTHERS_KEPT)
    if (kept.length < read().length) write(kept)
    this.draw()
    leave()
  }

  #drop(key) {
    if (key) write(read().filter((item) => item.key !== key || item.state === "sending"))
  }

  draw() {
    const items = this.dataset.account ? read().filter(mine) : []
    const said = JSON.stringify(items)
    if (said === this.#drawn) return
    this.#drawn = said
    const waiting = items.filter((item) => MAY_LEAVE.includes(item.state)).length
    this.hidden = !items.length
    this.querySelector("h2").textContent = waiting ? `En attente de réseau (${waiting})` : "Publications"
    this.querySelector("ul").replaceChildren(...items.map((item) => this.#row(item)))
  }

  #row(item) {
    const row = this.querySelector("template").content.firstElementChild.cloneNode(true)
    const [label, words, button, link] = row.children
    row.dataset.state = item.state
    label.textContent = item.label
    words.textContent = isLate(item) && item.state === "waiting" ? UNKNOWN : `${WORDS[item.state]} ${item.told ?? ""}`.trim()
    const goes = MAY_LEAVE.includes(item.state)
    button.textContent = goes ? "Ne plus publier" : "Fermer"
    button.setAttribute("aria-label", `${button.textContent} : ${item.label}`)
    button.dataset.key = item.key
    button.disabled = item.state === "sending"
    link.hidden = item.state !== "signed-out"
    return row
  }
}

customElements.define("publish-queue", PublishQueue)

// The app opens without a network as well, to publish.
if (queue()?.dataset.account) navigator.serviceWorker?.register("/service-worker.js").catch(() => null)
