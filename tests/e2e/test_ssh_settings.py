"""`plstui probe` with keys, agents, known hosts and SSH configurations as people have them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.probe.sshd import PATIENCE, make_key
from tests.probe.test_agent_keys import ssh_agent
from tests.probe.test_both_ways import FIELD
from tests.support.served import Served, run_plstui, serve


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A world in which every backend serves its page."""
    with serve(tmp_path_factory.mktemp("served"), "approved") as running:
        yield running


@pytest.fixture(scope="module")
def agent(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An agent that holds the machines' key."""
    # A socket's path must be short.
    with ssh_agent(tmp_path_factory.mktemp("a") / "s", served.directory / "id_ed25519") as socket:
        yield socket


def port_of(served: Served) -> int:
    """The port at which web1 is reached."""
    match = re.search(r"Host web1\n +HostName .*\n +Port (\d+)", (served.directory / "ssh_config").read_text())
    assert match
    return int(match[1])


def key_of(served: Served) -> str:
    """The host key of web1: its kind and its Base64 text."""
    lines = (served.directory / "known_hosts").read_text().splitlines()
    return next(line.partition(" ")[2] for line in lines if f"]:{port_of(served)} " in line)


def keys_of(served: Served, folder: Path) -> Path:
    """A folder with the public halves of the machines' key alone."""
    folder.mkdir()
    for name in ("stored.pub", "only.pub"):
        (folder / name).write_text((served.directory / "id_ed25519.pub").read_text())
    return folder


def probe(served: Served, settings: Path, **environ: str) -> dict[str, Any]:
    """What `plstui probe` tells of web2, seen from web1."""
    run = run_plstui("--config", str(settings), "probe", "--count", "1", "--json", home=served.home, environ=environ)
    assert not run.stderr, run.stderr
    found: dict[str, Any] = next(target for target in run.json["targets"] if target["name"] == "web2")
    assert run.exit_code == (0 if found["ok"] else 1)
    return found


def settings(served: Served, file: Path, **ssh: str) -> Path:
    """A settings file for the ISV's side alone, with these lines for SSH."""
    ready = served.ready
    lines = [
        "[azure]", f'arm = "{ready["arm"]}"', f'ca = "{ready["ca"]}"', "[probe]", 'routes = ["ssh"]', "[isv]",
        f'subscription = "{ready["subscriptions"]["isv"]}"', f'tenant = "{ready["tenants"]["isv"]}"',
        f'client_id = "{ready["clients"]["isv"]["client_id"]}"',
        f'client_secret_file = "{served.directory}/isv.secret"', "[isv.ssh]", 'jump = "web1"',
    ]  # fmt: skip
    file.write_text("\n".join([*lines, *(f'{key} = "{value}"' for key, value in ssh.items())]) + "\n")
    return file


def host(served: Served, options: str) -> str:
    """A configuration for web1."""
    return (
        f"Host web1\n HostName 127.0.0.1\n Port {port_of(served)}\n User azureuser\n"
        f' UserKnownHostsFile "{served.directory}/known_hosts"\n{options}'
    )


@pytest.mark.parametrize(("name", "path"), [("stored.pub", None), ("only", "/nowhere")], ids=["OpenSSH", "plstui"])
def test_the_agents_key(served: Served, agent: str, tmp_path: Path, name: str, path: str | None) -> None:
    keys = keys_of(served, tmp_path / "keys")
    (tmp_path / "config").write_text(host(served, f" IdentityFile {keys / name}\n IdentitiesOnly yes\n"))
    file = settings(served, tmp_path / "c.toml", ssh_config=str(tmp_path / "config"))
    environ = {"SSH_AUTH_SOCK": agent, **({"PATH": path} if path else {})}
    assert probe(served, file, **environ)["ok"]


def test_another_agent_and_a_variable(served: Served, agent: str, tmp_path: Path) -> None:
    keys_of(served, tmp_path / "keys")
    options = " IdentityFile ${KEYDIR}/only\n IdentityAgent $OTHER_AGENT\n"
    (tmp_path / "config").write_text(host(served, options))
    file = settings(served, tmp_path / "c.toml", ssh_config=str(tmp_path / "config"))
    assert probe(served, file, KEYDIR=str(tmp_path / "keys"), OTHER_AGENT=agent, SSH_AUTH_SOCK="/gone")["ok"]
    unset = probe(served, file, OTHER_AGENT=agent)
    assert "“${KEYDIR}”, and there is no such environment variable: set KEYDIR" in unset["error"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (" ProxyCommand ssh -W %h:%p gate\n ProxyJump gate\n", "web1 has a ProxyCommand .* cannot use yet: write"),
        (" CertificateFile /k-cert.pub\n", r"web1 has a CertificateFile .*\(/k-cert.pub\), which plstui cannot use"),
        ("Match moon full\n User x\n", "OpenSSH refuses .*/config for web1: Unsupported Match attribute moon"),
    ],
)
def test_what_cannot_be_used_is_named(served: Served, tmp_path: Path, options: str, words: str) -> None:
    (tmp_path / "config").write_text(host(served, options))
    found = probe(served, settings(served, tmp_path / "c.toml", ssh_config=str(tmp_path / "config")))
    assert re.search(words, found["error"]), found["error"]


def test_a_condition_that_nobody_can_judge(served: Served, tmp_path: Path) -> None:
    key = f' IdentityFile "{served.directory}/id_ed25519"\nMatch tagged untrusted\n User mallory\n'
    (tmp_path / "config").write_text(host(served, key))
    file = settings(served, tmp_path / "c.toml", ssh_config=str(tmp_path / "config"))
    found = probe(served, file, PATH="/nowhere")
    assert found["ok"]
    assert found["route"] == f"ssh web1, without “Match tagged” ({tmp_path}/config, line 7)"
    (tmp_path / "config").write_text(host(served, "Match tagged untrusted\n User mallory\n"))
    error = probe(served, file, PATH="/nowhere")["error"]
    assert f"Without OpenSSH this cannot be judged and was not applied: “Match tagged” ({tmp_path}/config, " in error


def filled(served: Served, text: bytes, folder: Path) -> bytes:
    """A case from the field with its placeholders, its port and its host key replaced."""
    for name, value in {
        "{state}": str(served.directory),
        "{cases}": str(folder),
        "{keys}": str(folder / "keys"),
        "https://127.0.0.1:45359": served.ready["arm"],
        "43863": str(port_of(served)),
    }.items():
        text = text.replace(name.encode(), value.encode())
    return text


def field(kind: str) -> list[Any]:
    """The settings files of a kind of cases."""
    found = sorted(FIELD.glob(f"{kind}/*.toml"))
    return [pytest.param(file, id=file.stem) for file in found] or [pytest.param(None, id="absent")]


@pytest.mark.parametrize("case", field("agent"))
def test_agents_from_the_field(served: Served, agent: str, tmp_path: Path, case: Path | None) -> None:
    if case is None:
        pytest.skip(f"{FIELD} is not there")
    keys_of(served, tmp_path / "keys")
    (tmp_path / "agent").mkdir()
    for file in (case, case.with_suffix("")):
        (tmp_path / "agent" / file.name).write_bytes(filled(served, file.read_bytes(), tmp_path))
    environ = {"SSH_AUTH_SOCK": agent, "KEYDIR": str(served.directory)}
    found = probe(served, tmp_path / "agent" / case.name, **environ)
    assert found["ok"], found["error"]


@pytest.mark.parametrize("case", field("known_hosts"))
def test_known_hosts_from_the_field(served: Served, tmp_path: Path, case: Path | None) -> None:
    if case is None:
        pytest.skip(f"{FIELD} is not there")
    folder = tmp_path / "known_hosts"
    folder.mkdir()
    for file in (case, case.with_suffix("")):
        (folder / file.name).write_bytes(filled(served, file.read_bytes(), tmp_path))
    known = folder / case.stem
    # The last key of a file was the machine's, but where it has changed.
    lines = known.read_bytes().rstrip().split(b"\n")
    if case.stem != "changed":
        lines[-1] = re.sub(rb"ssh-ed25519 \S+", key_of(served).encode(), lines[-1])
    known.write_bytes(b"\n".join(lines) + b"\n")
    if case.stem == "hashed":
        # Its hash is that of another port.
        known.write_text(f"[127.0.0.1]:{port_of(served)} {key_of(served)}\n")
        subprocess.run(["ssh-keygen", "-Hf", str(known)], check=True, capture_output=True, timeout=PATIENCE)
    found = probe(served, folder / case.name)
    assert found["ok"] is (case.stem not in ("bom", "changed")), found["error"]
    if case.stem == "changed":
        assert found["error"].endswith(f"ssh-keygen -R '[127.0.0.1]:{port_of(served)}' -f {known}")


def test_a_changed_host_key(served: Served, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text()
    known = tmp_path / "my known_hosts"
    known.write_text(f"[127.0.0.1]:{port_of(served)} {other}")
    config = str(served.directory / "ssh_config")
    file = settings(served, tmp_path / "c.toml", ssh_config=config, known_hosts=str(known))
    error = probe(served, file)["error"]
    assert error.endswith(f"forget its old key: ssh-keygen -R '[127.0.0.1]:{port_of(served)}' -f '{known}'")
    _, _, command = error.partition("forget its old key: ")
    subprocess.run(["sh", "-c", command], check=True, capture_output=True, timeout=PATIENCE)
    assert "is not known" in probe(served, file)["error"]
