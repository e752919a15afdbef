"""The same file, asked of OpenSSH and read by plstui itself: the same answer, also where that is no."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from plstui.config.settings import Ssh
from plstui.probe.route import RouteError
from plstui.probe.ssh.config import Hop, hops
from tests.probe.sshd import PATIENCE

SSH = shutil.which("ssh")
FIELD = Path(os.environ.get("PLSTUI_FIELD") or Path(__file__).parents[2].parent / "shared" / "field")
"""The folder with cases from the field; it is not a part of the project."""

pytestmark = pytest.mark.skipif(SSH is None, reason="ssh is not installed (Debian: openssh-client)")

SAME = {
    "nothing": "",
    "white space": "\tHost\tjump\t \n\t HostName \t 10.9.8.7 \nUser  ann\n",
    "equals signs": "Host=jump\nHostName = 10.9.8.7\nUser= ann\nPort =2201\n",
    "carriage returns": "Host jump\r\n  HostName 10.9.8.7\r\n\r\n  User ann\r\n",
    "form feeds": "Host jump\f\n \f\n User ann\n",
    "keywords in any case": "hOST jump\n hostNAME 10.9.8.7\n USER ann\n PORT 7\n",
    "names in this case alone": "Host JUMP\n User ann\n",
    "comments at the end": "Host jump # the gate\n HostName 10.9.8.7 # stable\n User ann#1 # she\n Port 7 #x\n",
    "a comment for a value": "User # ann\n",
    "quotes": "Host \"jump\"\n User 'ann b'\n IdentityFile \"~/.ssh/my key\"\n",
    "quotes within a word": 'Host ju"mp"\n User an\\ n\n IdentityFile /a/\\"b\\"\n',
    "an open quote": 'Host jump\n User "ann\n',
    "an open quote for another host": 'Host other\n ProxyCommand sh -c "x\nHost jump\n User ann\n',
    "patterns": "Host web* !jump\n User a\nHost ju?p !web*\n User b\nHost [j]ump\n Port 9\n",
    "a negation alone": "Host !web1\n User a\n",
    "two hosts in one word": 'Host "jump web1"\n User a\n',
    "the first value wins": "User a\nUser b\nHost jump\n User c\nPort 1\nPort 2\nHostName h\nHostName i\n",
    "two values": "User a b\n",
    "an empty value": 'User ""\n',
    "no value": "Host jump\n User\n",
    "a port by name": "Port ssh\n",
    "port 0": "Port 0\n",
    "a port for another host": "Host other\n Port eleven\n",
    "neither yes nor no": "IdentitiesOnly maybe\n",
    "yes and no": "Host jump\n IdentitiesOnly true\nHost *\n IdentitiesOnly no\n",
    "the host name in the host name": "HostName %h.tradewinds.example\n",
    "a percent sign in the host name": "HostName %%h\n",
    "another token in the host name": "HostName %u\n",
    "capital letters": "HostName Jump.Example\nHostKeyAlias Jump\n",
    "an alias": "HostKeyAlias %h-x\n",
    "an unknown keyword": "Host other\n Frobnicate yes\n",
    "an unknown keyword to be ignored": "IgnoreUnknown Use*,frob*\nFrobnicate yes\nUser ann\n",
    "an unknown keyword to be ignored, as people write it": "IgnoreUnknown FrobNicate\nFrobnicate yes\nUser ann\n",
    "an unknown keyword that is ignored later": "Frobnicate yes\nIgnoreUnknown frob*\n",
    "a byte order mark": "\ufeffHost jump\n User ann\n",
    "no keyword": "Host jump\n = x\n",
    # Conditions.
    "Match host=": "Match host=jump\n User ann\nHost jump\n HostName 10.9.8.7\n",
    "Match host": "HostName 10.9.8.7\nMatch host jump\n User a\nMatch host 10.9.*\n User b\n",
    "Match originalhost": "HostName 10.9.8.7\nMatch originalhost JUMP,x\n Port 8\nMatch !originalhost jump\n Port 9\n",
    "Match user": "Match user bob\n Port 1\nHost jump\n User ann\nMatch user ann,!bob\n Port 2\n",
    "Match user of the file": "User ann\nMatch user Ann\n Port 1\nMatch user a??\n Port 2\n",
    "Match localuser": "Match localuser nobody-here\n Port 1\nMatch !localuser nobody-here\n Port 2\n",
    "Match all": "Match all # everything\n User ann\nMatch !all\n Port 2\n",
    "Match in quotes": 'Match host "jump,other" user="*"\n User ann\n',
    "Match final": "Match final host 10.9.8.7\n User late\nHost jump\n HostName 10.9.8.7\n",
    "Match final all": "Match final all\n Port 7\n",
    "Match not final": "Match !final\n Port 7\n",
    "Match canonical": "Match canonical\n Port 7\nMatch final\n User x\n",
    "Host at the second reading": "Host 10.9.8.7\n User late\nHost jump\n HostName 10.9.8.7\nMatch final\n Port 7\n",
    "Match several": "Match host jump user root,ann !localuser x\n Port 7\n",
    "Match without a condition": "Match # x\n",
    "Match without a value": "Match host\n",
    "Match exec for another host": 'Host jump\n User ann\nMatch host other exec "true"\n User mallory\n',
    "Match exec that is not so": 'Host jump\n User ann\nMatch final !originalhost x exec "false"\n User mallory\n',
    # Machines on the way.
    "a ProxyJump": "Host jump\n ProxyJump gate\nHost gate\n User warden\n Port 2222\n",
    "a ProxyJump for all": "ProxyJump gate\n",
    "several": "Host jump\n ProxyJump bob@first:2201,ssh://second:2202\nHost first\n ProxyJump outer\n",
    "a ProxyJump as URI": "Host jump\n ProxyJump ssh://bob@gate.example:2222\n",
    "a ProxyJump as URI with a path": "ProxyJump ssh://bob@gate.example/x\n",
    "an escaped URI": "Host jump\n ProxyJump ssh://bob%40example@gate\n",
    "an IPv6 address": "Host jump\n ProxyJump bob@[fd00::4]:77\n",
    "somebody with an at sign": "Host jump\n ProxyJump ann@contoso.example@gate\n",
    "no ProxyJump": "Host jump\n ProxyJump none\nHost *\n ProxyJump gate\n",
    "no ProxyJump in capitals": "Host jump\n ProxyJump NONE # here\nHost *\n ProxyJump gate\n",
    "a comment behind a ProxyJump": "Host jump\n ProxyJump gate # through the gate\n",
    "a ProxyJump in quotes": 'Host jump\n ProxyJump "gate"\n',
    "tokens in a ProxyJump": "Host jump\n User ann\n HostName 10.9.8.7\n ProxyJump %r@gate-%h.example\n",
    "an unknown token in a ProxyJump": "Host jump\n ProxyJump %u@gate\n",
    "a ProxyJump that is none": "ProxyJump gate:port\n",
    "a ProxyJump for another host that is none": "Host other\n ProxyJump gate:port\n",
    "machines that lead to each other": "Host jump\n ProxyJump gate\nHost gate\n ProxyJump jump\n",
    "a machine that leads to itself": "Host jump\n ProxyJump jump\n",
    "ProxyJump first": "Host jump\n ProxyJump gate\nHost jump\n ProxyCommand nc %h %p\n",
    "ProxyCommand first": "Host jump\n ProxyCommand nc %h %p\n ProxyJump gate\n",
    "ProxyCommand none first": "Host jump\n ProxyCommand none\n ProxyJump gate\n",
    "ProxyJump none first": "Host jump\n ProxyJump none\n ProxyCommand nc %h %p\n",
    "ProxyCommand NONE": "ProxyCommand=NONE\n",
    "a ProxyCommand on the way": "Host jump\n ProxyJump a,b\nHost b\n ProxyCommand nc %h %p\n",
    "a ProxyCommand at the first": "Host jump\n ProxyJump a,b\nHost a\n ProxyCommand nc %h %p\n",
    # Files.
    "identities": "IdentityFile ~/.ssh/a\nHost jump\n IdentityFile /b # c\n IdentityFile ~/.ssh/a\n",
    "no identity": "IdentityFile none\n",
    "no identity and one": "IdentityFile none\nIdentityFile /a\n",
    "the usual identity": "IdentityFile ~/.ssh/id_rsa\n",
    "tokens in an identity": "User ann\nPort 7\nHostName h\nHostKeyAlias a\nIdentityFile %d/%%%h%n%p%r%u%i%l%L%k\n",
    "an unknown token in an identity": "IdentityFile /%x\n",
    "half a token": "IdentityFile /x%\n",
    "a variable": "IdentityFile ${PLSTUI_TEST_KEYS}/id\nUserKnownHostsFile ${PLSTUI_TEST_KEYS}/hosts\n",
    "a variable that is not there": "IdentityFile ${PLSTUI_TEST_NONE}/id\n",
    "a variable that is not there for hosts": "UserKnownHostsFile ${PLSTUI_TEST_NONE}/hosts\n",
    "known hosts": 'UserKnownHostsFile ~/.ssh/a "/b c" %d/%h_hosts\nUserKnownHostsFile /d\n',
    "no known hosts": "UserKnownHostsFile none\n",
    "no known hosts in capitals": "UserKnownHostsFile NONE\n",
    "no known hosts and some": "UserKnownHostsFile none /a\n",
    "known hosts that are not kept": "UserKnownHostsFile /dev/null\nStrictHostKeyChecking no\n",
    "a certificate": "CertificateFile /a-cert.pub\nIdentityFile /a\n",
    "no certificate": "CertificateFile none\n",
    "an agent": "IdentityAgent ~/.agent/socket\n",
    "an agent with tokens": "IdentityAgent ${PLSTUI_TEST_KEYS}/%h\n",
    "an agent by a variable": "IdentityAgent $PLSTUI_TEST_AGENT\n",
    "an agent by a variable that is not there": "IdentityAgent $PLSTUI_TEST_NONE\n",
    "the usual agent": "IdentityAgent SSH_AUTH_SOCK\n",
    "no agent": "IdentityAgent none\n",
    # Other files.
    "Include": "Include {more}\n",
    "Include with a tab": "Include\t{more}\n",
    "Include of another host": "Host other\n Include {star} {more}\nHost jump\n User ann\n",
    "Include of this host": "Host jump\n Include {more}\n Port 9\n",
    "Include that is over": "Host jump\n Include {other}\n Port 9\n",
    "Include of another condition": "Match user nobody-here\n Include {star}\nMatch all\n User ann\n",
    "Include of a pattern": "Include {folder}/*.conf\n",
    "Include of what is not there": "Include {folder}/none {folder}\nUser ann\n",
    "Include in quotes": 'Include "{folder}/with blank"\n',
    "Include of itself": "Include {itself}\n",
    "Include of what others can write": "Include {open}\n",
    "Include with an error for another host": "Host other\n Include {wrong}\n",
}  # fmt: skip


def outcome(file: Path, jump: str) -> tuple[Hop, ...] | str:
    """The machines on the way, or why not."""
    try:
        return tuple(replace(hop, passed_over=()) for hop in hops(Ssh(jump=jump, ssh_config=str(file))))
    except RouteError as error:
        return str(error)


def both(file: Path, jump: str, monkeypatch: pytest.MonkeyPatch) -> Sequence[tuple[Hop, ...] | str]:
    """What becomes of it with OpenSSH and without."""
    # OpenSSH takes the home from here, whatever the environment says.
    monkeypatch.setenv("HOME", pwd.getpwuid(os.getuid()).pw_dir)
    theirs = outcome(file, jump)
    monkeypatch.setenv("PATH", str(file.parent))
    return theirs, outcome(file, jump)


@pytest.mark.parametrize("jump", ["jump", "bob@jump:2200"])
@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_both_make_the_same_of_it(tmp_path: Path, text: str, jump: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file, folder = tmp_path / "config", tmp_path / "folder"
    folder.mkdir()
    names = {name: folder / name for name in ("more", "star", "other", "open", "wrong", "with blank")}
    (folder / "more").write_text("Host jump\n HostName 10.9.8.7\n User inner\n")
    (folder / "star").write_text("Host *\n User intruder\n Port 2222\n")
    (folder / "other").write_text("Host other\n User inner\n")
    (folder / "open").write_text("User inner\n")
    (folder / "open").chmod(0o666)
    (folder / "wrong").write_text("Frobnicate yes\n")
    (folder / "with blank").write_text("User blank\n")
    (folder / "1.conf").write_text("User first\n")
    (folder / "2.conf").write_text("User second\nHost other\n")
    file.write_text(text.format(**names, folder=folder, itself=file) if "Include" in text else text)
    monkeypatch.setenv("PLSTUI_TEST_KEYS", "/keys")
    monkeypatch.setenv("PLSTUI_TEST_AGENT", "/agent")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/usual")

    theirs, ours = both(file, jump, monkeypatch)

    if isinstance(theirs, str) or isinstance(ours, str):
        assert isinstance(theirs, str), theirs
        assert isinstance(ours, str), ours
    else:
        assert ours == theirs
        check(theirs[-1], file, jump)


def check(hop: Hop, file: Path, jump: str) -> None:
    """Hold a machine against what `ssh -G` prints."""
    user, _, address = jump.rpartition("@")
    name, _, port = address.partition(":")
    options = [*(["-l", user] if user else []), *(["-p", port] if port else [])]
    command = [str(SSH), "-G", "-F", str(file), *options, name]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    values = dict(line.partition(" ")[::2] for line in said.stdout.splitlines())
    assert (hop.host, hop.user, str(hop.port)) == (values["hostname"], values["user"], values["port"])
    assert hop.known_as == values.get("hostkeyalias", hop.known_as)


CASES = sorted(file for file in FIELD.glob("ssh/*") if not file.suffix)


@pytest.mark.parametrize("case", CASES or [None], ids=lambda case: case and case.name)
def test_cases_from_the_field(tmp_path: Path, case: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if case is None:
        pytest.skip(f"{FIELD} is not there")
    for each in CASES:
        (tmp_path / "ssh").mkdir(exist_ok=True)
        (tmp_path / "ssh" / each.name).write_bytes(each.read_bytes().replace(b"{cases}", os.fsencode(tmp_path)))
    monkeypatch.setenv("KEYDIR", "/keys")
    file, jump = tmp_path / "ssh" / case.name, "jump.corp" if "corp" in case.read_text("latin-1") else "jump"
    theirs, ours = both(file, jump, monkeypatch)
    if isinstance(theirs, str) and re.search(r"Match attribute|option: tag", theirs):
        # Only later versions of OpenSSH know it; ours goes on without what it cannot judge.
        assert not isinstance(ours, str)
        assert {hop.user for hop in ours} <= {"ann", pwd.getpwuid(os.getuid()).pw_name}
    elif isinstance(theirs, str):
        assert isinstance(ours, str)
    else:
        assert ours == theirs
        check(theirs[-1], file, jump)
