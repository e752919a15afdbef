"""Where a run connects to: the settings that apply, and nothing left open when they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from plstui.compose import Composer, Options, served_settings
from plstui.config import locations
from plstui.domain.errors import ConfigError
from plstui.domain.sides import Side

IN_THE_FILE, OTHER, ANOTHER = (f"{digit * 8}-0d0e-4d6b-9a52-3f6f1b7c1a01" for digit in "123")
SETTINGS = f'[azure]\narm = "https://127.0.0.1:8443"\n[isv]\nsubscription = "{IN_THE_FILE}"\n'
URL = "https://127.0.0.1:8443"


@pytest.fixture(autouse=True)
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a sandbox served on port 8443 leaves behind for others to find; returns its settings file."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    settings = tmp_path / "plstui.toml"
    settings.write_text(SETTINGS)
    pointer = locations.sandbox_pointer(8443)
    pointer.parent.mkdir(parents=True)
    pointer.write_text(str(settings))
    return settings


@pytest.mark.parametrize("url", [URL, "https://localhost:8443", f"{URL}/"])
def test_a_served_sandbox_is_found_by_its_address(served: Path, url: str) -> None:
    assert served_settings(url) == served


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:8444", "https://127.0.0.1", "https://example.com:8443", "https://["]
)
def test_another_address_is_not(url: str) -> None:
    with pytest.raises(ConfigError, match="No sandbox is known at"):
        served_settings(url)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", None], ids=["not written yet", "not text", "a folder"])
def test_an_address_that_leads_nowhere_is_not_either(content: bytes | None) -> None:
    pointer = locations.sandbox_pointer(4567)
    if content is None:
        pointer.mkdir()
    else:
        pointer.write_bytes(content)
    with pytest.raises(ConfigError, match="No sandbox is known at"):
        served_settings("https://127.0.0.1:4567")


async def test_what_is_set_for_azure_does_not_reach_into_a_sandbox(
    monkeypatch: pytest.MonkeyPatch, served: Path
) -> None:
    monkeypatch.setenv("PLSTUI_ISV_SUBSCRIPTION", OTHER)
    monkeypatch.setenv("PLSTUI_CUSTOMER_SUBSCRIPTION", ANOTHER)
    monkeypatch.setenv("PLSTUI_AZURE_ARM", "https://management.azure.com")
    monkeypatch.setenv("PLSTUI_PROBE_COUNT", "3")

    attached = await Composer(Options(sandbox=URL)).settings()
    assert (attached.isv.subscription, attached.customer.subscription) == (IN_THE_FILE, "")
    assert attached.azure.arm == URL
    assert attached.probe.count == 3

    named = await Composer(Options(config=served)).settings()
    assert (named.isv.subscription, named.customer.subscription) == (OTHER, ANOTHER)


async def test_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLSTUI_ISV_SUBSCRIPTION", OTHER)
    settings = await Composer(
        Options(override={"isv": {"subscription": ANOTHER}, "ui": {"read_only": True}})
    ).settings()

    assert settings.isv.subscription == ANOTHER
    assert settings.ui.read_only


async def test_without_a_subscription_the_next_step_is_told() -> None:
    with pytest.raises(ConfigError, match="No subscription is set") as caught:
        await Composer(Options()).connect()
    assert "--isv and --customer" in caught.value.hint


async def test_one_side_is_enough(served: Path) -> None:
    runtime = await Composer(Options(config=served, override={"isv": {"client_id": ""}})).connect()

    assert set(runtime.watchers) == {Side.ISV}
    assert runtime.gate.absent(Side.ISV) is None
    assert runtime.world().customer is None
    await runtime.close()

    customer = {"isv": {"subscription": ""}, "customer": {"subscription": OTHER}}
    runtime = await Composer(Options(config=served, override=customer)).connect()
    assert set(runtime.watchers) == {Side.CUSTOMER}
    assert runtime.gate.absent(Side.ISV) == "Only the ISV can do this; give its subscription with --isv."
    await runtime.close()


async def test_a_side_that_cannot_be_opened_leaves_nothing_open(served: Path) -> None:
    customer = {"subscription": OTHER, "tenant": "t", "client_id": "c", "client_secret_file": "/nowhere"}
    with pytest.raises(ConfigError, match="/nowhere"):
        await Composer(Options(config=served, override={"customer": customer})).connect()


@pytest.mark.parametrize("sandbox", [None, URL])
async def test_a_variable_that_is_no_setting_is_named(monkeypatch: pytest.MonkeyPatch, sandbox: str | None) -> None:
    monkeypatch.setenv("PLSTUI_ISV_SUBSCRIPTON", OTHER)

    with pytest.raises(ConfigError, match="PLSTUI_ISV_SUBSCRIPTON") as caught:
        await Composer(Options(sandbox=sandbox)).settings()
    assert "Did you mean PLSTUI_ISV_SUBSCRIPTION?" in caught.value.hint
