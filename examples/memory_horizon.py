"""How far back can a net remember? The gradient's horizon before training, and the longest T-maze it then learns.

    python examples/memory_horizon.py                       # five nets, eight corridors, five seeds: a few minutes
    python examples/memory_horizon.py --cells RNN GRU --corridors 4 8 16
    python examples/memory_horizon.py --quick               # a short demonstration, in seconds

`mazegrad/TMaze-v0`: a sign at the start of a corridor points left or right, and at the end the agent has to turn that
way. In between all observations are the same, so the sign has to be remembered for as many steps as the corridor has
tiles. A net learns by imitation of the two shortest episodes, one for each sign; its loss is the cross entropy of their
actions. It trains until it gives every action of both a probability of at least 90 %, or until its updates are used up.
A corridor is solved if the trained net, walking by itself, reaches the goal for both signs, for each of five
initialisations.

Before training, the gradient of the turn's loss alone, at the end of 128 tiles, is followed back through time. Its
horizon is the number of steps until less than 1 % of it is left. The prediction (Hochreiter 1991; Bengio, Simard &
Frasconi 1994): a sign beyond the horizon is not learned.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import gymnasium
import numpy as np

import mazegrad  # noqa: F401  (registers the environments)
from mazegrad import nn
from mazegrad.agents import RecurrentAgent, evaluate
from mazegrad.extras import MissingExtra
from mazegrad.nn.analysis import gradient_norms, horizon
from mazegrad.nn.analysis.plot import INK
from mazegrad.pictures import style
from mazegrad.progress import progress
from mazegrad.script import count, natural, positive, start

SHARE, FAR = 0.01, 128  # tiles of the corridor in which the horizon is measured
BOTH_SIGNS = 1  # a seed with which the two lanes have different signs
SIGN = 2  # number of the state right after the sign
MOMENTS = {0, *(round(2 ** (i / 2)) for i in range(40))}  # the gradient is measured before these updates
ACTIONS = 4
Walks = tuple[np.ndarray, np.ndarray]


def worlds(corridor: int) -> gymnasium.vector.VectorEnv:
    """Return two T-mazes as lanes, one for each sign."""
    return gymnasium.make_vec("mazegrad/TMaze-v0", num_envs=2, corridor=corridor, info=("optimal_action",))


def shortest_walks(corridor: int) -> Walks:
    """Return observations, (corridor + 2, 2, 4), and actions, (corridor + 2, 2), of the shortest way to the goal."""
    envs = worlds(corridor)
    observation, info = envs.reset(seed=BOTH_SIGNS)
    seen, done, over = [], [], False
    while not over:
        seen.append(observation.astype(np.float32))
        done.append(info["optimal_action"])
        observation, _, terminated, _, info = envs.step(done[-1])
        over = terminated.all()
    assert (done[-1][0] != done[-1][1]) and len(done) == corridor + 2
    return np.stack(seen), np.stack(done)


# ---------------------------------------------------------------------------------------------------------------- nets
class Net(nn.Module):
    """A recurrent layer and a linear read-out: dots (T, batch, 4) -> logits (T, batch, 4), and the state."""

    def __init__(self, layer: nn.RNN | nn.LSTM | nn.GRU, rng: np.random.Generator) -> None:
        self.layer = layer
        self.readout = nn.Linear(layer.hidden_size, ACTIONS, rng=rng)

    def forward(self, seen: np.ndarray, state: object = None) -> tuple[nn.Tensor, object]:
        """Return the logits, and the state after the last step."""
        output, state = self.layer(seen, state)
        return self.readout(output), state


def orthogonal_rnn(inputs: int, hidden: int, rng: np.random.Generator) -> nn.RNN:
    """Return an RNN with an orthogonal U and zero bias, so that only tanh shrinks the gradient."""
    layer = nn.RNN(inputs, hidden, rng=rng)
    layer.weight_hh_l0.assign(nn.init.orthogonal((hidden, hidden), rng=rng))
    for bias in (layer.bias_ih_l0, layer.bias_hh_l0):
        bias.assign(np.zeros(hidden, np.float32))
    return layer


def open_lstm(inputs: int, hidden: int, rng: np.random.Generator) -> nn.LSTM:
    """Return an LSTM with forget biases for time scales up to 128 steps (Tallec & Ollivier 2018)."""
    layer = nn.LSTM(inputs, hidden, rng=rng)
    b, zero = nn.init.chrono(hidden, FAR, rng=rng), np.zeros(hidden, np.float32)
    layer.bias_ih_l0.assign(np.concatenate([-b, b, zero, zero]))  # input, forget, cell, output
    layer.bias_hh_l0.assign(np.zeros(4 * hidden, np.float32))
    return layer


class Cell(NamedTuple):
    """How a layer is made, and its learning rate, which was chosen on other seeds."""

    make: Callable[[int, int, np.random.Generator], nn.RNN | nn.LSTM | nn.GRU]
    lr: float


CELLS = {
    "RNN": Cell(lambda inputs, hidden, rng: nn.RNN(inputs, hidden, rng=rng), 1e-3),
    "orthogonal RNN": Cell(orthogonal_rnn, 1e-3),
    "LSTM": Cell(lambda inputs, hidden, rng: nn.LSTM(inputs, hidden, rng=rng), 5e-3),
    "open LSTM": Cell(open_lstm, 5e-3),
    "GRU": Cell(lambda inputs, hidden, rng: nn.GRU(inputs, hidden, rng=rng), 5e-3),
}


def make_net(cell: str, seed: int, hidden: int) -> Net:
    """Return a net with its initial weights."""
    rng = np.random.default_rng((seed, hidden))
    return Net(CELLS[cell].make(4, hidden, rng), rng)


# ------------------------------------------------------------------------------------------------- before, and training
def reach(net: Net, walks: Walks) -> np.ndarray:
    """Return the norms of the gradient of the turn's loss by each state, (T + 1,), as a fraction of the last one."""
    seen, done = walks
    weight, bias = net.readout.weight.data, net.readout.bias.data  # as plain arrays, without a graph
    norms = gradient_norms(net.layer, seen, lambda last: nn.cross_entropy(nn.linear(last[-1], weight, bias), done[-1]))
    return norms / norms[-1]


class Run(NamedTuple):
    """The result of one training: whether the goal is reached for both signs, and after how many updates."""

    solved: bool
    updates: int
    arrives: list[tuple[int, float]]  # (updates, fraction of the turn's gradient that arrives at the sign)
    seconds: float  # processor time


def train(net: Net, corridor: int, lr: float, updates: int, truncate: int | None) -> Run:
    """Imitate the shortest episodes; with `truncate`, gradients stop at the borders of parts of that many steps."""
    start = time.process_time()
    seen, done = walks = shortest_walks(corridor)
    length = truncate or len(seen)
    optimizer = nn.Adam(net.named_parameters(), lr)
    arrives = []
    while True:
        if optimizer.steps in MOMENTS:
            arrives.append((optimizer.steps, float(reach(net, walks)[SIGN])))
        optimizer.zero_grad()
        state, least = None, 1.0
        for part in (slice(i, i + length) for i in range(0, len(seen), length)):
            logits, state = net(seen[part], state)
            state = nn.detach(state)
            log_odds = nn.log_softmax(logits).reshape(-1, ACTIONS)[np.arange(done[part].size), done[part].reshape(-1)]
            (-log_odds.sum() / done.size).backward()
            least = min(least, float(np.exp(log_odds.data.min())))
        if least > 0.9 or optimizer.steps == updates:
            break
        nn.clip_grad_norm(optimizer.parameters.items(), 1.0)
        optimizer.step()
    arrives.append((optimizer.steps, float(reach(net, walks)[SIGN])))
    walk = evaluate(worlds(corridor), RecurrentAgent(net.layer, net.readout), episodes=2, seed=BOTH_SIGNS)
    return Run(bool(walk.successes.all()), optimizer.steps, arrives, time.process_time() - start)


# ------------------------------------------------------------------------------------------------------------- results
class Result(NamedTuple):
    """The results of one cell: gradient norms before training by seed, and the runs by corridor and seed."""

    norms: list[np.ndarray]
    runs: dict[int, list[Run]]

    @property
    def horizons(self) -> list[int]:
        """The horizons before training of all seeds, sorted."""
        return sorted(horizon(norms, SHARE) for norms in self.norms)

    @property
    def solved(self) -> int:
        """The longest corridor up to which every seed solved every corridor; 0 if there is none."""
        longest = 0
        for corridor, runs in self.runs.items():
            if not all(run.solved for run in runs):
                break
            longest = corridor
        return longest


def report(results: dict[str, Result], corridors: list[int]) -> None:
    """Print the predicted and the measured memory."""
    seeds = len(next(iter(results.values())).norms)
    columns = "".join(f"{corridor:>8}" for corridor in corridors)
    print(f"how many of {seeds} seeds solve a corridor of n tiles; horizon before training: median (range)")
    print(f"{'':>15}  {'horizon':<13}{columns}  longest of all")
    for cell, result in results.items():
        low, middle, high = result.horizons[0], result.horizons[seeds // 2], result.horizons[-1]
        counts = "".join(f"{sum(run.solved for run in result.runs[corridor]):>8}" for corridor in corridors)
        print(f"{cell:>15}  {f'{middle} ({low}-{high})':<13}{counts}  {result.solved or '-':>8}")
    print("\nfraction of the turn's gradient that arrives at the sign, before and after training: median")
    for cell, result in results.items():
        for moment, name in ((0, cell), (-1, "")):
            shares = (np.median([run.arrives[moment][1] for run in result.runs[corridor]]) for corridor in corridors)
            print(f"{name:>15}  {'after' if moment else 'before':<13}" + "".join(f"{share:>8.0e}" for share in shares))
    seconds = sum(run.seconds for result in results.values() for runs in result.runs.values() for run in runs)
    print(f"\n{seconds:.0f} s of processor time")


def draw(results: dict[str, Result], corridors: list[int], folder: Path) -> None:
    """Draw the reach of gradients before training and of memory after it, on the same axis of steps."""
    try:
        figure, axes = style.figure(2, 1, height=2.3)
    except MissingExtra as error:
        print(f"(no picture: {error})")
        return
    panels = dict(zip(("before", "after"), axes, strict=True))
    for number, (cell, result) in enumerate(results.items()):
        colour = style.line(cell, list(results)).colour
        back = np.exp(np.mean([np.log(np.maximum(norms[::-1], 1e-30)) for norms in result.norms], axis=0))
        style.draw_line(panels["before"], range(1, len(back)), back[1:], cell, list(results))
        share = [np.mean([run.solved for run in result.runs[corridor]]) for corridor in corridors]
        shift = 1.03 ** (number - len(results) / 2)  # keeps equal points apart
        style.draw_line(panels["after"], np.array(corridors) * shift, share, cell, list(results), marked=True)
        for axis in axes:
            axis.axvline(result.horizons[len(result.horizons) // 2], color=colour, ls=":", lw=1.2)
    panels["before"].axhline(SHARE, color=INK, ls=":", lw=1)
    panels["before"].set(
        yscale="log",
        ylabel="fraction of the gradient",
        ylim=(1e-8, 30),
        title="before training: what arrives at each step back",
    )
    panels["after"].set(
        xlabel="steps back, or tiles of the corridor (dotted: horizon before training)",
        ylabel="fraction of seeds",
        title="after training: goal reached for both signs",
    )
    for axis in axes:
        axis.set(xscale="log", xlim=(0.8, 1.25 * FAR))
        axis.set_xticks(corridors, [str(corridor) for corridor in corridors])
        axis.minorticks_off()
        style.finish(axis)
    style.save(figure, folder / "memory_horizon.png")


def draw_course(results: dict[str, Result], corridor: int, folder: Path) -> None:
    """Draw what arrives at the sign while nets learn one corridor: a panel for each cell, a line for each seed."""
    try:
        figure, axes = style.figure(1, len(results), height=2.1, sharex=True, sharey=True, squeeze=False)
    except MissingExtra:
        return
    for axis, (cell, result) in zip(axes[0], results.items(), strict=True):
        for run in result.runs[corridor]:
            steps, shares = zip(*run.arrives, strict=True)
            end = {"marker": "o" if run.solved else "x", "markevery": [-1], "ms": 5, "lw": 1}
            style.draw_line(axis, steps, shares, cell, list(results), **end)
        axis.axhline(SHARE, color=INK, ls=":", lw=1)
        axis.set(yscale="log", title=cell)
        axis.set_xscale("symlog", linthresh=1)
        axis.set_xticks([0, 10, 1000], ["0", "10", "1000"])
    axes[0, 0].set(ylabel="fraction of the gradient", xlim=(0, None))
    figure.supxlabel(f"updates, with {corridor} tiles (o: solved, x: not)", fontsize=9, color=INK)
    style.save(figure, folder / "memory_horizon_course.png")


def main(words: list[str] | None = None) -> dict[str, Result]:
    """Measure, train, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS), metavar="CELL", help=", ".join(CELLS))
    parser.add_argument("--corridors", nargs="+", type=count, metavar="TILES", help="default: 1 2 4 8 16 32 64 128")
    parser.add_argument("--seeds", type=count, help="number of initialisations; default: 5")
    parser.add_argument("--seed", type=natural, default=0, help="seed of the first; default: %(default)s")
    parser.add_argument("--updates", type=count, help="maximum number of updates; default: 2000")
    parser.add_argument("--hidden", type=count, default=32, help="default: %(default)s")
    parser.add_argument("--lr", type=positive, help="learning rate; default: chosen for each cell")
    parser.add_argument("--truncate", type=count, metavar="STEPS", help="truncated backpropagation through time")
    parser.add_argument("--quick", action="store_true", help="corridors 1 and 4, one seed, 60 updates")
    parser.add_argument("--pictures", type=Path, default=Path("memory"), metavar="FOLDER", help="default: %(default)s")
    options = parser.parse_args(words)
    corridors = options.corridors or ([1, 4] if options.quick else [1, 2, 4, 8, 16, 32, 64, 128])
    seeds = range(options.seed, options.seed + (options.seeds or (1 if options.quick else 5)))
    updates = options.updates or (60 if options.quick else 2000)
    longest = shortest_walks(FAR)
    results = {}
    for cell in options.cells:
        norms = [reach(make_net(cell, seed, options.hidden), longest) for seed in seeds]
        results[cell] = Result(norms, {corridor: [] for corridor in corridors})
        todo = [(corridor, seed) for corridor in corridors for seed in seeds]
        for corridor, seed in progress(todo, len(todo), cell):
            net = make_net(cell, seed, options.hidden)
            run = train(net, corridor, options.lr or CELLS[cell].lr, updates, options.truncate)
            results[cell].runs[corridor].append(run)
    report(results, corridors)
    draw(results, corridors, options.pictures)
    draw_course(results, 32 if 32 in corridors else corridors[-1], options.pictures)
    return results


if __name__ == "__main__":
    start(main)
