"""Signing in, as the SDK and az do it: the cloud's metadata, OpenID configuration, tokens. All open to anybody."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.gateway.tokens import Directory, TokenError


class Identity:
    """Entra ID as far as a service principal needs it, and the metadata with which az gets to know a cloud."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def handle(self, request: Request) -> Response | None:
        """The answer, or None when the path is none of these."""
        parts = [part for part in request.path.split("/") if part]
        match [request.method, *(part.lower() for part in parts)]:
            case ["GET", "metadata", "endpoints"]:
                return Response(200, _metadata(request))
            case ["GET", _, "v2.0", ".well-known", "openid-configuration"] | [
                "GET",
                _,
                ".well-known",
                "openid-configuration",
            ]:
                return self._configuration(parts[0], request.base_url)
            case ["GET", "common" | "organizations", "discovery", "instance"]:
                return Response(200, _instances(request))
            case ["POST", _, "oauth2", "v2.0", "token"] | ["POST", _, "oauth2", "token"]:
                return self._token(parts[0], request)
            case _:
                return None

    def _configuration(self, tenant: str, base: str) -> Response:
        if tenant.lower() not in self._directory.tenants() | {"common", "organizations"}:
            error = TokenError("invalid_tenant", f"AADSTS90002: Tenant '{tenant}' not found.")
            return Response(400, error.body())
        return Response(
            200,
            {
                "issuer": f"{base}/{tenant}/v2.0",
                "authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/{tenant}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{base}/{tenant}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "response_types_supported": ["code", "id_token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid"],
                "tenant_region_scope": None,
            },
        )

    def _token(self, tenant: str, request: Request) -> Response:
        form = {name: values[-1] for name, values in parse_qs(request.content.decode(errors="replace")).items()}
        if form.get("grant_type") != "client_credentials":
            error = TokenError(
                "unsupported_grant_type",
                "AADSTS70003: The app requested an unsupported grant type; use client_credentials.",
            )
            return Response(error.status, error.body())
        audience = form.get("scope", form.get("resource", "")).removesuffix("/.default")
        try:
            token = self._directory.issue(tenant, form.get("client_id", ""), form.get("client_secret", ""), audience)
        except TokenError as error:
            return Response(error.status, error.body())
        return Response(200, token, {"Cache-Control": "no-store"})


def _metadata(request: Request) -> Any:
    """The one cloud behind this address; az wants an object, older clients of other api-versions a list."""
    base, host = request.base_url, request.base_url.removeprefix("https://")
    cloud = {
        "name": "plstui",
        "portal": base,
        "authentication": {
            "loginEndpoint": base,
            "audiences": [base, f"{base}/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": base,
        "media": base,
        "graph": base,
        "graphAudience": base,
        "microsoftGraphResourceId": f"{base}/",
        "batch": base,
        "sqlManagement": base,
        "activeDirectoryDataLake": base,
        "vmImageAliasDoc": f"{base}/aliases.json",
        "suffixes": {
            "storage": host,
            "keyVaultDns": host,
            "sqlServerHostname": host,
            "mysqlServerEndpoint": host,
            "postgresqlServerEndpoint": host,
            "mariadbServerEndpoint": host,
            "acrLoginServer": host,
            "azureDataLakeStoreFileSystem": host,
            "azureDataLakeAnalyticsCatalogAndJob": host,
        },
    }
    return cloud if request.query.get("api-version", "") >= "2022-01-01" else [cloud]


def _instances(request: Request) -> dict[str, Any]:
    host = request.base_url.removeprefix("https://")
    return {
        "tenant_discovery_endpoint": f"{request.base_url}/common/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
