"""SSH public keys as resources."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import asyncssh

from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.providers import locations
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.compute.errors import invalid
from plstui.sandbox.providers.compute.osprofile import is_public_key
from plstui.sandbox.store import Body

RSA_BITS = 3072
"""The length of the keys that Azure makes."""


class SshPublicKeys(ResourceEndpoint):
    """Public keys: kept, and made together with a private key that is told once."""

    type: ClassVar[str] = "Microsoft.Compute/sshPublicKeys"

    async def put(self, call: Call) -> Response:
        """PUT, at once."""
        old = self.azure.store.get(call.named)
        head: Body = {
            "name": old["name"] if old else call.named.name,
            "id": old["id"] if old else call.named.text,
            "type": self.type,
            "location": locations.check(call.fields.text("location"), self.type),
        }
        return Response(200 if old else 201, self.shape(call, self._changed(call, head, {})))

    async def patch(self, call: Call) -> Response:
        """PATCH: tags and key."""
        old = self.find(call.named)
        head = {name: value for name, value in old.items() if name != "properties"}
        return Response(200, self.shape(call, self._changed(call, head, old["properties"])))

    def shape(self, call: Call, body: Body) -> Body:
        """A key does not tell its type (13 of 13 recorded)."""
        return {name: value for name, value in body.items() if name != "type"}

    def _changed(self, call: Call, head: Body, properties: Body) -> Body:
        fields = call.fields
        if "tags" in fields:
            head["tags"] = fields.tags()
        if key := fields.fields("properties").text("publicKey"):
            if not is_public_key(key):
                raise invalid("publicKey", "The value of parameter publicKey is invalid.")
            properties = {"publicKey": key}
        body = {**head, "properties": properties}
        self.azure.store.put(body)
        return body

    async def delete(self, call: Call) -> Response:
        """DELETE, at once."""
        if self.azure.store.get(call.named) is None:
            return Response(204)
        self.azure.store.delete(call.named)
        return Response(200)

    async def act(self, call: Call) -> Response:
        """POST generateKeyPair: the private key is in this answer and nowhere else."""
        if call.action != "generatekeypair":
            return await super().act(call)
        if call.method != "POST":
            raise errors.method_not_allowed(call.method)
        body = self.find(call.named)
        kind = "RSA" if call.body is None else call.fields.word("encryptionType", "RSA", "Ed25519", default="RSA")
        # Finding an RSA key takes a while; other requests need not wait for it.
        private, public = await asyncio.to_thread(_pair, kind)
        self.azure.store.put({**body, "properties": {"publicKey": public}})
        return Response(200, {"privateKey": private, "publicKey": public, "id": body["id"]})


def _pair(kind: str) -> tuple[str, str]:
    if kind == "RSA":
        key = asyncssh.generate_private_key("ssh-rsa", key_size=RSA_BITS)
        private = key.export_private_key("pkcs1-pem")
    else:
        key = asyncssh.generate_private_key("ssh-ed25519")
        private = key.export_private_key("pkcs8-pem")
    public = key.export_public_key("openssh").decode().strip()
    return private.decode(), f"{public} generated-by-azure"
