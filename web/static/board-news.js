// <board-news> says what changed since somebody last looked, and freezes the board. “Last looked”
// is the last “Vu”: kept for the tab, so that a booking made meanwhile loses nothing of it.

const STORE = "looked-at"
const MADE = 48 // bits of an id that say when it was made (slots/ids.py)

const hour = new Intl.DateTimeFormat("fr-FR", { timeZone: "Europe/Paris", hour: "numeric", minute: "2-digit" })
const at = (instant) => hour.format(instant).replace(":", "\u00a0h\u00a0")
const count = (number, one, many) => `${number}\u00a0${number > 1 ? many : one}`
const madeAt = (id) => parseInt(id.replaceAll("-", "").slice(0, MADE / 4), 16)

class BoardNews extends HTMLElement {
  #stop = new AbortController()
  #lost = new Set()

  connectedCallback() {
    const { signal } = (this.#stop = new AbortController())
    document.addEventListener("changed", () => this.#say(), { signal })
    document.addEventListener("lost", ({ detail }) => this.#lost.add(detail), { signal })
    document.addEventListener("keydown", (event) => event.key === "F8" && (event.preventDefault(), this.#freeze()), { signal })
    this.querySelector("[data-freeze]").addEventListener("click", () => this.#freeze(), { signal })
    this.querySelector("[data-looked]").addEventListener("click", () => this.#looked(), { signal })
    this.querySelector("[data-freeze]").hidden = false
    if (!this.#since) sessionStorage.setItem(STORE, Date.now())
    // What was published meanwhile is news on a page that has just been opened, too.
    for (const row of this.#rows("")) if (madeAt(row.dataset.id) > this.#since) row.dataset.news = ""
    this.#say()
  }

  disconnectedCallback() {
    this.#stop.abort()
  }

  get #list() {
    return document.querySelector("slot-list")
  }

  get #since() {
    return Number(sessionStorage.getItem(STORE))
  }

  #rows(which) {
    return this.#list?.querySelectorAll(`.slot${which}`) ?? []
  }

  #looked() {
    sessionStorage.setItem(STORE, Date.now())
    this.#lost.clear()
    for (const row of this.#rows("[data-news]")) delete row.dataset.news
    this.#say()
    this.#list?.querySelector(".hold")?.focus()
  }

  #freeze() {
    const is = !this.#list.frozenAt
    this.querySelector("[data-freeze]").ariaPressed = String(is)
    this.#list.freeze(is)
    this.#say()
  }

  #say() {
    const list = this.#list
    if (!list) return
    const news = this.#rows("[data-news]").length
    const lost = this.#lost.size
    const changes = [
      news && count(news, "nouvelle", "nouvelles"),
      lost && count(lost, "partie", "parties"),
    ].filter(Boolean)
    const since = changes.length ? `Depuis ${at(this.#since)}\u00a0: ${changes.join(", ")}` : ""
    const frozen = list.frozenAt
      ? `Figé à ${at(list.frozenAt)}, ${count(list.waiting, "changement attend", "changements attendent")}`
      : ""
    this.toggleAttribute("data-frozen", Boolean(frozen))
    const words = frozen || since
    const told = this.querySelector("[data-news]")
    if (told.textContent !== words) told.textContent = words
    this.querySelector("[data-looked]").hidden = Boolean(frozen) || !changes.length
    const button = this.querySelector("[data-freeze]").firstChild
    const name = frozen ? "Reprendre " : "Figer "
    if (button.textContent !== name) button.textContent = name
  }
}

customElements.define("board-news", BoardNews)
