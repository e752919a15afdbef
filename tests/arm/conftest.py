from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from plstui.arm.side import ArmSide
from plstui.config.settings import Azure, Settings, SideSettings
from tests.arm.server import SUBSCRIPTION, TENANT, ArmServer
from tests.arm.sides import opened

SECRET = "the-secret-of-the-service-principal"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def azure(authority: trustme.CA) -> AsyncIterator[ArmServer]:
    server = ArmServer(authority)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def settings(azure: ArmServer, authority: trustme.CA, tmp_path: Path) -> Settings:
    """A service principal's sign-in for the ISV's side."""
    ca, secret = tmp_path / "ca.pem", tmp_path / "secret"
    authority.cert_pem.write_to_path(str(ca))
    secret.write_text(SECRET)
    secret.chmod(0o600)
    isv = SideSettings(subscription=SUBSCRIPTION, tenant=TENANT, client_id=SUBSCRIPTION, client_secret_file=str(secret))
    return Settings(azure=Azure(arm=azure.arm, ca=str(ca)), isv=isv)


@pytest.fixture
async def side(settings: Settings) -> AsyncIterator[ArmSide]:
    async with opened(settings) as arm:
        yield arm
