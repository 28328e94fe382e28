"""The recipes of docs/design.md: each is followed in a copy of the repository, and is then tested as it says."""

import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
KINDS = [
    "A tile", "An observation", "A generator", "A map format", "An engine", "An agent", "An environment id",
    "A differentiable operation",
]  # fmt: skip


@dataclass
class Recipe:
    """What is under one heading."""

    insertions: list[str] = field(default_factory=list)
    """blocks whose first line says where the rest goes"""
    checks: list[str] = field(default_factory=list)
    """programs"""
    tests: list[str] = field(default_factory=list)
    """commands"""


def recipes(page: str) -> dict[str, Recipe]:
    """Return the recipes of a page by their headings."""
    found = {}
    for part in page.partition("\n## How to add\n")[2].split("\n### ")[1:]:
        recipe = found[part.splitlines()[0]] = Recipe()
        for block in re.findall(r"^```\w+\n(.*?)^```$", part, flags=re.DOTALL | re.MULTILINE):
            if block.startswith("# then\n"):
                recipe.checks.append(block)
            elif block.startswith("pytest "):
                recipe.tests.append(block)
            else:
                recipe.insertions.append(block)
    return found


def follow(block: str, repository: Path) -> None:
    """Put a block where its first line says.

    Raises:
        ValueError: the file exists already, or the line that is named is not there exactly once.
    """
    head, _, code = block.partition("\n")
    file, _, place = head.lstrip("#; ").partition(", ")
    path = repository / file
    if place == "new file":
        if path.exists():
            raise ValueError(f"{file} is not new")
        path.write_text(code, encoding="utf-8")
        return
    where, mark = re.fullmatch(r"""(after|before) (?:"(.*)"|'(.*)')""", place).group(1), place.split(" ", 1)[1][1:-1]
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    marked = [number for number, line in enumerate(lines) if mark in line]
    if len(marked) != 1:
        raise ValueError(f"{mark!r} is in {len(marked)} lines of {file}, not in one")
    number = marked[0] + (where == "after")
    while where == "before" and lines[number - 1].startswith("@"):
        number -= 1
    if re.match(r"def |class |@", code):
        code += "\n\n"
    path.write_text("".join([*lines[:number], code, *lines[number:]]), encoding="utf-8")


def copied(target: Path) -> Path:
    """Copy what recipes touch and tests need; the package is at `src` of the copy, as an installation has it."""
    for name in ("envs", "agents", "nn"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("envs", "agents", "nn"):
        (target / "src" / "mazegrad" / name).symlink_to(target / name)
    shutil.copy(ROOT / "pyproject.toml", target)
    (target / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "textbook.md", target / "docs")
    return target


def run(words: list[str], repository: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy, with its package in place of the installed one."""
    environment = {
        "PYTHONPATH": str(repository / "src"),
        "PATH": "",
        "OMP_NUM_THREADS": "1",
        "SDL_VIDEODRIVER": "dummy",
    }
    command = [sys.executable, "-W", "error", *words]
    return subprocess.run(command, cwd=repository, env=environment, capture_output=True, encoding="utf-8", timeout=120)


FOUND = recipes(PAGE)
ORIGIN = "import mazegrad; print(mazegrad.__file__)\n"


def test_everything_that_can_be_added_has_a_recipe() -> None:
    assert list(FOUND) == KINDS
    assert all(recipe.insertions and recipe.checks and recipe.tests for recipe in FOUND.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", FOUND)
def test_a_recipe_adds_what_it_says(name: str, tmp_path: Path) -> None:
    repository = copied(tmp_path)
    for check in FOUND[name].checks:
        before = run(["-c", ORIGIN + check], repository)
        assert before.returncode != 0, "this was there before"
        assert Path(before.stdout.strip()).is_relative_to(repository)
    for block in FOUND[name].insertions:
        follow(block, repository)
    for check in FOUND[name].checks:
        done = run(["-c", check], repository)
        assert done.returncode == 0, done.stderr
    for command in FOUND[name].tests:
        done = run(["-m", *shlex.split(command), "-n", "0", "-p", "no:cacheprovider", "-x"], repository)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def with_all(tmp_path: Path) -> Path:
    """Return a copy in which all recipes were followed."""
    repository = copied(tmp_path)
    for recipe in FOUND.values():
        for block in recipe.insertions:
            follow(block, repository)
    return repository


@pytest.mark.slow
def test_all_recipes_together_use_the_doors(with_all: Path) -> None:
    doors = "a_room_looks or circle or go_down or one_format"
    files = ["tests/test_doors.py", "tests/test_formats.py"]
    done = run(["-m", "pytest", *files, "-n", "0", "-p", "no:cacheprovider", "-q", "-k", doors], with_all)
    assert done.returncode == 0, done.stdout


def test_all_recipes_are_in_the_style_of_the_house(with_all: Path) -> None:
    pytest.importorskip("ruff", reason='the style of the recipes is checked where ruff is: pip install -e ".[lint]"')
    for words in (["check"], ["format", "--check"]):
        done = run(["-m", "ruff", *words, "--no-cache", "envs", "agents", "nn", "src", "tests"], with_all)
        assert done.returncode == 0, done.stdout


PLACED = "# file.py, {} {}\nx = 1\n"


@pytest.mark.parametrize(
    ("place", "result"),
    [
        (("after", '"def f"'), "@g\ndef f():\nx = 1\n    pass\n"),
        (("before", "'pass'"), "@g\ndef f():\nx = 1\n    pass\n"),
        (("before", '"def f"'), "x = 1\n@g\ndef f():\n    pass\n"),
    ],
)
def test_a_block_goes_where_it_says(place: tuple[str, str], result: str, tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text("@g\ndef f():\n    pass\n")
    follow(PLACED.format(*place), tmp_path)
    assert (tmp_path / "file.py").read_text() == result


@pytest.mark.parametrize("place", ['after "f"', 'before "none"', "new file"])
def test_a_block_that_cannot_be_placed_is_an_error(place: str, tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text("def f():\n    f\n")
    with pytest.raises(ValueError, match=r"not in one|is not new"):
        follow(f"# file.py, {place}\nx = 1\n", tmp_path)


def test_a_page_is_taken_apart() -> None:
    page = """
        ## How to add

        ### A thing

        ```python
        # file.py, new file
        x = 1
        ```

        ```python
        # then
        assert x
        ```

        ```sh
        pytest tests
        ```
        """
    ((name, recipe),) = recipes(textwrap.dedent(page)).items()
    assert name == "A thing"
    assert recipe == Recipe(["# file.py, new file\nx = 1\n"], ["# then\nassert x\n"], ["pytest tests\n"])
