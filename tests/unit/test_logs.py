"""One event is one line, whatever somebody has typed into it."""

import msgspec
import pytest

from slots.logs import _renderer

pytestmark = pytest.mark.usefixtures("capsys")  # where stderr is no terminal

FORGED = 'Ann\nlevel=error event=forged\r\x1b[2J\u2028\x85 "x"'


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_what_somebody_typed_makes_no_line_of_its_own(log_format):
    line = _renderer(log_format)(None, "info", {"event": "request", "said": FORGED})

    assert not set("\n\r\x1b") & set(line)


def test_a_program_reads_in_a_line_of_json_what_was_said():
    line = _renderer("json")(None, "info", {"event": "request", "said": FORGED})

    assert msgspec.json.decode(line) == {"event": "request", "said": FORGED}


def test_control_without_the_names_of_controls_a_terminal_would_obey_the_line(monkeypatch):
    monkeypatch.setattr("slots.logs.CONTROLS", {})

    line = _renderer("text")(None, "info", {"event": "request", "said": FORGED})

    assert "\x1b" in line
