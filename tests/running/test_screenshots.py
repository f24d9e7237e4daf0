"""`make screenshots`: every main state is started, reached and looked at."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.screenshots.__main__ import INTO, PICTURES

ROOT = Path(__file__).parents[2]
TAKEN_WITHIN_S = 300
PNG = b"\x89PNG\r\n\x1a\n"


def size_of(picture: bytes) -> dict[str, int]:
    """From the first chunk of a PNG (ISO/IEC 15948, IHDR)."""
    assert picture.startswith(PNG)
    return {
        "width": int.from_bytes(picture[16:20], "big"),
        "height": int.from_bytes(picture[20:24], "big"),
    }


@pytest.mark.prove
async def test_the_command_takes_a_picture_of_each_main_state(tmp_path):
    taking = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.screenshots"),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    async with asyncio.timeout(TAKEN_WITHIN_S):
        assert await taking.wait() == 0

    taken = {picture.stem: picture.read_bytes() for picture in (tmp_path / INTO).glob("*.png")}
    assert {name: size_of(png) for name, png in taken.items()} == {
        picture.name: picture.size for picture in PICTURES
    }
    assert len(set(taken.values())) == len(PICTURES)
