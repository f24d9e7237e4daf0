"""A regulator's wall screen: keeps what the socket tells it, as a page does, and notes every hole."""

import asyncio

import msgspec

from tests.live.viewer import Viewer
from tests.world import SLUGS


class Screen:
    """Follows both territories from `opens` on. *slots*: by territory and id, as shown now."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.at: dict[str, str] = {}
        self.slots: dict[str, dict[str, dict]] = {slug: {} for slug in SLUGS.values()}
        self.holes: list[dict] = []
        self._reading: asyncio.Task | None = None

    async def opens(self) -> None:
        await self.viewer.opens()
        await self.viewer.subscribes(*SLUGS.values())
        self._reading = asyncio.create_task(self._read())

    async def leaves(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self.viewer.leaves()

    def generation(self, slug: str) -> int:
        """Of the log that is followed; 0 while nothing is shown."""
        return int(self.at.get(slug, "0").partition(".")[0])

    async def _read(self) -> None:
        async for text in self.viewer.socket:
            self._take(msgspec.json.decode(text))

    def _take(self, frame: dict) -> None:
        slug = frame.get("territory", "")
        match frame["t"]:
            case "snapshot":
                self.slots[slug] = {slot["id"]: slot for slot in frame["slots"]}
                self.at[slug] = frame["at"]
            case "resync":
                self.at.pop(slug, None)
            case "event" | "gone" | "skip":
                if frame["prev"] != self.at.get(slug):
                    self.holes.append(frame)
                self.at[slug] = frame["at"]
                if frame["t"] == "event":
                    self.slots[slug][frame["slot"]["id"]] = frame["slot"]
                elif frame["t"] == "gone":
                    self.slots[slug].pop(frame["id"], None)
