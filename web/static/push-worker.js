// Of the service worker: shows what is pushed, and leads there. Taken in with importScripts.
{
  const SUBSCRIBE = "/disponibilites/notifications"

  self.addEventListener("push", (event) => {
    const { title, body, tag, path } = event.data.json()
    const shown = { body, tag, renotify: true, lang: "fr", icon: "/static/icon-192.png", data: { path } }
    event.waitUntil(self.registration.showNotification(title, shown))
  })

  self.addEventListener("notificationclick", (event) => {
    event.notification.close()
    event.waitUntil(look(event.notification.data.path))
  })

  // Some push services change a browser's address; without a word from it nobody would be told again.
  self.addEventListener("pushsubscriptionchange", (event) => {
    event.waitUntil(subscribeAgain(event))
  })

  // A page that is open there already is live: what is typed in any other stays.
  async function look(path) {
    const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true })
    const there = open.find(({ url }) => new URL(url).pathname === path)
    return there ? there.focus() : self.clients.openWindow(path)
  }

  async function subscribeAgain({ newSubscription, oldSubscription }) {
    const made = newSubscription ?? (await self.registration.pushManager.subscribe(oldSubscription.options))
    const { endpoint, keys } = made.toJSON()
    return fetch(SUBSCRIBE, { method: "POST", body: new URLSearchParams({ endpoint, ...keys }) })
  }
}
