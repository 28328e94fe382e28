"""Rooms look through their own doors only: who imports what is read off the source."""

import ast
import subprocess
import sys
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
    "envs/pictures/window.py": {"pygame"},
    "envs/planning/mdp.py": {"scipy"},
    "nn/data.py": {"pooch"},
    "nn/analysis/plot.py": {"matplotlib"},
}
EXTRAS = {"PIL", "imageio", "matplotlib", "pooch", "torch", "scipy"}

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


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_importing_mazegrad_imports_little_and_registers() -> None:
    seen = "import sys, mazegrad; print(sorted({m.split('.')[0] for m in sys.modules} & {'pygame', 'matplotlib'}),"
    seen += "[m for m in sys.modules if m.startswith('mazegrad.')],"
    seen += "'mazegrad/PathFollow-v0' in __import__('gymnasium').registry)"
    assert run(seen) == "[] [] True"


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
