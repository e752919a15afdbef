"""`az-env.sh` in a shell: what it sets and takes back, and that the real az gets a new token by it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.conformance.az import PATIENCE, Az, find_az
from tests.support.served import Served, environment, serve

AZ = find_az()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("az env"), "empty") as served:
        yield served


def bash(served: Served, script: str, **more: str) -> str:
    """What a script prints that finds `az-env.sh` as its first argument."""
    done = subprocess.run(
        ["bash", "-euc", script, "bash", str(served.directory / "az-env.sh")],
        env={**environment(served.home), **more},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return done.stdout


def test_it_can_be_left_and_the_shell_is_as_before(served: Served) -> None:
    script = 'env >before; . "$1"; env >within; . "$1"; plstui_az_off; env >after; type plstui_az_off || true'
    mine = {"NO_PROXY": 'it\'s "mine", $HOME', "REQUESTS_CA_BUNDLE": "/etc/my own.pem"}

    bash(served, f'cd "{served.home}"; {script}', **mine)
    before, within, after = (
        {line for line in (served.home / name).read_text().splitlines() if not line.startswith("_=")}
        for name in ("before", "within", "after")
    )
    assert f"AZURE_CONFIG_DIR={served.directory / 'az'}" in within
    assert f"REQUESTS_CA_BUNDLE={served.directory / 'ca.pem'}" in within
    assert after == before


@pytest.mark.skipif(AZ is None, reason="az is not there; .ci/run installs it, and PLSTUI_AZ names another one")
@pytest.mark.timeout(PATIENCE)
def test_sourced_again_az_gets_a_new_token(served: Served) -> None:
    assert AZ is not None
    az = Az.of(served, AZ)
    assert az("network", "vnet", "list") == []
    served.control("POST", "/clock/advance", {"seconds": 4000})

    with pytest.raises(AssertionError, match="ExpiredAuthenticationToken"):
        az("network", "vnet", "list")
    assert Az.of(served, AZ)("network", "vnet", "list") == []
    assert (served.directory / "az" / "msal_token_cache.json").exists()
