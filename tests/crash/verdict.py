"""What a death may come to: nothing was done, or all of it, or a hold was given up."""

from dataclasses import dataclass, replace
from difflib import unified_diff

from tests.crash.judge import End, Wrong, undisturbed
from tests.crash.process import Answer, Request
from tests.crash.stage import Stage
from tests.crash.state import State, Words

REFUSED = range(400, 500)


@dataclass(frozen=True)
class Ends:
    """The ends that are right; *answer* is what the client should hear. *heard*: see Moment."""

    words: Words
    answer: Answer
    untouched: State
    done: State
    given_up: State | None
    heard: bool

    def allow(self, end: End) -> None:
        """Raises Wrong where *end* is none of them, or the client heard what it should not."""
        before, after = end.before and self._plain(end.before), self._plain(end.after)
        if before is not None and not self._is_whole(before):
            raise Wrong(f"half of it was done:\n{difference(self.untouched, before)}")
        answers = {(answer.status, self.words.of(answer.body)) for answer in end.answers}
        if all(status in REFUSED for status, _ in answers) and answers:
            self._allow_refusal(before, after)
        elif after != self.done:
            raise Wrong(f"it was not done, or not once:\n{difference(self.done, after)}")
        elif answers and (len(set(end.answers)) > 1 or answers != {self._should_hear}):
            raise Wrong(f"answered {end.answers} for {self.answer}")

    def _plain(self, state: State) -> State:
        return plain(state, heard=self.heard)

    @property
    def _should_hear(self) -> tuple[int, str]:
        return self.answer.status, self.words.of(self.answer.body)

    def _is_whole(self, state: State) -> bool:
        if self.answer.status in REFUSED:
            return _however_ended(state) in map(_however_ended, (self.untouched, self.done))
        return state in (self.untouched, self.done) or self._is_given_up(state)

    def _is_given_up(self, state: State) -> bool:
        """Whatever was told on the way: of the seal, and of its end."""
        return self.given_up is not None and self.given_up == replace(state, told=())

    def _allow_refusal(self, before: State | None, after: State) -> None:
        if self.answer.status in REFUSED:
            if _however_ended(after) != _however_ended(self.done):
                raise Wrong(f"refused, and not without effect:\n{difference(self.done, after)}")
        elif before is None or not self._is_given_up(before):
            raise Wrong("refused, though its hold was not given up")
        elif after != before:
            raise Wrong(f"refused, and not without effect:\n{difference(before, after)}")


async def ends_of(stage: Stage) -> Ends:
    """What the moment comes to in processes that nothing disturbs."""
    moment = stage.moment
    end = await undisturbed(stage, moment.deed)
    done = plain(end.after, heard=moment.heard)
    untouched, given_up = done, None  # a duty must be done
    if isinstance(moment.deed, Request):
        untouched = plain((await undisturbed(stage)).after, heard=moment.heard)
    if moment.given_up:
        given_up = _revoked((await undisturbed(stage, moment.given_up)).after)
    return Ends(stage.words, end.answers[0], untouched, done, given_up, moment.heard)


def plain(state: State, *, heard: bool) -> State:
    """Without the rows that say only that a hold was revoked: the broker says what became of it."""
    ledger = tuple(line for line in state.ledger if not _is_of_a_revocation(line))
    return replace(state, ledger=ledger, told=state.told if heard else ())


def _is_of_a_revocation(line: str) -> bool:
    return (line.startswith("audit ") and '"verb": "revoke"' in line) or (
        line.startswith("hold_end ") and '"appointment_id": null' in line
    )


def _revoked(released: State) -> State:
    """A hold that its holder gave back, in the words of one that was revoked."""
    broker = tuple(line.replace('"released"', '"revoked"') for line in released.broker)
    return replace(released, broker=broker, told=())


def _however_ended(state: State) -> State:
    """Of a hold that nobody can confirm it matters only that it has ended."""
    broker = tuple(line.replace('"withdrawn"', '"revoked"') for line in state.broker)
    return replace(state, broker=broker)


def difference(should: State, found: State) -> str:
    """For the reader of a failure."""
    lines = ([*state.ledger, *state.broker, *state.told] for state in (should, found))
    return "\n".join(unified_diff(*lines, "should be", "found", lineterm="", n=0))
