"""Notifications on the page *mes disponibilités*: turned on and off, quiet hours, and what the phone shows.

Chromium's own push service cannot be reached from a test: `PUSH_SERVICE` stands in for it, with
the keys of a `Browser` that reads what is pushed. The service worker gets it as Chromium gives it.
"""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Worker, expect

from slots.vapid import public_key
from tests.browser import PHONE, WITHIN_MS, Joins, Person, Service, on_one_loop
from tests.pages.test_accessible import NARROW, must_be_clean
from tests.push_service import PRIVATE_KEY, Browser, PushService
from workers.courier import courier_of
from workers.pushes import send_pushes

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc"
PUSH_SERVICE = """
(() => {
  const { endpoint, p256dh, auth } = %s
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0))
  const keys = { p256dh: bytes(p256dh).buffer, auth: bytes(auth).buffer }
  const subscription = {
    endpoint,
    getKey: (name) => keys[name],
    unsubscribe: async () => { localStorage.removeItem("subscribed"); return true },
  }
  PushManager.prototype.getSubscription = async () => localStorage.getItem("subscribed") && subscription
  PushManager.prototype.subscribe = async (options) => {
    localStorage.setItem("subscribed", options.applicationServerKey)
    return subscription
  }
})()
"""


@on_one_loop
async def push_service():
    async with PushService.listening() as service:
        yield service


@pytest.fixture
def settings(settings, push_service):
    """Of a service that may push."""
    return replace(settings, vapid_private_key=PRIVATE_KEY, push_services=push_service.origin)


@pytest_asyncio.fixture(loop_scope="session")
async def works(service: Service, settings):
    """One round of the worker."""
    courier = courier_of(settings)

    async def one_round(after: timedelta = timedelta(0)) -> int:
        return await send_pushes(service.desk, courier, datetime.now(UTC) + after)

    yield one_round
    await courier.close()


async def with_phone(joins: Joins, service: Service, browser: Browser) -> Person:
    """Ann, on a phone that may show notifications."""
    ann = await joins(None, PHONE, service_workers="allow")
    await ann.context.grant_permissions(["notifications"], origin=service.url)
    given = browser.subscription
    keys = {"endpoint": given.endpoint, "p256dh": given.p256dh, "auth": given.auth}
    await ann.context.add_init_script(PUSH_SERVICE % json.dumps(keys))
    await ann.signs_in("ann")
    return ann


async def opens(person: Person):
    await person.page.locator(".notifications > summary").click()
    return person.page.locator(".notifications")


async def turns_on(person: Person) -> None:
    part = await opens(person)
    await part.get_by_role("button", name="Activer sur cet appareil").click()
    await person.sees("cet appareil vous avertit")


async def posts(person: Person, path: str, **form: str):
    return await person.context.request.post(
        f"{person.service.url}/disponibilites/notifications{path}",
        form=form,
        headers={"origin": person.service.url},
        max_redirects=0,
    )


async def test_a_phone_is_told_of_a_booking_from_the_tap_to_the_notification(
    joins: Joins, service: Service, push_service, works
):
    phone = Browser(push_service)
    ann = await with_phone(joins, service, phone)
    await turns_on(ann)
    assert await ann.page.evaluate("localStorage.subscribed") == public_key(PRIVATE_KEY)
    await ann.publishes()
    rolf = await joins("rolf")
    await rolf.goes_to("/orienter")
    reference = await rolf.books("Dr Ann Martin")

    assert await works() == 1

    (told,) = phone.told
    shown = await notification_after(ann, told)
    assert (shown["title"], shown["tag"]) == (told["title"], reference)
    assert told["title"].startswith("Un rendez-vous à ")
    assert "Rolf" not in str(told)


# Asked afterwards, Chromium without a desktop may have none any more: nobody there shows them.
REMEMBERS_WHAT_IT_SHOWS = """() => {
  self.shown = new Promise((done) => {
    const show = registration.showNotification.bind(registration)
    registration.showNotification = async (title, options) => {
      await show(title, options)
      done({ title, ...options })
    }
  })
}"""


async def notification_after(person: Person, told: dict) -> dict:
    """What the phone has shown once its push service has brought this."""
    worker = await worker_of(person)
    await worker.evaluate(REMEMBERS_WHAT_IT_SHOWS)
    chromium = await person.context.new_cdp_session(person.page)
    registered = asyncio.get_running_loop().create_future()

    def heard(event) -> None:
        if event["registrations"] and not registered.done():
            registered.set_result(event["registrations"][0]["registrationId"])

    chromium.on("ServiceWorker.workerRegistrationUpdated", heard)
    await chromium.send("ServiceWorker.enable")
    await chromium.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": person.service.url,
            "registrationId": await registered,
            "data": json.dumps(told),
        },
    )
    async with asyncio.timeout(WITHIN_MS / 1_000):
        return await worker.evaluate("self.shown")


async def test_a_tap_on_the_notification_leads_to_the_page_and_disturbs_no_other(
    joins: Joins, service: Service, push_service
):
    ann = await with_phone(joins, service, Browser(push_service))
    await turns_on(ann)
    worker = await worker_of(ann)

    # At the page already: it is brought to the front. Elsewhere: that page stays, another opens.
    assert await taps(worker) == ["focus"]
    await ann.goes_to("/orienter")
    assert await taps(worker) == ["open /disponibilites"]


async def worker_of(person: Person) -> Worker:
    known = person.context.service_workers
    return known[0] if known else await person.context.wait_for_event("serviceworker")


async def taps(worker: Worker) -> list[str]:
    """What the worker does when its notification is tapped, without the finger that browsers ask for."""
    return await worker.evaluate(
        """async () => {
          const done = []
          WindowClient.prototype.focus = async () => done.push("focus")
          Clients.prototype.openWindow = async (path) => done.push(`open ${path}`)
          const event = new ExtendableEvent("notificationclick")
          event.notification = { close() {}, data: { path: "/disponibilites" } }
          let finished
          event.waitUntil = (promise) => { finished = promise }
          self.dispatchEvent(event)
          await finished
          return done
        }"""
    )


@pytest.mark.prove
async def test_a_device_knows_itself_and_is_turned_off(
    joins: Joins, service: Service, push_service, works
):
    phone = Browser(push_service)
    ann = await with_phone(joins, service, phone)
    await turns_on(ann)
    part = ann.page.locator(".notifications")
    await expect(part.get_by_text("(cet appareil)")).to_be_visible()
    await expect(part.get_by_role("button", name="Activer")).to_be_hidden()
    await ann.goes_to("/disponibilites")
    part = await opens(ann)
    await expect(part.get_by_text("(cet appareil)")).to_be_visible()

    await part.get_by_role("button", name="Arrêter").click()
    await ann.sees("ne vous avertit plus")

    await expect(part.get_by_role("button", name="Activer")).to_be_visible()
    assert await ann.page.evaluate("localStorage.subscribed") is None
    await ann.publishes()
    rolf = await joins("rolf")
    await rolf.goes_to("/orienter")
    await rolf.books("Dr Ann Martin")
    assert await works() == 0
    assert phone.told == []


async def test_who_refuses_is_told_how_to_change_their_mind(joins: Joins, push_service):
    ann = await joins(None, PHONE, service_workers="allow")
    await ann.context.add_init_script("Notification.requestPermission = async () => 'denied'")
    await ann.context.add_init_script(
        "Object.defineProperty(Notification, 'permission', { value: 'default' })"
    )
    await ann.signs_in("ann")
    part = await opens(ann)

    await part.get_by_role("button", name="Activer sur cet appareil").click()

    await ann.sees("Les notifications sont bloquées")


async def test_a_lost_phone_is_stopped_from_another_without_scripts(
    joins: Joins, service: Service, push_service
):
    lost = Browser(push_service)
    await lost.subscribes(service.desk, service.world.accounts["ann"], datetime.now(UTC))
    ann = await joins("ann", PHONE, java_script_enabled=False)
    part = await opens(ann)
    await expect(part.get_by_text("Ce navigateur ne reçoit pas de notifications")).to_be_visible()
    await expect(part.get_by_role("button", name="Activer")).to_be_hidden()

    await part.get_by_role("button", name="Arrêter").click()

    await ann.sees("ne vous avertit plus")
    await expect(ann.page.locator(".notifications > summary")).to_contain_text("aucun appareil")


async def test_quiet_hours_are_chosen_changed_and_given_up(
    joins: Joins, service: Service, push_service
):
    ann = await joins("ann", PHONE, java_script_enabled=False)
    part = await opens(ann)
    await part.get_by_label("De", exact=True).fill("22:30")
    await part.get_by_label("À", exact=True).fill("06:00")
    await part.get_by_role("button", name="Choisir ces heures").click()
    await ann.sees("rien ne sonne pendant vos heures calmes")
    summary = ann.page.locator(".notifications > summary")
    await expect(summary).to_contain_text("calme de 22\u00a0h\u00a030 à 6\u00a0h")
    await ann.goes_to("/disponibilites")
    part = await opens(ann)
    await expect(part.get_by_label("De", exact=True)).to_have_value("22:30")

    await part.get_by_label("À", exact=True).fill("22:30")
    await part.get_by_role("button", name="Changer").click()
    await ann.sees("Donnez deux heures différentes")
    await ann.page.get_by_role("link", name="Revenir").click()
    await expect(summary).to_contain_text("calme de 22\u00a0h\u00a030 à 6\u00a0h")

    await opens(ann)
    await ann.presses("Supprimer les heures calmes")
    await ann.sees("vous êtes averti à toute heure")
    await expect(summary).not_to_contain_text("calme")


async def test_only_a_known_push_service_is_taken(joins: Joins, service: Service, push_service):
    ann = await joins("ann", PHONE, service_workers="allow")
    given = Browser(push_service).subscription
    keys = {"p256dh": given.p256dh, "auth": given.auth}
    for endpoint in (
        *("https://evil.example/x", "http://127.0.0.1/x", "https://169.254.169.254/x", ""),
        *("https://fcm.googleapis.com@evil.example/x", "https://fcm.googleapis.com:22/x"),
    ):
        assert (await posts(ann, "", endpoint=endpoint, **keys)).status == 422, endpoint
    assert (await posts(ann, "", endpoint=ENDPOINT, p256dh="no", auth=given.auth)).status == 422
    assert (await posts(ann, "", endpoint=ENDPOINT, p256dh=given.p256dh)).status == 422
    await ann.goes_to("/disponibilites")
    await expect(ann.page.locator(".notifications > summary")).to_contain_text("aucun appareil")

    assert (await posts(ann, "", endpoint=ENDPOINT, **keys)).status == 303
    await ann.goes_to("/disponibilites")
    await expect(ann.page.locator(".notifications > summary")).to_contain_text("1\u00a0appareil")
    assert ENDPOINT not in await ann.page.content()


async def test_nobody_else_may_choose_for_a_person(joins: Joins, service: Service, push_service):
    phone = Browser(push_service)
    await phone.subscribes(service.desk, service.world.accounts["ann"], datetime.now(UTC))
    ann, bob, rolf, nobody = [await joins(name) for name in ("ann", "bob", "rolf", None)]
    stop = await ann.page.locator("form[action$=arreter]").get_attribute("action")
    stop = stop.removeprefix("/disponibilites/notifications")

    assert (await posts(bob, stop)).status == 303  # as if it were done: nothing is his there
    assert (await posts(rolf, stop)).status == 403  # he publishes nothing
    assert (await posts(nobody, stop)).headers["location"].startswith("/connexion")
    forged = await ann.context.request.post(
        f"{service.url}/disponibilites/notifications{stop}",
        headers={"origin": "https://evil.example"},
    )
    assert forged.status == 403

    await ann.goes_to("/disponibilites")
    await expect(ann.page.locator(".notifications > summary")).to_contain_text("1\u00a0appareil")


@pytest.mark.parametrize("scheme,viewport", [("light", NARROW), ("dark", PHONE)])
async def test_it_passes_axe_and_fits(
    joins: Joins, service: Service, push_service, scheme, viewport
):
    ann_account = service.world.accounts["ann"]
    for _ in range(2):
        await Browser(push_service).subscribes(service.desk, ann_account, datetime.now(UTC))
    ann = await joins("ann", viewport, color_scheme=scheme)
    await posts(ann, "/heures-calmes", **{"from": "21:00", "to": "07:00"})
    await ann.goes_to("/disponibilites")

    await opens(ann)

    await must_be_clean(ann)


async def test_the_service_worker_may_act_for_the_whole_site(joins: Joins, service: Service):
    nobody = await joins(None)
    answer = await nobody.context.request.get(f"{service.url}/service-worker.js")

    assert answer.headers["service-worker-allowed"] == "/"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "/static/push-worker.js" in await answer.text()
