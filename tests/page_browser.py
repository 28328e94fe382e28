"""Chromium and Node.js for tests of the page, which skip where these or Playwright for Python are missing."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("MAZEGRAD_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
"""the file of the browser"""
NODE = shutil.which("node")
"""the file of Node.js"""
CHECKS = Path(__file__).with_name("page_checks.js").read_text(encoding="utf-8")
"""functions in JavaScript that tests call"""
_OPTIONS = (
    "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
    "disable-component-update", "disable-sync",
)  # fmt: skip


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser of Playwright."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[f"--{option}" for option in _OPTIONS])
        yield browser
        browser.close()


# one line of JSON for each call, [function, argument], is answered by one line: [result] or [null, error]
_ANSWERS = """
require("readline").createInterface({ input: process.stdin, crlfDelay: Infinity }).on("line", (line) => {
  const [name, argument] = JSON.parse(line);
  let answer;
  try {
    answer = [eval(`(${name})`)(argument)];
  } catch (error) {
    answer = [null, error.stack];
  }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""


@contextmanager
def node(script: str) -> Iterator[Callable[..., Any]]:
    """Yield a function that calls JavaScript with one argument, in one process that has run a script before."""
    assert NODE
    with tempfile.NamedTemporaryFile("w", suffix=".cjs", encoding="utf-8") as file:
        file.write(script + _ANSWERS)
        file.flush()
        with subprocess.Popen(
            [NODE, file.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        ) as process:
            assert process.stdin and process.stdout
            asked, said = process.stdin, process.stdout

            def call(name: str, argument: Any = None) -> Any:
                asked.write(json.dumps([name, argument]) + "\n")
                asked.flush()
                line = said.readline()
                assert line, f"Node.js has ended, in {name}"
                result, *errors = json.loads(line)
                assert not errors, errors[0]
                return result

            yield call
            asked.close()
