"""Opening a side: what is wrong with the settings is told, and nothing is asked or given away."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import trustme
from msgspec.structs import replace

from plstui.arm.side import ArmSide, open_side
from plstui.config.settings import Azure, Settings
from plstui.domain.errors import ConfigError
from plstui.domain.sides import Side
from plstui.domain.snapshot import Tier
from tests.arm.conftest import SECRET
from tests.arm.server import LISTS, Answer, ArmServer
from tests.arm.sides import opened


async def test_opening_asks_nothing(azure: ArmServer, side: ArmSide) -> None:
    assert side.reader is not None
    assert not azure.seen
    assert azure.tokens == 0


def test_a_certificate_authority_that_is_not_there(settings: Settings, tmp_path: Path) -> None:
    missing = replace(settings, azure=Azure(arm=settings.azure.arm, ca=str(tmp_path / "missing.pem")))

    with pytest.raises(ConfigError, match=r"missing\.pem cannot be used: No such file"):
        open_side(missing, Side.ISV)


def test_a_certificate_authority_without_a_certificate(settings: Settings) -> None:
    Path(settings.azure.ca).write_text("nothing")

    with pytest.raises(ConfigError, match="it holds no certificate"):
        open_side(settings, Side.ISV)


def test_a_certificate_authority_without_end(settings: Settings) -> None:
    for device in ("/dev/zero", "/dev/tty"):
        endless = replace(settings, azure=Azure(arm=settings.azure.arm, ca=device))
        with pytest.raises(ConfigError, match=f"{device} cannot be used: it is a device, and has to be a file"):
            open_side(endless, Side.ISV)


async def test_comments_between_certificates_are_in_any_script(
    azure: ArmServer, settings: Settings, authority: trustme.CA, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes("\ufeff# Főtanúsítvány\n".encode() + authority.cert_pem.bytes())
    azure.everything_empty()
    async with opened(replace(settings, azure=Azure(arm=settings.azure.arm, ca=str(bundle)))) as side:
        assert await side.reader.read(Tier.CONNECTIONS)


async def test_connections_are_used_again(azure: ArmServer, side: ArmSide) -> None:
    azure.everything_empty()

    await side.reader.read(Tier.CONNECTIONS)
    before = azure.connections
    await side.reader.read(Tier.CONNECTIONS)

    assert azure.connections == before


async def test_a_proxy_is_not_asked_for_this_machine(
    azure: ArmServer, side: ArmSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    azure.everything_empty()

    assert await side.reader.read(Tier.CONNECTIONS)


async def test_no_secret_is_logged(azure: ArmServer, side: ArmSide, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    azure.everything_empty()
    azure.on("GET", LISTS["groups"], Answer({"error": {"code": "No", "message": "No."}}, 400))

    await side.reader.read(Tier.CONNECTIONS)
    assert (await side.reader.read(Tier.ALL)).failures

    assert azure.seen[0].authorization == "Bearer token-1"
    assert "token-1" not in caplog.text
    assert SECRET not in caplog.text


def test_warnings_of_the_sdk_do_not_reach_the_terminal() -> None:
    handlers = logging.getLogger("azure").handlers

    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)
