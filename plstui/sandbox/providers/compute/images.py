"""The marketplace's images: publishers, offers, SKUs and versions, as bare arrays like no other list of ARM."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Call, Endpoint
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.providers import locations
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.compute.errors import ComputeError


@dataclass(frozen=True, slots=True)
class Image:
    """One SKU of an offer, with its versions."""

    publisher: str
    offer: str
    sku: str
    versions: tuple[str, ...]
    """Oldest first."""
    windows: bool = False
    generation: str = "V1"
    """Of Hyper-V: V1 or V2."""
    architecture: str = "x64"

    @property
    def gigabytes(self) -> int:
        """The size of its disk."""
        return 127 if self.windows else 30

    @property
    def bytes(self) -> int:
        """The size of the file that holds the disk: with its footer, and of Canonical's with one more piece."""
        return self.gigabytes * 2**30 + (2**20 if self.publisher == _UBUNTU else 0) + 512

    @property
    def system(self) -> tuple[str, str]:
        """Name and version of the operating system, as a machine's agent tells them."""
        if self.windows:
            year = next((year for year in ("2012", "2016", "2019", "2022", "2025") if year in self.sku), "2022")
            return f"Windows Server {year} Datacenter", {"2019": "10.0.17763", "2022": "10.0.20348"}.get(year, "10.0")
        name = {"canonical": "ubuntu", "redhat": "rhel", "openlogic": "centos", "suse": "sles"}
        version = _DEBIAN.get(self.offer) or ".".join(self.versions[-1].split(".")[:2])
        return name.get(self.publisher.lower(), self.publisher.lower()), version


def _images(publisher: str, offer: str, skus: str, *versions: str, windows: bool = False) -> Iterable[Image]:
    """SKUs of an offer; one whose name says generation 2 is of that generation, and `name!` says it too."""
    for word in skus.split():
        sku = word.removesuffix("!")
        second = word != sku or any(part in sku for part in ("gen2", "-g2", "gensecond", "edition"))
        architecture = "Arm64" if "arm64" in sku else "x64"
        yield Image(publisher, offer, sku, versions, windows, "V2" if second else "V1", architecture)


_VERSION = re.compile(r"^\d+(\.\d+){1,3}$")
"""What a version looks like. The marketplace keeps many more of them than are listed here."""

_UBUNTU, _WINDOWS = "Canonical", "MicrosoftWindowsServer"

_DEBIAN = {"debian-10": "10.13", "debian-11": "11.11", "debian-12": "12.7"}
"""Debian's versions; those of its images are dates."""

_UPGRADED = frozenset({"16.04-LTS", "18.04-LTS", "18_04-lts-gen2", "7.5"})
"""SKUs, beside those of Windows, whose machines Azure can upgrade; answers for a newer Ubuntu and for Debian say no."""

_PLAIN = frozenset({"14.04.4-LTS", "7.5"})
"""SKUs from before there were features to tell of."""

BYTES_ALONE_SINCE = "2024-07-01"
"""The api-version of the first recorded answers that tell the size of an image in bytes only."""

IMAGES = (
    *_images(
        _UBUNTU, "ubuntu-24_04-lts", "server! server-gen1 server-arm64! minimal!", "24.04.202409120", "24.04.202410170"
    ),
    *_images(_UBUNTU, "ubuntu-22_04-lts", "server! server-gen1", "22.04.202409120", "22.04.202410060"),
    *_images(_UBUNTU, "0001-com-ubuntu-server-jammy", "22_04-lts 22_04-lts-gen2", "22.04.202409120", "22.04.202410020"),
    *_images(_UBUNTU, "0001-com-ubuntu-server-focal", "20_04-lts 20_04-lts-gen2", "20.04.202409120", "20.04.202410020"),
    *_images(_UBUNTU, "UbuntuServer", "16.04-LTS 18.04-LTS 18_04-lts-gen2", "18.04.202306070", "18.04.202401161"),
    *_images(_UBUNTU, "UbuntuServer", "14.04.4-LTS", "14.04.201911070"),
    *_images("Debian", "debian-10", "10 10-gen2", "0.20240211.1654", "0.20240430.1733"),
    *_images("Debian", "debian-11", "11 11-gen2 11-backports-gen2", "0.20240901.1857", "0.20241004.1890"),
    *_images("Debian", "debian-12", "12 12-gen2", "0.20240901.1857", "0.20241004.1890"),
    *_images("RedHat", "RHEL", "8-lvm-gen2 9-lvm-gen2 7-LVM", "9.4.2024081415"),
    *_images("RedHat", "rhel-raw", "8-raw 8-raw-gen2 9-raw-gen2", "9.4.2024081415"),
    *_images("OpenLogic", "CentOS", "7.5", "7.5.201808150"),
    *_images("OpenLogic", "CentOS", "7_9-gen2", "7.9.2023030700"),
    *_images("OpenLogic", "CentOS", "8_5-gen2", "8.5.2022012401"),
    *_images("SUSE", "sles-15-sp5", "gen1 gen2", "2024.09.19"),
    *_images("SUSE", "opensuse-leap-15-4", "gen1 gen2", "2023.06.01"),
    *_images("kinvolk", "flatcar-container-linux-free", "stable stable-gen2", "3815.2.5"),
    *_images(
        _WINDOWS,
        "WindowsServer",
        "2012-Datacenter 2012-R2-Datacenter 2016-Datacenter 2016-datacenter-gensecond",
        "14393.7336.241004",
        windows=True,
    ),
    *_images(
        _WINDOWS,
        "WindowsServer",
        "2019-Datacenter 2019-datacenter-gensecond",
        "17763.6293.240905",
        "17763.6414.241006",
        windows=True,
    ),
    *_images(
        _WINDOWS,
        "WindowsServer",
        "2022-datacenter 2022-datacenter-g2 2022-datacenter-azure-edition 2022-datacenter-azure-edition-core",
        "20348.2700.240905",
        "20348.2762.241006",
        windows=True,
    ),
)
"""In the order in which they are listed."""


def of_reference(reference: Fields) -> tuple[Image, str]:
    """The image that a machine is made from, and the exact version; raises the 404 of Azure."""
    if "id" in reference or "sharedGalleryImageId" in reference or "communityGalleryImageId" in reference:
        raise ComputeError(
            404, "NotFound", "This sandbox has images of the marketplace only.", "storageProfile.imageReference"
        )
    words = [reference.text(name) for name in ("publisher", "offer", "sku", "version")]
    version = words[3] or "latest"
    image = named(*words[:3])
    if image and version.lower() == "latest":
        return image, image.versions[-1]
    if image and _VERSION.match(version):
        return image, version
    raise ComputeError(
        404,
        "PlatformImageNotFound",
        f"The platform image '{':'.join(words)[:200]}' is not available. Verify that all fields in the storage profile "
        "are correct. For more details about storage profile information, please refer to "
        "https://aka.ms/storageprofile",
        "imageReference",
    )


def named(publisher: str, offer: str, sku: str) -> Image | None:
    """The image of that name."""
    wanted = (publisher, offer, sku)
    return next((image for image in IMAGES if _same(wanted, (image.publisher, image.offer, image.sku))), None)


def _same(left: Iterable[str], right: Iterable[str]) -> bool:
    return [word.lower() for word in left] == [word.lower() for word in right]


_WORDS = ("Locations", "Publishers", "ArtifactTypes", "Offers", "Skus", "Versions")


def _item(call: Call, names: tuple[str, ...]) -> dict[str, Any]:
    """An entry of a list, with an id in the spelling that only these lists have."""
    location = locations.normal(call.path.pairs[0][1])
    below = ("VMImage", *names[1:]) if len(names) > 1 else ()
    path = "".join(f"/{word}/{name}" for word, name in zip(_WORDS, (location, names[0], *below), strict=False))
    return {
        "location": location,
        "name": names[-1],
        "id": f"/Subscriptions/{call.subscription}/Providers/Microsoft.Compute{path}",
    }


class _Images(ResourceEndpoint, ABC):
    """A level of the catalogue: what is below the names in the path."""

    @staticmethod
    @abstractmethod
    def below(image: Image) -> list[tuple[str, ...]]:
        """The names of one image on this level, with those that lead to it."""

    async def list(self, call: Call) -> Response:
        """The names on this level, in order of name; `$orderby=name desc` and `$top` as asked."""
        wanted = [name for kind, name in call.path.pairs if kind.lower() not in ("locations", "artifacttypes")]
        found = {names: None for image in IMAGES for names in self.below(image) if _same(names[: len(wanted)], wanted)}
        if not found and wanted:
            raise _not_found()
        items = [_item(call, names) for names in sorted(found)]
        if call.request.query.get("$orderby", "").lower().split() == ["name", "desc"]:
            items.reverse()
        top = call.request.query.get("$top", "")
        return Response(200, items[: int(top)] if top.isdecimal() and len(top) < 10 else items)


class Publishers(_Images):
    """Who publishes images."""

    type: ClassVar[str] = "Microsoft.Compute/locations/publishers"

    @staticmethod
    def below(image: Image) -> list[tuple[str, ...]]:
        """One name each."""
        return [(image.publisher,)]


class Offers(_Images):
    """What a publisher offers."""

    type: ClassVar[str] = "Microsoft.Compute/locations/publishers/artifacttypes/offers"

    @staticmethod
    def below(image: Image) -> list[tuple[str, ...]]:
        """One name each."""
        return [(image.publisher, image.offer)]


class Skus(_Images):
    """The kinds of an offer."""

    type: ClassVar[str] = "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus"

    @staticmethod
    def below(image: Image) -> list[tuple[str, ...]]:
        """One name each."""
        return [(image.publisher, image.offer, image.sku)]


class Versions(_Images):
    """The versions of a SKU, and each of them in detail."""

    type: ClassVar[str] = "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions"

    @staticmethod
    def below(image: Image) -> list[tuple[str, ...]]:
        """Every version."""
        return [(image.publisher, image.offer, image.sku, version) for version in image.versions]

    async def get(self, call: Call) -> Response:
        """One version; `latest` is none."""
        _, publisher, _, offer, sku, version = (name for _, name in call.path.pairs)
        image = named(publisher, offer, sku)
        if image is None or not _VERSION.match(version):
            raise _not_found()
        names = (image.publisher, image.offer, image.sku, version)
        return Response(200, {"properties": _details(image, call.api_version), **_item(call, names)})


def _details(image: Image, api_version: str) -> dict[str, Any]:
    second = image.generation == "V2"
    features = [
        *(
            [{"name": "SecurityType", "value": "TrustedLaunchSupported"}]
            if second and image.architecture == "x64"
            else []
        ),
        {"name": "IsAcceleratedNetworkSupported", "value": "True"},
        {"name": "DiskControllerTypes", "value": "SCSI, NVMe" if image.publisher == _UBUNTU else "SCSI"},
        {"name": "IsHibernateSupported", "value": "True" if image.publisher == _UBUNTU else "False"},
    ]
    return {
        "hyperVGeneration": image.generation,
        "architecture": image.architecture,
        "replicaType": "Unmanaged",
        "disallowed": {"vmDiskType": "None"},
        "automaticOSUpgradeProperties": {"automaticOSUpgradeSupported": image.windows or image.sku in _UPGRADED},
        "imageDeprecationStatus": {"imageState": "Active"},
        **({} if image.sku in _PLAIN else {"features": features}),
        "osDiskImage": {
            "operatingSystem": "Windows" if image.windows else "Linux",
            "sizeInBytes": image.bytes,
            **({"sizeInGb": image.gigabytes} if api_version[:10] < BYTES_ALONE_SINCE else {}),
        },
        "dataDiskImages": [],
    }


def _not_found() -> ArmError:
    return ComputeError(404, "NotFound", "Artifact: VMImage was not found.")


class OwnImages(ResourceEndpoint):
    """Images that a subscription has made of its machines: there are none here, and none can be made."""

    type: ClassVar[str] = "Microsoft.Compute/images"


def endpoints(azure: Azure) -> list[Endpoint]:
    """Every level of the catalogue, and a subscription's own images."""
    return [OwnImages(azure), Publishers(azure), Offers(azure), Skus(azure), Versions(azure)]
