"""The house rules, as tests."""

import ast
import re
import subprocess
from dataclasses import fields
from importlib.metadata import requires
from pathlib import Path

import asyncpg
import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from slots import queries
from slots.settings import Settings
from web.errors import STATUS_OF

PROJECT = Path(__file__).parents[1]
FUNCTION_LINES_MAX = 70
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "base", "manager", "managers"}
PACKAGES = ("slots", "web", "workers")

# Who may run which file of queries: the store, and these.
RUNNERS_BESIDE_THE_STORE = {
    "installation.sql": {"slots/migration.py", "slots/database.py", "workers/demo/load.py"},
    "embedded.sql": {"workers/embedded/postgres.py"},
    "doctor.sql": {"workers/doctor/ledger.py"},
    "privacy.sql": {"workers/privacy/command.py"},
    "people.sql": {
        f"workers/people/{module}.py" for module in ("account", "accounts", "territory", "writing")
    },
}
RUN_BY_THE_OWNER = {
    *("installation.sql", "embedded.sql", "people.sql", "demo.sql", "retiring.sql", "privacy.sql"),
}
SQL_IN_PYTHON = re.compile(
    r"\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s*\()",
    re.ASCII,
)
# Assembled, so that this file passes its own test.
NOT_FOR_OTHERS = [
    re.compile(pattern)
    for pattern in (
        r"(?<![\w.])/" + r"(?:work|root)/",
        r"/home/" + r"\w",
        r"--(?:extra-)?index" + r"-url",
        r"--find" + r"-links",
        r"pypi\.org/" + r"simple",
    )
]
# Versions below these have known holes.
FLOORS = {
    "starlette": "1.3.1",
    "python-multipart": "0.0.27",
    "h11": "0.16",
    "jinja2": "3.1.6",
    "uvicorn": "0.52.1",
}


def ours(suffix: str, *folders: str) -> list[Path]:
    """Our files with this suffix: what git knows or would take, in *folders* or anywhere."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [PROJECT / name for name in listed.stdout.splitlines() if name.endswith(suffix)]
    return sorted(path for path in paths if path.exists())


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


NOT_IN_A_TEST = re.compile(
    r"(asyncio|time|anyio|trio)\.sleep|pytest\.(mark\.)?(skip\w*|xfail|importorskip)"
)

PYTHON = ours(".py", *PACKAGES)
TESTS = ours(".py", "tests")
TREES = {path: ast.parse(path.read_text()) for path in [*PYTHON, *TESTS]}
SQL = sorted(queries.SQL_DIRECTORY.glob("*.sql"))
QUERIES = [
    (path.name, query)
    for path in SQL
    if path.name != "schema.sql"
    for query in queries.load(path.name).values()
]


def test_functions_fit_on_a_screen():
    long = [
        f"{name_of(path)}: {node.name}: {lines} lines"
        for path in [*PYTHON, *TESTS]
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := node.end_lineno - node.lineno + 1) > FUNCTION_LINES_MAX
    ]

    assert long == []


def test_modules_are_named_after_things():
    assert [
        name_of(path) for path in PYTHON if FORBIDDEN_NAMES & set(path.with_suffix("").parts)
    ] == []


def test_sql_stands_in_sql_files_only():
    inline = [
        f"{name_of(path)}: {node.value[:60]}"
        for path in PYTHON
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and SQL_IN_PYTHON.match(node.value)
    ]

    assert inline == []


async def test_every_query_can_be_prepared(owner: asyncpg.Connection):
    for file_name, query in QUERIES:
        try:
            await owner.prepare(query.sql)
        except asyncpg.PostgresError as error:
            pytest.fail(f"{file_name}: {query.name}: {error}")


async def test_the_application_may_run_every_query_of_its_own(database_url):
    conn = await asyncpg.connect(database_url)
    refused = []
    for file_name, query in QUERIES:
        if file_name in RUN_BY_THE_OWNER:
            continue
        try:
            await conn.execute(f"EXPLAIN (GENERIC_PLAN) {query.sql}")
        except asyncpg.InsufficientPrivilegeError as error:
            refused.append(f"{file_name}: {query.name}: {error}")
    await conn.close()

    assert refused == []


async def test_every_query_has_the_columns_that_its_header_promises(owner: asyncpg.Connection):
    for file_name, query in QUERIES:
        columns = len((await owner.prepare(query.sql)).get_attributes())
        assert (columns == 0) == (query.returns == "none") or query.returns == "none", query.name
        assert columns == 1 or query.returns != "value", f"{file_name}: {query.name}"


@pytest.mark.parametrize("path", [path for path in SQL if path.name != "schema.sql"], ids=name_of)
def test_every_query_is_used_and_only_where_it_may_be(path):
    texts = {name_of(module): module.read_text() for module in PYTHON}
    loads = re.compile(rf"""load\(\s*["']{re.escape(path.name)}["']\s*\)""")
    runners = {name for name, text in texts.items() if loads.search(text)}
    allowed = RUNNERS_BESIDE_THE_STORE.get(path.name)

    assert runners, f"nobody loads {path.name}"
    strangers = {
        name
        for name in runners
        if not (name in allowed if allowed else name.startswith("slots/store"))
    }
    assert strangers == set()
    unused = [
        name
        for name in queries.load(path.name)
        if not any(re.search(rf"""\[\s*["']{name}["']\s*\]""", texts[runner]) for runner in runners)
    ]
    assert unused == []


def test_every_script_has_a_header_that_the_loader_reads():
    from slots import scripts

    paths = [path for path in scripts.LUA_DIRECTORY.glob("*.lua") if path.name != "_common.lua"]
    for path in paths:
        header = scripts.HEADER.search(path.read_text())
        assert header is not None, path.name
        assert header["name"] == path.stem
    assert {path.stem for path in paths} == set(scripts.SCRIPT_NAMES)


def test_every_setting_is_in_the_example_with_words():
    lines = (PROJECT / ".env.example").read_text().splitlines()
    variables = [line.partition("=")[0] for line in lines if re.match(r"[A-Z_]+=", line)]

    assert sorted(variables) == sorted(field.name.upper() for field in fields(Settings))


def test_the_example_works():
    lines = (PROJECT / ".env.example").read_text().splitlines()
    environ = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))

    assert Settings.from_environ(environ).port == 8048


def test_only_the_settings_read_the_environment():
    reads = [
        f"{name_of(path)}:{node.lineno}"
        for path in PYTHON
        if name_of(path) != "slots/settings.py"
        for node in ast.walk(TREES[path])
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"))
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]

    assert reads == []


def test_no_file_knows_the_machine_it_was_written_on():
    found = []
    for path in ours(""):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        found += [
            f"{name_of(path)}: {match[0]}"
            for pattern in NOT_FOR_OTHERS
            for match in pattern.finditer(text)
        ]

    assert found == []


def test_no_test_sleeps_or_is_skipped():
    found = [
        f"{name_of(path)}:{node.lineno}: {word}"
        for path in TESTS
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Attribute) and NOT_IN_A_TEST.fullmatch(word := ast.unparse(node))
    ]

    assert found == []


def test_the_locks_hold_versions_without_known_holes():
    for lock in ("requirements.lock", "requirements-dev.lock"):
        pinned = dict(
            re.findall(
                r"^([\w.-]+)(?:\[.*\])?==([\w.]+)", (PROJECT / lock).read_text(), re.MULTILINE
            )
        )
        for name, floor in FLOORS.items():
            assert Version(pinned[name]) >= Version(floor), (lock, name)


def test_the_locks_agree_with_each_other_and_with_the_project():
    run, dev = (
        dict(
            re.findall(
                r"^([\w.-]+)(?:\[.*\])?==([\w.]+)", (PROJECT / lock).read_text(), re.MULTILINE
            )
        )
        for lock in ("requirements.lock", "requirements-dev.lock")
    )
    wanted = [Requirement(line) for line in requires("chrono48") or []]

    assert run.items() <= dev.items()
    for requirement in wanted:
        if requirement.marker is None:
            assert requirement.specifier.contains(run[requirement.name]), requirement.name


def test_the_readme_names_every_code_of_a_refusal_under_its_status():
    rows = dict(
        re.findall(r"^\| (\d{3}) \| (.+) \|$", (PROJECT / "README.md").read_text(), re.MULTILINE)
    )

    told = {
        (int(status), code)
        for status, row in rows.items()
        for code in re.findall(r"`([\w-]+)`", row)
    }
    assert told == {(status, refusal.code) for refusal, status in STATUS_OF.items()}


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "SECURITY.md"])
def test_every_file_that_a_document_names_exists(document):
    text = (PROJECT / document).read_text()
    named = set(re.findall(r"`((?:slots|web|workers|sql|tests)/[\w/.-]+\.\w+)`", text))

    assert sorted(name for name in named if not (PROJECT / name).exists()) == []
