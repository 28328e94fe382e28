"""The notebooks: well-formed, without outputs, listed, and able to run where there are no threads and no pygame."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WANTED = {"exercise_38", "exercise_39", "exercise_40", "exercise_41", "memory_certificates", "a_thousand_lanes"}


def cells(path: Path, kind: str) -> list[str]:
    book: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == kind]


def test_each_exercise_has_one_and_all_are_listed() -> None:
    assert {path.stem for path in NOTEBOOKS} == WANTED
    page = (ROOT / "docs/notebooks.md").read_text("utf-8")
    for path in NOTEBOOKS:
        title = cells(path, "markdown")[0].splitlines()[0].removeprefix("# ")
        assert f"- [{title}](../notebooks/{path.name}) <!-- open: {path.stem} -->" in page


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_cleared_and_cells_have_names(path: Path) -> None:
    book = json.loads(path.read_text("utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
    assert path.read_text("utf-8") == json.dumps(book, indent=1, ensure_ascii=False) + "\n"


# a process like Pyodide's: neither threads nor processes, and without pygame, which must not be needed
LIKE_PYODIDE = """
import json, subprocess, sys, threading
import matplotlib, matplotlib.pyplot
matplotlib.use("agg")
def refused(*_, **__):
    raise RuntimeError("there are no threads and no processes")
threading.Thread.start = subprocess.Popen.__init__ = refused
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("pygame", "_multiprocessing", "_posixshmem"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
sys.platform = "emscripten"
names = {"__name__": "__main__"}
for number, code in enumerate(json.load(sys.stdin)):
    exec(compile(code.replace("%pip install -q mazegrad", "pass"), f"cell {number}", "exec"), names)
"""


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_without_threads_processes_and_pygame(path: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra plot")
    done = subprocess.run(
        [sys.executable, "-c", LIKE_PYODIDE], cwd=tmp_path, input=json.dumps(cells(path, "code")), capture_output=True,
        text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == [], "a notebook leaves no files"


def test_where_python_has_no_processes_gymnasium_loads_after_mazegrad() -> None:
    code = """
import importlib.abc, sys
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in ("_multiprocessing", "_posixshmem", "pygame"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
sys.platform = "emscripten"
import mazegrad
import gymnasium
envs = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=3, render_mode="rgb_array")
envs.reset(seed=0)
assert envs.render()._repr_png_()
import multiprocessing
try:
    multiprocessing.Lock()
except OSError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "there are no processes in a browser, such as AsyncVectorEnv starts\n", done.stderr
