// <push-switch data-key>: turns notifications on for this browser, and finds it among the person's
// devices. Where they cannot be had, the sentence of the page stays.

const BLOCKED = "Les notifications sont bloquées pour ce site : autorisez-les dans les réglages du navigateur."
const FAILED = "Le navigateur n’a pas pu activer les notifications. Vérifiez le réseau, puis réessayez."

const base64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")

// As the server says it, so that no page need hold the endpoint.
async function fingerprint(endpoint) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint)))
  return [...hash.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("")
}

class PushSwitch extends HTMLElement {
  async connectedCallback() {
    if (!navigator.serviceWorker || !("PushManager" in window) || !("Notification" in window)) return
    this.#say(Notification.permission === "denied" ? BLOCKED : "")
    const worker = await navigator.serviceWorker.getRegistration()
    const subscription = await worker?.pushManager.getSubscription()
    const mine = subscription && (await fingerprint(subscription.endpoint))
    const row = mine && document.querySelector(`[data-device="${mine}"]`)
    this.#form.hidden = Boolean(row) || Notification.permission === "denied"
    this.#form.querySelector("button").onclick = () => this.#turnOn()
    if (!row) return
    row.querySelector("strong").hidden = false
    row.querySelector("form").addEventListener("submit", () => subscription.unsubscribe())
  }

  get #form() {
    return this.querySelector("form")
  }

  #say(words) {
    this.querySelector("[data-say]").textContent = words
    this.querySelector("[data-say]").hidden = !words
  }

  async #turnOn() {
    try {
      if ((await Notification.requestPermission()) !== "granted") return this.#say(BLOCKED)
      await navigator.serviceWorker.register("/service-worker.js")
      const { pushManager } = await navigator.serviceWorker.ready
      // One for another key, or for somebody else who was signed in here, is of no use.
      await (await pushManager.getSubscription())?.unsubscribe()
      const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: this.dataset.key })
      const { endpoint, p256dh, auth } = this.#form.elements
      endpoint.value = made.endpoint
      p256dh.value = base64url(made.getKey("p256dh"))
      auth.value = base64url(made.getKey("auth"))
      this.#form.requestSubmit()
    } catch {
      this.#say(FAILED)
    }
  }
}

customElements.define("push-switch", PushSwitch)
