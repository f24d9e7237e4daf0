"""The loader of the scripts: a header that lies fails."""

import re

import pytest

from slots import keys, scripts

HEADER = """--[[ poke: what it does.

KEYS  {keys}
ARGV  slot_id now_ms

Returns
  {{'poked'}}  done
]]
return {{ 'poked' }}
"""
KEY_NAMES = " ".join(keys.TERRITORY_KEYS)


def poke(text: str = HEADER, key_names: str = KEY_NAMES) -> scripts.Script:
    return scripts.parse("poke", "-- common", text.format(keys=key_names))


def test_names_are_read_from_the_header():
    script = poke(key_names=KEY_NAMES + " answer")

    assert script.key_names == (*keys.TERRITORY_KEYS, "answer")
    assert script.argument_names == ("slot_id", "now_ms")
    assert script.text.startswith("-- common\n--[[ poke:")


def test_arguments_may_go_on_on_the_next_line():
    script = poke(HEADER.replace("slot_id now_ms", "slot_id\n  hold_id now_ms"))

    assert script.argument_names == ("slot_id", "hold_id", "now_ms")


@pytest.mark.parametrize(
    "text",
    [
        "return 1",
        HEADER.replace("poke:", "peek:"),
        HEADER.replace("Returns", "Answers"),
        HEADER.replace("ARGV", "Argv"),
        HEADER.replace("KEYS  {keys}\n", ""),
    ],
    ids=["none", "another name", "no Returns", "no ARGV", "no KEYS"],
)
def test_a_script_without_a_whole_header_is_refused(text):
    with pytest.raises(ValueError, match="poke"):
        poke(text)


@pytest.mark.parametrize(
    "key_names", ["docs", "answer " + KEY_NAMES, KEY_NAMES.replace("docs ", "")]
)
def test_keys_in_another_order_than_the_common_part_unpacks_are_refused(key_names):
    with pytest.raises(ValueError, match="KEYS must start"):
        poke(key_names=key_names)


@pytest.mark.parametrize("given", [{}, {"slot_id": "x"}, {"slot_id": "x", "now_ms": 1, "more": 1}])
async def test_arguments_that_are_not_the_headers_are_a_bug_before_anything_is_sent(given):
    with pytest.raises(TypeError, match="poke"):
        await poke()(None, keys.TERRITORY_KEYS, **given)


async def test_keys_that_are_not_the_headers_are_a_bug_before_anything_is_sent():
    with pytest.raises(TypeError, match="poke"):
        await poke()(None, [*keys.TERRITORY_KEYS, "answer"], slot_id="x", now_ms=1)


@pytest.mark.parametrize("name", scripts.SCRIPT_NAMES)
def test_the_code_unpacks_as_many_arguments_as_its_header_names(name):
    script = scripts.load(name)
    unpacked = re.findall(r"^local ([\w, \n]+) = unpack\(ARGV\)", script.text, re.MULTILINE)

    assert [tuple(re.split(r",\s*", names)) for names in unpacked] == [script.argument_names]


def test_the_common_part_unpacks_the_keys_of_a_territory():
    common = (scripts.LUA_DIRECTORY / "_common.lua").read_text()
    [names] = re.findall(r"^local ([\w, ]+) = unpack\(KEYS\)", common, re.MULTILINE)

    assert tuple(names.split(", ")) == keys.TERRITORY_KEYS


def test_no_script_decodes_the_json_of_a_slot():
    for name in scripts.SCRIPT_NAMES:
        assert "cjson" not in scripts.load(name).text
