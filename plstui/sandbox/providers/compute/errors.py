"""The errors of Microsoft.Compute: without details, often with a word for what is wrong in the request."""

from __future__ import annotations

from typing import Any

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.errors import ArmError


class ComputeError(ArmError):
    """An error of the provider itself."""

    def __init__(self, status: int, code: str, message: str, target: str = "") -> None:
        super().__init__(status, code, message, details=())
        self.target = target
        """The part of the request that is wrong; empty where Azure names none."""

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        inner = {"code": self.code, "message": self.message}
        return {"error": {**inner, "target": self.target} if self.target else inner}


def invalid(target: str, message: str) -> ComputeError:
    """400 for a value that cannot be."""
    return ComputeError(400, "InvalidParameter", message, target)


def missing(target: str) -> ComputeError:
    """400 for a value that has to be there."""
    return invalid(target, f"Required parameter '{target}' is missing (null).")


def unchangeable(name: str) -> ComputeError:
    """409 for a property that is set once and for all."""
    return ComputeError(409, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.", name)


def not_allowed(message: str) -> ComputeError:
    """409 for what the machine's state does not allow."""
    return ComputeError(409, "OperationNotAllowed", message)


def not_running() -> ComputeError:
    """409 for what needs a running machine."""
    return not_allowed("The operation requires the VM to be running (or set to run).")


def reference_not_found(resource_id: ResourceId) -> ComputeError:
    """404 for a reference that leads nowhere."""
    return ComputeError(404, "NotFound", f"Resource {resource_id} not found.")
