"""Every code block of README and docs runs: Python is executed, page by page, and commands are read by their parser.

A block that cannot run has `<!-- not run: why -->` in the line before it. Pages with tests of their own are named.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

import mazegrad.cli
from mazegrad.cli import main

ROOT = Path(__file__).parent.parent
WRITTEN = {"api", "environments", "project"}  # when the site is built
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
    if path.relative_to(ROOT / "docs" if "docs" in path.parts else ROOT).parts[0] not in WRITTEN
}
ELSEWHERE = {  # whose Python is run by a test file of its own
    "README.md": "test_readme.py",
    "docs/design.md": "test_how_to_add.py",
    "docs/drawing.md": "test_readme.py",
    "docs/exercise_39.md": "test_exercise_39.py",
    "docs/exercise_41.md": "test_nn_convolution.py",
    "docs/maps.md": "test_maps_page.py",
    "docs/nn.md": "test_nn_page.py",
}
LANGUAGES = {"python", "sh", "text", "toml", "{toctree}"}  # text and toml are shown, and not run


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of a page that can run."""
    found = re.finditer(r"(?m)^(?P<before>.*)\n+```(?P<language>\S*)\n(?P<code>(?:.*\n)*?)```$", PAGES[page])
    return [m["code"] for m in found if m["language"] == language and "<!-- not run: " not in m["before"]]


def test_every_block_has_a_language() -> None:
    for page, text in PAGES.items():
        opened = re.findall(r"(?m)^```(.*)$", text)[::2]
        allowed = LANGUAGES if page != "docs/design.md" else {*LANGUAGES, opened and "python"}
        assert set(opened) <= allowed, page


# one process runs a page: its blocks in their order, each with what those before it made; where a library is missing
# that a block imports, the block is left out, and those after it that need what it makes
RUN = """
import importlib.util, json, re, sys, warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"(?!mazegrad)")
names, left_out = {"__name__": "__main__"}, []
for number, code in enumerate(json.loads(sys.argv[1]), 1):
    needed = re.findall(r"(?m)^(?:from|import) ([a-z_0-9]+)", code)
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        left_out.append(f"block {number}: no {missing[0]}")
        continue
    try:
        exec(compile(code, f"block {number}", "exec"), names)
    except ImportError as error:
        if "install it with" not in str(error):
            raise
        left_out.append(f"block {number}: {error}")
    except NameError as error:  # what a block that was left out would have made
        if not left_out:
            raise
        left_out.append(f"block {number}: {error}")
print("LEFT OUT", json.dumps(left_out))
"""


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if p not in ELSEWHERE and blocks(p, "python")])
def test_the_python_of_a_page_runs(page: str, tmp_path: Path) -> None:
    code = json.dumps(blocks(page, "python"))
    environment = {**os.environ, "MINARI_DATASETS_PATH": str(tmp_path / "minari"), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", RUN, code], cwd=tmp_path, env=environment, capture_output=True, text=True,
        timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    left_out = json.loads(done.stdout.rpartition("LEFT OUT")[2])
    if left_out and len(left_out) == len(blocks(page, "python")):
        pytest.skip("; ".join(left_out))


def test_pages_that_are_run_elsewhere_are_named_there() -> None:
    for page, file in ELSEWHERE.items():
        assert page.rpartition("/")[2].removesuffix(".md") in (ROOT / "tests" / file).read_text("utf-8"), page


def commands(page: str) -> Iterator[str]:
    """Yield the commands of a page: of its sh blocks, of indented blocks, and of `code` that begins with mazegrad."""
    text = re.sub(r"(?ms)^```(?!sh$)\S*\n.*?^```$", "", PAGES[page]).replace("\\\n", " ")
    for line in re.findall(r"(?m)^(?: {4})?((?:mazegrad|python) [a-z].*)$", text):
        yield line.partition("  #")[0].partition(" && ")[2 if " && " in line else 0].strip()
    yield from re.findall(r"`(mazegrad [a-z][^`\n]*)`", text)


class Read(Exception):
    """A command was read, and would run now."""


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_can_be_read(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = mazegrad.cli._parsed

    def stop(words: Sequence[str]) -> NoReturn:
        read(words)
        raise Read

    monkeypatch.setattr(mazegrad.cli, "_parsed", stop)
    for command in commands(page):
        program, *words = shlex.split(re.sub(r"\bFILE\b", "my.txt", command))
        if program == "mazegrad" and "..." not in words and not any(word.isupper() and len(word) > 2 for word in words):
            try:
                main(words)
                assert not words, f"{command} ran"
            except Read:
                continue
            except SystemExit as error:
                assert error.code == 0 or len(words) == 1, (page, command)  # a command's name, in a sentence
        elif program == "python" and words[0].endswith(".py"):
            assert (ROOT / words[0]).exists(), (page, command)
            text = (ROOT / words[0]).read_text("utf-8")
            for word in words[1:]:
                if word.startswith("--") and "ArgumentParser" in text:
                    assert f'"{word.partition("=")[0]}"' in text, (page, command)
