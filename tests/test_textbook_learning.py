"""examples/textbook_learning.py: the curves have the shapes that the book's have."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLE = Path(__file__).parent.parent / "examples" / "textbook_learning.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("textbook_learning", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lines(panel: tuple) -> dict[str, np.ndarray]:
    return {curve.label: curve.y for curve in panel[3] if curve.label}


def test_it_runs_and_draws(example: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot")
    panels = example.main(["--quick", "--pictures", str(tmp_path)])
    assert len(panels) == 6
    for name in ("textbook_learning.png", "learned_values.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_sarsa_is_ever_faster_in_the_windy_grid(example: ModuleType) -> None:
    made = lines(example.windy(3, False))["SARSA"]
    first, second = made[4000], made[8000] - made[4000]
    assert 130 < made[-1] < 210 and second > 2 * first


def test_sarsa_earns_more_than_q_learning_on_the_cliff(example: ModuleType) -> None:
    returns = lines(example.cliff(1, False))
    assert returns["SARSA"][-200:].mean() > returns["Q-learning"][-200:].mean() + 10
    late = lines(example.rates(2, True))
    assert (late["expected SARSA"] > late["Q-learning"]).all()


def test_planning_takes_the_place_of_steps(example: ModuleType) -> None:
    lengths = lines(example.dyna(3, False))
    means = [lengths[f"{planning} updates"][:10].mean() for planning in (0, 5, 50)]
    assert means[0] > 5 * means[1] > 5 * means[2]


def test_the_bonus_pays_where_the_world_changes(example: ModuleType) -> None:
    """Figures 8.4 and 8.5."""
    for panel in (example.blocking(4, False), example.changing("shortcut_maze", "8.5", 3000, 6000, 20, 1e-3, 2)):
        goals = lines(panel)
        assert goals["Dyna-Q+"][-1] > 1.1 * goals["Dyna-Q"][-1]
    blocked = lines(example.blocking(4, False))["Dyna-Q"]
    assert blocked[1250] - blocked[1050] < 0.2 * (blocked[1000] - blocked[800]), "the way it knows is closed"
