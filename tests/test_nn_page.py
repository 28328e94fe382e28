"""docs/nn.md is right: its programs run, its tables are what is there, and what it points to exists."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "nn.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.strip().splitlines()[-1][:40])
def test_each_program_runs_alone(program: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=tmp_path, check=True, timeout=300)


def test_the_tables_are_what_is_there() -> None:
    """`python docs/nn_table.py` writes them."""
    pytest.importorskip("torch", reason='the tables need pip install "mazegrad[parity]"')
    spec = importlib.util.spec_from_file_location("nn_table", ROOT / "docs" / "nn_table.py")
    assert spec is not None
    assert spec.loader is not None
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    found = PAGE.split(writer.BEGIN)[1].split(writer.END)[0]
    assert found == writer.tables()


def test_what_the_page_points_to_exists() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists(), link
    for name in re.findall(r"`(tests/\w+\.py)`", PAGE):
        assert (ROOT / name).exists(), name
    rows = re.findall(r"^\| .* \| .* \| `([a-z_0-9/]+(?:\.py|/))` \|$", PAGE, flags=re.MULTILINE)
    assert len(rows) > 8
    for name in rows:
        assert (ROOT / "nn" / name).exists(), name


def test_the_library_can_be_read() -> None:
    """The core is one page, and no file is longer than an evening's patience."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "nn").rglob("*.py")}
    assert not {path.name: length for path, length in lengths.items() if length > 400}
    assert lengths[ROOT / "nn" / "graph.py"] <= 210
