"""What the image of a machine says about itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UBUNTU_NAMES = {"20.04": "focal", "22.04": "jammy", "24.04": "noble", "26.04": "resolute"}
_DEBIAN_NAMES = {"11": "bullseye", "12": "bookworm", "13": "trixie"}
_PYTHONS = {"20.04": "3.8.10", "22.04": "3.10.12", "24.04": "3.12.3", "11": "3.9.2", "12": "3.11.2", "13": "3.13.5"}


@dataclass(frozen=True, slots=True)
class Image:
    """A Linux distribution and its release."""

    id: str
    """`ubuntu` or `debian`, as in `/etc/os-release`."""
    version: str
    codename: str

    @classmethod
    def of(cls, publisher: str, offer: str, sku: str) -> Image:
        """The release that a marketplace image holds: `ubuntu-24_04-lts`, `0001-com-ubuntu-server-jammy` …"""
        words = f"{publisher} {offer} {sku}".lower()
        if "debian" in words:
            version = _release(words, _DEBIAN_NAMES, r"debian-(\d+)") or "12"
            return cls("debian", version, _DEBIAN_NAMES.get(version, "sid"))
        version = _release(words, _UBUNTU_NAMES, r"(\d\d)[._](04|10)") or "24.04"
        return cls("ubuntu", version, _UBUNTU_NAMES.get(version, ""))

    @property
    def pretty(self) -> str:
        """`Ubuntu 24.04 LTS`."""
        if self.id == "debian":
            return f"Debian GNU/Linux {self.version} ({self.codename})"
        return f"Ubuntu {self.version}{' LTS' if self.version.endswith('.04') else ''}"

    @property
    def python(self) -> str:
        """The version of its `python3`."""
        return _PYTHONS.get(self.version, "3.12.3")

    @property
    def kernel(self) -> str:
        """What `uname -r` says."""
        return "6.1.0-28-cloud-amd64" if self.id == "debian" else "6.8.0-1017-azure"

    @property
    def os_release(self) -> str:
        """The text of `/etc/os-release`."""
        name = "Debian GNU/Linux" if self.id == "debian" else "Ubuntu"
        like = "" if self.id == "debian" else "ID_LIKE=debian\n"
        return (
            f'PRETTY_NAME="{self.pretty}"\nNAME="{name}"\nVERSION_ID="{self.version}"\n'
            f"VERSION_CODENAME={self.codename}\nID={self.id}\n{like}"
        )


def _release(words: str, codenames: dict[str, str], number: str) -> str | None:
    for version, codename in codenames.items():
        if codename in words:
            return version
    match = re.search(number, words)
    return ".".join(match.groups()) if match else None
