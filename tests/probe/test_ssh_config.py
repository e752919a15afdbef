"""Where a jump leads: what settings and OpenSSH's configuration say, compared with what OpenSSH itself makes of it."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from pathlib import Path

import pytest

from plstui.config.settings import Ssh
from plstui.probe.route import RouteError
from plstui.probe.ssh.config import Hop, hops
from tests.probe.sshd import PATIENCE


@pytest.fixture
def config(home: Path) -> Path:
    """The place of the usual configuration file."""
    return home / ".ssh" / "config"


def last(jump: str, **settings: str) -> Hop:
    """The machine that a jump leads to."""
    return hops(Ssh(jump=jump, **settings))[-1]


def test_without_any_configuration(home: Path) -> None:
    [hop] = hops(Ssh(jump="azureuser@10.0.0.4:2222"))
    assert (hop.user, hop.host, hop.port) == ("azureuser", "10.0.0.4", 2222)
    assert hop.known_as == "[10.0.0.4]:2222"
    assert hop.known_hosts == (home / ".ssh/known_hosts",)
    assert hop.identities == tuple(home / ".ssh" / name for name in ("id_ed25519", "id_ecdsa", "id_rsa"))
    assert hop.use_agent


def test_an_ipv6_address_is_written_in_brackets() -> None:
    hop = last("azureuser@[fd00::4]:2222")
    assert (hop.host, hop.port, hop.known_as) == ("fd00::4", 2222, "[fd00::4]:2222")
    assert last("[fd00::4]").port == 22


def test_an_alias_is_looked_up(home: Path, config: Path) -> None:
    config.write_text(
        "Host testVM\n HostName 20.1.2.3\n User azureuser\n Port 2200\n IdentityFile ~/.ssh/lab\n IdentitiesOnly yes\n"
        ' HostKeyAlias lab-vm\n UserKnownHostsFile ~/.ssh/lab_hosts "%d/.ssh/more hosts"\n'
    )
    hop = last("testVM")
    assert (hop.name, hop.host, hop.port, hop.user) == ("testVM", "20.1.2.3", 2200, "azureuser")
    assert hop.where == "testVM (20.1.2.3:2200)"
    assert hop.identities == (home / ".ssh/lab",)
    assert not hop.use_agent
    assert hop.known_as == "lab-vm"
    assert hop.known_hosts == (home / ".ssh/lab_hosts", home / ".ssh/more hosts")


def test_what_the_jump_says_itself_wins(config: Path) -> None:
    config.write_text("Host testVM\n HostName 20.1.2.3\n User azureuser\n Port 2200\n")
    hop = last("root@testVM:22")
    assert (hop.host, hop.port, hop.user) == ("20.1.2.3", 22, "root")


def test_settings_win_over_the_configuration(home: Path, config: Path) -> None:
    config.write_text("Host *\n IdentityFile ~/.ssh/theirs\n UserKnownHostsFile ~/.ssh/their_hosts\n")
    hop = last("testVM", identity_file="~/mine", known_hosts="~/my_hosts")
    assert hop.identities == (home / "mine",)
    assert not hop.use_agent
    assert hop.known_hosts == (home / "my_hosts",)


def test_the_file_named_in_settings_is_used(tmp_path: Path, config: Path) -> None:
    config.write_text("Host testVM\n HostName 10.0.0.1\n")
    (tmp_path / "mine").write_text("Host testVM\n HostName 10.0.0.2\n")
    assert last("testVM", ssh_config=str(tmp_path / "mine")).host == "10.0.0.2"


def test_jumps_in_a_row(config: Path) -> None:
    config.write_text(
        "Host inner\n HostName 10.0.0.9\n ProxyJump first,root@second:2022\n"
        "Host first\n HostName 10.0.0.1\n ProxyJump outer\n"
        "Host second\n HostName 10.0.0.2\n ProxyJump none\n"
    )
    way = hops(Ssh(jump="azureuser@inner", identity_file="~/key"))
    assert [(hop.name, hop.host, hop.port) for hop in way] == [
        ("outer", "outer", 22),
        ("first", "10.0.0.1", 22),
        ("second", "10.0.0.2", 2022),
        ("inner", "10.0.0.9", 22),
    ]
    assert [hop.user for hop in way] == [getpass.getuser(), getpass.getuser(), "root", "azureuser"]


def test_jumps_in_a_row_in_the_settings(config: Path) -> None:
    config.write_text("Host first\n HostName 10.0.0.1\n ProxyJump outer\nHost second\n ProxyJump elsewhere\n")
    way = hops(Ssh(jump="lab@first, root@second:2022,lab@inner", identity_file="/key"))
    assert [(hop.user, hop.host, hop.port) for hop in way[1:]] == [
        ("lab", "10.0.0.1", 22),
        ("root", "second", 2022),
        ("lab", "inner", 22),
    ]
    assert way[0].host == "outer"
    assert {hop.identities for hop in way} == {(Path("/key"),)}


def test_whoever_has_no_name_on_this_computer_is_told_to_give_one(
    monkeypatch: pytest.MonkeyPatch, config: Path
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)
    assert last("lab@testVM").user == "lab"
    with pytest.raises(RouteError, match=r"write user@testVM"):
        hops(Ssh(jump="testVM"))
    config.write_text("Host testVM\n HostName %h.%u\n")
    with pytest.raises(RouteError, match=r"testVM cannot be looked up"):
        hops(Ssh(jump="lab@testVM"))


@pytest.mark.parametrize(
    "settings",
    [{"identity_file": "~nobody-here/key"}, {"known_hosts": "~nobody-here/x"}, {"ssh_config": "~nobody-here/x"}],
)
def test_a_home_that_does_not_exist_is_named(settings: dict[str, str]) -> None:
    with pytest.raises(RouteError, match="no such home directory"):
        hops(Ssh(jump="lab@testVM", **settings))


def test_included_files_and_what_stands_after_them(home: Path, config: Path) -> None:
    (home / ".ssh/conf.d").mkdir()
    (home / ".ssh/conf.d/lab.conf").write_text("Host testVM\n HostName 10.0.0.4\n")
    (home / ".ssh/outside").write_text("Host web1\n HostName 10.0.1.4\n")
    config.write_text(f"Include conf.d/*.conf missing\nInclude {home}/.ssh/outside\nUser azureuser\n")
    assert (last("testVM").host, last("testVM").user) == ("10.0.0.4", "azureuser")
    assert (last("web1").host, last("web1").user) == ("10.0.1.4", "azureuser")


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed (Debian: openssh-client)")
@pytest.mark.parametrize("alias", ["testVM", "web1", "web9", "other"])
def test_openssh_makes_the_same_of_it(tmp_path: Path, alias: str) -> None:
    file = tmp_path / "config"
    file.write_text(
        "Host web*\n  User azureuser\n  Hostname=%h.tradewinds.internal\n  Port = 2201\n"
        "Host testVM !web9\n  HostName 10.1.0.5\n  user tester\n  HostKeyAlias vm\n"
        "Match originalhost web9\n  Port 9\n"
        "Host *\n  User fallback\n  UserKnownHostsFile /etc/hosts_a /etc/hosts_b\n  IdentityFile /etc/some_key\n"
    )
    done = subprocess.run(
        ["ssh", "-G", "-F", str(file), alias], check=True, capture_output=True, text=True, timeout=PATIENCE
    )
    theirs = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    ours = last(alias, ssh_config=str(file))
    assert ours.host.lower() == theirs["hostname"].lower()
    assert (str(ours.port), ours.user) == (theirs["port"], theirs["user"])
    assert " ".join(map(str, ours.known_hosts)) == theirs["userknownhostsfile"]
    assert " ".join(map(str, ours.identities)) == theirs["identityfile"]
    assert ours.known_as == theirs.get("hostkeyalias", f"[{ours.host}]:{ours.port}" if ours.port != 22 else ours.host)


@pytest.mark.parametrize(
    ("jump", "content", "said"),
    [
        ("a b", "", "is not user@host"),
        ("user@", "", "is not user@host"),
        ("host:port", "", "is not user@host"),
        ("host:70000", "", "is not a port"),
        ("loop", "Host loop\n ProxyJump loop\n", "more than 8 machines"),
        ("vm", "Host vm\n ProxyCommand nc %h %p\n", "only ProxyJump is supported"),
        ("vm", "Host vm\n Port eleven\n", "is not a port"),
        ("vm", "Host 'vm\n", "is not understood"),
        ("vm", "Host vm\n CanonicalizeHostname yes\n", "cannot be looked up"),
        ("vm", "Host vm\n HostName\n", "is not understood"),
        ("vm", 'Host vm\n UserKnownHostsFile "a\n', "is not understood"),
    ],
)
def test_what_cannot_be_used_is_said(config: Path, jump: str, content: str, said: str) -> None:
    config.write_text(content)
    with pytest.raises(RouteError, match=said):
        hops(Ssh(jump=jump))


def test_a_named_configuration_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(RouteError, match=r"gone cannot be read: No such file or directory"):
        hops(Ssh(jump="testVM", ssh_config=str(tmp_path / "gone")))


def test_a_configuration_that_is_no_text_is_refused(config: Path) -> None:
    config.write_bytes(b"\xff\xfe")
    with pytest.raises(RouteError, match="cannot be read: it is not UTF-8 text"):
        hops(Ssh(jump="testVM"))
