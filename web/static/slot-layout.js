// Where a row of a board stands: in which group, under which offer, after which other. The same
// layout as the server's (web/pages/groups.py), for what arrives live.

import { day } from "./clock.js"

const HOUR = 3_600_000 // ms

export class Layout {
  #list
  #nearest
  #byDay

  constructor(list, { nearest }) {
    this.#list = list
    this.#nearest = Boolean(nearest)
    this.#byDay = Boolean(list.querySelector("[data-group][data-day]"))
  }

  /** The group that a row belongs to now; none where it starts beyond the last. */
  groupOf(row) {
    const offer = this.#byDay && this.#offerOf(row, this.#list)
    const first = offer && this.#before(offer.querySelector(".slot"), row) ? offer.querySelector(".slot") : row
    const starts = Date.parse(first.dataset.startsAt)
    const ahead = Math.max(0, starts - Date.now()) / HOUR
    const date = day(Math.max(starts, Date.now()))
    return [...this.#list.querySelectorAll("[data-group]")].find(({ dataset: group }) =>
      group.day ? group.day === date : ahead >= Number(group.fromH) && ahead < Number(group.toH))
  }

  /** Whether a row stands where it belongs. */
  fits(row) {
    const offer = row.closest(".offer")
    if (!offer || offer.dataset.kin !== row.dataset.kin || offer.closest("[data-group]") !== this.groupOf(row)) return false
    const { previousElementSibling: before, nextElementSibling: after } = row
    return (!before || this.#before(before, row)) && (!after || this.#before(row, after))
  }

  /** Whether a row comes after what has been loaded: it will come by scrolling. */
  isBeyond(row) {
    const group = this.groupOf(row)
    const end = (this.#byDay ? this.#list : group)?.querySelector("[data-until]")
    if (!end) return false
    const [away, startsAt] = end.dataset.until.split("|")
    return this.#compare(row.dataset, { distance: away || undefined, startsAt, id: "" }) > 0
  }

  /** Put a row where it belongs, with its kin; nothing happens where it belongs nowhere. */
  place(row) {
    const left = row.closest(".offer")
    if (left) {
      row.remove()
      this.#stand(left)
    }
    const group = this.groupOf(row)
    if (!group) return
    let offer = this.#offerOf(row, this.#byDay ? this.#list : group)
    if (!offer) {
      offer = document.createElement("li")
      offer.className = "offer"
      offer.dataset.kin = row.dataset.kin
      offer.append(Object.assign(document.createElement("ul"), { className: "times" }), allTimes(row))
    }
    const times = offer.querySelector(".times")
    times.insertBefore(row, [...times.children].find((other) => this.#before(row, other)) ?? null)
    this.#stand(offer, group)
  }

  /** Take a row away, and its offer with the last one. */
  remove(row) {
    const offer = row.closest(".offer")
    row.remove()
    if (offer) this.#stand(offer)
  }

  #offerOf(row, scope) {
    return scope.querySelector(`.offer[data-kin="${CSS.escape(row.dataset.kin)}"]`)
  }

  // An offer stands where its first row says; it is moved only when it must be.
  #stand(offer, group) {
    const first = offer.querySelector(".slot")
    if (!first) return offer.remove()
    const list = (group ?? this.groupOf(first))?.querySelector(".list")
    if (!list) return
    const next = [...list.children].find((other) => other !== offer && this.#compare(first.dataset, other.querySelector(".slot").dataset) < 0) ?? null
    if (offer.parentElement !== list || offer.nextElementSibling !== next) list.insertBefore(offer, next)
  }

  #before({ dataset: a }, { dataset: b }) {
    return (Date.parse(a.startsAt) - Date.parse(b.startsAt) || (a.id < b.id ? -1 : 1)) < 0
  }

  #compare(a, b) {
    const far = ({ distance }) => (distance === undefined ? Infinity : Math.round(distance * 10) / 10)
    if (this.#nearest && far(a) !== far(b)) return far(a) - far(b)
    return Date.parse(a.startsAt) - Date.parse(b.startsAt)
  }
}

function allTimes(row) {
  const label = document.createElement("label")
  label.className = "all-times"
  const who = document.createElement("span")
  who.className = "visually-hidden"
  who.textContent = ` de ${row.querySelector(".slot-who strong")?.textContent ?? ""}`
  label.append(Object.assign(document.createElement("input"), { type: "checkbox" }), " Tous les horaires", who)
  return label
}
