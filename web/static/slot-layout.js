// Where a row of a board stands: in which group, under which offer, after which other. The same
// layout as the server's (web/pages/groups.py), for what arrives live. A board may have thousands
// of rows: nothing here looks at all of them.

import { day } from "./clock.js"

const HOUR = 3_600_000 // ms
const SKEW = HOUR / 12 // by so much this clock may be ahead of the server's

export class Layout {
  #list
  #groups
  #nearest
  #byDay
  #offers = new Map() // where offers are looked for (a column, or the whole list) → kin → offer

  constructor(list, { nearest }) {
    this.#list = list
    this.#groups = [...list.querySelectorAll("[data-group]")]
    this.#nearest = Boolean(nearest)
    this.#byDay = this.#groups.some((group) => group.dataset.day)
    for (const offer of list.querySelectorAll(".offer")) this.#known(offer.closest("[data-group]")).set(offer.dataset.kin, offer)
  }

  /** The group that a row belongs to now. */
  groupOf(row) {
    const first = this.#byDay ? this.#first(this.#known().get(row.dataset.kin), row) : row
    const now = Date.now()
    const starts = startsAt(first)
    const date = day(Math.max(starts, now))
    const ahead = Math.max(0, starts - now) / HOUR
    // The clock here may be slow: what the server offers already has its place in the last group.
    return this.#groups.findLast(({ dataset }) => (this.#byDay ? dataset.day <= date : ahead >= Number(dataset.fromH))) ?? this.#groups[0]
  }

  /** Whether a row stands where it belongs. */
  fits(row) {
    const offer = row.closest(".offer")
    if (!offer || offer.dataset.kin !== row.dataset.kin || offer.closest("[data-group]") !== this.groupOf(row)) return false
    const { previousElementSibling: before, nextElementSibling: after } = row
    return (!before || inTime(before, row) < 0) && (!after || inTime(row, after) < 0)
  }

  /** Whether a row comes after what has been loaded: it will come by scrolling. */
  isBeyond(row) {
    const end = (this.#byDay ? this.#list : this.groupOf(row))?.querySelector(":scope > [data-until]")
    if (!end) return false
    const [distance, startsAt] = end.dataset.until.split("|")
    return this.#compare(row, { dataset: { startsAt, distance: distance || undefined } }) > 0
  }

  /** Whether the days of the list are not today's any more. */
  get isOfYesterday() {
    return this.#byDay && this.#groups[0].dataset.day < day(Date.now() - SKEW)
  }

  /** Drop the marks that time has passed. Whether there were any: rows that were never loaded have come to where this page shows all. */
  dropPassedMarks() {
    const now = Date.now()
    const passed = this.#byDay ? [] : this.#groups.filter((group) => {
      const startsAt = group.querySelector("[data-until]")?.dataset.until.split("|")[1]
      return startsAt && Date.parse(startsAt) <= now + Number(group.dataset.fromH) * HOUR
    })
    for (const group of passed) group.querySelector("[data-until]").remove()
    return passed.length > 0
  }

  /** Put a row where it belongs, with its kin. */
  place(row) {
    const focused = row.contains(document.activeElement) && document.activeElement
    this.remove(row)
    const group = this.groupOf(row)
    const known = this.#known(group)
    const { kin } = row.dataset
    const offer = known.get(kin) ?? newOffer(row)
    known.set(kin, offer)
    const times = offer.firstElementChild
    times.insertBefore(row, firstAfter(times.children, (other) => inTime(row, other)))
    this.#stand(offer)
    if (focused) focused.focus({ preventScroll: true })
  }

  /** Take a row away, and its offer with the last one. */
  remove(row) {
    const offer = row.closest(".offer")
    if (!offer) return row.remove()
    const group = offer.closest("[data-group]")
    const wasFirst = !row.previousElementSibling
    row.remove()
    if (offer.firstElementChild.firstElementChild) return wasFirst && this.#stand(offer)
    offer.remove()
    this.#known(group).delete(offer.dataset.kin)
  }

  #known(group) {
    const where = this.#byDay ? this.#list : group
    if (!this.#offers.has(where)) this.#offers.set(where, new Map())
    return this.#offers.get(where)
  }

  #first(offer, row) {
    const first = offer && head(offer)
    return first && first !== row && inTime(first, row) < 0 ? first : row
  }

  // An offer stands where its first row says; it is moved only when it must be.
  #stand(offer) {
    const first = head(offer)
    const list = this.groupOf(first).querySelector(".list")
    const { previousElementSibling: before, nextElementSibling: after } = offer
    const stands = offer.parentElement === list
    if (stands && (!before || this.#compare(head(before), first) <= 0) && (!after || this.#compare(first, head(after)) <= 0)) return
    offer.remove()
    list.insertBefore(offer, firstAfter(list.children, (other) => this.#compare(first, head(other))))
  }

  #compare(a, b) {
    const far = ({ dataset: { distance } }) => Number(distance ?? Infinity)
    return (this.#nearest && far(a) !== far(b) ? far(a) - far(b) : 0) || startsAt(a) - startsAt(b)
  }
}

const startsAt = ({ dataset }) => Date.parse(dataset.startsAt)
const inTime = (a, b) => startsAt(a) - startsAt(b) || (a.id < b.id ? -1 : 1)
const head = (offer) => offer.firstElementChild.firstElementChild

/** The first of sorted *others* that comes after; null where none does. */
function firstAfter(others, compare) {
  let [from, to] = [0, others.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (compare(others[middle]) < 0) to = middle
    else from = middle + 1
  }
  return others[from] ?? null
}

function newOffer(row) {
  const offer = document.createElement("li")
  offer.className = "offer"
  offer.dataset.kin = row.dataset.kin
  const who = row.querySelector(".slot-who strong")?.textContent ?? ""
  offer.innerHTML = `<ul class="times"></ul><label class="all-times"><input type="checkbox"> Tous les horaires<span class="visually-hidden"></span></label>`
  offer.querySelector("span").textContent = ` de ${who}`
  return offer
}
