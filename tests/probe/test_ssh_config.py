"""Where a jump leads: what settings and OpenSSH's configuration say, compared with what OpenSSH itself makes of it."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from plstui.config.settings import Ssh
from plstui.probe.route import RouteError
from plstui.probe.ssh.config import Hop, hops
from tests.probe.probing import probe, probing
from tests.probe.servers import target
from tests.probe.sshd import PATIENCE

SSH = shutil.which("ssh")


@pytest.fixture(params=["OpenSSH", "plstui"], autouse=True)
def reader(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who reads the configuration."""
    if request.param == "plstui":
        monkeypatch.setenv("PATH", str(tmp_path))
    elif SSH is None:
        pytest.skip("ssh is not installed (Debian: openssh-client)")
    return str(request.param)


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


@pytest.mark.parametrize(
    ("lines", "way"),
    [
        (" ProxyJump ssh://bob@gate:2222\n", ["bob@gate:2222", "ann@10.9.8.7:22"]),
        (" ProxyJump %r@gate\n", ["ann@gate:22", "ann@10.9.8.7:22"]),
        (" ProxyJump ann@gate # through it\n ProxyCommand nc %h %p\n", ["ann@gate:22", "ann@10.9.8.7:22"]),
        (" ProxyJump none\nHost *\n ProxyJump gate\n", ["ann@10.9.8.7:22"]),
        (" ProxyCommand none\n ProxyJump gate\n", ["ann@10.9.8.7:22"]),
    ],
)
def test_the_machines_on_the_way(config: Path, lines: str, way: list[str]) -> None:
    config.write_text(f"Host vm\n HostName 10.9.8.7\n User ann\n{lines}")
    assert [f"{hop.user}@{hop.host}:{hop.port}" for hop in hops(Ssh(jump="vm"))] == way


def test_variables_and_the_agent_of_the_configuration(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYDIR", "/keys")
    config.write_text("IdentityFile ${KEYDIR}/%n\nIdentityAgent /run/%n.agent\n")
    assert (last("vm").identities, last("vm").agent) == ((Path("/keys/vm"),), "/run/vm.agent")
    config.write_text("IdentityAgent none\n")
    assert (last("vm").use_agent, last("vm").agent) == (False, None)


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


@pytest.mark.skipif(SSH is None, reason="ssh is not installed (Debian: openssh-client)")
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
        [str(SSH), "-G", "-F", str(file), alias], check=True, capture_output=True, text=True, timeout=PATIENCE
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
        ("-x", "", "is not user@host"),
        ("me@-oProxyCommand=x", "", "is not user@host"),
        ("[-x]:22", "", "is not user@host"),
        ("there", "Host there\n ProxyJump back\nHost back\n ProxyJump there\n", "more than 8 machines"),
        ("vm", "Host vm\n ProxyCommand nc %h %p\n", r"ProxyCommand .* cannot use yet: write a ProxyJump .* gate,vm"),
        ("vm", "CertificateFile /k-cert.pub\n", r"CertificateFile .*/k-cert.pub.* cannot use yet: name a key"),
        ("vm", "Host vm\n Port eleven\n", r"line 2: (Bad port 'eleven'|“eleven” is not a port)"),
        ("vm", "Host 'vm\n", r"line 1: (invalid quotes|a quotation mark is missing)"),
        ("vm", "Host vm\n HostName\n", r"line 2: (no argument after keyword \"hostname\"|hostname has no value)"),
        ("vm", "Host vm\n Nonsense yes\n", r"line 2: (Bad configuration option: nons|“Nonsense” is not a keyword)"),
        ("vm", "IdentityFile ${PLSTUI_NONE}/x\n", r"\$\{PLSTUI_NONE\}.* no such environment variable: set PLSTUI_NONE"),
        ("vm", "IdentityFile /%x\n", "IdentityFile .* “%x”, which has no meaning"),
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
    with pytest.raises(RouteError, match=r"line 1"):
        hops(Ssh(jump="testVM"))


@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("kind", ["pipe", "device", "large"])
def test_a_configuration_that_has_no_end_is_refused(tmp_path: Path, kind: str) -> None:
    file = Path("/dev/zero") if kind == "device" else tmp_path / kind
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "large":
        with file.open("wb") as stream:
            stream.truncate(1 << 40)
    with pytest.raises(RouteError, match=r"cannot be read: it is (a pipe|a device|larger than)"):
        hops(Ssh(jump="testVM", ssh_config=str(file)))


def test_no_configuration_at_all_can_be_named(config: Path) -> None:
    config.write_text("User mallory\n")
    assert last("ann@testVM", ssh_config="/dev/null").user == "ann"


def test_openssh_is_asked_as_the_person_is_known_there(config: Path) -> None:
    config.write_text("Match user bob host vm\n Port 2201\nMatch user ann\n Port 2202\n")
    assert [last("bob@vm").port, last("ann@vm").port, last("ann@vm:22").port] == [2201, 2202, 22]


def test_a_key_named_in_the_settings_needs_no_certificate(config: Path) -> None:
    config.write_text("CertificateFile /k-cert.pub\nIdentityFile /k\n")
    assert last("vm", identity_file="/mine").identities == (Path("/mine"),)


def test_no_identity_means_none(config: Path) -> None:
    config.write_text("IdentityFile none\n")
    assert last("vm").identities == ()


def test_what_cannot_be_judged_never_applies_and_is_named(
    reader: str, tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for condition in (
        "tagged untrusted",
        "!tagged x",
        "sessiontype shell",
        "localnetwork *",
        'exec "true"',
        "moon full",
    ):
        config.write_text(f"Host vm\n User ann\n Port 7\nMatch host vm {condition}\n Port 666\n ProxyJump evil\n")
        monkeypatch.setenv("PATH", str(tmp_path))
        [hop] = hops(Ssh(jump="vm"))
        assert (hop.user, hop.port) == ("ann", 7)
        [passed_over] = hop.passed_over
        assert condition.split()[0].removeprefix("!") in passed_over
        assert "config, line 4" in passed_over


def test_what_does_not_matter_needs_no_judgement(reader: str, config: Path) -> None:
    config.write_text('Host other\n Port 1\nMatch user nobody-here exec "false"\n Port 2\n')
    [hop] = hops(Ssh(jump="vm"))
    assert (hop.port, hop.passed_over) == (22, ())


def test_openssh_runs_what_a_condition_says_and_judges(reader: str, config: Path) -> None:
    if reader == "plstui":
        pytest.skip("it runs nothing")
    config.write_text('Match host vm exec "test %h = vm && echo out && echo err >&2"\n Port 2201\n')
    assert last("vm").port == 2201


def test_where_openssh_refuses_its_words_are_shown_and_the_file_is_named(reader: str, config: Path) -> None:
    if reader == "plstui":
        pytest.skip("it has words of its own")
    config.write_text("Host vm\n User ann\nMatch moon full\n Port 666\n")
    with pytest.raises(RouteError) as refused:
        hops(Ssh(jump="vm"))
    assert "Unsupported Match attribute moon" in str(refused.value)
    assert str(refused.value).endswith(f"Mend it until “ssh -G -F {config} -- vm” takes it.")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("answer", ["echo dropbear; exit 1", "echo hostname x", "exit 0", "kill -9 $$"])
def test_another_program_of_that_name_is_not_asked(
    reader: str, tmp_path: Path, config: Path, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "bin" / "ssh"
    other.parent.mkdir()
    other.write_text(f"#!/bin/sh\n{answer}\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{other.parent}:/usr/bin:/bin")
    config.write_text("Host vm\n User ann\n")
    assert last("vm").user == "ann"


def test_openssh_that_hangs_or_does_not_stop_is_ended(
    reader: str, tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reader == "plstui":
        pytest.skip("it runs nothing")
    monkeypatch.setattr("plstui.probe.ssh.openssh.ANSWER_TIMEOUT", 1.0)
    held = tmp_path / "held"
    os.mkfifo(held)
    config.write_text(f'Match exec "exec 3> {held}; exec sleep 1000"\n User ann\n')
    with ThreadPoolExecutor() as pool:
        # It ends when the last process that has it open does.
        ended = pool.submit(held.read_bytes)
        with pytest.raises(RouteError, match=r"did not say within 1 s what .*config means for vm"):
            hops(Ssh(jump="vm"))
        assert ended.result(PATIENCE) == b""
    config.write_text('Match exec "yes >&2"\n User ann\n')
    monkeypatch.setattr("plstui.probe.ssh.openssh.ANSWER_TIMEOUT", PATIENCE)
    with pytest.raises(RouteError, match="it says too much"):
        hops(Ssh(jump="vm"))


async def test_leaving_ends_what_openssh_runs(reader: str, tmp_path: Path, config: Path, patient: float) -> None:
    if reader == "plstui":
        pytest.skip("it runs nothing")
    held = tmp_path / "held"
    os.mkfifo(held)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as pool:
        # Its thread is there before those that are counted.
        text = f'Match exec "exec 3> {held}; exec sleep 1000"\n User ann\n'
        await loop.run_in_executor(pool, config.write_text, text)
        async with probing(Ssh(jump="vm")) as prober:
            probed = asyncio.create_task(probe(prober, target(1)))
            with await loop.run_in_executor(pool, held.open, "rb") as stream:
                probed.cancel()
                await asyncio.wait([probed])
                # It ends when the last process that has it open does.
                assert await loop.run_in_executor(pool, stream.read) == b""
