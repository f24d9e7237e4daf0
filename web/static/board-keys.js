// A board without a mouse: the search line from anywhere, its first answer under the focus, arrows
// from place to place. No single letter is a command: whoever dictates speaks letters (WCAG 2.1.4).

const ARROWS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }

const canHold = (row) => row.querySelector(".hold")?.checkVisibility({ visibilityProperty: true })

document.addEventListener("keydown", (event) => {
  if (event.key === "F2") return document.querySelector("[data-lock]")?.click()
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) return toSearch(event)
  const list = event.target.closest?.("slot-list")
  if (!list || !(event.key in ARROWS) || event.ctrlKey || event.metaKey || event.altKey) return
  const next = neighbour(list, event.target.closest(".slot"), ...ARROWS[event.key])
  if (!next) return
  event.preventDefault()
  next.focus()
})

function toSearch(event) {
  const search = document.getElementById("quoi")
  if (!search) return
  event.preventDefault()
  search.select()
  search.focus()
}

function neighbour(list, row, down, across) {
  const groups = [...list.querySelectorAll("[data-group]")]
    .map((group) => [...group.querySelectorAll(".slot")].filter((one) => one === row || canHold(one)))
    .filter((rows) => rows.length)
  const here = groups.findIndex((rows) => rows.includes(row))
  const at = groups[here]?.indexOf(row)
  const inColumns = list.classList.contains("board")
  const beside = groups[here + across]
  const next = down
    ? groups[here]?.[at + down] ?? (inColumns ? undefined : groups[here + down]?.at(down < 0 ? -1 : 0))
    : beside?.[Math.min(at, beside.length - 1)]
  return next?.querySelector(".hold")
}

if (document.querySelector(".search[data-searched]:not(:has([aria-invalid]))")) {
  document.querySelector("slot-list .hold")?.focus({ preventScroll: true })
}
