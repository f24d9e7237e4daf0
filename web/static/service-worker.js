// The service worker of the whole site, served as /service-worker.js. Whoever has no network gets
// a page that says so, and whoever publishes the form that publishes: never an old board, never an
// appointment. What is kept goes when somebody signs out.

importScripts("/static/push-worker.js")

const KEPT = "without-network"
const PUBLISHING = "/disponibilites"
const OFFLINE_FORM = "/disponibilites/hors-ligne"
const NO_NETWORK = "/hors-ligne"
const SIGN_IN = "/connexion"
const FRESH_FOR = 3_600_000 // ms; then the form is fetched anew
const ANSWER_WITHIN = 10_000 // ms; a network that takes longer is none
const ASSET = /\/static\/[\w./-]+/g

self.addEventListener("install", (event) => {
  self.skipWaiting()
  event.waitUntil(remember(NO_NETWORK))
})

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()))

self.addEventListener("fetch", (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== "GET" || origin !== location.origin) return
  if (request.mode === "navigate") event.respondWith(page(event, pathname))
  else if (pathname.startsWith("/static/")) event.respondWith(asset(request))
})

async function page(event, pathname) {
  const late = new Promise((done) => setTimeout(done, ANSWER_WITHIN))
  const answer = await Promise.race([fetch(event.request), late]).catch(() => null)
  if (!answer) return instead(pathname)
  if (pathname === SIGN_IN) event.waitUntil(caches.open(KEPT).then((kept) => kept.delete(OFFLINE_FORM)))
  if (pathname === PUBLISHING && answer.ok) event.waitUntil(renew())
  return answer
}

async function instead(pathname) {
  const publishes = pathname === "/" || pathname.startsWith(PUBLISHING)
  const form = publishes && (await caches.match(OFFLINE_FORM))
  return form || (await caches.match(NO_NETWORK)) || Response.error()
}

// The newest, so that page and script fit; without a network the last that was seen.
async function asset(request) {
  try {
    const answer = await fetch(request)
    if (answer.ok) (await caches.open(KEPT)).put(request, answer.clone())
    return answer
  } catch {
    return (await caches.match(request)) ?? Response.error()
  }
}

// One at a time: while a page is put in the place of another, Chromium's cache has neither.
let renewing = null
const renew = () => (renewing ??= renewed().finally(() => (renewing = null)))

async function renewed() {
  const kept = await caches.match(OFFLINE_FORM)
  if (!kept || Date.now() - Date.parse(kept.headers.get("date")) > FRESH_FOR) await remember(OFFLINE_FORM)
}

async function remember(path) {
  const answer = await fetch(path, { redirect: "error" })
  if (!answer.ok) return
  const kept = await caches.open(KEPT)
  const html = await answer.clone().text()
  await kept.addAll([...new Set(html.match(ASSET))])
  await kept.put(path, answer)
}
