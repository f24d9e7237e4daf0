// A PC locks when nobody is there. The server decides, and refuses everything meanwhile; this page
// says when somebody moves, covers itself, keeps what was typed, and goes on when it is opened.

import { keepTyped } from "./draft.js"
import { live } from "./live.js"

const SIGNS = ["pointermove", "pointerdown", "keydown", "touchstart", "wheel"]
const TOLD_EVERY = 60_000 // ms
const ASK_AGAIN_AFTER = 5_000 // ms; where nobody answered
const DIGITS = 6
const NO_ANSWER = "Pas de réponse du service. Vérifiez le réseau, puis réessayez."
const NO_KEY = "Aucune clé n’a été présentée. Réessayez, ou choisissez un autre moyen."

const json = { "content-type": "application/json", accept: "application/json" }
const post = (path, body = {}) =>
  fetch(`/api/v1${path}`, { method: "POST", headers: json, body: JSON.stringify(body) }).catch(() => null)

class Lock {
  #dialog
  #tabs = new BroadcastChannel("lock") // of this browser: they share a session
  #opensUntil = 0 // as far as this page knows
  #deadline = 0
  #toldAt = Date.now() // opening the page was a sign
  #telling = 0
  #before = null // what had the focus
  #title = ""

  constructor(dialog) {
    this.#dialog = dialog
    this.#staysOpenFor(this.#after)
    for (const sign of SIGNS) addEventListener(sign, () => this.#seen(), { capture: true, passive: true })
    addEventListener("pageshow", ({ persisted }) => persisted && this.#ask())
    document.addEventListener("visibilitychange", () => document.hidden || this.#look())
    document.addEventListener("session-locked", () => this.#close())
    document.addEventListener("submit", (event) => event.submitter?.matches("[data-lock]") && this.#now(event), { capture: true })
    live.addEventListener("state", () => live.state === "locked" && this.#close())
    this.#tabs.onmessage = ({ data }) => this.#heard(data)
    this.#prepare()
  }

  get #after() {
    return Number(this.#dialog.dataset.afterMs)
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-with=${name}]`)
  }

  get #pin() {
    return this.#part("pin").elements.pin
  }

  #prepare() {
    const dialog = this.#dialog
    dialog.addEventListener("cancel", (event) => event.preventDefault())
    dialog.addEventListener("close", () => this.#isClosed && dialog.showModal()) // whatever closed it
    dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.preventDefault())
    this.#part("pin").addEventListener("submit", (event) => event.preventDefault())
    this.#pin.addEventListener("input", () => this.#typed())
    this.#part("passkey").firstChild.addEventListener("click", () => this.#shows())
    this.#again.addEventListener("click", ({ currentTarget }) => {
      keepTyped()
      currentTarget.href = `/connexion?suite=${encodeURIComponent(location.pathname + location.search)}`
    })
  }

  // Signs of a person.

  #seen() {
    if (this.#isClosed) return
    if (this.#look()) return
    if (this.#telling) return
    const wait = Math.max(0, this.#toldAt + TOLD_EVERY - Date.now())
    this.#telling = setTimeout(() => this.#tell(), wait)
  }

  async #tell() {
    this.#telling = 0
    if (this.#isClosed) return
    this.#toldAt = Date.now()
    const answer = await post("/attention")
    if (answer?.status === 423) return this.#close()
    if (!answer?.ok) return
    this.#staysOpenFor(this.#after)
    this.#tabs.postMessage("seen")
  }

  #heard(word) {
    if (word === "seen") this.#staysOpenFor(this.#after)
    else if (word === "locked") this.#close()
    else if (word === "opened") this.#ask()
  }

  #staysOpenFor(ms) {
    this.#opensUntil = Date.now() + ms
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => this.#look(), ms)
  }

  /** Cover the page where its time is over: a machine that slept hears of nothing. */
  #look() {
    if (this.#isClosed || Date.now() < this.#opensUntil) return false
    this.#close()
    return true
  }

  // Closing.

  get #isClosed() {
    return "locked" in document.documentElement.dataset
  }

  async #now(event) {
    event.preventDefault()
    event.stopPropagation()
    this.#close({ isAsking: false })
    const answer = await post("/lock")
    if (answer?.ok) this.#tabs.postMessage("locked")
    this.#ask()
  }

  #close({ isAsking = true } = {}) {
    if (!this.#isClosed) {
      document.documentElement.dataset.locked = ""
      this.#before = document.activeElement
      this.#title = document.title
      document.title = this.#dialog.querySelector("h1").textContent
      this.#dialog.showModal()
    }
    if (isAsking) this.#ask()
  }

  /** What the server says of the session is what counts. */
  async #ask() {
    const answer = await fetch("/api/v1/lock", { headers: json }).catch(() => null)
    if (answer?.status === 401) return this.#isClosed && this.#ended()
    if (answer?.status === 403) return this.#open() // a phone since
    if (!answer?.ok) return this.#isClosed && setTimeout(() => this.#ask(), ASK_AGAIN_AFTER)
    const { account, locked, locks_in_s, opened_by } = await answer.json()
    // Somebody else has signed in since: nothing of this page is theirs.
    if (account.id !== document.querySelector("publish-queue").dataset.account) return location.reload()
    if (locked) return this.#offers(opened_by)
    this.#staysOpenFor(Math.max(1, locks_in_s) * 1000)
    this.#open()
  }

  #offers(means) {
    if (!this.#isClosed) this.#close({ isAsking: false })
    const can = means.filter((one) => one === "pin" || window.PublicKeyCredential)
    for (const name of ["pin", "passkey"]) this.#part(name).hidden = !can.includes(name)
    this.#part("passkey").firstChild.classList.toggle("quiet", can.includes("pin"))
    this.#part("nothing").hidden = can.length > 0
    const best = can.includes("pin") ? this.#pin : this.#part("passkey").firstChild
    ;(can.length ? best : this.#again).focus()
  }

  get #again() {
    return this.#dialog.querySelector("[data-again]")
  }

  #ended() {
    for (const name of ["pin", "passkey", "nothing"]) this.#part(name).hidden = true
    this.#part("ended").hidden = false
    this.#again.focus()
  }

  // Opening.

  #typed() {
    this.#pin.value = this.#pin.value.replace(/\D/g, "").slice(0, DIGITS)
    if (this.#pin.value.length === DIGITS) this.#try({ pin: this.#pin.value })
  }

  async #shows() {
    const { shown } = await import("./passkey.js")
    const body = await shown().catch(() => null)
    if (body) this.#try(body)
    else this.#say(NO_KEY)
  }

  async #try(body) {
    this.#pin.readOnly = true
    this.#say("")
    const answer = await post("/lock/open", body)
    this.#pin.readOnly = false
    this.#pin.value = ""
    if (answer?.ok) {
      this.#tabs.postMessage("opened")
      this.#staysOpenFor(this.#after)
      return this.#open()
    }
    if (!answer || answer.status >= 500) return this.#say(NO_ANSWER)
    const { code, detail } = await answer.json()
    this.#say(detail)
    if (code === "not-signed-in") return this.#ended()
    if (body.pin) {
      this.#pin.ariaInvalid = "true"
      this.#pin.focus()
    }
  }

  #say(words) {
    this.#pin.ariaInvalid = null
    this.#dialog.querySelector("#lock-said").textContent = words
  }

  #open() {
    if (!this.#isClosed) return
    delete document.documentElement.dataset.locked
    this.#dialog.close()
    document.title = this.#title
    this.#before?.focus({ preventScroll: true })
    this.#say("")
    this.#toldAt = Date.now()
    live.resume()
  }
}

const dialog = document.querySelector("dialog.lock")
if (dialog) new Lock(dialog)

// The same as a page: the sixth digit opens.
document.addEventListener("input", ({ target }) => {
  if (target.matches("form[data-pin] [name=pin]") && /^\d{6}$/.test(target.value)) target.form.requestSubmit()
})
