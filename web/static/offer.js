// The form that publishes: a stepper for thumbs, more moments, and only the fields that apply.

import { nearDayAndHour } from "./clock.js"

const ROUND_TO = 5 * 60_000 // ms
const RENEWED_EVERY = 30_000 // ms

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-step], [data-add-moment]")
  if (button?.dataset.step) step(button)
  if (!button?.hasAttribute("data-add-moment")) return
  event.preventDefault() // without this script the server draws the form again, with one more
  addMoment(button)
})

document.addEventListener("change", ({ target }) => {
  if (target.name === "modality" || target.name === "area") show(target.form)
  if (target.name === "schedule_id") tick(target)
})

// Another place has other habits: its acts, its audience.
function tick({ form, dataset, value }) {
  const ticks = dataset.ticks.split(" ")
  for (const box of form.querySelectorAll('[name="acts"], [name="audience"]')) box.checked = ticks.includes(box.value)
  form.elements.shown_for.value = value
}

function step(button) {
  const input = button.parentElement.querySelector("input")
  button.dataset.step === "up" ? input.stepUp() : input.stepDown()
  input.dispatchEvent(new Event("change", { bubbles: true }))
}

function addMoment(button) {
  const moments = button.form.querySelectorAll(".moment")
  const last = moments[moments.length - 1]
  const next = last.cloneNode(true)
  const number = moments.length
  for (const field of next.querySelectorAll("[id]")) field.id = field.id.replace(/\d+$/, number)
  for (const label of next.querySelectorAll("label")) label.htmlFor = label.htmlFor.replace(/\d+$/, number)
  for (const told of next.querySelectorAll(".error")) told.remove()
  next.querySelector('[name="at"]').value = ""
  last.after(next)
  next.querySelector('[name="at"]').focus()
}

function show(form) {
  for (const part of form.querySelectorAll("[data-when]")) {
    const [name, value] = part.dataset.when.split("=")
    part.hidden = new FormData(form).get(name) !== value
  }
}

// On a page that stays open “now” stays now, and what has passed meanwhile is offered no more.
function renewPresets() {
  const soonest = Math.ceil(Date.now() / ROUND_TO) * ROUND_TO
  for (const preset of document.querySelectorAll(".presets button")) {
    const passed = Date.parse(preset.value) < soonest - ROUND_TO
    if (!passed) continue
    if (!preset.hasAttribute("data-now")) preset.hidden = true
    else {
      preset.value = new Date(soonest).toISOString()
      preset.querySelector("small").textContent = nearDayAndHour(soonest)
    }
  }
}

renewPresets()
setInterval(renewPresets, RENEWED_EVERY)
document.addEventListener("click", renewPresets, { capture: true })

// A page out of the browser's store has the key of whoever saw it last.
for (const form of document.querySelectorAll("form[data-stored]")) form.elements.key.value = crypto.randomUUID()

for (const form of document.querySelectorAll("form[data-offer]")) show(form)
new MutationObserver(() => document.querySelectorAll("form[data-offer]").forEach(show)).observe(
  document.body, { childList: true })
