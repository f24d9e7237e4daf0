// <hold-countdown until> counts a hold down, warns in time to extend it (WCAG 2.2.1), and says
// when it is over. It never hides the buttons: the server alone decides.

const SOON = 45 // s
const OVER = "Le créneau n’est plus retenu."

class HoldCountdown extends HTMLElement {
  #ticking = 0

  connectedCallback() {
    this.#ticking = setInterval(() => this.#say(), 1_000)
    this.#say()
  }

  disconnectedCallback() {
    clearInterval(this.#ticking)
  }

  #say() {
    const left = Math.ceil((Date.parse(this.getAttribute("until")) - Date.now()) / 1000)
    const level = left <= 0 ? "over" : left <= SOON ? "soon" : "calm"
    this.textContent = left <= 0 ? OVER : `Retenu pour vous encore ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`
    if (this.dataset.level === level) return
    this.dataset.level = level
    const told = document.getElementById("countdown-told")
    if (told) told.textContent = { soon: `Il reste ${left} secondes. Vous pouvez prolonger.`, over: OVER, calm: "" }[level]
  }
}

customElements.define("hold-countdown", HoldCountdown)
