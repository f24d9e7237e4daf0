"""Plays a plausible day through the public API, over HTTP only, and counts what happened."""

import argparse
import asyncio
import json
import random
import secrets
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from slots.settings import Settings
from workers.demo import accounts, ground, plot
from workers.demo.cast import Cast, Player
from workers.demo.client import Client, Refused, Unreachable
from workers.demo.plot import DAY_S, Scene
from workers.demo.scenes import Stage, Tally

SPEED: Final = 240.0  # simulated seconds a second: the day takes three minutes
SCENES_AT_ONCE: Final = 8
SIGN_INS_AT_ONCE: Final = 2  # each costs the service a core for a while
NEWS_EVERY_S: Final = DAY_S / 12

# A day below this is no day: the least of each count, and the scene that makes more of it.
LEAST: Final = {
    "offers": (200, Scene.OFFER),
    "bookings": (120, Scene.BOOK),
    "abandoned_holds": (20, Scene.ABANDON),
    "cancellations": (15, Scene.CANCEL),
    "unmet_searches": (10, Scene.MISS),
}
EXTRA_ROUNDS_MAX: Final = 6  # of making up for scenes that others spoilt


async def play(
    base_url: str, who: Sequence[tuple[str, str]], speed: float, chance: random.Random
) -> Tally:
    """Play one day as the accounts *who* (email, password), and count.

    Raises:
        Refused: An account cannot sign in.
        Unreachable: The service does not answer.
    """
    async with AsyncExitStack() as stack:
        gate = asyncio.Semaphore(SIGN_INS_AT_ONCE)

        async def enter(email: str, password: str) -> Player:
            client = await stack.enter_async_context(Client(base_url, email, password))
            async with gate:
                return Player(client, await client.sign_in())

        players = await asyncio.gather(*(enter(*words) for words in who))
        stage = Stage(Cast(players, chance), chance, speed, _communes())
        await _scenes(stage, plot.plot(chance))
        await _make_up(stage)
        return stage.tally


def shortfalls(tally: Tally) -> list[str]:
    """What there was too little of."""
    return [
        f"{name.replace('_', ' ')}: {getattr(tally, name)}, at least {least} expected"
        for name, (least, _) in LEAST.items()
        if getattr(tally, name) < least
    ]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`demo day`."""
    parser = subparsers.add_parser("day", help="play a plausible day through the API")
    parser.add_argument("--base-url", help="the service (default: BASE_URL, or HOST and PORT)")
    parser.add_argument(
        "--speed",
        type=float,
        default=SPEED,
        help=f"simulated seconds a second (default {SPEED:.0f}); 0: as fast as it goes",
    )
    parser.add_argument("--seed", type=int, help="to play the same plot again (default: any)")
    parser.set_defaults(run=run)


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Play, and print the counts. 1 where the day fell short."""
    base_url = (arguments.base_url or settings.base_url).rstrip("/")
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    path = settings.data_dir / accounts.FILE_NAME
    try:
        who = _who(path)
        print(f"A day at {base_url}, seed {seed}, {len(who)} accounts.", flush=True)
        chance = random.Random(seed)  # noqa: S311  (a plot, no secret)
        tally = await play(base_url, who, max(arguments.speed, 0.0), chance)
    except FileNotFoundError:
        print(f"There is no {path}: run `chrono48 demo load` first.", file=sys.stderr)
        return 1
    except (Refused, Unreachable) as error:
        print(f"The day could not be played: {error}", file=sys.stderr)
        return 1
    _print_counts(tally)
    missing = shortfalls(tally)
    for line in missing:
        print(f"Too few {line}", file=sys.stderr)
    return 1 if missing else 0


async def _scenes(stage: Stage, moments: Sequence[plot.Moment]) -> None:
    """Each scene at its time, and no more than a few at once."""
    gate = asyncio.Semaphore(SCENES_AT_ONCE)
    loop = asyncio.get_running_loop()
    began_at, news_at_s = loop.time(), NEWS_EVERY_S

    async def play_one(scene: Scene) -> None:
        try:
            await stage.play(scene)
        finally:
            gate.release()

    try:
        async with asyncio.TaskGroup() as group:
            for moment in moments:
                if stage.speed > 0:
                    await asyncio.sleep(began_at + moment.at_s / stage.speed - loop.time())
                await gate.acquire()
                if moment.at_s >= news_at_s:
                    _print_news(stage.tally, moment.at_s)
                    news_at_s += NEWS_EVERY_S
                group.create_task(play_one(moment.scene))
    except* Unreachable as lost:
        raise Unreachable(str(lost.exceptions[0])) from lost


async def _make_up(stage: Stage) -> None:
    """Some scenes were spoilt by others, as it happens; play a few more where that leaves a gap."""
    for _ in range(EXTRA_ROUNDS_MAX):
        missing = [
            plot.Moment(0, scene)
            for name, (least, scene) in LEAST.items()
            for _ in range(least - getattr(stage.tally, name))
        ]
        if not missing:
            return
        await _scenes(stage, missing)


def _who(path: Path) -> list[tuple[str, str]]:
    """Everybody of the accounts file but the coordinators, who book and offer nothing."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return list(
        dict.fromkeys(
            (line["email"], line["password"]) for line in lines if line["role"] != "coordinator"
        )
    )


def _communes() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for commune in ground.communes():
        if commune.territory:
            found.setdefault(commune.territory, []).append(commune.insee)
    return found


def _print_news(tally: Tally, at_s: float) -> None:
    minutes = plot.OPENS * 60 + int(at_s // 60)
    print(
        f"{minutes // 60:02}:{minutes % 60:02}  {tally.offers} offers, {tally.bookings} bookings, "
        f"{tally.abandoned_holds} abandoned holds, {tally.cancellations} cancellations, "
        f"{tally.unmet_searches} unmet searches",
        flush=True,
    )


def _print_counts(tally: Tally) -> None:
    print("\nThe day:")
    for name in (*LEAST, "withdrawals", "renewals", "seen"):
        print(f"  {name.replace('_', ' '):<16} {getattr(tally, name):>4}")
    if tally.refusals:
        told = ", ".join(f"{code} {number}" for code, number in tally.refusals.most_common())
        print(f"  refused, as happens: {told}")
