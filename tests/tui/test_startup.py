"""What is imported before the first frame: nothing that takes long."""

from __future__ import annotations

import json
import subprocess
import sys

SLOW = ("azure", "msal", "paramiko", "aiohttp", "asyncssh", "cryptography", "click", "msgspec", "markdown_it")

SCRIPT = """
import asyncio, json, sys
from plstui.tui.app import PlstuiApp

async def main():
    frame = asyncio.Event()
    async def connect():
        frame.set()
        await asyncio.Event().wait()
    app = PlstuiApp(connect, where="Azure")
    async with app.run_test(size=(80, 24)):
        await frame.wait()
        print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.__stdout__)

asyncio.run(main())
"""


def test_neither_the_sdk_nor_paramiko_is_imported_before_the_first_frame() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    modules = json.loads(done.stdout)
    assert "textual" in modules
    assert [name for name in SLOW if name in modules] == []


def test_the_panes_import_no_dialog_before_it_is_opened() -> None:
    script = "import sys, plstui.tui.panes.screen; print([m for m in sys.modules if m.startswith('plstui.tui.')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert "'plstui.tui.panes.screen'" in done.stdout
    assert [name for name in ("plstui.tui.dialogs", "plstui.tui.panes.tagging") if f"'{name}" in done.stdout] == []


def test_the_app_s_own_module_imports_the_first_screen_only() -> None:
    script = "import sys, plstui.tui.app; print([m for m in sys.modules if m.startswith('plstui.tui.')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert "'plstui.tui.opening'" in done.stdout
    late = [f"plstui.tui.{name}" for name in ("dialogs", "panes", "lab", "doctor", "probe", "widgets")]
    assert [name for name in late if f"'{name}'" in done.stdout] == []
