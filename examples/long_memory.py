"""Two tasks that need a long memory, and which recurrent nets learn them with the same budget.

    python examples/long_memory.py                          # both tasks, four cells, three seeds: a few minutes
    python examples/long_memory.py --task adding --cell LSTM --seed 0
    python examples/long_memory.py --quick                  # a few seconds: too few steps to learn anything

adding   100 steps, each with a number from [0, 1) and a mark; two are marked, one in each half. After the last step
         the net outputs their sum. Always answering the mean, 1, gives a mean squared error of 1/6 = 0.167.
         (Hochreiter & Schmidhuber, "Long short-term memory", 1997; in the form of Le, Jaitly & Hinton 2015.)
copy     10 symbols out of 8, 99 blanks, a signal, 10 blanks, during which the net has to output the symbols; before
         that it outputs blanks. A net without memory that knows the task has a loss of 10 ln 8 / 120 = 0.173 nats a
         step. (Hochreiter & Schmidhuber 1997; in the form of Arjovsky, Shah & Bengio, "Unitary evolution recurrent
         neural networks", 2016.)

Every cell gets the same number of sequences and steps, Adam, gradients clipped to norm 1, and a learning rate that was
chosen for it on other seeds. "RNN" is initialised as in PyTorch, "orthogonal RNN" with an orthogonal U and zero bias;
LSTM and GRU with orthogonal blocks in U, and gate biases for time scales spread over the delay (Tallec & Ollivier,
"Can recurrent neural networks warp time?", 2018). The reported figure is the loss on fresh sequences after the last
step.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mazegrad import nn
from mazegrad.extras import MissingExtra
from mazegrad.pictures import style
from mazegrad.progress import progress
from mazegrad.script import count, natural, positive, start

DELAY, SYMBOLS, LENGTH = 100, 8, 10
BLANK, SIGNAL = SYMBOLS, SYMBOLS + 1
Batch = tuple[np.ndarray, np.ndarray]


# --------------------------------------------------------------------------------------------------------------- tasks
def adding(batch: int, rng: np.random.Generator) -> Batch:
    """Return numbers and marks, (DELAY, batch, 2), and the sum of the two marked numbers, (batch, 1)."""
    x = np.zeros((DELAY, batch, 2), np.float32)
    x[:, :, 0] = rng.random((DELAY, batch))
    half, rows = DELAY // 2, np.arange(batch)
    marked = np.stack([rng.integers(half, size=batch), rng.integers(half, DELAY, size=batch)])
    x[marked, rows, 1] = 1
    return x, x[marked, rows, 0].sum(0)[:, None]


def copying(batch: int, rng: np.random.Generator) -> Batch:
    """Return one-hot symbols, (DELAY + 20, batch, 10), and the target at each step, (DELAY + 20, batch)."""
    x = np.full((DELAY + 2 * LENGTH, batch), BLANK)
    y = x.copy()
    x[:LENGTH] = y[-LENGTH:] = rng.integers(SYMBOLS, size=(LENGTH, batch))
    x[-LENGTH - 1] = SIGNAL
    return np.eye(SYMBOLS + 2, dtype=np.float32)[x], y


def squared_error(outputs: nn.Tensor, y: np.ndarray) -> nn.Tensor:
    """Return the squared error of the last output."""
    return nn.mse_loss(outputs[-1], y)


def nats(outputs: nn.Tensor, y: np.ndarray) -> nn.Tensor:
    """Return the mean cross entropy of a step, in nats."""
    return nn.cross_entropy(outputs.reshape(-1, outputs.shape[-1]), y.reshape(-1))


class Task(NamedTuple):
    """How sequences are made, the loss, the loss of a net without memory, and the budget of every cell."""

    deal: Callable[[int, np.random.Generator], Batch]
    loss: Callable[[nn.Tensor, np.ndarray], nn.Tensor]
    sizes: tuple[int, int]  # inputs, outputs
    without_memory: float
    steps: int
    rates: dict[str, float]  # by cell


TASKS = {
    "adding": Task(
        adding,
        squared_error,
        (2, 1),
        1 / 6,
        steps=1000,
        rates={"RNN": 1e-3, "orthogonal RNN": 1e-3, "LSTM": 5e-3, "GRU": 5e-3},
    ),
    "copy": Task(
        copying,
        nats,
        (SYMBOLS + 2, SYMBOLS + 1),
        LENGTH * np.log(SYMBOLS) / (DELAY + 2 * LENGTH),
        steps=1500,
        rates={"RNN": 1e-3, "orthogonal RNN": 1e-3, "LSTM": 1e-2, "GRU": 1e-2},
    ),
}


# ---------------------------------------------------------------------------------------------------------------- nets
class Net(nn.Module):
    """A recurrent layer, and a linear map of each of its outputs: x (T, batch, inputs) -> (T, batch, outputs)."""

    def __init__(self, cell: str, sizes: tuple[int, int], hidden: int, rng: np.random.Generator) -> None:
        self.layer = CELLS[cell](sizes[0], hidden, rng)
        self.readout = nn.Linear(hidden, sizes[1], rng=rng)

    def forward(self, x: np.ndarray) -> nn.Tensor:
        """Return the outputs, (T, batch, outputs)."""
        return self.readout(self.layer(x)[0])


def orthogonal(layer: nn.Module, rng: np.random.Generator) -> None:
    """Set each (hidden, hidden) block of the recurrent weights to an orthogonal matrix, and all biases to 0."""
    hidden = layer.hidden_size
    blocks = [nn.init.orthogonal((hidden, hidden), rng=rng) for _ in range(layer.weight_hh_l0.shape[0] // hidden)]
    layer.weight_hh_l0.assign(np.concatenate(blocks))
    for bias in (layer.bias_ih_l0, layer.bias_hh_l0):
        bias.assign(np.zeros(bias.shape, np.float32))


def plain_rnn(inputs: int, hidden: int, rng: np.random.Generator) -> nn.RNN:
    """Return an RNN initialised as in PyTorch: all weights uniform within 1 / sqrt(hidden)."""
    return nn.RNN(inputs, hidden, rng=rng)


def orthogonal_rnn(inputs: int, hidden: int, rng: np.random.Generator) -> nn.RNN:
    """Return an RNN with an orthogonal U, which keeps the length of gradients where tanh is near the identity."""
    layer = nn.RNN(inputs, hidden, rng=rng)
    orthogonal(layer, rng)
    return layer


def lstm(inputs: int, hidden: int, rng: np.random.Generator) -> nn.LSTM:
    """Return an LSTM whose unit i keeps its cell for about 1 + exp(b_i) steps, at most the delay."""
    layer = nn.LSTM(inputs, hidden, rng=rng)
    orthogonal(layer, rng)
    b, zero = nn.init.chrono(hidden, DELAY, rng=rng), np.zeros(hidden, np.float32)
    layer.bias_ih_l0.assign(np.concatenate([-b, b, zero, zero]))  # input, forget, cell, output
    return layer


def gru(inputs: int, hidden: int, rng: np.random.Generator) -> nn.GRU:
    """Return a GRU of the same kind; its update gate is the fraction that is kept."""
    layer = nn.GRU(inputs, hidden, rng=rng)
    orthogonal(layer, rng)
    b, zero = nn.init.chrono(hidden, DELAY, rng=rng), np.zeros(hidden, np.float32)
    layer.bias_ih_l0.assign(np.concatenate([zero, b, zero]))  # reset, update, new
    return layer


CELLS: dict[str, Callable[[int, int, np.random.Generator], nn.Module]] = {
    "RNN": plain_rnn,
    "orthogonal RNN": orthogonal_rnn,
    "LSTM": lstm,
    "GRU": gru,
}


# ------------------------------------------------------------------------------------------------------------ training
class Run(NamedTuple):
    """The result of one training: (step, loss on fresh sequences), and the time."""

    curve: list[tuple[int, float]]
    seconds: float  # processor time

    @property
    def loss(self) -> float:
        """The loss after the last step."""
        return self.curve[-1][1]


def fresh_loss(net: Net, task: Task, hundreds: int, rng: np.random.Generator) -> float:
    """Return the mean loss on `hundreds` times 100 fresh sequences."""
    with nn.no_grad():
        losses = [task.loss(net(x), y).item() for x, y in (task.deal(100, rng) for _ in range(hundreds))]
    return float(np.mean(losses))


def train(task: Task, cell: str, seed: int, options: argparse.Namespace) -> Run:
    """Train a net; the test sequences come from another random stream than the training sequences."""
    start = time.process_time()
    deal_rng, net_rng, test_rng = (np.random.default_rng((seed, stream)) for stream in range(3))
    net = Net(cell, task.sizes, options.hidden, net_rng)
    optimizer = nn.Adam(net.named_parameters(), options.lr or task.rates[cell])
    curve, every = [], max(1, options.steps // 20)
    for step in progress(range(1, options.steps + 1), options.steps, f"{cell}, seed {seed}"):
        x, y = task.deal(options.batch_size, deal_rng)
        optimizer.zero_grad()
        task.loss(net(x), y).backward()
        nn.clip_grad_norm(optimizer.parameters.items(), 1.0)
        optimizer.step()
        if step % every == 0 or step == options.steps:
            curve.append((step, fresh_loss(net, task, 20 if step == options.steps else 2, test_rng)))
    return Run(curve, time.process_time() - start)


# ------------------------------------------------------------------------------------------------------------- results
def report(name: str, task: Task, runs: dict[str, list[Run]]) -> None:
    """Print a line for each cell: the losses of all seeds, and the curve of the last one."""
    print(f"\n{name}: loss on 2,000 fresh sequences; without memory {task.without_memory:.4f}")
    for cell, tried in runs.items():
        seconds = sum(run.seconds for run in tried)
        losses = "  ".join(f"{run.loss:.4f}" for run in tried)
        bars = "".join("▁▂▃▄▅▆▇█"[min(7, int(4 * loss / task.without_memory))] for _, loss in tried[-1].curve)
        print(f"  {cell:>14}  {losses}  {bars}  {seconds:.0f} s of processor time")


def draw(results: dict[str, dict[str, list[Run]]], folder: Path) -> None:
    """Draw the median of the learning curves and the band of their middle half, a panel for each task."""
    try:
        figure, axes = style.figure(1, len(results), height=2.8, squeeze=False)
    except MissingExtra as error:
        print(f"(no picture: {error})")
        return
    for axis, (name, runs) in zip(axes[0], results.items(), strict=True):
        for cell, tried in runs.items():
            steps = [step for step, _ in max((run.curve for run in tried), key=len)]
            losses = np.full((len(tried), len(steps)), np.nan)
            for row, run in zip(losses, tried, strict=True):
                row[: len(run.curve)] = [loss for _, loss in run.curve]
            style.band(axis, steps, losses, cell, list(CELLS))
        ends = axis.get_xlim()
        style.draw_line(axis, ends, [TASKS[name].without_memory] * 2, "without memory", list(CELLS), lw=1)
        axis.set_xlim(ends)
        axis.set(yscale="log", xlabel="training step", ylabel="loss on fresh sequences")
        style.finish(axis, title=f"{name} over {DELAY} steps")
    style.save(figure, folder / "long_memory.png")


def main(words: list[str] | None = None) -> dict[str, dict[str, list[Run]]]:
    """Train, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=TASKS, help="default: both")
    parser.add_argument("--cell", choices=CELLS, help="default: all")
    parser.add_argument("--seed", type=natural, help="one seed; default: 0, 1 and 2")
    parser.add_argument("--steps", type=count, help="number of training steps; default: the task's budget")
    parser.add_argument("--hidden", type=count, default=64, help="hidden units; default: %(default)s")
    parser.add_argument("--batch-size", type=count, default=50, help="default: %(default)s")
    parser.add_argument("--lr", type=positive, help="learning rate; default: chosen for each cell")
    parser.add_argument("--quick", action="store_true", help="10 steps, one seed")
    parser.add_argument("--pictures", type=Path, default=Path("memory"), metavar="FOLDER", help="default: %(default)s")
    options = parser.parse_args(words)
    seeds = [options.seed] if options.seed is not None else [0] if options.quick else [0, 1, 2]
    budget = options.steps
    results: dict[str, dict[str, list[Run]]] = {}
    for name in [options.task] if options.task else TASKS:
        task = TASKS[name]
        options.steps = budget or (10 if options.quick else task.steps)
        results[name] = {
            cell: [train(task, cell, seed, options) for seed in seeds]
            for cell in ([options.cell] if options.cell else CELLS)
        }
        report(name, task, results[name])
    draw(results, options.pictures)
    return results


if __name__ == "__main__":
    start(main)
