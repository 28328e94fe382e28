"""Chromium for tests of the page: skips where it or Playwright for Python is missing."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("MAZEGRAD_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
"""the file of the browser"""
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
