// Passkeys: what the server wants to know is asked of the browser, and its answer sent with the form.

const CANCELLED = "Aucune clé n’a été présentée. Réessayez, ou choisissez un autre moyen."
const THERE = "Cet appareil a déjà une clé d’accès pour ce compte."

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0))
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")

// As `parseCreationOptionsFromJSON` and `toJSON` do where a browser has them.
function question({ user, excludeCredentials, allowCredentials, ...rest }) {
  const ids = (list) => list?.map((one) => ({ ...one, id: bytes(one.id) }))
  return {
    ...rest,
    challenge: bytes(rest.challenge),
    ...(user && { user: { ...user, id: bytes(user.id) } }),
    excludeCredentials: ids(excludeCredentials),
    allowCredentials: ids(allowCredentials),
  }
}

function answer({ id, type, rawId, response }) {
  const parts = {}
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) parts[name] = text(response[name])
  }
  return { id, type, rawId: text(rawId), response: parts }
}

async function asked() {
  const got = await fetch("/api/v1/session/passkey", {
    method: "POST", headers: { "content-type": "application/json" }, body: "{}",
  })
  return got.json()
}

async function askedFor(form) {
  const { ticket, options } = await asked()
  form.elements.ticket.value = ticket
  return options
}

/** The answer of whichever passkey is shown, with the ticket of the question. */
export async function shown() {
  const { ticket, options } = await asked()
  return { ticket, credential: answer(await navigator.credentials.get({ publicKey: question(options) })) }
}

customElements.define("passkey-offer", class extends HTMLElement {
  connectedCallback() {
    this.hidden = !window.PublicKeyCredential
    this.querySelector("[data-passkey]").addEventListener("click", (event) => this.ask(event.currentTarget))
  }

  async ask(button) {
    const form = button.form
    const said = form.querySelector("[role=status]")
    said.textContent = ""
    button.ariaBusy = "true"
    try {
      const options = button.dataset.options ? JSON.parse(button.dataset.options) : await askedFor(form)
      const credential = await navigator.credentials[button.dataset.passkey]({ publicKey: question(options) })
      form.elements.credential.value = JSON.stringify(answer(credential))
      form.requestSubmit()
    } catch (error) {
      said.textContent = error.name === "InvalidStateError" ? THERE : CANCELLED
    } finally {
      button.ariaBusy = null
    }
  }
})

customElements.define("codes-print", class extends HTMLElement {
  connectedCallback() {
    this.hidden = false
    this.addEventListener("click", () => print())
  }
})
