"""Settings: what wins over what, and that an error names the file, the line, the key and what is allowed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plstui.config.load import LARGEST, load
from plstui.config.settings import PUBLIC_ARM, Settings
from plstui.domain.errors import ConfigError
from plstui.domain.sides import Side

ISV = "5b1f9c34-0d0e-4d6b-9a52-3f6f1b7c1a01"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_any_file_the_defaults_hold(tmp_path: Path) -> None:
    settings = load(environ={"XDG_CONFIG_HOME": str(tmp_path)})

    assert settings == Settings()
    assert (settings.azure.arm, settings.azure.credential) == (PUBLIC_ARM, "cli")
    assert (settings.probe.count, settings.watch.interval, settings.ui.read_only) == (12, 5.0, False)
    assert settings.side(Side.CUSTOMER).subscription == ""


def test_a_file_with_everything(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        [azure]
        arm = "https://127.0.0.1:8443"
        ca = "ca.pem"
        credential = "device-code"
        [isv]
        subscription = "5b1f9c34-0d0e-4d6b-9a52-3f6f1b7c1a01"
        tenant = "0b6d3c58"
        client_id = "c"
        client_secret_file = "secret"
        ssh = { jump = "azureuser@web1:2222", identity_file = "key" }
        [customer]
        subscription = "c27e4f0a-8a6f-4b39-8d0c-71d9b52e6e02"
        [customer.ssh]
        jump = "testVM"
        ssh_config = "ssh_config"
        known_hosts = "known_hosts"
        [probe]
        count = 24
        connect_timeout = 1
        read_timeout = 2.5
        [watch]
        interval = 30
        [ui]
        read_only = true
        """,
    )
    settings = load(path, environ={})

    assert settings.azure.arm == "https://127.0.0.1:8443"
    assert settings.side(Side.ISV).ssh.jump == "azureuser@web1:2222"
    assert settings.side(Side.CUSTOMER).ssh.known_hosts == "known_hosts"
    assert (settings.probe.connect_timeout, settings.probe.read_timeout) == (1.0, 2.5)
    assert settings.ui.read_only


def test_the_usual_file_is_found_and_a_named_one_wins(tmp_path: Path) -> None:
    (tmp_path / "plstui").mkdir()
    (tmp_path / "plstui" / "config.toml").write_text('[isv]\ntenant = "usual"')
    named = write(tmp_path, '[isv]\ntenant = "named"')
    usual = {"XDG_CONFIG_HOME": str(tmp_path)}

    assert load(environ=usual).isv.tenant == "usual"
    assert load(environ={**usual, "PLSTUI_CONFIG": str(named)}).isv.tenant == "named"
    assert load(named, environ={**usual, "PLSTUI_CONFIG": "elsewhere"}).isv.tenant == "named"


def test_a_list_is_written_with_commas_in_the_environment() -> None:
    assert load(environ={}).probe.routes == ("ssh", "run-command")
    assert load(environ={"PLSTUI_PROBE_ROUTES": "direct, run-command"}).probe.routes == ("direct", "run-command")
    with pytest.raises(ConfigError, match=r"PLSTUI_PROBE_ROUTES is not allowed"):
        load(environ={"PLSTUI_PROBE_ROUTES": "fax"})


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path: Path) -> None:
    path = write(tmp_path, '[isv]\ntenant = "file"\n[isv.ssh]\njump = "file"\n[probe]\ncount = 1')
    environ = {
        "PLSTUI_ISV_TENANT": "environment",
        "PLSTUI_ISV_SSH_JUMP": "environment",
        "PLSTUI_CUSTOMER_TENANT": "environment",
        "PLSTUI_PROBE_COUNT": "7",
        "PLSTUI_WATCH_INTERVAL": "2.5",
        "PLSTUI_UI_READ_ONLY": "true",
        "PLSTUI_ARM_EVIDENCE": "not a setting",
        "SOMETHING_ELSE": "x",
    }
    settings = load(path, environ=environ, override={"isv": {"tenant": "command line"}})

    assert settings.isv.tenant == "command line"
    assert (settings.isv.ssh.jump, settings.customer.tenant) == ("environment", "environment")
    assert (settings.probe.count, settings.watch.interval, settings.ui.read_only) == (7, 2.5, True)


@pytest.mark.parametrize(
    "address", ["https://x", "https://x/", "https://x.example:65535", "https://[::1]:8443", "https://127.0.0.1:1"]
)
def test_an_endpoint_is_a_host_and_perhaps_a_port(address: str, tmp_path: Path) -> None:
    assert load(environ={"XDG_CONFIG_HOME": str(tmp_path), "PLSTUI_AZURE_ARM": address}).azure.arm == address


@pytest.mark.parametrize(
    "address",
    [
        *(
            "https://",
            "https://:1",
            "https://@",
            "https://x:0",
            "https://x:99999",
            "https://x:",
            "https://[",
            "https://-",
        ),
        *("https://user:secret@x", "https://x/path", "https://x?y", "https://x#y", "https://x y", "https://x\n"),
    ],
)
def test_what_is_no_endpoint_is_told_before_anything_is_asked(address: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(environ={"XDG_CONFIG_HOME": str(tmp_path), "PLSTUI_AZURE_ARM": address})

    assert "ends after the host or its port" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ('[azure]\n\narm = "http://x"', 3, "`azure.arm`", "Allowed is an address that starts with https:// and "),
        ('[azure]\ncredential = "magic"', 2, "`azure.credential`", "Allowed are: cli, environment, device-code."),
        ("[probe]\n# how often\ncount = 0", 3, "`probe.count`", "expected a whole number of at least 1"),
        (
            "[lab.names]\nmachine = 'web_1'",
            2,
            "`lab.names.machine` is not allowed.",
            "at most 14 characters: small letters",
        ),
        ("[lab.names]\nmachine = 1", 2, "`lab.names.machine`", "expected text in quotes, got a whole number"),
        ("[probe]\nread_timeout = 301", 2, "`probe.read_timeout`", "expected a number of at most 300."),
        ('[probe]\nroutes = ["ssh", "fax"]', 2, "`probe.routes[1]`", "Allowed are: direct, ssh, run-command."),
        ('[probe]\nroutes = "ssh"', 2, "`probe.routes`", "expected a list, got text in quotes"),
        ('[ui]\nread_only = "yes"', 2, "`ui.read_only`", "expected true or false, got text in quotes"),
        ("[isv]\nsubscription = 5", 2, "`isv.subscription`", "expected text in quotes, got a whole number"),
        ("[ui]\n[isv]\n[isv.ssh]\njmp = 'web1'", 4, "`jmp` in [isv.ssh]", "Allowed are: identity_file, jump,"),
        ("isv = {ssh = {jmp = 'web1'}}", 1, "`jmp` in [isv.ssh]", "Allowed are: identity_file, jump,"),
        ("\nisv.ssh.jmp = 'web1'", 2, "`jmp` in [isv.ssh]", "Allowed are: identity_file, jump,"),
        ("[isv]\nsubscripton = 's'", 2, "`subscripton` in [isv]", "ssh, subscription, tenant."),
        ("[ui]\n[color]\nred = 1", 2, "`color` in the top level", "azure, customer, isv, keys, lab, probe, ui, watch."),
        ("\nisv = 3", 2, "`isv`", "It is a section with the keys client_id,"),
        ('[isv]\nsubscription = "a/../b"', 2, "`isv.subscription`", "Allowed is the id of a subscription such as"),
        ('[isv]\nsubscription = "My own"', 2, "`isv.subscription`", "az account list --output table shows both"),
        (f'[isv]\nsubscription = "{ISV}\\n"', 2, "`isv.subscription`", "Allowed is the id of a subscription"),
        ('[lab]\nuser = "me\\n"', 2, "`lab.user`", "Allowed is a name of at most 32 characters"),
        ('[[isv]]\nsubscription = "s"', 1, "`isv`", "expected a section, got a list"),
        ("[isv]\nsubscription = \n", 2, "", "not valid TOML: invalid value"),
        ("[isv]\nsubscription =", 2, "", "not valid TOML: invalid value"),
        ("[isv\n", 1, "", "not valid TOML"),
        ("a = 1\na = 2\n", 2, "", "not valid TOML: cannot overwrite a value"),
    ],
)
def test_an_error_names_file_line_key_and_what_is_allowed(
    tmp_path: Path, text: str, line: int, key: str, words: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path, environ={})

    assert str(caught.value).startswith(f"{path}, line {line}: ")
    assert key in str(caught.value)
    assert words in str(caught.value)
    assert "regex" not in str(caught.value)
    assert "enum" not in str(caught.value)
    assert caught.value.code == "Configuration"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PLSTUI_PROBE_COUNT", "many", "PLSTUI_PROBE_COUNT is not allowed: expected a whole number."),
        (
            "PLSTUI_LAB_NAMES_ENDPOINT",
            "a b/ü",
            "is not allowed. Allowed is a name of at most 80 characters: letters a to z",
        ),
        ("PLSTUI_LAB_NAMES_ENDPOINT", "n" * 81, "is not allowed. Allowed is a name of at most 80 characters"),
        (
            "PLSTUI_LAB_NAMES_MACHINE",
            "web_1",
            "Allowed is a name of at most 14 characters: small letters a to z, digits",
        ),
        ("PLSTUI_LAB_NAMES_ISV_GROUP", "grüppe.", "letters and digits of any script and _ . ( ) -, no hyphen first"),
        ("PLSTUI_LAB_NAMES_CUSTOMER_GROUP", "g" * 91, "Allowed is a name of at most 90 characters"),
        ("PLSTUI_LAB_DNS_ZONE", "single", "Allowed is a name with a dot in it such as tradewinds.internal"),
        ("PLSTUI_LAB_DNS_RECORD", "a.b", "Allowed is a name without a dot"),
        ("PLSTUI_LAB_ISV_PREFIX", "10.0.0.0", "Allowed is an IPv4 range such as 10.0.0.0/16."),
        ("PLSTUI_LAB_USER", "Me", "Allowed is a name of at most 32 characters"),
        ("PLSTUI_LAB_REGION", "", "Allowed is the name of a region such as westeurope."),
        ("PLSTUI_PROBE_COUNT", "0", "expected a whole number of at least 1"),
        ("PLSTUI_AZURE_CREDENTIAL", "magic", "Allowed are: cli, environment, device-code."),
        ("PLSTUI_AZURE_ARM", "http://x", "Allowed is an address that starts with https:// and "),
        ("PLSTUI_UI_READ_ONLY", "perhaps", "expected true or false"),
        ("PLSTUI_UI_READONLY", "1", "There are PLSTUI_UI_READ_ONLY."),
        ("PLSTUI_ISV_JUMP", "web1", "PLSTUI_ISV_SSH_JUMP"),
        ("PLSTUI_ISV_SUBSCRIPTION", "../x", "Allowed is the id of a subscription such as"),
        ("PLSTUI_READ_ONLY", "1", "Did you mean PLSTUI_UI_READ_ONLY?"),
        ("PLSTUI_CNOFIG", "c.toml", "Did you mean PLSTUI_CONFIG?"),
        ("PLSTUI_SANDBOX", "1", "Did you mean PLSTUI_"),
    ],
)
def test_the_environment_is_judged_as_strictly(name: str, value: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(environ={name: value, "XDG_CONFIG_HOME": os.devnull})

    assert name in caught.value.message
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["grüppe", "グループ-1", "(a.b)", "_", "g" * 90])
def test_a_group_is_called_whatever_azure_allows(name: str) -> None:
    environ = {"PLSTUI_LAB_NAMES_ISV_GROUP": name, "PLSTUI_LAB_NAMES_CUSTOMER_GROUP": name}
    names = load(environ={**environ, "XDG_CONFIG_HOME": os.devnull}).lab.names

    assert (names.isv_group, names.customer_group) == (name, name)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "nothing.toml"
    for path, environ, named_by in (
        (missing, {}, "--config"),
        (None, {"PLSTUI_CONFIG": str(missing)}, "PLSTUI_CONFIG"),
    ):
        with pytest.raises(ConfigError, match=r"There is no settings file .*nothing\.toml") as caught:
            load(path, environ=environ)
        assert caught.value.hint == f"Check the path given with {named_by}."


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path, environ={})
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'[isv]\nsubscription = "\xe9"')
    with pytest.raises(ConfigError, match="cannot be read: it is not UTF-8 text"):
        load(latin, environ={})


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match=r"pipe cannot be read: it is a pipe, and has to be a file\."):
        load(tmp_path / "pipe", environ={})
    with pytest.raises(ConfigError, match=r"/dev/zero cannot be read: it is a device, and has to be a file\."):
        load(environ={"PLSTUI_CONFIG": "/dev/zero"})


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large.toml").write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(ConfigError, match="cannot be read: it is larger than 1024 KiB"):
        load(tmp_path / "large.toml", environ={})


def test_a_mark_of_the_byte_order_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bom.toml").write_bytes(b"\xef\xbb\xbf[probe]\r\ncount = 0\r\n")
    with pytest.raises(ConfigError, match=r"bom\.toml, line 2: the value of `probe\.count` is not allowed"):
        load(tmp_path / "bom.toml", environ={})


@pytest.mark.parametrize(
    "nested",
    [
        "x = " + "[" * 5000,
        "x = " + "{a = " * 5000,
        "a." * 100_000 + "a = 1",
        f"[{'a .' * 100_000}a]",
        "'a'." * 99 + "a = 1",
    ],
    ids=["lists", "tables", "a key", "a section", "a key in quotes"],
)
def test_nesting_without_end_is_an_error_with_a_line(tmp_path: Path, nested: str) -> None:
    path = write(tmp_path, f'# {"[" * 99}\n[lab]\nregion = """\n{"{" * 99}"""\nsize = \'{"." * 99}\'\n{nested}')

    with pytest.raises(ConfigError, match=r"config\.toml, line 6: lists, tables or keys are nested too deeply\."):
        load(path, environ={})


@pytest.mark.parametrize("text", ['"' + '\\"' * 400_000, '"""\n\\' * 180_000, '"""\n\\"""\n' * 90_000], ids=len)
def test_a_large_text_without_an_end_is_refused_at_once(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, f"a = {text}")

    with pytest.raises(ConfigError, match="this is not valid TOML"):
        load(path, environ={})


def test_brackets_and_dots_in_texts_and_comments_nest_nothing(tmp_path: Path) -> None:
    deep = "[" * 99 + "." * 99
    path = write(
        tmp_path, f'[lab] # it\'s {deep}\nregion = """\\"""{deep}\n"""\nsize = \'{deep}"\'\nmessage = "\\"{deep}"'
    )

    assert load(path, environ={}).lab.size == f'{deep}"'


def test_a_named_file_may_be_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, "[probe]\ncount = 7")

    assert load(environ={"PLSTUI_CONFIG": "~/config.toml"}).probe.count == 7


def test_keys_come_from_the_file_and_the_environment_whatever_else_is_wrong_in_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, '[keys]\napprove = "A"\nquit = "Q"\n[probe]\ncount = "none"')
    environ = {"PLSTUI_KEYS_NEXT_PENDING": "m", "PLSTUI_KEYS_QUIT": "E", "PLSTUI_PROBE_COUNT": "3"}
    assert load(path, environ=environ, only="keys").keys == {"approve": "A", "quit": "E", "next-pending": "m"}
    with pytest.raises(ConfigError, match=r"probe\.count"):
        load(path, environ=environ)
