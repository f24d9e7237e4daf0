"""A primary with one replica, and three Sentinels who promote it when they agree."""

from pathlib import Path

from tests.forgetting.cluster import follows_or_leads
from tests.forgetting.node import PASSWORD, Node
from tests.forgetting.waiting import until
from workers.embedded.choices import LOOPBACK

NAME = "chrono48"
SENTINELS = 3
QUORUM = 2
DOWN_AFTER_MS = 1_000  # a primary that is silent for longer is replaced
FAILOVER_WITHIN_MS = 5_000  # then another Sentinel tries


class Sentinels:
    """`primary` and `replica` are what they were at the start."""

    def __init__(self, directory: Path) -> None:
        self.primary = Node(directory / "primary", "--masterauth", PASSWORD)
        of_the_primary = ("--replicaof", f"{LOOPBACK} {self.primary.port}")
        quick = ("--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0")
        self.replica = Node(directory / "replica", *quick, *of_the_primary)
        self.sentinels = [
            Node(directory / f"sentinel-{number}", "--sentinel", open_to_all=True)
            for number in range(SENTINELS)
        ]
        addresses = ",".join(f"{LOOPBACK}:{node.port}" for node in self.sentinels)
        self.url = f"redis+sentinel://:{PASSWORD}@{addresses}/{NAME}"

    def start(self) -> None:
        for node in (self.primary, self.replica, *self.sentinels):
            node.start()

    def stop(self) -> None:
        for node in (*self.sentinels, self.replica, self.primary):
            node.stop()

    async def form(self) -> None:
        """Tell the Sentinels of the primary, and wait until they know all that they need."""
        await self.primary.ready()
        await until(lambda: follows_or_leads(self.replica))
        for node in self.sentinels:
            await node.ready()
            await node.ask("SENTINEL", "MONITOR", NAME, LOOPBACK, self.primary.port, QUORUM)
            for option, value in (
                ("auth-pass", PASSWORD),
                ("down-after-milliseconds", DOWN_AFTER_MS),
                ("failover-timeout", FAILOVER_WITHIN_MS),
            ):
                await node.ask("SENTINEL", "SET", NAME, option, value)
        for node in self.sentinels:
            await until(lambda node=node: knows_the_others(node))

    def keeps(self, partition: int) -> tuple[Node, Node]:
        """The primary and the replica of any partition."""
        del partition
        return self.primary, self.replica


async def knows_the_others(node: Node) -> bool:
    """Whether it has heard of the replica and of both other Sentinels."""
    words = iter(await node.ask("SENTINEL", "MASTER", NAME))
    about = dict(zip(words, words, strict=True))
    return (about[b"num-slaves"], about[b"num-other-sentinels"]) == (b"1", b"%d" % (SENTINELS - 1))
