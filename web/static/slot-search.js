// Which rows answer a search: the same filter as the server's (web/pages/finding.py), for what
// arrives live. *wanted* is Search.for_browser().

import { kilometres } from "./clock.js"

const HOUR = 3_600_000 // ms

/** Whether a slot's row is what was looked for. */
export function matches(row, wanted) {
  const { dataset: slot } = row
  if (wanted.words && !answers(wanted.words, row)) return false
  if (wanted.territory && wanted.territory !== slot.territory) return false
  if (wanted.profession && wanted.profession !== slot.profession) return false
  if (wanted.specialty && wanted.specialty !== slot.specialty) return false
  if (wanted.act && !slot.acts.split(" ").includes(wanted.act)) return false
  if (wanted.audience && !slot.audience.split(" ").includes(wanted.audience)) return false
  if (wanted.modality && wanted.modality !== slot.modality) return false
  if (wanted.within_h && Date.parse(slot.startsAt) - Date.now() > wanted.within_h * HOUR) return false
  if (!wanted.commune || slot.modality === "VR") return true
  const away = distance(row, wanted)
  if (slot.modality === "HH") {
    if (slot.areaInsee) return slot.areaInsee.split(" ").includes(wanted.commune.insee)
    return away <= Number(slot.areaRadius)
  }
  return !wanted.radius_km || away <= wanted.radius_km
}

// As web/pages/wording.py: each stem begins a word of who, what and where.
function answers(stems, row) {
  const said = [".slot-who", ".slot-acts", ".slot-place"].map((part) => row.querySelector(part)?.textContent ?? "").join(" ")
  const words = said.toLowerCase().replaceAll("œ", "oe").normalize("NFD").replace(/\p{M}/gu, "").match(/[a-z0-9]+/g) ?? []
  return stems.every((stem) => words.some((word) => word.startsWith(stem)))
}

/** Kilometres from the patient's commune to a slot's place, as the crow flies, to 0.1 as the server says them. */
export function distance({ dataset: { lat, lon } }, { commune }) {
  return Math.round(kilometres(commune.lat, commune.lon, Number(lat), Number(lon)) * 10) / 10
}
