"""What README and docs say, runs: their commands, their code, the examples."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
HEADLESS = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
HEADLESS |= {"PYTHONIOENCODING": "utf-8"}


def run(words: list[str], cwd: Path) -> str:
    result = subprocess.run(words, cwd=cwd, env=HEADLESS, capture_output=True, encoding="utf-8", timeout=300)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_two_commands_are_there() -> None:
    """The first one's program is run by test_cli.py; .ci/run runs the second one as it stands."""
    assert 'python -m pip install ".[video]" && mazegrad watch\n' in README
    assert 'python -m pip install ".[test]" && pytest\n' in README


def test_the_code_runs_from_top_to_bottom(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) >= 3
    out = run([sys.executable, "-W", "error", "-c", "\n".join(blocks)], tmp_path)
    assert "8 steps" in out
    assert "mean length 233.0" in out
    assert "mean length 226.0" in out


EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
NEED_DATA = ("mnist_cnn.py", "mnist_predict.py")  # run by test_nn_modules.py
FOLDER = ROOT / "examples" / "architectures"  # run by test_architectures.py; what they share is no example
ARCHITECTURES = sorted(path for path in FOLDER.glob("*.py") if "\nif __name__ ==" in path.read_text("utf-8"))


@pytest.mark.parametrize(
    "example", [path for path in EXAMPLES if path.name not in NEED_DATA], ids=lambda path: path.name
)
def test_examples_run(example: Path, tmp_path: Path) -> None:
    quick = ["--quick"] if '"--quick"' in example.read_text(encoding="utf-8") else []
    assert run([sys.executable, "-W", "error", str(example), *quick], tmp_path)


def test_every_example_and_command_is_named() -> None:
    pages = README + "".join(p.read_text("utf-8") for p in (ROOT / "docs").glob("*.md"))
    for example in EXAMPLES + ARCHITECTURES:
        assert f"python {example.relative_to(ROOT).as_posix()}" in pages


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))])
def test_links_and_pictures_exist(page: str) -> None:
    path = ROOT / page
    for link in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        if not link.startswith("http"):
            assert (path.parent / link).exists(), link


def test_make_targets_are_one_word() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = shlex.split(re.search(r"\.PHONY: (.*)", makefile)[1])
    assert set(phony) == set(re.findall(r"^(\w+):", makefile, flags=re.MULTILINE))
