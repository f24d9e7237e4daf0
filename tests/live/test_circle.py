"""Together or alone, each viewer is told the same: a circle is nothing but speed (invariant 7)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from slots.audience import Role
from tests.live.making import ALIVE, HAUTS, Log, make_account, make_document, words
from web.live.circle import Circle
from web.live.connection import Connection
from web.live.session import Session

OURS = make_document().schedule.id
AUDIENCES = (["SNP"], ["CPTS", "SNP"], ["CPTS"])


class Recorder:
    """A wire that keeps what it was given, until it is full."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.is_full = False
        self.code = None

    def tell(self, sending) -> bool:
        if self.code is None and self.is_full:
            return False
        if self.code is None:
            self.texts += sending.texts
        return True

    def finish(self, sending, code) -> None:
        self.code = code
        self.texts += sending.texts


class Viewer:
    """In the circle with a connection; and a twin who hears the same alone."""

    def __init__(self, *, acts: bool) -> None:
        account = make_account(Role.REGULATOR, schedules=[OURS] if acts else [])
        self.wire, self.alone = Recorder(), Session(account)
        self.connection = Connection(Session(account), b"", ALIVE, self.wire)
        self.expected: list[str] = []


class Scene:
    def __init__(self) -> None:
        self.log, self.circle = Log(), Circle()
        self.slots = [make_document(schedule_id=OURS), make_document(), make_document()]
        self.feed = self.log.feed(*self.slots)
        self.viewers: list[Viewer] = []

    def come(self, number: int) -> None:
        self.viewers.append(Viewer(acts=number % 3 == 0))
        self.subscribe(-1)

    def subscribe(self, number: int) -> None:
        """Come, or ask again in another form, as `web.live.socket` does."""
        if not self.viewers:
            return
        viewer = self.viewers[number % len(self.viewers)]
        what = ("json", "html")[number % 2]
        viewer.alone.what = viewer.connection.session.what = what
        self.circle.join(viewer.connection)
        viewer.connection.push(viewer.connection.session.take_up(self.feed))
        viewer.expected += viewer.alone.take_up(self.feed)

    def speak(self, number: int) -> None:
        """Ask for another form while following another territory: here nothing is taken up anew."""
        if not self.viewers:
            return
        viewer = self.viewers[number % len(self.viewers)]
        viewer.alone.what = viewer.connection.session.what = ("json", "html")[number % 2]
        self.circle.join(viewer.connection)

    def happen(self, number: int) -> None:
        slot = self.slots[number % len(self.slots)]
        slot = make_document(
            slot_id=slot.id, schedule_id=slot.schedule.id, audience=AUDIENCES[number // 3 % 3]
        )
        change = self.feed.apply(self.log.append("slot.held", slot, live=number % 7 != 0))
        assert change is not None
        self.circle.changed(self.feed, change)
        for viewer in self.viewers:
            viewer.expected += viewer.alone.changed(self.feed, change)

    def start_anew(self, number: int) -> None:
        """A rebuild; the feed has read its snapshot."""
        del number
        self.log = Log(HAUTS, self.log.generation + 1)
        self.feed = self.log.feed(*self.slots)
        self.circle.renewed(self.feed)
        for viewer in self.viewers:
            viewer.expected += viewer.alone.renewed(self.feed)

    def jump(self, number: int) -> None:
        """The feed began anew where nobody was told of it: the next change is not the next one."""
        del number
        self.log.append("slot.held", self.slots[0])
        self.feed = self.log.feed(*self.slots)

    def leave(self, number: int) -> None:
        if self.viewers:
            viewer = self.viewers.pop(number % len(self.viewers))
            self.circle.leave(viewer.connection)
            assert viewer.wire.texts == viewer.expected

    def play(self, moves) -> None:
        for move, number in moves:
            move(self, number)
        for viewer in self.viewers:
            assert viewer.wire.texts == viewer.expected
            now = [one.at for one in viewer.alone._places.values()]
            assert [one.at for one in viewer.connection.session._places.values()] == now


MOVES = (
    *(Scene.happen,) * 4,
    *(Scene.come, Scene.subscribe) * 2,
    Scene.speak,
    Scene.start_anew,
    Scene.jump,
    Scene.leave,
)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 20)), min_size=20, max_size=60))
async def test_each_is_told_what_it_would_be_told_alone(moves):
    Scene().play(moves)


async def test_those_who_walk_abreast_share_one_place_and_who_asks_again_does_not():
    scene = Scene()
    for _ in range(3):
        scene.come(1)
    scene.happen(1)
    first, second, third = (viewer.connection.session for viewer in scene.viewers)
    assert first._places[HAUTS.id] is second._places[HAUTS.id] is third._places[HAUTS.id]

    scene.subscribe(0)

    assert first._places[HAUTS.id] is not second._places[HAUTS.id]
    assert second._places[HAUTS.id] is third._places[HAUTS.id]


async def test_who_is_too_slow_is_told_to_resync_and_the_others_hear_on():
    scene = Scene()
    for _ in range(3):
        scene.come(1)
    scene.happen(1)
    slow = scene.viewers.pop(1)
    slow.wire.is_full = True

    scene.happen(2)
    scene.happen(1)

    assert words(slow.wire.texts)[-2:] == ["resync", "bye"]
    for viewer in scene.viewers:
        assert viewer.wire.texts == viewer.expected


async def test_what_a_delegate_alone_may_see_the_others_only_pass_over():
    scene = Scene()
    for number in (0, 1):
        scene.come(number)
    scene.happen(1)

    ours_for_members_only = 6
    scene.happen(ours_for_members_only)
    scene.happen(1)

    delegate, other = scene.viewers
    assert words(delegate.wire.texts)[-2:] == ["event", "event"]
    assert words(other.wire.texts)[-2:] == ["gone", "event"]
    assert (delegate.wire.texts, other.wire.texts) == (delegate.expected, other.expected)
