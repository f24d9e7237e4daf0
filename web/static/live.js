// One connection per page to /live: it follows territories, resumes where it stood, and never
// shows a hole: what does not follow on its predecessor is asked for anew. Where a proxy refuses
// the upgrade it polls, and says so. Listeners hear "slots", "slot", "gone", "beat" and "state".

const SUBPROTOCOL = "chrono48.live.v1"
const SILENCE_MAX = 25_000 // ms; two heartbeats and a half: who is offline hears no close
const RETRY_FIRST = 500 // ms
const RETRY_MAX = 15_000 // ms
const POLL_EVERY = 10_000 // ms
const REFUSALS_BEFORE_POLLING = 2
const SIGNED_OUT = 4500 // close codes from here on do not come back, this one only as the same person
const LOCKED = 4504 // or only once somebody has opened the session again

class Live extends EventTarget {
  state = "starting" // live, late, polling, locked, ended
  ledger = true
  #positions = new Map() // territory → where we stand in its log; null: from the beginning
  #ageAt = Date.now() // when the data was true, in this browser's clock
  #socket = null
  #refusals = 0
  #retries = 0
  #silence = 0
  #polling = 0

  /** Follow territories from what the page already shows: {slug: position}. *anew*: this shows them, whatever came before. */
  follow(positions, anew = false) {
    const moved = Object.entries(positions).filter(([territory, at]) =>
      anew ? this.#positions.get(territory) !== (at || null) : !this.#positions.has(territory))
    for (const [territory, at] of moved) this.#positions.set(territory, at || null)
    if (this.#positions.size === 0 || (!moved.length && this.#socket)) return
    if (this.#socket?.readyState === WebSocket.OPEN) this.#subscribe()
    else if (!this.#socket && !this.#polling) this.#connect()
  }

  /** Ask for everything again: what time alone has changed is told by no event. */
  renew() {
    if (this.#socket?.readyState === WebSocket.OPEN) [...this.#positions.keys()].forEach((id) => this.#again(id))
  }

  /** Go on after a lock, from where we stood. */
  resume() {
    if (this.state !== "locked") return
    this.#become("late")
    if (this.#positions.size && !this.#socket) this.#connect()
  }

  /** Seconds since what is shown was known to be true. */
  get age() {
    return Math.max(0, (Date.now() - this.#ageAt) / 1000)
  }

  #connect() {
    const url = new URL("/live", location.href)
    url.protocol = url.protocol.replace("http", "ws")
    let opened = false
    const socket = (this.#socket = new WebSocket(url, SUBPROTOCOL))
    socket.onopen = () => {
      opened = true
      this.#refusals = 0
      this.#subscribe()
    }
    socket.onmessage = ({ data }) => this.#received(JSON.parse(data))
    socket.onclose = ({ code }) => socket === this.#socket && this.#closed(code, opened)
    this.#listenForSilence()
  }

  #subscribe() {
    const territories = [...this.#positions].map(([id, after]) => (after ? { id, after } : { id }))
    this.#socket.send(JSON.stringify({ t: "subscribe", territories, as: "html" }))
  }

  #received(frame) {
    this.#listenForSilence()
    switch (frame.t) {
      case "snapshot":
        return this.#snapshot(frame)
      case "event":
      case "gone":
      case "skip":
        return this.#changed(frame)
      case "resync":
        return this.#positions.set(frame.territory, null)
      case "heartbeat":
        this.#socket.send('{"t":"pong"}')
        return this.#heard(frame)
    }
  }

  #snapshot({ territory, at, html }) {
    this.#positions.set(territory, at)
    this.#fresh(0)
    this.#tell("slots", { territory, html })
  }

  #changed(frame) {
    const { territory, at, prev, t } = frame
    const standsAt = this.#positions.get(territory)
    if (!standsAt) return // a snapshot is on its way
    if (prev !== standsAt) return this.#again(territory)
    this.#positions.set(territory, at)
    this.#fresh(0)
    if (t !== "skip") this.#tell(t === "gone" ? "gone" : "slot", frame)
  }

  #heard({ at, age_s, ledger }) {
    this.ledger = ledger
    this.#fresh(age_s)
    // A lost last event shows here.
    for (const [territory, position] of Object.entries(at)) {
      const standsAt = this.#positions.get(territory)
      if (standsAt && standsAt !== position) this.#again(territory)
    }
    this.#tell("beat", {})
  }

  #again(id) {
    this.#positions.set(id, null)
    this.#socket.send(JSON.stringify({ t: "subscribe", territories: [{ id }], as: "html" }))
  }

  #fresh(age) {
    this.#retries = 0
    this.#ageAt = Date.now() - age * 1000
    this.#become(this.#polling ? "polling" : "live")
  }

  #listenForSilence() {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => this.#closed(0, true), SILENCE_MAX)
  }

  #closed(code, opened) {
    clearTimeout(this.#silence)
    const socket = this.#socket
    this.#socket = null
    socket?.close()
    if (code === LOCKED) return this.#become("locked")
    if (code > SIGNED_OUT) return this.#become("ended")
    if (code === SIGNED_OUT) return import("./signed-in.js").then((it) => it.look(), () => 0).then((end) => this.#closed(end, true))
    this.#become("late")
    if (!opened && ++this.#refusals >= REFUSALS_BEFORE_POLLING) this.#poll()
    // With jitter: no stampede after a restart.
    const wait = Math.min(RETRY_MAX, RETRY_FIRST * 2 ** this.#retries++) * (0.5 + Math.random())
    setTimeout(() => this.state === "locked" || (this.#socket ?? this.#connect()), this.#polling ? POLL_EVERY * 6 : wait)
  }

  async #poll() {
    clearTimeout(this.#polling)
    this.#polling = setTimeout(() => this.#poll(), POLL_EVERY)
    if (this.#socket?.readyState === WebSocket.OPEN) return this.#stopPolling()
    const query = new URLSearchParams([...this.#positions.keys()].map((id) => ["territory", id]))
    query.set("as", "html")
    try {
      const answer = await fetch(`/live/snapshot?${query}`, { headers: { accept: "application/json" } })
      if (answer.status === 423) return this.#stopPolling(this.#become("locked"))
      if (answer.status === 401) return this.#stopPolling(this.#become("ended"))
      if (!answer.ok) return
      const { snapshots, age_s, ledger } = await answer.json()
      for (const snapshot of snapshots) this.#snapshot(snapshot)
      this.ledger = ledger
      this.#fresh(age_s)
      this.#tell("beat", {})
    } catch {
      // The age on the screen grows, and says it.
    }
  }

  #stopPolling() {
    clearTimeout(this.#polling)
    this.#polling = 0
  }

  #become(state) {
    this.state = state
    this.#tell("state", {})
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }))
  }
}

export const live = new Live()
