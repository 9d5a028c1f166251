"""The tutorial and the API guide, run as they stand: what they show is what comes out.

A block of `sh` is a command; a block of `text` or `json` right after it is what it prints.
With UPDATE_DOCS=1 in the environment the pages are given what came out, for somebody to read over.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.temporal_server import free_port

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE = 240.0
"""Seconds for `tandem up` with its demo data, on a machine that does much else."""

TYPED = all(map(shutil.which, ("bash", "curl", "jq")))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not TYPED, reason="the examples are typed into bash, with curl and jq"),
]


@dataclass
class Running:
    """A `tandem up` of this test's own."""

    port: int
    environment: dict[str, str]


@pytest.fixture(scope="module")
def tandem(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("docs")
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")},
        "TANDEM_HOME": str(home / "state"),
        "TANDEM_PORT": str(port),
        "TANDEM_TEMPORAL_PORT": str(free_port()),  # not the usual one: who else starts now may take that
        "TANDEM_TEMPORAL_UI": "false",
        "TANDEM_RATE_LIMIT": "100000/minute",
        "PYTHONPATH": str(ROOT),
    }
    with (home / "up.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli", "up", "--stop-with-parent"],
            cwd=home,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + PATIENCE
        while not (home / "state" / "demo-made").exists() or not _ready(port):
            assert process.poll() is None, (home / "up.log").read_text()
            assert time.monotonic() < until, (home / "up.log").read_text()
            time.sleep(0.2)
        yield Running(port, environment)
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@dataclass
class Example:
    """A command of a page, what the page shows as its output, and where that stands."""

    said: str
    shown: str = ""
    place: slice | None = None


def examples(text: str) -> list[Example]:
    """The commands of a page, in order."""
    blocks = list(FENCE.finditer(text))
    found = []
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        if block[1] != "sh":
            continue
        example = Example(block[2])
        if (
            following
            and following[1] in {"text", "json"}
            and not text[block.end() : following.start()].strip()
        ):
            example.shown, example.place = following[2], slice(following.start(2), following.end(2))
        found.append(example)
    return found


@pytest.mark.parametrize("page", ["tutorial.md", "api.md"])
def test_what_a_page_shows_is_what_comes_out(page: str, tandem: Running, tmp_path: Path) -> None:
    file = ROOT / "docs" / page
    text = file.read_text()
    written = examples(text)
    assert written
    printed = run(written, tandem, tmp_path)
    if os.environ.get("UPDATE_DOCS"):
        for example, came in reversed(list(zip(written, printed, strict=True))):
            if example.place is not None:
                text = text[: example.place.start] + came + text[example.place.stop :]
        file.write_text(text)
        return
    for example, came in zip(written, printed, strict=True):
        assert came == example.shown, f"{page}:\n{example.said}"


def run(written: list[Example], tandem: Running, folder: Path) -> list[str]:
    """Type the commands into one shell; what each of them printed."""
    script = "".join(f"echo '--- {number}'\n{example.said}" for number, example in enumerate(written))
    script = script.replace("127.0.0.1:8000", f"127.0.0.1:{tandem.port}").replace("/tmp/", f"{folder}/")
    script = script.replace(".venv/bin/tandem", f"{shlex.quote(sys.executable)} -P -m cli")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=tandem.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return re.findall(r"^--- \d+\n(.*?)(?=^--- \d+\n|\Z)", done.stdout, re.MULTILINE | re.DOTALL)
