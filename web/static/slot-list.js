// <slot-list> keeps a server-rendered board current. The page arrives complete; this only applies
// what changes, with the same filter as the server (web/pages/finding.py). No script, no harm.

import { day, delay, nearDay } from "./clock.js"
import { live } from "./live.js"
import { distance, matches } from "./slot-search.js"

const TICK = 5_000 // ms; delays, holds that ran out, columns
const TELL_AT_MOST_EVERY = 10_000 // ms; for screen readers, a summary and never each row
const STAYS = 20_000 // ms; what one was reading says why it went, before it goes
const STATES = { free: "Libre", "busy-tentative": "Retenu", busy: "Complet", "busy-unavailable": "Retiré" }
const HOUR = 3_600_000 // ms

class SlotList extends HTMLElement {
  #stop = new AbortController()
  #search = {}
  #toldAt = 0

  connectedCallback() {
    this.#search = JSON.parse(this.dataset.search || "{}")
    const { signal } = (this.#stop = new AbortController())
    live.addEventListener("slots", ({ detail }) => this.#replaced(detail), { signal })
    live.addEventListener("slot", ({ detail }) => this.#changed(this.#row(detail.html)), { signal })
    live.addEventListener("gone", ({ detail }) => this.#gone(detail.id, detail.type), { signal })
    const ticking = setInterval(() => this.#tick(), TICK)
    signal.addEventListener("abort", () => clearInterval(ticking))
    live.follow(JSON.parse(this.dataset.at || "{}"))
    this.#tick()
  }

  disconnectedCallback() {
    this.#stop.abort()
  }

  #row(html) {
    const template = document.createElement("template")
    template.innerHTML = html
    return template.content.firstElementChild
  }

  #replaced({ territory, html }) {
    const rows = html.map((one) => this.#row(one))
    const kept = new Set(rows.map((row) => row.id))
    for (const old of this.querySelectorAll(`.slot[data-territory="${territory}"]`)) {
      if (!kept.has(old.id)) this.#leave(old, "busy-unavailable")
    }
    for (const row of rows) this.#changed(row)
    document.querySelector("[data-until-live]")?.remove()
  }

  #changed(row) {
    const old = document.getElementById(row.id)
    const shown = matches(row, this.#search)
    this.#show(row)
    if (old && this.contains(old)) {
      if (old.dataset.startsAt !== row.dataset.startsAt || !shown) {
        old.remove()
        if (shown) this.#place(row)
      } else this.#swap(old, row)
      if (!["free", "busy-tentative"].includes(row.dataset.status)) this.#leave(row, row.dataset.status)
    } else if (shown && ["free", "busy-tentative"].includes(row.dataset.status)) {
      row.classList.add("arrived")
      this.#place(row)
    }
    this.#count()
  }

  // The focus stays on a row that only changes its state under the reader.
  #swap(old, row) {
    const focused = old.contains(document.activeElement)
    old.replaceWith(row)
    if (focused) (row.querySelector("button") ?? row).focus({ preventScroll: true })
  }

  #gone(id, type) {
    const row = this.querySelector(`#slot-${CSS.escape(id)}`)
    if (row) this.#leave(row, type === "slot.withdrawn" ? "busy-unavailable" : "busy")
  }

  #leave(row, status) {
    this.#state(row, status)
    setTimeout(() => {
      // It may be back by then: a cancelled booking frees the seat.
      const { status: now } = row.dataset
      if (row.isConnected && now === status) row.remove()
      this.#count()
    }, STAYS)
  }

  #state(row, status) {
    row.dataset.status = status
    const word = row.querySelector(".state")
    if (word) [word.dataset.state, word.textContent] = [status, STATES[status]]
  }

  #show(row) {
    const starts = Date.parse(row.dataset.startsAt)
    row.querySelector("[data-day]").textContent = nearDay(starts)
    row.querySelector("[data-delay]").textContent = delay(starts)
    if (!this.#search.commune || row.dataset.modality === "VR") return
    const away = distance(row, this.#search)
    row.dataset.distance = away
    row.querySelector("[data-distance]").textContent = away < 1 ? "à moins de 1\u00a0km" : `à ${Math.round(away)}\u00a0km`
  }

  #place(row) {
    const group = this.#group(row)
    if (!group) return
    const list = group.querySelector(".list")
    list.insertBefore(row, [...list.children].find((other) => this.#order(row, other) < 0) ?? null)
    group.hidden = false
  }

  #order({ dataset: a }, { dataset: b }) {
    if (this.#search.nearest && a.distance !== b.distance) return Number(a.distance ?? 0) - Number(b.distance ?? 0)
    return Date.parse(a.startsAt) - Date.parse(b.startsAt) || (a.id < b.id ? -1 : 1)
  }

  #group({ dataset }) {
    const starts = Date.parse(dataset.startsAt)
    const ahead = Math.max(0, starts - Date.now()) / HOUR
    return [...this.querySelectorAll("[data-group]")].find(({ dataset: group }) =>
      group.day ? group.day === day(starts) : ahead >= Number(group.fromH) && ahead < Number(group.toH))
  }

  // Time passes without events too: delays shrink, holds run out, slots change columns or are over.
  #tick() {
    const now = Date.now()
    for (const row of this.querySelectorAll(".slot")) {
      const { status, heldUntil, startsAt, endsAt, capacity } = row.dataset
      this.#show(row)
      if (status === "busy-tentative" && heldUntil && Date.parse(heldUntil) <= now) this.#state(row, "free")
      const over = Number(capacity) > 1 ? Date.parse(endsAt) : Math.min(Date.parse(endsAt), Date.parse(startsAt) + HOUR / 12)
      if (over <= now) row.remove()
      else if (this.#group(row) !== row.closest("[data-group]")) this.#place(row)
    }
    this.#count()
  }

  #count() {
    for (const group of this.querySelectorAll("[data-group]")) {
      const counter = group.querySelector("[data-count]")
      if (counter) counter.textContent = group.querySelectorAll('.slot[data-status="free"]').length
    }
    this.#tell()
  }

  #tell() {
    const summary = this.querySelector("[data-summary]")
    if (!summary || Date.now() - this.#toldAt < TELL_AT_MOST_EVERY) return
    const free = this.querySelectorAll('.slot[data-status="free"]').length
    const words = `${free}\u00a0${free > 1 ? "places libres" : "place libre"}`
    if (summary.textContent === words) return
    summary.textContent = words
    this.#toldAt = Date.now()
  }
}

customElements.define("slot-list", SlotList)
