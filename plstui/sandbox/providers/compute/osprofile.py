"""The operating system's part of a machine: names, sign-in, user data. Secrets are checked and then forgotten."""

from __future__ import annotations

import base64
import re

from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.providers.compute.errors import invalid, missing, unchangeable
from plstui.sandbox.store import Body

FORBIDDEN_USERS = frozenset(
    {"1", "123", "a", "actuser", "adm", "admin", "admin1", "admin2", "administrator", "aspnet", "backup", "console"}
    | {"david", "guest", "john", "owner", "root", "server", "sql", "support", "support_388945a0", "sys", "test"}
    | {"test1", "test2", "test3", "user", "user1", "user2", "user3", "user4", "user5"}
)
"""Names that Azure lets nobody have."""

LONGEST_CUSTOM_DATA = 87_380
"""Characters of user data in base64."""

_WINDOWS_NAME = re.compile(r"^(?!\d+$)[^\\/\"\[\]:|<>+=;,?*@&_.\s]{1,15}$")
_LINUX_NAME = re.compile(r"^(?![-.])[A-Za-z0-9.-]{1,64}$")


def build(fields: Fields, old: Body | None, *, windows: bool, vm_name: str) -> Body:
    """The profile that is kept; `old` is the one a machine has already. Raises the 400s and 409s of Azure."""
    name = fields.text("computerName") or (old or {}).get("computerName", vm_name)
    user = fields.text("adminUsername") or (old or {}).get("adminUsername", "")
    _check_unchanged(fields, old)
    if old is None:
        _check_names(name, user, windows=windows)
    profile: Body = {"computerName": name, "adminUsername": user}
    if windows:
        profile["windowsConfiguration"] = _windows(fields.fields("windowsConfiguration"))
    else:
        profile["linuxConfiguration"] = _linux(fields.fields("linuxConfiguration"), old, user)
    if old is None:
        _check_sign_in(fields, profile, windows=windows)
    profile |= {
        "secrets": fields.items("secrets"),
        "allowExtensionOperations": fields.flag("allowExtensionOperations", True),
        "requireGuestProvisionSignal": fields.flag("requireGuestProvisionSignal", True),
    }
    if custom_data := _custom_data(fields) or (old or {}).get("customData", ""):
        profile["customData"] = custom_data
    return profile


def _check_unchanged(fields: Fields, old: Body | None) -> None:
    if old is None:
        return
    for name in ("computerName", "adminUsername"):
        if name in fields and fields.text(name).lower() != str(old.get(name, "")).lower():
            raise unchangeable(f"osProfile.{name}")
    if "customData" in fields and fields.text("customData") != old.get("customData", ""):
        raise unchangeable("osProfile.customData")


def _check_names(name: str, user: str, *, windows: bool) -> None:
    if windows and not _WINDOWS_NAME.match(name):
        raise invalid(
            "computerName",
            "Windows computer name cannot be more than 15 characters long, be entirely numeric, or contain the "
            "following characters: ` ~ ! @ # $ % ^ & * ( ) = + _ [ ] { } \\ | ; : . ' \" , < > / ?.",
        )
    if not windows and not _LINUX_NAME.match(name):
        raise invalid(
            "computerName",
            "Linux host name cannot exceed 64 characters in length or contain the following characters: ` ~ ! @ # $ % "
            "^ & * ( ) = + _ [ ] { } \\ | ; : ' \" , < > / ?.",
        )
    if not user:
        raise missing("adminUsername")
    if user.lower() in FORBIDDEN_USERS:
        raise invalid("adminUsername", "The Admin Username specified is not allowed.")
    if len(user) > (20 if windows else 64) or user.endswith(".") or re.search(r"[\\/\"\[\]:|<>+=;,?*@&\s]", user):
        raise invalid(
            "adminUsername",
            "The Admin Username specified is not valid: it is too long or has characters that are not allowed.",
        )


def _linux(fields: Fields, old: Body | None, user: str) -> Body:
    before = (old or {}).get("linuxConfiguration") or {}
    no_password = fields.flag("disablePasswordAuthentication", before.get("disablePasswordAuthentication", False))
    configuration: Body = {"disablePasswordAuthentication": no_password}
    keys = [_key(key, user) for key in fields.fields("ssh").objects("publicKeys")]
    if keys:
        configuration["ssh"] = {"publicKeys": keys}
    elif "ssh" in before:
        configuration["ssh"] = before["ssh"]
    patches = fields.fields("patchSettings")
    configuration |= {
        "provisionVMAgent": fields.flag("provisionVMAgent", True),
        "patchSettings": {
            "patchMode": patches.word("patchMode", "ImageDefault", "AutomaticByPlatform", default="ImageDefault"),
            "assessmentMode": patches.word(
                "assessmentMode", "ImageDefault", "AutomaticByPlatform", default="ImageDefault"
            ),
        },
        "enableVMAgentPlatformUpdates": fields.flag("enableVMAgentPlatformUpdates"),
    }
    return configuration


def _windows(fields: Fields) -> Body:
    patches = fields.fields("patchSettings")
    modes = ("Manual", "AutomaticByOS", "AutomaticByPlatform")
    configuration: Body = {
        "provisionVMAgent": fields.flag("provisionVMAgent", True),
        "enableAutomaticUpdates": fields.flag("enableAutomaticUpdates", True),
        "patchSettings": {
            "patchMode": patches.word("patchMode", *modes, default="AutomaticByOS"),
            "assessmentMode": patches.word(
                "assessmentMode", "ImageDefault", "AutomaticByPlatform", default="ImageDefault"
            ),
            "enableHotpatching": patches.flag("enableHotpatching"),
        },
        "enableVMAgentPlatformUpdates": fields.flag("enableVMAgentPlatformUpdates"),
    }
    if zone := fields.text("timeZone"):
        configuration["timeZone"] = zone
    return configuration


def _key(key: Fields, user: str) -> Body:
    """One public key. What is plainly no key is refused; recordings, whose keys are blotted out, must still pass."""
    data = key.text("keyData")
    path = key.text("path") or f"/home/{user}/.ssh/authorized_keys"
    where = "linuxConfiguration.ssh.publicKeys"
    if path != f"/home/{user}/.ssh/authorized_keys":
        raise invalid(
            f"{where}.path",
            "Destination path for SSH public keys is currently limited to its default value "
            f"/home/{user}/.ssh/authorized_keys due to a known issue in Linux provisioning agent.",
        )
    if not is_public_key(data):
        raise invalid(f"{where}.keyData", f"The value of parameter {where}.keyData is invalid.")
    return {"path": path, "keyData": data}


def is_public_key(text: str) -> bool:
    """Whether this may be an SSH public key of a kind that Azure takes."""
    words = text.split()
    if not words or "PRIVATE KEY" in text:
        return False
    kind = words[0].lower()
    if kind not in ("ssh-rsa", "ssh-ed25519"):
        return not kind.startswith(("ssh-", "ecdsa-", "sk-"))
    try:
        blob = base64.b64decode(words[1] if len(words) > 1 else "", validate=True)
    except ValueError:
        return False
    return blob[4 : 4 + len(kind)] == kind.encode()


def _check_sign_in(fields: Fields, profile: Body, *, windows: bool) -> None:
    """A machine needs a way in, and only the ways it says it has."""
    password = fields.text("adminPassword")
    linux = profile.get("linuxConfiguration") or {}
    if linux.get("disablePasswordAuthentication"):
        if password:
            raise invalid("adminPassword", "Parameter 'adminPassword' is not allowed.")
        if "ssh" not in linux:
            raise invalid(
                "linuxConfiguration",
                "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
            )
        return
    if not password and ("ssh" not in linux or windows):
        raise missing("adminPassword")
    shortest, longest = (8, 123) if windows else (6, 72)
    if password and not shortest <= len(password) <= longest:
        raise invalid(
            "adminPassword",
            f"The supplied password must be between {shortest}-{longest} characters long and must satisfy at least 3 "
            "of password complexity requirements from the following: 1) Contains an uppercase character 2) Contains a "
            "lowercase character 3) Contains a numeric digit 4) Contains a special character 5) Control characters are "
            "not allowed",
        )


def _custom_data(fields: Fields) -> str:
    text = fields.text("customData")
    try:
        base64.b64decode(text, validate=True)
        fits = len(text) <= LONGEST_CUSTOM_DATA
    except ValueError:
        fits = False
    if not fits:
        raise invalid(
            "customData",
            "Custom data in OSProfile must be in Base64 encoding and with a maximum length of "
            f"{LONGEST_CUSTOM_DATA} characters.",
        )
    return text
