"""The Procfile says what runs."""

import sys

import pytest

from workers.embedded import procfile


def test_each_line_is_a_program_and_python_is_ours(tmp_path):
    path = tmp_path / "Procfile"
    path.write_text("# what runs\n\nweb: python -m web\nother: /bin/echo 'two words'\n")

    web, other = procfile.programs(path, {"PORT": "1"}, tmp_path)

    assert web.name == "web"
    assert web.command[-3:] == [sys.executable, "-m", "web"]
    assert web.environ == {"PORT": "1"}
    assert other.command[-2:] == ["/bin/echo", "two words"]


@pytest.mark.parametrize("line", ["web", "web:", ": python -m web"])
def test_a_line_that_is_not_a_program_is_an_error(tmp_path, line):
    path = tmp_path / "Procfile"
    path.write_text(line)

    with pytest.raises(ValueError, match="not `name: command`"):
        procfile.programs(path, {}, tmp_path)
