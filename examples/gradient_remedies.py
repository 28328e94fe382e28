"""Remedies for vanishing and exploding gradients, all measured on the same task: remember the first symbol.

    python examples/gradient_remedies.py                  # all of them, five seeds: a few minutes on one core
    python examples/gradient_remedies.py --only lstm      # those with this word in their name
    python examples/gradient_remedies.py --quick          # a short demonstration, in seconds

One of four symbols is shown at the first step, then there is noise, and after 64 steps the net must name the symbol.
The rule is trivial; the only difficulty is that the cause lies 63 steps before the effect. There are two baselines:

    vanishing   a tanh RNN, initialised as in PyTorch, 32 units, Adam
    exploding   a relu RNN, 32 units, with recurrent weights initialised to 1.05 times the identity, gradient descent

Each remedy changes one thing about them. Before training, the gradient of the last state is followed back through
time: its factor a step, and its horizon, the number of steps until less than 1 % is left (docs/exercise_39.md).
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mazegrad import nn
from mazegrad.extras import require
from mazegrad.nn.analysis.plot import LINES
from mazegrad.pictures import style
from mazegrad.script import count, natural, start

STEPS, SYMBOLS, HIDDEN, BATCH = 64, 4, 32, 32
INPUTS = SYMBOLS + 1
Maker = Callable[[np.random.Generator], nn.Module]


def batch(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences (STEPS, size, INPUTS), a one-hot symbol and then noise, and the symbols (size,)."""
    symbols = rng.integers(0, SYMBOLS, size)
    x = np.zeros((STEPS, size, INPUTS), np.float32)
    x[0, np.arange(size), symbols] = 1
    x[1:, :, SYMBOLS] = rng.normal(size=(STEPS - 1, size))
    return x, symbols


# ------------------------------------------------------------------------------------------------------------ the nets
def rnn(weights: Callable[..., Any] | None = None, **settings: Any) -> Maker:
    """Make RNNs whose recurrent weights are initialised by `weights(rng)`, or as in PyTorch."""

    def make(rng: np.random.Generator) -> nn.Module:
        layer = nn.RNN(INPUTS, HIDDEN, rng=rng, **settings)
        if weights is not None:
            layer.weight_hh_l0.assign(weights(rng))
        return layer

    return make


def orthogonal(rng: np.random.Generator) -> np.ndarray:
    return nn.init.orthogonal((HIDDEN, HIDDEN), rng=rng)


def identity(gain: float) -> Callable[..., np.ndarray]:
    return lambda rng: nn.init.identity((HIDDEN, HIDDEN), gain)


def lstm(forget: float | None) -> Maker:
    def make(rng: np.random.Generator) -> nn.Module:
        layer = nn.LSTM(INPUTS, HIDDEN, rng=rng)
        if forget is not None:
            layer.bias_ih_l0.assign(nn.init.forget_bias(HIDDEN, forget))
        return layer

    return make


def gru(keep: float) -> Maker:
    def make(rng: np.random.Generator) -> nn.Module:
        layer = nn.GRU(INPUTS, HIDDEN, rng=rng)
        bias = layer.bias_ih_l0.data.reshape(3, HIDDEN).copy()
        bias[1] += keep  # the update gate, which keeps the old state
        layer.bias_ih_l0.assign(bias.ravel())
        return layer

    return make


class Stack(nn.Module):
    """Stacked dilated layers: the last state is 3 + 3 + 3 steps from the first input, not 63."""

    def __init__(self, rng: np.random.Generator) -> None:
        sizes = ((INPUTS, 1), (HIDDEN, 4), (HIDDEN, 16))
        self.layers = nn.ModuleList(nn.Dilated(nn.RNN(inputs, HIDDEN, rng=rng), skip) for inputs, skip in sizes)

    def forward(self, x: Any) -> Any:
        """Return the output of the last layer, (STEPS, batch, HIDDEN), and its states."""
        for layer in self.layers:
            x, state = layer(x)
        return x, state


class Truncated(nn.Module):
    """A layer whose state is detached from the graph every `length` steps: the gradient goes no further back."""

    def __init__(self, layer: nn.Module, length: int) -> None:
        self.layer, self.length = layer, length

    def forward(self, x: Any) -> Any:
        """Return what the layer returns."""
        state, outputs = None, []
        for first in range(0, len(x), self.length):
            output, state = self.layer(x[first : first + self.length], nn.detach(state))
            outputs.append(output)
        return nn.concatenate(outputs), state


@dataclass(frozen=True)
class Remedy:
    """A remedy: how the net is made, and what is done to the gradient between backward() and step()."""

    make: Maker
    treat: Callable[[nn.Module], Any] = lambda net: None
    penalty: float = 0.0  # weight of Pascanu's Omega
    optimizer: Callable[[Any], nn.Optimiser] = field(default=lambda named: nn.Adam(named, lr=2e-3))


def norm_clip(net: nn.Module) -> float:
    return nn.clip_grad_norm(net.parameters(), 0.3)


def value_clip(net: nn.Module) -> None:
    nn.clip_grad_value(net.parameters(), 0.01)


def descent(named: Any) -> nn.Optimiser:
    return nn.SGD(named, lr=0.01, momentum=0.9)


HOT = rnn(identity(1.05), nonlinearity="relu")
VANISHING = {
    "tanh RNN, nothing done": Remedy(rnn()),
    "norm clipping": Remedy(rnn(), norm_clip),
    "value clipping": Remedy(rnn(), value_clip),
    "orthogonal start": Remedy(rnn(orthogonal)),
    "identity start": Remedy(rnn(identity(1.0))),
    "identity start, relu": Remedy(rnn(identity(1.0), nonlinearity="relu")),
    "leak 1/32": Remedy(rnn(leak=1 / 32)),
    "skips of 1, 4, 16": Remedy(Stack),
    "GRU": Remedy(gru(0.0)),
    "GRU, update bias 3": Remedy(gru(3.0)),
    "LSTM": Remedy(lstm(None)),
    "LSTM, forget bias 1": Remedy(lstm(1.0)),
    "LSTM, forget bias 3": Remedy(lstm(3.0)),
    "LSTM, layer norm, bias 3": Remedy(lambda rng: nn.Unrolled(nn.LayerNormLSTMCell(INPUTS, HIDDEN, 3.0, rng=rng))),
    "gradient-norm penalty": Remedy(rnn(), penalty=0.05),
    "orthogonal, truncated at 16": Remedy(lambda rng: Truncated(rnn(orthogonal)(rng), 16)),
}
EXPLODING = {
    "relu RNN of 1.05 I": Remedy(HOT, optimizer=descent),
    "... a tenth of the rate": Remedy(HOT, optimizer=lambda named: nn.SGD(named, lr=0.001, momentum=0.9)),
    "... norm clipping": Remedy(HOT, norm_clip, optimizer=descent),
    "... value clipping": Remedy(HOT, value_clip, optimizer=descent),
    "... truncated at 16": Remedy(lambda rng: Truncated(HOT(rng), 16), optimizer=descent),
    "... gradient-norm penalty": Remedy(HOT, penalty=0.05, optimizer=descent),
    "... penalty and clipping": Remedy(HOT, norm_clip, penalty=0.05, optimizer=descent),
    "... Adam": Remedy(HOT),
}


# ------------------------------------------------------------------------------------------------------------ training
class Net(nn.Module):
    """A recurrent layer, and a linear read-out of its last state."""

    def __init__(self, layer: nn.Module, rng: np.random.Generator) -> None:
        self.layer, self.head = layer, nn.Linear(HIDDEN, SYMBOLS, rng=rng)

    def forward(self, x: Any) -> Any:
        """Return logits (batch, SYMBOLS) of sequences (STEPS, batch, INPUTS)."""
        return self.head(self.layer(x)[0][-1])


def norms_of(net: Net, rng: np.random.Generator) -> np.ndarray | None:
    """Return the gradient's norms through time, (STEPS + 1,), with the current weights; None for a `Stack`."""
    x, symbols = batch(rng, BATCH)
    recurrent: Any = net.layer.layer if isinstance(net.layer, Truncated) else net.layer
    state = None
    if isinstance(recurrent, Stack):
        return None
    if isinstance(recurrent, nn.Unrolled):
        recurrent, state = recurrent.cell, (np.zeros((BATCH, HIDDEN), np.float32),) * 2
    norms = nn.analysis.gradient_norms(
        recurrent, x, lambda output: nn.cross_entropy(net.head(output[-1]), symbols), state
    )
    if isinstance(net.layer, Truncated):
        norms[: STEPS - net.layer.length] = 0  # it goes no further
    return norms


@dataclass
class Run:
    """The result of one training.

    Args:
        solved: steps until 99 % were right; None: never.
        accuracy: the last one measured.
        seconds: processor time.
        rate, horizon: of the gradient before training; None for a `Stack`.
        stopped: why the training stopped early.
        after: the horizon after training.
    """

    solved: int | None
    accuracy: float | None
    seconds: float
    rate: float | None
    horizon: int | None
    stopped: str = ""
    after: int | None = None


def train(remedy: Remedy, seed: int, most: int) -> Run:
    """Train on fresh batches until 99 % of 500 test sequences are right, or for `most` steps."""
    rng = np.random.default_rng(seed)
    net = Net(remedy.make(rng), rng)
    optimizer = remedy.optimizer(net.named_parameters())
    test_x, test_symbols = batch(np.random.default_rng(10_000 + seed), 500)
    norms = norms_of(net, np.random.default_rng(20_000 + seed))
    seen = None if norms is None else nn.analysis.verdict(norms)
    start, accuracy = time.process_time(), None

    def run(solved: int | None, stopped: str = "") -> Run:
        seconds = time.process_time() - start
        norms = None if stopped else norms_of(net, np.random.default_rng(20_000 + seed))
        after = None if norms is None else nn.analysis.verdict(norms).horizon
        return Run(solved, accuracy, seconds, seen and seen.growth.rate, seen and seen.horizon, stopped, after)

    for step in range(1, most + 1):
        x, symbols = batch(rng, BATCH)
        optimizer.zero_grad()
        if remedy.penalty:
            layer: Any = net.layer
            output, _ = layer(x, state_grads=True)
            nn.cross_entropy(net.head(output[-1]), symbols).backward()
            nn.gradient_norm_penalty(layer, x, output, lambd=remedy.penalty)
        else:
            nn.cross_entropy(net(x), symbols).backward()
        remedy.treat(net)
        try:
            optimizer.step()
        except nn.NonFiniteGradient as error:
            return run(None, str(error))
        if step % 25 == 0 or step == most:
            with nn.no_grad():
                accuracy = float((net(test_x).argmax(1) == test_symbols).mean())
            if accuracy >= 0.99:
                return run(step)
    return run(None)


# ------------------------------------------------------------------------------------------------------------- results
def row(name: str, runs: list[Run], most: int) -> str:
    solved = sorted(run.solved for run in runs if run.solved is not None)
    median = sorted(run.solved or most + 1 for run in runs)[len(runs) // 2]
    rates = [run.rate for run in runs if run.rate is not None]
    horizons = sorted(run.horizon for run in runs if run.horizon is not None)
    last = [run.accuracy for run in runs if run.accuracy is not None]
    stopped = sum(bool(run.stopped) for run in runs)
    cells = [
        f"{name:28}",
        f"{np.median(rates):6.3f}" if rates else "     -",
        f"{horizons[len(horizons) // 2]:7}" if horizons else "      -",
        f"{len(solved)} of {len(runs)}".rjust(8),
        f"{median:6}" if median <= most else f"  >{most}".rjust(6),
        f"{np.mean(last):8.1%}" if last else "       -",
        f"{np.mean([run.seconds for run in runs]):6.1f} s",
        f"{stopped} stopped: not finite" if stopped else "",
    ]
    return "  ".join(cells).rstrip()


def figure(path: Path, results: dict[str, list[Run]], most: int) -> None:
    """Draw the steps that each training needed, a dot for each seed."""
    drawn, axis = style.figure(height=0.26 * len(results) + 0.8)
    for place, runs in enumerate(results.values()):
        for run in runs:
            colour, marker = (LINES[0].colour, "o") if run.solved else (LINES[3].colour, "x")
            axis.plot(run.solved or 1.15 * most, place, marker, color=colour, alpha=0.7, ms=4)
    axis.set(xscale="log", xlabel="training steps until 99 % are right (x: never, or stopped)")
    axis.set_yticks(range(len(results)), list(results))
    axis.invert_yaxis()
    axis.grid(axis="y", alpha=0.3)
    style.save(drawn, path)


def main(arguments: list[str] | None = None) -> dict[str, list[Run]]:
    """Train all, print the table, return the runs."""
    first, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=first, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="WORD", help="only remedies with this word in their name")
    parser.add_argument("--seeds", type=count, default=5, help="number of training seeds (default: 5)")
    parser.add_argument("--seed", type=natural, default=0, help="the first seed (default: 0)")
    parser.add_argument("--steps", type=count, default=1000, help="maximum number of training steps (default: 1000)")
    parser.add_argument("--quick", action="store_true", help="five remedies, one seed, 200 steps")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="save a picture to this file (extra: plot)")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seeds, options.steps = 1, 200
        chosen = ["tanh RNN, nothing done", "orthogonal start", "LSTM, forget bias 3", "gradient-norm penalty"]
        remedies = {name: VANISHING[name] for name in chosen}
        remedies |= {name: EXPLODING[name] for name in ("relu RNN of 1.05 I", "... norm clipping")}
    else:
        remedies = VANISHING | EXPLODING
    remedies = {name: remedy for name, remedy in remedies.items() if options.only.lower() in name.lower()}
    if not remedies:
        parser.error(f"--only: no remedy has {options.only!r} in its name")
    if options.figure is not None:
        require("matplotlib", "plot")  # before the training

    print("before training: the gradient's factor a step back and its horizon (medians); after: seeds that reach 99 %,")
    print("after how many steps (median), the mean final accuracy (guessing: 25 %), processor time of a training\n")
    print(f"{'':28}  {'factor':>6}  {'horizon':>7}  {'solved':>8}  {'steps':>6}  {'accuracy':>8}  {'time':>8}")
    results: dict[str, list[Run]] = {}
    for name, remedy in remedies.items():
        if name == next(iter(EXPLODING)) and results:
            print()
        results[name] = [
            train(remedy, seed, options.steps) for seed in range(options.seed, options.seed + options.seeds)
        ]
        print(row(name, results[name], options.steps), flush=True)
    stopped = next((run.stopped for runs in results.values() for run in runs if run.stopped), "")
    if stopped:
        print(f"\nthe first training that stopped: {stopped}")
    if options.figure is not None:
        figure(options.figure, results, options.steps)
    return results


if __name__ == "__main__":
    start(main)
