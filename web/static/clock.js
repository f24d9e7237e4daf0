// France's wall clock and the words for how soon something is, as web/pages/french.py says them.

const NBSP = "\u00a0"
const HOUR = 3_600_000 // ms
const dayKey = new Intl.DateTimeFormat("en-CA", { timeZone: "Europe/Paris" }) // 2026-11-26
const wall = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Paris", dateStyle: "short", timeStyle: "short" })
const dayName = new Intl.DateTimeFormat("fr-FR", {
  timeZone: "Europe/Paris", weekday: "long", day: "numeric", month: "long",
})

/** `aujourd’hui`, `demain`, `après-demain`, or the day by its name. */
export function nearDay(instant, now = new Date()) {
  const ahead = Math.round((Date.parse(day(instant)) - Date.parse(day(now))) / (24 * HOUR))
  return ["hier", "aujourd’hui", "demain", "après-demain"][ahead + 1] ?? dayName.format(instant)
}

/** The calendar day in France, `2026-11-26`. */
export function day(instant) {
  const hour = Math.floor(instant / HOUR) // within an hour the day is the same
  if (!days.has(hour)) days.set(hour, dayKey.format(instant))
  return days.get(hour)
}

const days = new Map()

/** `17 h 30`, `18 h`; in the hour that exists twice, which of both. */
export function hour(instant) {
  const [hours, minutes] = wall.format(instant).slice(-5).split(":")
  const which = isTwin(instant, HOUR) ? " (heure d’été)" : isTwin(instant, -HOUR) ? " (heure d’hiver)" : ""
  return `${Number(hours)}${NBSP}h` + (minutes === "00" ? "" : NBSP + minutes) + which
}

const isTwin = (instant, apart) => wall.format(instant) === wall.format(Number(instant) + apart)

/** `aujourd’hui à 17 h 30`. */
export const nearDayAndHour = (instant, now) => `${nearDay(instant, now)} à ${hour(instant)}`

/** The instant of a day and an hour in France, in ms; *fold* "0": of an hour that exists twice, the first. */
export function parisInstant(day, at, fold) {
  const there = Date.parse(`${day}T${at}Z`)
  const wanted = `${day.split("-").reverse().join("/")}, ${at}`
  const ahead = fold === "0" ? [2, 1] : [1, 2]
  return Number.isNaN(there) ? undefined : ahead.map((hours) => there - hours * HOUR).find((one) => wall.format(one) === wanted)
}

/** `dans 2 h 05`, `maintenant`. */
export function delay(instant, now = Date.now()) {
  const minutes = Math.floor((instant - now) / 60_000)
  if (minutes < 1) return "maintenant"
  if (minutes >= 600) return `dans ${Math.round(minutes / 60)}${NBSP}h`
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60]
  if (!hours) return `dans ${rest}${NBSP}min`
  return `dans ${hours}${NBSP}h` + (rest ? NBSP + String(rest).padStart(2, "0") : "")
}

/** `3 s`, `2 min`: the age of data. */
export function age(seconds) {
  return seconds < 90 ? `${Math.round(seconds)}${NBSP}s` : `${Math.round(seconds / 60)}${NBSP}min`
}

/** Kilometres between two points in degrees, as the crow flies. */
export function kilometres(lat1, lon1, lat2, lon2) {
  const [a, b, c, d] = [lat1, lon1, lat2, lon2].map((degrees) => (degrees * Math.PI) / 180)
  const half = Math.sin((c - a) / 2) ** 2 + Math.cos(a) * Math.cos(c) * Math.sin((d - b) / 2) ** 2
  return 12_742 * Math.asin(Math.sqrt(half))
}
