"""The cloud-init files of the lab's machines: `scripts/cloud-init/` of the repository, packed into the wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKED = Path(__file__).with_name("cloud-init")
_REPOSITORY = Path(__file__).parents[2] / "scripts" / "cloud-init"


def user_data(machine: Literal["web", "client"]) -> str:
    """The cloud-init text of a backend (`web`) or of the customer's test machine (`client`)."""
    return user_data_file(machine).read_text(encoding="utf-8")


def user_data_file(machine: Literal["web", "client"]) -> Path:
    """The file with that text."""
    folder = _PACKED if _PACKED.is_dir() else _REPOSITORY
    return folder / f"{machine}.yaml"
