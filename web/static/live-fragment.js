// <live-fragment src> is a part of the page that the server draws again when its territory moves:
// lists of appointments and tasks, which are the viewer's own and never travel on the socket.

import { live } from "./live.js"

const AT_MOST_EVERY = 1_000 // ms

class LiveFragment extends HTMLElement {
  #stop = new AbortController()
  #waiting = 0
  #drawnAt = 0
  #said = ""

  connectedCallback() {
    const { signal } = (this.#stop = new AbortController())
    for (const word of ["slot", "gone", "slots", "beat"]) {
      live.addEventListener(word, ({ detail }) => this.#concerns(detail) && this.#soon(), { signal })
    }
    live.follow(JSON.parse(this.dataset.at || "{}"))
  }

  disconnectedCallback() {
    this.#stop.abort()
    clearTimeout(this.#waiting)
  }

  // Most of what happens on a territory's boards is nothing to a list of bookings.
  #concerns({ type, slot }) {
    const { on, schedules } = this.dataset
    if (type && on && !on.split(" ").includes(type)) return false
    return !schedules || !slot || schedules.includes(slot.schedule.id)
  }

  // Nothing moves under the fingers of who is about to say yes.
  get #isAsking() {
    return this.querySelector("details.sure[open]") !== null
  }

  #soon() {
    clearTimeout(this.#waiting)
    const every = Number(this.dataset.everyMs ?? AT_MOST_EVERY)
    const wait = Math.max(0, this.#drawnAt + every - Date.now())
    this.#waiting = setTimeout(() => this.#draw(), wait)
  }

  async #draw() {
    if (this.#isAsking) return
    this.#drawnAt = Date.now()
    const answer = await fetch(this.getAttribute("src"), { headers: { accept: "text/html" } }).catch(() => null)
    if (!answer?.ok || answer.redirected || !this.isConnected) return
    const html = await answer.text()
    if (this.#isAsking) return // since then; the next word draws it
    // Keys of forms are new each time; only other changes are worth moving anything for.
    const said = html.replace(/name="key" value="[^"]*"/g, "")
    if (said === this.#said) return
    this.#said = said
    const focused = this.contains(document.activeElement) ? named(document.activeElement) : null
    this.innerHTML = html
    this.dispatchEvent(new Event("drawn", { bubbles: true }))
    if (focused) [...this.querySelectorAll("a, button, summary")].find((one) => named(one) === focused)?.focus()
  }
}

const named = (element) => element.getAttribute("aria-label") ?? element.textContent

customElements.define("live-fragment", LiveFragment)
