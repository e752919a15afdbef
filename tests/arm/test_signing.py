"""A token that Azure refuses before its end: one new one, one more try, and then the right words."""

from __future__ import annotations

import base64
import json

import pytest
from aiohttp import web

from plstui.arm.side import ArmSide
from plstui.arm.signing import claims_of
from plstui.domain.errors import CredentialsError
from plstui.domain.ids import ResourceId
from plstui.domain.snapshot import Tier
from tests.arm.server import LISTS, SUBSCRIPTION, TENANT, Answer, ArmServer

EXPIRED = {"error": {"code": "ExpiredAuthenticationToken", "message": "The access token expiry is earlier."}}


async def test_a_token_that_is_refused_before_its_end_is_replaced_once_for_all(azure: ArmServer, side: ArmSide) -> None:
    azure.everything_empty()
    for path in (LISTS["services"], LISTS["endpoints"]):
        azure.on("GET", path, Answer({"value": []}), Answer(EXPIRED, 401), Answer({"value": []}))
    await side.reader.read(Tier.CONNECTIONS)

    await side.reader.read(Tier.CONNECTIONS)

    assert azure.tokens == 2
    assert [seen.authorization for seen in azure.requests("GET", "privateLinkServices")] == [
        *("Bearer token-1", "Bearer token-1", "Bearer token-2")
    ]


async def test_a_write_that_azure_has_not_taken_for_its_token_is_sent_once_more(
    azure: ArmServer, side: ArmSide
) -> None:
    group = ResourceId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg")
    body = {"location": "westeurope"}
    azure.on("PUT", group.text, Answer(EXPIRED, 401), Answer({"id": group.text, **body}))

    assert (await side.writer.put(group, body))["id"] == group.text
    assert [(seen.authorization, seen.body) for seen in azure.requests("PUT")] == [
        ("Bearer token-1", body),
        ("Bearer token-2", body),
    ]


async def test_a_long_operation_outlives_its_token(azure: ArmServer, side: ArmSide) -> None:
    group, operation = ResourceId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"), "/operation"
    headers = {"Location": f"{{arm}}{operation}", "Retry-After": "0"}
    azure.on("DELETE", group.text, Answer(None, 202, headers))
    azure.on("GET", operation, Answer(None, 202, headers), Answer(EXPIRED, 401), Answer(None, 202, headers), Answer())

    await side.writer.delete(group)

    assert len(azure.requests("DELETE")) == 1
    assert azure.requests("GET")[-1].authorization == "Bearer token-2"


async def test_a_new_token_that_is_refused_too_ends_it_with_what_helps(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", LISTS["services"], Answer(EXPIRED, 401))
    azure.on("GET", LISTS["endpoints"], Answer({"value": []}))

    with pytest.raises(CredentialsError) as caught:
        await side.reader.read(Tier.CONNECTIONS)

    assert azure.tokens == 2
    assert caught.value.code == "ExpiredAuthenticationToken"
    assert "this computer's clock" in caught.value.hint
    assert "client_secret_file" not in caught.value.hint


@pytest.mark.parametrize(
    ("challenge", "claims"),
    [
        ('Bearer realm="", error="insufficient_claims", claims="eyJhIjoiPz8_In0"', '{"a":"???"}'),
        ('Bearer realm="", error="insufficient_claims", claims="eyJhIjoiPz8/In0="', '{"a":"???"}'),
        ('Bearer realm="", error="insufficient_claims", claims="!"', ""),
        ('Bearer realm="", error="insufficient_claims"', ""),
        ('Bearer realm="", error="invalid_token", error_description="The token has expired."', ""),
        ("", ""),
    ],
)
def test_the_claims_of_a_challenge(challenge: str, claims: str) -> None:
    assert claims_of({"WWW-Authenticate": challenge}) == claims


CLAIMS = '{"access_token":{"nbf":{"essential":true, "value":"1726077595"}}}'
CHALLENGE = base64.urlsafe_b64encode(CLAIMS.encode()).decode().rstrip("=")
MORE_CLAIMS = Answer(
    {"error": {"code": "TokenCreatedWithOutdatedPolicies", "message": "Continuous access evaluation …"}},
    401,
    {"WWW-Authenticate": f'Bearer realm="", error="insufficient_claims", claims="{CHALLENGE}"'},
)


async def test_what_a_policy_asks_for_is_asked_of_who_gives_tokens(azure: ArmServer, side: ArmSide) -> None:
    asked: list[str] = []

    async def token(request: web.Request) -> web.StreamResponse:
        asked.append(str((await request.post()).get("claims", "")))
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": f"t{len(asked)}"})

    azure.everything_empty()
    azure.on("GET", LISTS["services"], MORE_CLAIMS, Answer({"value": []}), MORE_CLAIMS)
    azure.on("POST", f"/{TENANT}/oauth2/v2.0/token", token)
    await side.reader.read(Tier.CONNECTIONS)
    assert [json.loads(claims) if claims else None for claims in asked] == [None, json.loads(CLAIMS)]

    with pytest.raises(CredentialsError) as caught:
        await side.reader.read(Tier.CONNECTIONS)
    assert caught.value.code == "TokenCreatedWithOutdatedPolicies"
    assert "A policy of the tenant" in caught.value.hint
