"""Rooms look through their own doors only: who imports what is read off the source."""

import ast
import subprocess
import sys
from collections.abc import Callable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HARD = {"numpy", "gymnasium"}
ROOMS = {"nn": ROOT / "nn", "envs": ROOT / "envs", "agents": ROOT / "agents", "mazegrad": ROOT / "src" / "mazegrad"}
# room -> the rooms it may know, and the packages
ROOMS_KNOWN = {"nn": set(), "envs": set(), "agents": {"envs", "nn"}, "mazegrad": {"envs", "agents", "nn"}}
PACKAGES_KNOWN = {"nn": {"numpy"}, "envs": HARD, "agents": HARD, "mazegrad": {*HARD, "pygame"}}
# further packages, in these files alone; all but pygame inside functions
EXCEPTIONS = {
    "src/mazegrad/adapters/policies.py": {"torch"},
    "envs/pictures/window.py": {"pygame"},
    "envs/pictures/lettering.py": {"pygame"},
    "envs/planning/mdp.py": {"scipy"},
    "envs/maps/formats/arrays.py": {"PIL"},
    "envs/functional/backtracker.py": {"jax"},
    "envs/functional/fresh.py": {"jax"},
    "envs/functional/graph.py": {"torch"},
    "envs/functional/namespace.py": {"jax"},
    "envs/functional/plain.py": {"jax"},
    "envs/functional/scan.py": {"jax"},
    "envs/functional/vector.py": {"jax"},
    "envs/functional/whole_mazes.py": {"jax"},
    "envs/parallel_make.py": {"pettingzoo"},
    "envs/parallel_pettingzoo.py": {"pettingzoo"},
    "agents/learners/tabular/plot.py": {"matplotlib"},
    "nn/data.py": {"pooch"},
    "nn/analysis/plot.py": {"matplotlib"},
}
EXTRAS = {"stable_baselines3", "PIL", "imageio", "matplotlib", "pooch", "torch", "scipy", "ray", "minari", "h5py"}
EXTRAS |= {"pettingzoo", "jax", "jaxlib", "array_api_compat"}

# the storeys of envs, from the bottom; files at the top of the room stand above all of them
STOREYS = ["maps", "core", "pictures", "observations", "planning", "engines"]
FILES = [(room, path) for room, folder in ROOMS.items() for path in sorted(folder.rglob("*.py"))]


def imports(path: Path, room: str) -> tuple[set[str], set[str]]:
    """Return the rooms and the top-level packages that a file imports, anywhere in it."""
    rooms, packages = set(), set()
    depth = len(path.relative_to(ROOMS[room]).parts)  # 1 for a file at the top of its room
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            above = node.level - depth + (room == "mazegrad")  # 1: looks out of its room into the package
            if above == 1:
                rooms |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
            assert above <= 1, f"{path} imports from above the package"
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            assert name.split(".")[0] != "mazegrad", f"{path}: rooms use relative imports"
            packages.add(name.split(".")[0])
    return rooms & set(ROOMS), packages - set(sys.stdlib_module_names)


@pytest.mark.parametrize(("room", "path"), FILES, ids=lambda value: str(value).removeprefix(f"{ROOT}/"))
def test_a_room_looks_through_its_doors_only(room: str, path: Path) -> None:
    rooms, packages = imports(path, room)
    allowed = PACKAGES_KNOWN[room] | EXCEPTIONS.get(str(path.relative_to(ROOT)), set())
    assert rooms <= ROOMS_KNOWN[room] | ({room} if room == "mazegrad" else set())
    assert packages <= allowed


def test_the_test_sees_a_wrong_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROOMS, "nn", tmp_path)
    (tmp_path / "wrong.py").write_text("def f():\n    from ..envs import Maze\n    import torch\n")
    assert imports(tmp_path / "wrong.py", "nn") == ({"envs"}, {"torch"})


def files_imported(path: Path, folder: Path) -> set[Path]:
    """Return the files of a room that a file imports by name, anywhere in it, also for type checkers alone."""
    files, found = set(folder.rglob("*.py")), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level and node.level <= len(path.relative_to(folder).parts):
            base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for alias in node.names:
                places = [base / f"{alias.name}.py", base / alias.name / "__init__.py", base / "__init__.py"]
                places += [base.with_suffix(".py")] if node.module else []
                found.update([place for place in places if place in files][:1])
    return found - {path}


def arrows(room: str) -> set[tuple[str, str]]:
    """Return (importing file, imported file) for all files of a room, relative to the repository."""
    folder = ROOMS[room]

    def name(path: Path) -> str:
        return path.relative_to(folder.parent).as_posix()

    return {(name(path), name(other)) for path in folder.rglob("*.py") for other in files_imported(path, folder)}


def circle(pairs: set[tuple[str, str]], name: Callable[[str], str] = str) -> list[str]:
    """Return the nodes of a circle of arrows, or an empty list; `name` says which files are one node."""
    graph: dict[str, set[str]] = {}
    for one, other in pairs:
        if name(one) != name(other):
            graph.setdefault(name(one), set()).add(name(other))
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def storey(file: str) -> str:
    """Return the folder of a room in which a file lies; a file at the top of a room is a storey of its own."""
    return "/".join(file.split("/")[:2])


def level(file: str) -> int:
    """Return the level of a file of envs in `STOREYS`."""
    name = file.split("/")[1].removesuffix(".py")
    return STOREYS.index(name) if name in STOREYS else len(STOREYS)


@pytest.mark.parametrize("room", ROOMS)
def test_no_imports_go_in_a_circle(room: str) -> None:
    """Among files, and among the folders of a room, but for its `__init__.py`, which imports everything."""
    pairs = arrows(room)
    assert circle(pairs) == []
    top = ROOMS[room].name + "/__init__.py"
    assert circle({pair for pair in pairs if top not in pair}, storey) == []


def test_the_imports_of_envs_go_down_only() -> None:
    assert {(one, other) for one, other in arrows("envs") if level(one) < level(other)} == set()


def test_the_test_sees_a_circle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROOMS, "envs", tmp_path / "envs")
    files = {
        "maps/__init__.py": "",
        "maps/maze.py": "def f():\n    from ..core.world import World\n",
        "core/__init__.py": "from . import world as world\n",
        "core/world.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..maps import maze\n",
        "env.py": "from .core import world, World\nfrom . import core, numbers\nfrom .. import agents\n",
        "numbers.py": "import numpy\n",
        "__init__.py": "",
    }
    for name, text in files.items():
        (tmp_path / "envs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "envs" / name).write_text(text)
    pairs = arrows("envs")
    assert pairs == {
        ("envs/maps/maze.py", "envs/core/world.py"),
        ("envs/core/world.py", "envs/maps/maze.py"),
        ("envs/core/__init__.py", "envs/core/world.py"),
        ("envs/env.py", "envs/core/world.py"),
        ("envs/env.py", "envs/core/__init__.py"),
        ("envs/env.py", "envs/numbers.py"),
    }
    assert set(circle(pairs)) == {"envs/maps/maze.py", "envs/core/world.py"}
    assert set(circle(pairs, storey)) == {"envs/maps", "envs/core"}
    assert [pair for pair in pairs if level(pair[0]) < level(pair[1])] == [("envs/maps/maze.py", "envs/core/world.py")]


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_importing_mazegrad_imports_little_and_registers() -> None:
    seen = "import sys, mazegrad; print(sorted({m.split('.')[0] for m in sys.modules} & {'pygame', 'matplotlib'}),"
    seen += "[m for m in sys.modules if m.startswith('mazegrad.')],"
    seen += "'mazegrad/PathFollow-v0' in __import__('gymnasium').registry)"
    assert run(seen) == "[] [] True"


def test_importing_agents_does_not_import_nn_until_a_net_is_used() -> None:
    code = (
        "import sys, mazegrad.agents as agents; known = lambda: any(m.startswith('mazegrad.nn') for m in sys.modules);"
    )
    code += "print(known(), agents.RecurrentAgent.__name__, known(), set(agents.__all__) <= set(dir(agents)))"
    assert run(code) == "False RecurrentAgent True True"


def test_the_independent_checker_shares_nothing_with_the_search() -> None:
    """It reads the claims, and `outcomes` and tables from envs; apart from that its files import each other."""
    checker = "agents/proofs/independent_checker/"
    used = {other for one, other in arrows("agents") if one.startswith(checker) and not other.startswith(checker)}
    assert used == {"agents/proofs/claims.py"}


def test_making_and_stepping_imports_no_pygame_and_no_extra() -> None:
    code = "import sys, gymnasium, mazegrad; env = gymnasium.make('mazegrad/PathFollow-v0', render_mode='rgb_array');"
    code += "env.reset(seed=0); env.step(0); env.render();"
    code += f"print(sorted({{m.split('.')[0] for m in sys.modules}} & {EXTRAS | {'pygame'}!r}))"
    assert run(code) == "[]"


def test_register_envs_and_import_are_one() -> None:
    code = "import gymnasium, mazegrad; gymnasium.register_envs(mazegrad); gymnasium.make('mazegrad/PathFollow-v0')"
    assert run(code) == ""


def test_the_version_is_the_installed_one() -> None:
    from importlib.metadata import version

    import mazegrad

    assert mazegrad.__version__ == version("mazegrad")
