"""A real Redis Cluster on loopback: three primaries, and a replica of each."""

from pathlib import Path

from redis.crc import key_slot

from tests.forgetting.node import PASSWORD, Node, free_port
from tests.forgetting.waiting import until
from workers.embedded.choices import LOOPBACK

PRIMARIES = 3
SLOTS = 16_384
FAILING_AFTER_MS = 1_000  # a primary that is silent for longer is replaced
OPTIONS = (
    *("--cluster-enabled", "yes", "--masterauth", PASSWORD),
    *("--cluster-node-timeout", str(FAILING_AFTER_MS)),
    # A replica that has missed writes may be promoted too: that is what we are here for.
    *("--cluster-replica-validity-factor", "0", "--cluster-allow-replica-migration", "no"),
    # What one primary holds is served while another is replaced.
    *("--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0"),
)


class Cluster:
    """Six nodes. `primaries[i]` and `replicas[i]` are what they were at the start."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.nodes = [
            Node(
                directory / f"node-{number}",
                *(*OPTIONS, "--cluster-port", str(free_port()), *options),
            )
            for number in range(2 * PRIMARIES)
        ]
        self.primaries = self.nodes[:PRIMARIES]
        self.replicas = self.nodes[PRIMARIES:]
        addresses = ",".join(f"{LOOPBACK}:{node.port}" for node in self.nodes)
        self.url = f"redis+cluster://:{PASSWORD}@{addresses}"

    def start(self) -> None:
        for node in self.nodes:
            node.start()

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    async def form(self) -> None:
        """Make one cluster of the nodes, and wait until it serves."""
        ids = []
        for epoch, node in enumerate(self.nodes, start=1):
            await node.ready()
            await node.ask("CLUSTER", "SET-CONFIG-EPOCH", epoch)
            ids.append(await node.ask("CLUSTER", "MYID"))
        for number, node in enumerate(self.primaries):
            first, last = slots_of(number)
            await node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
        for node in self.nodes[1:]:
            bus_port = node.options[node.options.index("--cluster-port") + 1]
            await self.nodes[0].ask("CLUSTER", "MEET", LOOPBACK, node.port, bus_port)
        for node in self.nodes:
            await until(lambda node=node: knows_all(node, len(self.nodes)))
        for number, node in enumerate(self.replicas):
            await node.ask("CLUSTER", "REPLICATE", ids[number])
        await self.whole()

    async def whole(self) -> None:
        """Wait until every node finds the cluster well, and every replica follows."""
        for node in self.nodes:
            await until(lambda node=node: serves(node))
        for node in self.nodes:
            await until(lambda node=node: follows_or_leads(node))

    def keeps(self, partition: int) -> tuple[Node, Node]:
        """The primary that keeps a partition at the start, and its replica."""
        slot = key_slot(f"p{partition}".encode())
        number = next(it for it in range(PRIMARIES) if slot <= slots_of(it)[1])
        return self.primaries[number], self.replicas[number]


def slots_of(number: int) -> tuple[int, int]:
    """The first and the last hash slot of a primary."""
    return number * SLOTS // PRIMARIES, (number + 1) * SLOTS // PRIMARIES - 1


async def serves(node: Node) -> bool:
    return b"cluster_state:ok" in await node.ask("CLUSTER", "INFO")


async def knows_all(node: Node, count: int) -> bool:
    return f"cluster_known_nodes:{count}\r".encode() in await node.ask("CLUSTER", "INFO")


async def leads(node: Node) -> bool:
    return await node.says("role:master")


async def follows_or_leads(node: Node) -> bool:
    return await leads(node) or await node.says("master_link_status:up")
