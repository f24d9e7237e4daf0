"""SECURITY.md's table of the ASVS: complete, and what it names is there."""

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).parents[1]
TEXT = (PROJECT / "SECURITY.md").read_text()
VERDICTS = {"met", "partly", "no", "n/a", "operator"}
# The levels of ASVS 5.0.0's items, by section, in their order: items 1, 2, 3 … of 1.2 are of level
# 1, 1, 1, 1, 1, 2 and so on.
LEVELS = """
1.1 22  1.2 1111122223  1.3 112222222223  1.4 222  1.5 123
2.1 122  2.2 112  2.3 12223  2.4 23
3.1 3  3.2 113  3.3 12223  3.4 11222233  3.5 11122333  3.6 3  3.7 22333
4.1 12233  4.2 23333  4.3 22  4.4 1222
5.1 2  5.2 112333  5.3 113  5.4 222
6.1 122  6.2 111111112222  6.3 11223333  6.4 112233  6.5 22222333  6.6 2223  6.7 33  6.8 2222
7.1 222  7.2 1111  7.3 22  7.4 11222  7.5 223  7.6 22
8.1 1233  8.2 1123  8.3 133  8.4 23
9.1 111  9.2 1222
10.1 22  10.2 223  10.3 22223  10.4 1111122222233333  10.5 22222  10.6 22  10.7 222
11.1 2233  11.2 22233  11.3 11233  11.4 1222  11.5 23  11.6 23  11.7 33
12.1 12233  12.2 11  12.3 22223
13.1 2333  13.2 222223  13.3 2233  13.4 1222233
14.1 22  14.2 12223333  14.3 122
15.1 12233  15.2 12233  15.3 1222222  15.4 3333
16.1 2  16.2 22222  16.3 2222  16.4 222  16.5 2223
17.1 23  17.2 22223333  17.3 22
"""
ITEMS = {
    (f"{section}.{number}", level)
    for section, levels in re.findall(r"(\S+) (\d+)", LEVELS)
    for number, level in enumerate(levels, 1)
    if level != "3"
}
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.splitlines()
    if re.match(r"\| \d+\.\d+\.\d+ ", line)
]
# `tests/api/test_guards.py`: *two hosts are none*, *another host is not ours*
NAMED_TESTS = re.compile(r"`(tests/[\w/]+\.py)`: ((?:\*[^*()]+\*(?:, )?)+)")
# A section of this file or of ARCHITECTURE.md, the row before, or the test of another row.
THERE = re.compile(r'"[A-Z][\w ]+"|ARCHITECTURE\.md §|the same|tests? of ')
PATHS = re.compile(r"`((?:slots|web|workers|sql|tests)/[\w/.*-]*|[\w.-]+\.(?:lock|md|toml))`")
# `own_path` in `web/pages/page.py`
NAMED_WORDS = re.compile(r"((?:`\w+`(?:, | and )?)+) in `([\w/]+\.\w+)`")


def functions_in(path):
    return {
        node.name
        for node in ast.walk(ast.parse((PROJECT / path).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_item_of_levels_1_and_2_has_one_row():
    assert len(ITEMS) == 70 + 183
    assert sorted((row[0].partition(" ")[0], row[1]) for row in ROWS) == sorted(ITEMS)


def test_every_row_has_a_verdict_and_says_why():
    assert [row for row in ROWS if len(row) != 4 or row[2] not in VERDICTS or len(row[3]) < 5] == []


def test_what_is_met_says_where():
    vague = [
        row[0]
        for row in ROWS
        if row[2] == "met" and not (PATHS.search(row[3]) or THERE.search(row[3]))
    ]

    assert vague == []


def test_every_path_that_is_named_exists():
    named = set(PATHS.findall(TEXT))

    assert [path for path in sorted(named) if not list(PROJECT.glob(path))] == []


def test_every_test_that_is_named_exists():
    named = [
        (path, "test_" + re.sub(r"\W+", "_", sentence.replace("'", "")))
        for path, sentences in NAMED_TESTS.findall(TEXT)
        for sentence in re.findall(r"\*([^*]+)\*", sentences)
    ]

    assert len(named) > 100
    assert [f"{path}: {name}" for path, name in named if name not in functions_in(path)] == []


def test_every_word_that_is_said_to_be_in_a_file_is_there():
    named = [
        (path, word)
        for words, path in NAMED_WORDS.findall(TEXT)
        for word in re.findall(r"`(\w+)`", words)
    ]

    assert len(named) > 5
    assert [
        f"{path}: {word}" for path, word in named if word not in (PROJECT / path).read_text()
    ] == []


def test_every_section_that_a_row_refers_to_is_there():
    headings = set(re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE))
    named = {name for row in ROWS for name in re.findall(r'"([A-Z][\w ]+)"', row[3])}

    assert named - headings == set()


def test_a_row_that_refers_to_the_test_of_another_finds_one_there():
    why_of = {row[0].partition(" ")[0]: row[3] for row in ROWS}
    named = [
        (row[0], number) for row in ROWS for number in re.findall(r"test of (\d[\d.]*\d)", row[3])
    ]

    assert [pair for pair in named if not NAMED_TESTS.search(why_of[pair[1]])] == []
