"""What scripts print in a machine."""

from __future__ import annotations

import asyncio

import pytest

from plstui.sandbox.machines.errors import ShellSyntaxError
from plstui.sandbox.machines.shell.parser import parse
from tests.sandbox.fabric.lab import Lab, vm_id


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        ("hostname", "testVM\n"),
        ("hostname -I", "10.1.0.4 \n"),
        ("cat /etc/hostname", "testVM\n"),
        ("uname -a", "Linux testVM 6.8.0-1017-azure #1-Ubuntu SMP x86_64 GNU/Linux\n"),
        ("whoami; id -u", "root\n0\n"),
        (". /etc/os-release; echo $VERSION_ID; grep ^ID= /etc/os-release", "24.04\nID=ubuntu\n"),
        ("cat /etc/*-release | head -n 1", 'PRETTY_NAME="Ubuntu 24.04 LTS"\n'),
        ("ip -4 addr | grep -c 10.1.0.4/24", "1\n"),
        ("echo a  b", "a b\n"),
        ("echo 'a  b' \"c  d\"", "a  b c  d\n"),
        ("echo -n x; echo -e 'a\\tb'", "xa\tb\n"),
        ("printf '%s-%s\\n' 1 2 3 4", "1-2\n3-4\n"),
        ('X=1; Y="$X 2"; echo $Y "${Y}" ${Z:-none} $Z.', "1 2 1 2 none .\n"),
        ('X=$(hostname); echo "<$X>" `hostname`', "<testVM> testVM\n"),
        ("echo $((2 * (3 + 4) - 10 / 3)) $((-7 / 2)) $((-7 % 2))", "11 -3 -1\n"),
        ("true && echo yes || echo no; false && echo yes || echo no", "yes\nno\n"),
        ("false; echo $?; ! false; echo $?", "1\n0\n"),
        ("for x in a 'b c' $(echo d e); do echo \"[$x]\"; done", "[a]\n[b c]\n[d]\n[e]\n"),
        ("for i in 1 2 3 4; do test $i = 2 && continue; [ $i -gt 3 ] && break; echo $i; done", "1\n3\n"),
        ("i=0; while [ $i -lt 3 ]; do i=$((i + 1)); done; echo $i", "3\n"),
        ('until [ "$i" = xx ]; do i=x$i; done; echo $i', "xx\n"),
        ("if false; then echo 1; elif true; then echo 2; else echo 3; fi", "2\n"),
        ("{ echo a; echo b; } | wc -l", "2\n"),
        ('(X=inner; echo $X); echo "[$X]"', "inner\n[]\n"),
        ("printf 'b\\na\\nb\\n' | sort | uniq -c | sort -rn | head -1 | grep -o '[0-9].*'", "2 b\n"),
        ("echo one >/tmp/f; echo two >>/tmp/f; cat /tmp/f; wc -l </tmp/f", "one\ntwo\n2\n"),
        ('cat <<END\n$(hostname) "quoted"\nEND\necho after', 'testVM "quoted"\nafter\n'),
        ("cat <<'END'\n$(hostname)\nEND", "$(hostname)\n"),
        ("nosuch 2>/dev/null; echo $?", "127\n"),
        ("nosuch 2>&1", "nosuch: not in the sandbox\n"),
        ("ls /etc/hostn* /nowhere 2>&1", "/etc/hostname\nls: cannot access '/nowhere': No such file or directory\n"),
        ("set -e; false; echo unseen", ""),
        ("set -e; if false; then :; fi; false || true; echo seen", "seen\n"),
        ("exit 3; echo unseen", ""),
        ("echo a # a comment\n# another\necho b", "a\nb\n"),
        ("echo a \\\n b", "a b\n"),
        ("sh -c 'echo $1 $0' name arg", "arg sh\n"),
        ("mkdir -p /a/b && cd /a/b && pwd && echo x >c && mv c d && ls", "/a/b\nd\n"),
        ("for x in a b; do echo $x >/tmp/$x & done; wait; cat /tmp/a /tmp/b", "a\nb\n"),
        ("(sleep 1; echo late) & echo early", "early\nlate\n"),
        ("false & echo $?; exit 3 & wait; echo $?", "0\n0\n"),
        ("sleep 5 & true && echo yes", "yes\n"),
        ("X=abc; echo ${#X} ${#NONE} $#", "3 0 0\n"),
        ("d=$(mktemp -d); cd $d && pwd | grep -c '^/tmp/tmp[.]'; mktemp | cut -c1-9", "1\n/tmp/tmp.\n"),
        (
            "printf 'a b c\\nd\\n' | cut -d' ' -f2; echo abcdef | cut -c2-4; echo a:b:c | cut -d : -f 2-",
            "b\nd\nbcd\nb:c\n",
        ),
        ("echo a.b-c_d | tr -d .; echo hello | tr a-y b-z; printf 'a!\\n' | tr -c 'a-z\\n' '?'", "ab-c_d\nifmmp\na?\n"),
        (
            "printf 'a|b\\nc+\\nd\\n' | grep 'a|b\\|c+'; echo '(x' | grep -c '(x'; echo ab | grep -Ec 'a|z'",
            "a|b\nc+\n1\n1\n",
        ),
        ("command -v curl; command -v nginx || echo none", "/usr/bin/curl\nnone\n"),
        ("sudo -n whoami; sudo X=1 env | head -0", "root\n"),
        ("nc -z -w 2 localhost 22 && echo open; nc -z localhost 80 2>/dev/null || echo closed", "open\nclosed\n"),
    ],
)
async def test_scripts(lab: Lab, script: str, printed: str) -> None:
    assert await lab.run("testVM", script) == printed


async def test_exit_codes_and_standard_error(lab: Lab) -> None:
    output = await lab.network.run_command(vm_id("web1"), "echo out; echo err >&2; exit 7")
    assert (output.exit_code, output.stdout, output.stderr) == (7, "out\n", "err\n")


async def test_the_host_is_never_touched(lab: Lab) -> None:
    output = await lab.network.run_command(
        vm_id("web1"), "cat /proc/self/environ; python3 -c 'print(1)'; /bin/ls /proc; perl -e 1; cat ../../etc/shadow"
    )
    assert output.stdout == ""
    assert output.stderr == (
        "cat: /proc/self/environ: No such file or directory\n"
        "python3: not in the sandbox\n"
        "ls: cannot access '/proc': No such file or directory\n"
        "perl: not in the sandbox\n"
        "cat: ../../etc/shadow: No such file or directory\n"
    )


async def test_a_script_without_end_is_ended(lab: Lab) -> None:
    output = await lab.network.run_command(vm_id("web1"), "while true; do :; done")
    assert output.exit_code == 2
    assert "the sandbox ends a script after" in output.stderr


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("while :; do seq 100000; done", "too much output for the sandbox"),
        ("X=xxxxxxxx; while :; do X=$X$X; done", "too much text for the sandbox"),
        ("while :; do seq 100000 >>/tmp/f; done", "/tmp/f: No space left on device"),
        ("seq 1 1000000000", "seq: too many numbers for the sandbox"),
        ("echo '#!/bin/sh\n/tmp/me' >/tmp/me; /tmp/me", "nested too deeply"),
        ("echo $((9 ** 9 ** 9))", "not in the sandbox"),
    ],
)
async def test_what_would_eat_the_computer_is_refused(lab: Lab, script: str, words: str) -> None:
    output = await lab.network.run_command(vm_id("web1"), script)
    assert output.exit_code
    assert words in output.stderr


async def test_sleeping_takes_the_sandboxs_time(lab: Lab) -> None:
    task = asyncio.ensure_future(lab.network.run_command(vm_id("web1"), "sleep 1h && echo done"))
    await lab.clock.pass_over(3600)
    assert (await task).stdout == "done\n"


@pytest.mark.parametrize(
    "script",
    [
        "echo 'open",
        "if true; then",
        "for; do",
        "echo $(",
        "| cat",
        "& echo",
        "case x in esac",
        "echo ${x!}",
        "fi",
        ")",
    ],
)
def test_what_is_no_script_is_refused(script: str) -> None:
    with pytest.raises(ShellSyntaxError):
        parse(script)


def test_nesting_has_a_limit() -> None:
    with pytest.raises(ShellSyntaxError, match="nested too deeply"):
        parse("(" * 2000 + ")" * 2000)
    with pytest.raises(ShellSyntaxError, match="nested too deeply"):
        parse("echo " + "$(" * 2000)


async def test_a_command_that_takes_too_long_is_ended(lab: Lab) -> None:
    script = "timeout 7m sleep 2h; echo $?; timeout 5 hostname; timeout x y 2>/dev/null; echo $?"
    task = asyncio.ensure_future(lab.run("web1", script))
    await lab.clock.pass_over(7 * 60)
    assert await task == "124\nweb1\n125\n"
    await lab.clock.until_awake(2 * 3600)
