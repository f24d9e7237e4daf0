// <no-network>: a page that stands in for one that could not be fetched. It tries again by itself,
// unless something has been typed.

const TRY_EVERY = 5_000 // ms

class NoNetwork extends HTMLElement {
  #stop = new AbortController()

  connectedCallback() {
    const { signal } = (this.#stop = new AbortController())
    const trying = setInterval(() => this.#again(), TRY_EVERY)
    signal.addEventListener("abort", () => clearInterval(trying))
    addEventListener("online", () => this.#again(), { signal })
    document.addEventListener("input", () => this.#stop.abort(), { signal })
  }

  disconnectedCallback() {
    this.#stop.abort()
  }

  async #again() {
    const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null)
    if (answer?.ok) location.reload()
  }
}

customElements.define("no-network", NoNetwork)
