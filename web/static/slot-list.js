// <slot-list> keeps a server-rendered board current. The page arrives complete; this only applies
// what changes, with the same filter as the server (web/pages/finding.py). No script, no harm.
// What happens waits in a row and is applied in slices, so that no burst makes the page stutter;
// nothing is put, moved or taken away where somebody points.

import { delay, nearDay } from "./clock.js"
import { live } from "./live.js"
import { Layout } from "./slot-layout.js"
import { distance, matches } from "./slot-search.js"

const TICK = 5_000 // ms; delays, holds that ran out, columns
const SLICE = 12 // ms of work, then the browser's turn
const TELL_AT_MOST_EVERY = 10_000 // ms; for screen readers, a summary and never each row
const STAYS = 20_000 // ms; what one was reading says why it went, before it goes
const RESTS = 3_000 // ms; a pointer that has not moved for so long points at nothing
const RENEWS = 60_000 // ms; where time alone brings rows that no event tells of
const STARTED_GRACE = 5 * 60_000 // ms, as slots/slot.py: when a créneau may still be given
const STATES = { free: "Libre", "busy-tentative": "Retenu", busy: "Complet", "busy-unavailable": "Retiré" }
const SHOWN = ["free", "busy-tentative"]

class SlotList extends HTMLElement {
  #stop = new AbortController()
  #search = {}
  #layout = null
  #toldAt = 0
  #waiting = [] // what happened and is not applied yet
  #pumping = false // or about to
  #ticking = false
  #renewedAt = Date.now()
  #fetching = 0
  #missed = [] // what happened while rows were on their way, which know nothing of it
  #deferred = new Map() // rows that are not put where somebody points
  #pointed = { at: -Infinity, on: null }
  frozenAt = 0

  connectedCallback() {
    this.#search = JSON.parse(this.dataset.search || "{}")
    this.#layout = new Layout(this, this.#search)
    const { signal } = (this.#stop = new AbortController())
    live.addEventListener("slots", ({ detail }) => this.#replaced(detail), { signal })
    live.addEventListener("slot", ({ detail }) => this.#happened(() => this.#changed(row(detail.html))), { signal })
    live.addEventListener("gone", ({ detail }) => this.#happened(() => this.#gone(detail.id, detail.type)), { signal })
    for (const word of ["pointermove", "keydown", "focusin"]) {
      this.addEventListener(word, ({ target, timeStamp }) => (this.#pointed = { at: timeStamp, on: target }), { signal })
    }
    document.addEventListener("drawn", () => this.#count(), { signal })
    const ticking = setInterval(() => this.frozenAt || this.#tick(), TICK)
    const settling = setInterval(() => this.#deferred.size && this.#later(() => this.#settle()), RESTS / 3)
    signal.addEventListener("abort", () => [ticking, settling].forEach(clearInterval))
    const seen = new IntersectionObserver((all) => all.forEach((one) => one.isIntersecting && this.#fetchMore(one.target)))
    this.querySelectorAll("[data-more]").forEach((more) => seen.observe(more))
    signal.addEventListener("abort", () => seen.disconnect())
    this.addEventListener("more", ({ target }) => seen.observe(target), { signal })
    live.follow(JSON.parse(this.dataset.at || "{}"), true)
    this.#tick()
  }

  disconnectedCallback() {
    this.#stop.abort()
  }

  /** Changes wait from now on, or are applied. */
  freeze(is) {
    this.frozenAt = is ? Date.now() : 0
    this.toggleAttribute("data-frozen", is)
    if (!is) this.#soon()
  }

  /** How many changes wait. */
  get waiting() {
    return this.#waiting.length
  }

  #happened(work) {
    if (this.#fetching) this.#missed.push(work)
    this.#later(work)
  }

  #later(work) {
    this.#waiting.push(work)
    if (!this.frozenAt) this.#soon()
    else this.dispatchEvent(new Event("changed", { bubbles: true }))
  }

  #soon() {
    if (this.#pumping) return
    this.#pumping = true
    setTimeout(() => this.#pump())
  }

  #pump() {
    this.#pumping = false
    if (this.frozenAt || !this.isConnected) return
    const until = performance.now() + SLICE
    while (this.#waiting.length && performance.now() < until) this.#waiting.shift()()
    if (this.#waiting.length) this.#soon()
    this.#count()
  }

  #replaced({ territory, html }) {
    const all = () => {
      const kept = new Set()
      const works = html.map((one) => () => {
        const fresh = row(one)
        kept.add(fresh.id)
        this.#changed(fresh)
      })
      const isGone = (one) => one.dataset.territory === territory && !kept.has(one.id)
      works.push(() => {
        for (const old of this.querySelectorAll(".slot")) if (isGone(old)) this.#leave(old, "busy-unavailable")
        for (const one of this.#deferred.values()) if (isGone(one)) this.#deferred.delete(one.id)
        document.querySelector("[data-until-live]")?.remove()
      })
      this.#waiting.unshift(...works) // before what happened since
    }
    all.territory = territory
    // Of several that wait, the last says all.
    this.#waiting = this.#waiting.filter((work) => work.territory !== territory)
    this.#happened(all)
  }

  #changed(fresh) {
    const old = document.getElementById(fresh.id)
    const shown = matches(fresh, this.#search) && SHOWN.includes(fresh.dataset.status)
    if (!shown && old?.dataset.status === fresh.dataset.status && old.hasAttribute("data-leaving")) return // it says so already
    this.#show(fresh)
    if (old && this.contains(old)) {
      this.#swap(old, fresh)
      if (!shown) this.#leave(fresh, fresh.dataset.status)
      else if (!this.#layout.fits(fresh)) this.#put(fresh)
    } else if (!shown) {
      this.#deferred.delete(fresh.id)
    } else if (!this.#layout.isBeyond(fresh)) {
      fresh.classList.add("arrived")
      fresh.dataset.news = ""
      this.#put(fresh)
    }
  }

  // The focus stays on a row that only changes its state under the reader.
  #swap(old, fresh) {
    const focused = old.contains(document.activeElement)
    if ("news" in old.dataset) fresh.dataset.news = ""
    old.replaceWith(fresh)
    if (!focused) return
    fresh.tabIndex = -1 // where nothing can be held any more, the row itself keeps the place
    const button = fresh.dataset.status === "free" && fresh.querySelector("button")
    ;(button || fresh).focus({ preventScroll: true })
  }

  #put(fresh) {
    if (this.#isAsked(fresh)) this.#deferred.set(fresh.id, fresh)
    else this.#layout.place(fresh)
  }

  // Where it stands, or where it would.
  #isAsked(one) {
    return this.#isPointedAt(one.closest("[data-group]")) || this.#isPointedAt(this.#layout.groupOf(one))
  }

  #isPointedAt(group) {
    return Boolean(group) && performance.now() - this.#pointed.at < RESTS && group.contains(this.#pointed.on)
  }

  #settle() {
    for (const [id, fresh] of this.#deferred) {
      if (this.#isAsked(fresh)) continue
      this.#deferred.delete(id)
      const old = document.getElementById(id)
      if (old && old !== fresh) continue // something newer stands there
      this.#layout.place(fresh)
    }
  }

  #gone(id, type) {
    this.#deferred.delete(`slot-${id}`)
    const old = this.querySelector(`#slot-${CSS.escape(id)}`)
    if (old) this.#leave(old, type === "slot.withdrawn" ? "busy-unavailable" : "busy")
  }

  #leave(old, status) {
    this.#state(old, status)
    old.toggleAttribute("data-leaving", true)
    if (SHOWN.includes(status) === false) this.dispatchEvent(new CustomEvent("lost", { bubbles: true, detail: old.id }))
    const go = () => {
      // It may be back by then: a cancelled booking frees the seat.
      if (!old.isConnected || old.dataset.status !== status) return
      if (this.frozenAt || this.#isPointedAt(old.closest("[data-group]"))) return setTimeout(go, RESTS)
      this.#deferred.delete(old.id)
      this.#layout.remove(old)
      this.#count()
    }
    setTimeout(go, STAYS)
  }

  #state(old, status) {
    old.dataset.status = status
    const word = old.querySelector(".state")
    if (word) [word.dataset.state, word.textContent] = [status, STATES[status]]
  }

  #show(fresh) {
    const starts = Date.parse(fresh.dataset.startsAt)
    write(fresh.querySelector("[data-day]"), nearDay(starts))
    write(fresh.querySelector("[data-delay]"), delay(starts))
    if (!this.#search.commune || fresh.dataset.modality === "VR") return
    const away = distance(fresh, this.#search)
    fresh.dataset.distance = away
    write(fresh.querySelector("[data-distance]"), away < 1 ? "à moins de 1\u00a0km" : `à ${Math.round(away)}\u00a0km`)
  }

  // Time passes without events too: delays shrink, holds run out, slots change columns or are over.
  #tick() {
    if (this.#ticking) return
    this.#ticking = true
    for (const one of this.querySelectorAll(".slot")) this.#later(() => one.isConnected && this.#age(one))
    this.#later(() => (this.#ticking = false))
    if (this.#layout.isOfYesterday && live.state === "live" && !document.activeElement?.matches("input, select")) location.reload()
    const { within_h, nearest } = this.#search
    const drifts = within_h || (nearest && this.querySelector("[data-until]"))
    if (this.#layout.dropPassedMarks() || (drifts && Date.now() - this.#renewedAt > RENEWS)) {
      this.#renewedAt = Date.now()
      live.renew()
    }
  }

  #age(one) {
    const now = Date.now()
    const { status, heldUntil, startsAt, endsAt, capacity } = one.dataset
    this.#show(one)
    if (status === "busy-tentative" && heldUntil && Date.parse(heldUntil) <= now) this.#state(one, "free")
    const ends = Date.parse(endsAt)
    const over = Number(capacity) > 1 ? ends : Math.min(ends, Date.parse(startsAt) + STARTED_GRACE)
    if (over <= now) return this.#isPointedAt(one.closest("[data-group]")) || this.#layout.remove(one)
    if (!this.#layout.fits(one)) this.#put(one)
  }

  async #fetchMore(more) {
    const url = more.dataset.more
    if (!url) return
    delete more.dataset.more
    this.#fetching++
    const answer = await fetch(url, { headers: { accept: "text/html" } }).catch(() => null)
    const html = answer?.ok && !answer.redirected ? await answer.text() : ""
    const missed = this.#missed
    if (!--this.#fetching) this.#missed = []
    if (!html) return (more.dataset.more = url) // the link is still there
    const page = new DOMParser().parseFromString(html, "text/html")
    const next = page.querySelector(".more")
    const scope = more.parentElement
    for (const one of page.querySelectorAll(".slot")) {
      this.#later(() => {
        if (document.getElementById(one.id)) return
        this.#show(one)
        this.#layout.place(one)
      })
    }
    this.#later(() => {
      more.remove()
      this.#waiting.unshift(...missed)
      if (!next) return
      scope.append(next)
      next.dispatchEvent(new Event("more", { bubbles: true }))
    })
  }

  #count() {
    const told = JSON.parse(document.querySelector("[data-free]")?.dataset.free ?? "{}")
    for (const group of this.querySelectorAll("[data-group]")) {
      const here = group.querySelectorAll('.slot[data-status="free"]').length
      // Who has not all rows of a column hears from the server how many it has.
      write(group.querySelector("[data-count]"), String(group.querySelector("[data-until]") ? told[group.dataset.fromH] ?? here : here))
    }
    this.dispatchEvent(new Event("changed", { bubbles: true }))
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

function row(html) {
  const template = document.createElement("template")
  template.innerHTML = html
  return template.content.firstElementChild
}

function write(element, words) {
  if (element && element.textContent !== words) element.textContent = words
}

customElements.define("slot-list", SlotList)
