"""The rules of the interface that its source must keep."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import plstui.tui

TUI = Path(plstui.tui.__file__).parent
SOURCES = sorted(TUI.rglob("*.py"))


@pytest.mark.parametrize("source", sorted((TUI / "widgets").glob("*.py")), ids=lambda path: path.name)
def test_widgets_know_neither_the_app_nor_the_screen(source: Path) -> None:
    assert not re.search(r"self\.(app|screen)\b", source.read_text())


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_colour_stands_in_python(source: Path) -> None:
    text = source.read_text()
    assert not re.search(r"#[0-9a-fA-F]{6}\b|\brgb\(", text)
    assert not re.search(r"""["'](?:bold )?(red|green|yellow|blue|magenta|cyan)["']""", text)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_nothing_is_parsed_as_markup(source: Path) -> None:
    text = source.read_text()
    assert "from_markup" not in text
    assert "markup=True" not in text
    assert text.count(".notify(") == text.count("markup=False"), "a notification says that it is no markup"
