// <live-fragment src> is a part of the page that the server draws again when its territory moves:
// lists of appointments and tasks, which are the viewer's own and never travel on the socket.

import { live } from "./live.js"

const AT_MOST_EVERY = 1_000 // ms

class LiveFragment extends HTMLElement {
  #stop = new AbortController()
  #waiting = 0
  #drawnAt = 0

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

  #concerns({ slot }) {
    const { schedules } = this.dataset
    return !schedules || !slot || schedules.includes(slot.schedule.id)
  }

  #soon() {
    clearTimeout(this.#waiting)
    const wait = Math.max(0, this.#drawnAt + AT_MOST_EVERY - Date.now())
    this.#waiting = setTimeout(() => this.#draw(), wait)
  }

  async #draw() {
    // Nothing moves under fingers: somebody is choosing or typing in here.
    if (this.querySelector(":focus-within, form[data-asked]")) return
    this.#drawnAt = Date.now()
    const answer = await fetch(this.getAttribute("src"), { headers: { "x-fragment": "1" } }).catch(() => null)
    if (!answer?.ok || answer.redirected) return
    const html = await answer.text()
    if (html !== this.#last) this.innerHTML = this.#last = html
  }

  #last = ""
}

customElements.define("live-fragment", LiveFragment)
