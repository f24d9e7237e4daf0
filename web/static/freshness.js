// <live-freshness> says how old the data on the page is; what nobody keeps current says it too.

import { age, hour } from "./clock.js"
import { live } from "./live.js"

const LATE = 15 // s
const FROZEN = 60 // s
const ENDED = "Votre session a pris fin ou vos droits ont changé : rechargez la page."

class LiveFreshness extends HTMLElement {
  #ticking = 0

  connectedCallback() {
    live.follow(JSON.parse(this.dataset.at || "{}"))
    this.#ticking = setInterval(() => this.#say(), 1_000)
    this.#say()
  }

  disconnectedCallback() {
    clearInterval(this.#ticking)
  }

  #say() {
    const seconds = live.age
    const [level, words] = this.#words(seconds)
    this.dataset.level = level
    this.setAttribute("role", level === "frozen" ? "alert" : "none")
    if (this.textContent !== words) this.textContent = words
    const clock = document.querySelector("[data-clock]") // on the wall
    if (clock) clock.textContent = hour(Date.now())
  }

  #words(seconds) {
    if (live.state === "ended") return ["frozen", ENDED]
    if (live.state === "locked") return ["frozen", "Session verrouillée"]
    if (seconds > FROZEN) return ["frozen", "DONNÉES FIGÉES · connexion perdue, nouvel essai en cours"]
    if (!live.ledger) return ["late", "La base ne répond pas : rien ne peut être réservé pour le moment"]
    const old = `Données à jour il y a ${age(seconds)}`
    if (seconds > LATE) return ["late", `${old} · connexion lente ou perdue`]
    if (live.state === "polling") return ["late", `${old} · sans liaison directe, relues toutes les 10 s`]
    return ["live", old]
  }
}

customElements.define("live-freshness", LiveFreshness)
