"""README and docs are correct: their commands, their code and the examples run, their links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mazegrad.envs import GENERATORS, LEGEND, MAZES
from mazegrad.named import environment_ids

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
HEADLESS = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
HEADLESS |= {"PYTHONIOENCODING": "utf-8"}


def run(words: list[str], cwd: Path) -> str:
    result = subprocess.run(words, cwd=cwd, env=HEADLESS, capture_output=True, encoding="utf-8", timeout=300)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_readme_has_the_two_commands() -> None:
    """test_cli.py runs the program of the first; .ci/run runs the second as it stands."""
    assert 'python -m pip install ".[video]" && mazegrad watch\n' in README
    assert 'python -m pip install ".[test]" && pytest\n' in README


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_tables_are_whole(page: str) -> None:
    """A row that no row precedes is a head, and a line of dashes follows it: a blank line would tear a table apart."""
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    lines = ["", *text.splitlines(), ""]
    heads = [i for i, line in enumerate(lines) if line.startswith("|") and not lines[i - 1].startswith("|")]
    for i in heads:
        assert re.fullmatch(r"\|[\s:|-]+\|", lines[i + 1].strip()), lines[i]


# what each snippet prints, among other things, by its first words
PRINTED = {
    "maze = Maze.from_text": ["8 steps", "0.478"],
    "evaluate(env, path_follower()": ["mean length 233.0", "mean length 226.0"],
    "compile_automaton(": ["0.1666"],
}
SNIPPETS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.strip().splitlines()[-1][:40])
def test_each_snippet_runs_alone(snippet: str, tmp_path: Path) -> None:
    out = run([sys.executable, "-W", "error", "-c", snippet], tmp_path)
    for mark, texts in PRINTED.items():
        if mark in snippet:
            assert all(text in out for text in texts), out


def test_the_expected_output_belongs_to_a_snippet() -> None:
    assert all(sum(mark in snippet for snippet in SNIPPETS) == 1 for mark in PRINTED)


DRAWING = re.findall(r"```python\n(.*?)```", (ROOT / "docs/drawing.md").read_text("utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("snippet", DRAWING, ids=lambda snippet: snippet.strip().splitlines()[0])
def test_the_page_on_pictures_runs(snippet: str, tmp_path: Path) -> None:
    if "style" in snippet:
        pytest.importorskip("matplotlib", reason="needs the extra plot")
    run([sys.executable, "-W", "error", "-c", snippet], tmp_path)
    assert list(tmp_path.iterdir()), "it writes pictures"


def test_the_gallery_is_complete(tmp_path: Path) -> None:
    page = (ROOT / "docs/gallery.md").read_text("utf-8")
    for name in (*MAZES, *GENERATORS, *(name.removeprefix("mazegrad/") for name in environment_ids())):
        assert f"### {name}\n" in page
    for tile, about in LEGEND.items():
        assert f"| {about} |" in page and (f"| `{tile}` |" in page or tile == " ")
    code = f"import sys, pathlib; sys.path.insert(0, {str(ROOT / 'docs')!r}); import gallery; "
    run([sys.executable, "-c", f"{code}gallery.write(pathlib.Path({str(tmp_path)!r}))"], tmp_path)
    made = {path.relative_to(tmp_path): path.read_text("utf-8") for path in tmp_path.rglob("*.*")}
    assert len(made) > 80
    for path, text in made.items():
        assert (ROOT / "docs" / path).read_text("utf-8") == text, f"{path}: run `python docs/pictures.py gallery`"


EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
NEED_DATA = ("mnist_cnn.py", "mnist_predict.py", "resnet.py")  # run by test_nn_modules.py, test_architectures.py
NEED_RAY = ("ray_rollouts.py", "rllib_ppo.py")  # run by the step of .ci/run that has it
NEED_OTHERS = ("offline_learning.py", "pursuit.py")  # run by test_adapters_minari.py, test_adapters_pettingzoo.py
NEED_JAX = ("train_on_device.py",)  # run by the step of .ci/run that has it
FOLDER = ROOT / "examples" / "architectures"  # run by test_architectures.py; the files they share are not examples
ARCHITECTURES = sorted(path for path in FOLDER.glob("*.py") if "\nif __name__ ==" in path.read_text("utf-8"))


@pytest.mark.parametrize(
    "example",
    [path for path in EXAMPLES if path.name not in NEED_DATA + NEED_RAY + NEED_OTHERS + NEED_JAX],
    ids=lambda path: path.name,
)
def test_examples_run(example: Path, tmp_path: Path) -> None:
    quick = ["--quick"] if '"--quick"' in example.read_text(encoding="utf-8") else []
    assert run([sys.executable, "-W", "error", str(example), *quick], tmp_path)


def test_every_example_and_command_is_named() -> None:
    pages = README + "".join(p.read_text("utf-8") for p in (ROOT / "docs").glob("*.md"))
    for example in EXAMPLES + ARCHITECTURES:
        assert f"python {example.relative_to(ROOT).as_posix()}" in pages


DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *DOCS.glob("tutorials/*.md")])


@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", *(f"docs/{p.relative_to(DOCS).as_posix()}" for p in PAGES)],
)
def test_links_and_pictures_exist(page: str) -> None:
    path = ROOT / page
    text = re.sub(r"<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)  # pages that the site adds
    for link in re.findall(r"\]\(([^)#]+)", text):
        if not link.startswith("http"):
            assert (path.parent / link).exists(), link


def test_make_targets_are_one_word() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = shlex.split(re.search(r"\.PHONY: (.*)", makefile)[1])
    assert set(phony) == set(re.findall(r"^(\w+):", makefile, flags=re.MULTILINE))
