"""With a terminal to ask on, nothing is sent that a person has not agreed to."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.served import PATIENCE, Served, environment, serve


@pytest.fixture(scope="module")
def pending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The tests here follow each other in one world."""
    with serve(tmp_path_factory.mktemp("pending"), "pending") as served:
        yield served


UNSET = {f"PLSTUI_{side}_SSH_{key}": "" for side in ("ISV", "CUSTOMER") for key in ("KNOWN_HOSTS", "IDENTITY_FILE")}
"""Settings of the sandbox's own that the SSH configuration is to say instead."""


@dataclass(frozen=True)
class Asking:
    """A run of plstui that asks on a terminal; what it prints goes elsewhere."""

    process: subprocess.Popen[str]
    terminal: int

    def wait_for(self, text: str) -> str:
        """What stands on the terminal, once it holds a text."""
        shown = ""
        while text not in shown:
            ready, _, _ = select.select([self.terminal], [], [], PATIENCE)
            assert ready, f"only this was shown: {shown}"
            shown += os.read(self.terminal, 4096).decode()
        return shown

    def type(self, text: str) -> None:
        """Type on the terminal."""
        os.write(self.terminal, text.encode())

    def end(self) -> tuple[int, str]:
        """The exit code and what was printed."""
        out, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out


@contextmanager
def asking(served: Served, *arguments: str, environ: dict[str, str] | None = None) -> Iterator[Asking]:
    """Run plstui on a terminal of its own."""
    terminal, end = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "plstui", "--config", str(served.config), *arguments],
        env={**environment(served.home), **(environ or {})},
        stdin=end,
        stdout=subprocess.PIPE,
        stderr=end,
        text=True,
    ) as process:
        os.close(end)
        try:
            yield Asking(process, terminal)
        finally:
            process.kill()
            os.close(terminal)


def journal(served: Served) -> list[dict[str, Any]]:
    path = Path(served.home) / ".local/state/plstui/journal.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_question(pending: Served, number: signal.Signals) -> None:
    with asking(pending, "connections", "remove", "saasPrivateEndpoint") as plstui:
        question = plstui.wait_for("Send it? [y/N]:")
        assert "Remove saasPrivateEndpoint." in question
        assert "now Pending:" in question
        assert "Message: Customer: Tradewinds, Order no.: 314159" in question.replace("\r\n", "")
        assert "! The customer's endpoint is disconnected for good" in question.replace("\r\n", "")
        assert "az network private-link-service connection delete" in question
        plstui.process.send_signal(number)
        assert plstui.end() == (130, "")
    assert journal(pending) == []


def test_so_does_the_end_of_input(pending: Served) -> None:
    with asking(pending, "connections", "remove", "saasPrivateEndpoint") as plstui:
        plstui.wait_for("Send it? [y/N]:")
        plstui.type("\x04")
        assert plstui.end() == (130, "")
    assert journal(pending) == []


def test_only_yes_or_no_is_an_answer(pending: Served) -> None:
    with asking(pending, "connections", "remove", "saasPrivateEndpoint") as plstui:
        plstui.wait_for("Send it? [y/N]:")
        plstui.type("maybe\n")
        plstui.wait_for("Answer y or n.")
        plstui.type("\n")
        assert plstui.end() == (1, "")
    assert journal(pending) == []


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["table", "json"])
def test_no_means_no(pending: Served, options: tuple[str, ...]) -> None:
    with asking(pending, "connections", "reject", "saasPrivateEndpoint", *options) as plstui:
        plstui.wait_for("Send it? [y/N]:")
        plstui.type("n\n")
        exit_code, out = plstui.end()
    assert exit_code == 1
    if options:
        [result] = json.loads(out)["results"]
        assert (result["ok"], result["error"]["message"]) == (False, "You said no; nothing was sent.")
    assert journal(pending) == []


@pytest.mark.parametrize(
    ("answer", "exit_code", "printed"), [("n", 1, ""), ("y", 0, "saasPrivateLinkService: tags set\n")]
)
def test_the_tags_of_a_service_are_asked_about_with_what_they_were(
    tmp_path: Path, answer: str, exit_code: int, printed: str
) -> None:
    with serve(tmp_path, "pending") as served:
        service = ("services", "set", "saasPrivateLinkService")
        assert served.plstui(*service, "--tag", "env=test").exit_code == 0
        with asking(served, *service, "--tag", "team=net ops", "--remove-tag", "env") as plstui:
            question = plstui.wait_for("Send it? [y/N]:").replace("\r\n", "\n")
            assert (
                "Change the tags of saasPrivateLinkService:\n  team: none → 'net ops'\n  env: 'test' → none" in question
            )
            assert "az network private-link-service update --ids /subscriptions/" in question
            plstui.type(f"{answer}\n")
            assert plstui.end() == (exit_code, printed)
        assert len(journal(served)) == (4 if answer == "y" else 2)


def test_yes_means_yes(pending: Served) -> None:
    with asking(pending, "connections", "approve", "saasPrivateEndpoint", "--description", "Seen") as plstui:
        assert "--description Seen" in plstui.wait_for("Send it? [y/N]:").replace("\r\n", "")
        plstui.type("y\n")
        exit_code, out = plstui.end()
    assert exit_code == 0
    assert out.endswith(": Approved\n")
    assert [entry["outcome"] for entry in journal(pending)] == ["sent", "done"]


def test_a_machine_met_for_the_first_time_is_asked_about(pending: Served, tmp_path: Path) -> None:
    known_hosts = tmp_path / "known_hosts"
    environ = {f"PLSTUI_{side}_SSH_KNOWN_HOSTS": str(known_hosts) for side in ("ISV", "CUSTOMER")}
    with asking(pending, "probe", "--count", "1", "--json", environ=environ) as plstui:
        question = plstui.wait_for("[y/N]:").replace("\r\n", "")
        assert "plstui has not met it before. Its host key is SHA256:" in question
        plstui.type("y\n")
        plstui.wait_for("[y/N]:")
        plstui.type("n\n")
        _, out = plstui.end()
    targets = {target["name"]: target for target in json.loads(out)["targets"]}
    refused = [name for name, target in targets.items() if "is not known: SHA256:" in (target["error"] or "")]
    assert 0 < len(refused) < len(targets)
    assert len(known_hosts.read_text().splitlines()) == 1


def test_where_host_keys_are_not_kept_one_yes_is_enough(pending: Served, tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    address = (pending.directory / "ssh_config").read_text().split("Host ")[1]
    port = next(line.split()[1] for line in address.splitlines() if "Port" in line)
    config.write_text(
        f"Host web1\n HostName 127.0.0.1\n Port {port}\n User azureuser\n UserKnownHostsFile /dev/null\n"
        f' StrictHostKeyChecking no\n IdentityFile "{pending.directory}/id_ed25519"\n'
    )
    environ: dict[str, str] = {}
    for side in ("ISV", "CUSTOMER"):
        environ |= {f"PLSTUI_{side}_SSH_JUMP": "web1", f"PLSTUI_{side}_SSH_SSH_CONFIG": str(config)}
    with asking(pending, "probe", "--count", "1", "--json", environ=environ | UNSET) as plstui:
        assert "Yes is kept in memory until plstui ends." in plstui.wait_for("[y/N]:").replace("\r\n", "")
        plstui.type("y\n")
        _, out = plstui.end()
    assert all(target["ok"] for target in json.loads(out)["targets"] if target["kind"] == "backend"), out


def test_a_passphrase_is_typed_unseen(pending: Served, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes((pending.config.parent / "id_ed25519").read_bytes())
    key.chmod(0o600)
    command = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", str(key)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    environ = {f"PLSTUI_{side}_SSH_IDENTITY_FILE": str(key) for side in ("ISV", "CUSTOMER")}
    with asking(pending, "probe", "--count", "1", "--json", environ=environ) as plstui:
        shown = plstui.wait_for("Passphrase: ")
        plstui.type("wrong\n")
        shown += plstui.wait_for("Passphrase: ")
        plstui.type("open sesame\n")
        # The other side's machine takes the same key, and nobody is asked again.
        _, out = plstui.end()
    assert "That was wrong." in shown
    assert not any(secret in shown + out for secret in ("wrong\r", "open sesame"))
    assert all(target["ok"] for target in json.loads(out)["targets"] if target["kind"] == "backend")


def test_a_signal_ends_the_question_for_a_passphrase_and_the_terminal_shows_again_what_is_typed(
    pending: Served, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(key)], check=True, timeout=PATIENCE)
    environ = {f"PLSTUI_{side}_SSH_IDENTITY_FILE": str(key) for side in ("ISV", "CUSTOMER")}
    with asking(pending, "probe", "--count", "1", environ=environ) as plstui:
        plstui.wait_for("Passphrase: ")
        assert not termios.tcgetattr(plstui.terminal)[3] & termios.ECHO
        plstui.process.send_signal(signal.SIGINT)
        assert plstui.end()[0] == 130
        assert termios.tcgetattr(plstui.terminal)[3] & termios.ECHO
