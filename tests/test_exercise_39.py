"""docs/exercise_39.md holds what it says: the example's floats, mazes and remedies, and the page's own program."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mazegrad import nn
from mazegrad.nn import analysis

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "exercise_39.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "examples" / "gradients_through_time.py"))


@pytest.fixture(scope="module")
def remedies() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "examples" / "gradient_remedies.py"))


def test_autodiff_leaves_float32_where_the_formula_says(example: dict[str, Any]) -> None:
    for us in (example["U_1"], example["U_2"]):
        for i, u in enumerate(us):
            found = analysis.power_limits(float(np.float32(u)))
            overflow, underflow, zero = example["observed"](us, i, np.float32, found.peak or 1)
            assert (overflow, underflow) == (found.overflow, found.underflow)
            assert zero == (None if u in (0.8, 0.9) else found.zero)  # those two get stuck above 0


def test_no_gradient_outgrows_the_stretches() -> None:
    rng = np.random.default_rng(0)
    for layer in (nn.RNN(3, 8, rng=rng), nn.GRU(3, 8, rng=rng), nn.LSTM(3, 8, rng=rng)):
        x, parts = rng.normal(size=(30, 1, 3)).astype(np.float32), 2 if isinstance(layer, nn.LSTM) else 1
        state = (np.zeros((1, 1, 8), np.float32),) * parts
        norms = analysis.gradient_norms(layer, x, lambda out: out[-1].sum())
        stretches = analysis.spectrum(analysis.step_jacobians(layer, x, state if parts == 2 else state[0])).norm[:, 0]
        bounds = norms[-1] * np.cumprod(stretches[::-1])[::-1]
        assert (norms[:-1] <= 1.0001 * bounds).all()


def test_heading_and_gradient_are_kept_or_lost_alike(example: dict[str, Any]) -> None:
    steps = 40
    found = {name: example["walk"](rnn, steps) for name, rnn in example["agents"]().items()}
    for seen, _, _ in found.values():  # all three see the same: they walk the same way
        assert np.array_equal(seen, found["U = -J"][0]) and len(seen) == steps
    back = np.arange(steps + 1)[::-1]
    _, margins, norms = found["U = -J"]
    assert (margins == 1).all()
    np.testing.assert_allclose(norms, np.sqrt(2))
    _, margins, norms = found["U = -J/2"]
    np.testing.assert_allclose(margins[1:], 0.5 ** np.arange(1, steps))
    np.testing.assert_allclose(norms, np.sqrt(2) * 0.5**back)
    _, margins, norms = found["U = (I - J)/2"]
    assert margins.min() == 0.5
    np.testing.assert_allclose(norms[:-1], 1)


def test_the_table_of_cells(example: dict[str, Any]) -> None:
    """The page's table is what the example finds with seed 0, within the last digit."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        example["cells_table"](np.random.default_rng(0), 200)
    found = [re.split(r"  +", line.strip()) for line in out.getvalue().splitlines()]
    table = PAGE.partition("| cell | factor")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()[2:]]
    assert len(rows) == 9
    for row in rows:
        (line,) = (line for line in found if line[0] == row[0])
        assert line[-1] == row[-1]
        for one, other in zip(line[1:-1], row[1:-1], strict=True):
            assert one == other or float(one) == pytest.approx(float(other), abs=0.0015 if "." in one else 1), row


@pytest.mark.slow
def test_remedies_in_short(remedies: dict[str, Any]) -> None:
    train, vanishing, exploding = remedies["train"], remedies["VANISHING"], remedies["EXPLODING"]
    plain = train(vanishing["tanh RNN, nothing done"], 0, 300)
    assert plain.solved is None and plain.accuracy < 0.5 and plain.horizon < 10
    for name in ("LSTM, forget bias 3", "gradient-norm penalty", "skips of 1, 4, 16", "identity start, relu"):
        assert train(vanishing[name], 0, 400).solved, name
    cut = train(vanishing["orthogonal, truncated at 16"], 0, 100)
    assert cut.solved is None and cut.horizon <= 16
    hot = train(exploding["relu RNN of 1.05 I"], 0, 100)
    assert re.match(r"step \d: the gradient of layer.weight_ih_l0 holds NaN", hot.stopped)
    for name in ("... norm clipping", "... value clipping"):
        assert train(exploding[name], 0, 600).solved, name


@pytest.mark.slow
def test_a_horizon_can_be_lost_in_training(remedies: dict[str, Any]) -> None:
    lost = remedies["train"](remedies["VANISHING"]["identity start"], 0, 400)
    assert lost.horizon == 64 and lost.solved is None and lost.after < 10
    won = remedies["train"](remedies["VANISHING"]["gradient-norm penalty"], 0, 400)
    assert won.horizon < 10 and won.solved and won.after == 64


def test_an_untrained_state_hides_the_symbol(remedies: dict[str, Any]) -> None:
    layer = remedies["VANISHING"]["orthogonal start"].make(np.random.default_rng(0))
    x, symbols = remedies["batch"](np.random.default_rng(7), 4000)
    with nn.no_grad():
        last = np.c_[layer(x)[0].data[-1], np.ones(4000)]
    readout = np.linalg.lstsq(last[:3000], np.eye(4)[symbols[:3000]], rcond=None)[0]
    assert 0.2 < ((last[3000:] @ readout).argmax(1) == symbols[3000:]).mean() < 0.32


def test_the_page_prints_what_it_says() -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(block, {})
    printed = PAGE.partition("prints\n\n")[2].partition("\n\n(")[0]
    assert printed.split() == out.getvalue().split()


def test_every_test_that_the_page_names_is_there() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 15
    for name in named:
        assert f"def {name}(" in sources, name
