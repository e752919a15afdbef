"""plstui's own themes; the colours stand in `styles/themes.toml`, as they do for everything in `styles/`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from textual.theme import Theme

DEFAULT: Final = "plstui-dark"

_FILE = Path(__file__).parent / "styles" / "themes.toml"


def own_themes() -> Iterator[Theme]:
    """A theme for each table of the file."""
    for name, table in tomllib.loads(_FILE.read_text(encoding="utf-8")).items():
        yield Theme(name=name, **table)
