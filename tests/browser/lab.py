"""Drive a real JupyterLab in Chromium: start it, open a notebook, run it, type, drag, look."""

import contextlib
import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
# The indicator in the toolbar says 'idle' before any kernel is connected: ask the session.
KERNEL_READY = """() => {
    const session = window.jupyterapp?.shell?.currentWidget?.sessionContext;
    const kernel = session?.session?.kernel;
    return !!kernel && session.isReady && kernel.connectionStatus === 'connected'
        && kernel.status === 'idle';
}"""
# evaluate() has no timeout of its own, hence the race.
RUN_COMMAND = """([command, milliseconds]) => Promise.race([
    window.jupyterapp.commands.execute(command),
    new Promise((_, reject) => setTimeout(() => reject(new Error(command + ' timed out')),
        milliseconds)),
])"""
VISIBLE = ".jp-NotebookPanel:not(.lm-mod-hidden)"


@dataclass(frozen=True)
class Server:
    """A JupyterLab that runs on `root`."""

    url: str
    token: str
    root: Path


def write_settings(folder: Path, *, theme: str) -> None:
    """Quiet settings for a test: no news, no pop-ups, every cell in the page, one theme."""
    settings = {
        "@jupyterlab/apputils-extension:notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
            "doNotDisturbMode": True,
        },
        "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
        "@jupyterlab/apputils-extension:themes": {"theme": theme},
        "@jupyterlab/completer-extension:manager": {"autoCompletion": False},
    }
    for plugin, values in settings.items():
        package, name = plugin.split(":")
        path = folder / package / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")


@contextlib.contextmanager
def running_lab(root: Path, scratch: Path, *, theme: str = "JupyterLab Light") -> Iterator[Server]:
    """`course lab` on the course folder `root`, its settings and its log in `scratch`."""
    write_settings(scratch / "settings", theme=theme)
    places = {
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTER_CONFIG_DIR": "config",
        "IPYTHONDIR": "ipython",
    }
    env = os.environ | {name: str(scratch / place) for name, place in places.items()}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", "course_utils.cli", "lab", "--no-browser", "--allow-root"),
        *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={token}", "--LabApp.expose_app_in_browser=True"),
        "--LabApp.extension_manager=readonly",
    ]
    log = scratch / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=root, env=env, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_until_up(process, f"http://127.0.0.1:{port}/api/status?token={token}", log)
        yield Server(f"http://127.0.0.1:{port}", token, root)
    finally:
        _stop_group(process)


def _wait_until_up(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=2).close()
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"JupyterLab did not come up:\n{log.read_text()[-3000:]}")
        time.sleep(0.05)


def _stop_group(process: subprocess.Popen[bytes]) -> None:
    """Stop the server and the kernels it started, which share its process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def open_notebook(page, server: Server, notebook: str) -> None:
    """Open `notebook` in a workspace of its own and wait until its kernel is ready."""
    workspace = f"test-{secrets.token_hex(3)}"
    page.goto(
        f"{server.url}/lab/workspaces/{workspace}/tree/{notebook}?token={server.token}&reset",
        wait_until="domcontentloaded",
    )
    page.locator(f"{VISIBLE} .jp-Cell").first.wait_for(timeout=60_000)
    wait_for_kernel(page)


def wait_for_kernel(page) -> None:
    page.wait_for_function(KERNEL_READY, timeout=60_000)


def run_all(page, *, milliseconds: int = 120_000) -> None:
    """Run every cell; returns when the last reply has come, whether or not a cell failed."""
    page.evaluate(RUN_COMMAND, ["notebook:run-all-cells", milliseconds])
    wait_for_kernel(page)


def save(page) -> None:
    page.evaluate(RUN_COMMAND, ["docmanager:save", 30_000])


def errors(page) -> list[str]:
    """The text of every error and every line of stderr on the page."""
    kinds = ("application/vnd.jupyter.error", "application/vnd.jupyter.stderr")
    found = page.locator(", ".join(f"{VISIBLE} [data-mime-type='{kind}']" for kind in kinds))
    return found.all_inner_texts()


def outputs(page) -> list[str]:
    """The text of every output on the page, in order."""
    return page.locator(f"{VISIBLE} .jp-CodeCell .jp-OutputArea-output").all_inner_texts()


def type_into(page, marker: str, source: str) -> None:
    """Replace the text of the code cell that holds `marker` with `source`, by keyboard."""
    editor = page.locator(f"{VISIBLE} .jp-CodeCell .cm-content", has_text=marker)
    editor.scroll_into_view_if_needed()
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(source)


def picture_hash(page) -> str:
    """Hash of the pixels of the explorer's picture, as they are on the screen."""
    picture = page.locator(f"{VISIBLE} .course-explorer img").first
    picture.evaluate("element => element.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(100)
    box = picture.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) > 50, f"the picture is blank: {box}"
    return hashlib.sha256(page.screenshot(clip=box)).hexdigest()


def drag_slider(page, to: float, *, index: int = 0, steps: int = 8) -> str:
    """Drag an explorer's slider to the fraction `to` of its track; returns the value it shows."""
    handle = page.locator(f"{VISIBLE} .course-explorer .noUi-handle").nth(index)
    handle.scroll_into_view_if_needed()
    track = handle.locator("xpath=ancestor::*[contains(@class,'noUi-base')]")
    start, rail = handle.bounding_box(), track.bounding_box()
    y = start["y"] + start["height"] / 2
    page.mouse.move(start["x"] + start["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(rail["x"] + to * rail["width"], y, steps=steps)
    page.mouse.up()
    return handle.get_attribute("aria-valuenow")
