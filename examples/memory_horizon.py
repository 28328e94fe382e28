"""How far back can it remember? The gradient's horizon before training, and the longest T-maze that is then learned.

    python examples/memory_horizon.py                       # five nets, eight corridors, five seeds: some minutes
    python examples/memory_horizon.py --cells RNN GRU --corridors 4 8 16
    python examples/memory_horizon.py --quick               # a taste, in seconds

`mazegrad/TMaze-v0`: at the corridor's foot a sign says left or right, at its end the agent has to turn there. In
between every step looks alike, so the corridor's length is the number of steps that the sign has to be remembered. A
net learns by imitation: it is shown the two shortest walks, one for each sign, and its loss is the cross entropy of
their actions. It trains until it gives every action of both at least 90 %, or until its updates are used up. A corridor
is solved if the trained net, walking by itself, reaches the goal for both signs, from each of five first weights.

Before that, the same nets say how far a gradient reaches: the loss of the turn alone, at the end of 128 tiles, is sent
back through time. The horizon is the number of steps back over which 1 % of it, or more, arrives. The prediction
(Hochreiter 1991; Bengio, Simard & Frasconi 1994): a sign that lies further back is not learned.
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
from mazegrad.nn.analysis import gradient_norms, horizon
from mazegrad.progress import progress
from mazegrad.script import count, natural, positive, start

SHARE, FAR = 0.01, 128  # the horizon is measured over a corridor of so many tiles
BOTH_SIGNS = 1  # a seed from which the two lanes differ
SIGN = 2  # the state that has just seen the sign
MOMENTS = {0, *(round(2 ** (i / 2)) for i in range(40))}  # updates before which the gradient is measured
ACTIONS = 4
Walks = tuple[np.ndarray, np.ndarray]


def worlds(corridor: int) -> gymnasium.vector.VectorEnv:
    """Two T-mazes side by side, one with each sign."""
    return gymnasium.make_vec("mazegrad/TMaze-v0", num_envs=2, corridor=corridor, info=("optimal_action",))


def shortest_walks(corridor: int) -> Walks:
    """What is seen, (corridor + 2, 2, 4), and what is done then, (corridor + 2, 2), on the shortest way to the goal."""
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
    """A recurrent layer and a linear map of what it puts out: dots (T, batch, 4) -> logits (T, batch, 4), and state."""

    def __init__(self, layer: nn.RNN | nn.LSTM | nn.GRU, rng: np.random.Generator) -> None:
        self.layer = layer
        self.readout = nn.Linear(layer.hidden_size, ACTIONS, rng=rng)

    def forward(self, seen: np.ndarray, state: object = None) -> tuple[nn.Tensor, object]:
        """Logits, and the state after the last step."""
        output, state = self.layer(seen, state)
        return self.readout(output), state


def orthogonal_rnn(inputs: int, hidden: int, rng: np.random.Generator) -> nn.RNN:
    """U orthogonal, no bias: tanh alone makes the gradient smaller."""
    layer = nn.RNN(inputs, hidden, rng=rng)
    layer.weight_hh_l0.assign(nn.init.orthogonal((hidden, hidden), rng=rng))
    for bias in (layer.bias_ih_l0, layer.bias_hh_l0):
        bias.assign(np.zeros(hidden, np.float32))
    return layer


def open_lstm(inputs: int, hidden: int, rng: np.random.Generator) -> nn.LSTM:
    """Forget gates that keep for times spread up to 128 steps (Tallec & Ollivier 2018)."""
    layer = nn.LSTM(inputs, hidden, rng=rng)
    b, zero = nn.init.chrono(hidden, FAR, rng=rng), np.zeros(hidden, np.float32)
    layer.bias_ih_l0.assign(np.concatenate([-b, b, zero, zero]))  # input, forget, cell, output
    layer.bias_hh_l0.assign(np.zeros(4 * hidden, np.float32))
    return layer


class Cell(NamedTuple):
    """How a layer is made, and the learning rate that was chosen for it, on other seeds."""

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
    """A net with its first weights."""
    rng = np.random.default_rng((seed, hidden))
    return Net(CELLS[cell].make(4, hidden, rng), rng)


# ------------------------------------------------------------------------------------------------- before, and training
def reach(net: Net, walks: Walks) -> np.ndarray:
    """The norm of the gradient of the turn's loss with respect to the state at each time, (T + 1,); the last is 1."""
    seen, done = walks
    weight, bias = net.readout.weight.data, net.readout.bias.data  # as plain arrays: no gradient is left there
    norms = gradient_norms(net.layer, seen, lambda last: nn.cross_entropy(nn.linear(last[-1], weight, bias), done[-1]))
    return norms / norms[-1]


class Run(NamedTuple):
    """One training: whether the goal is reached for both signs, after how many updates."""

    solved: bool
    updates: int
    arrives: list[tuple[int, float]]  # after so many updates, this share of the turn's gradient arrives at the sign
    seconds: float  # of processor time


def train(net: Net, corridor: int, lr: float, updates: int, truncate: int | None) -> Run:
    """Imitate the shortest walks, in one part, or in parts of `truncate` steps: no gradient leaves its part."""
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
    """One cell: gradients before training, of each seed, and the runs by corridor and seed."""

    norms: list[np.ndarray]
    runs: dict[int, list[Run]]

    @property
    def horizons(self) -> list[int]:
        """Before training, of each seed, sorted."""
        return sorted(horizon(norms, SHARE) for norms in self.norms)

    @property
    def solved(self) -> int:
        """The longest corridor that every seed solved, and all shorter ones too; 0 if there is none."""
        longest = 0
        for corridor, runs in self.runs.items():
            if not all(run.solved for run in runs):
                break
            longest = corridor
        return longest


def report(results: dict[str, Result], corridors: list[int]) -> None:
    """Print the table: predicted and found."""
    seeds = len(next(iter(results.values())).norms)
    columns = "".join(f"{corridor:>8}" for corridor in corridors)
    print(f"how many of {seeds} seeds solve a corridor of so many tiles; horizon before training: median (range)")
    print(f"{'':>15}  {'horizon':<13}{columns}  longest of all")
    for cell, result in results.items():
        low, middle, high = result.horizons[0], result.horizons[seeds // 2], result.horizons[-1]
        counts = "".join(f"{sum(run.solved for run in result.runs[corridor]):>8}" for corridor in corridors)
        print(f"{cell:>15}  {f'{middle} ({low}-{high})':<13}{counts}  {result.solved or '-':>8}")
    print("\nshare of the turn's gradient that arrives at the sign, before and after training: median")
    for cell, result in results.items():
        for moment, name in ((0, cell), (-1, "")):
            shares = (np.median([run.arrives[moment][1] for run in result.runs[corridor]]) for corridor in corridors)
            print(f"{name:>15}  {'after' if moment else 'before':<13}" + "".join(f"{share:>8.0e}" for share in shares))
    seconds = sum(run.seconds for result in results.values() for runs in result.runs.values() for run in runs)
    print(f"\n{seconds:.0f} s of processor time")


def draw(results: dict[str, Result], corridors: list[int], folder: Path) -> None:
    """Draw how far gradients reach before training, and how far memory reaches after it, on the same axis of steps."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print('(as a picture: pip install "mazegrad[plot]")')
        return
    figure = Figure((13, 6.5), layout="constrained")
    panels = figure.subplot_mosaic([["before", "course"], ["after", "course"]], width_ratios=[1.4, 1])
    watched = 32 if 32 in corridors else corridors[-1]
    for number, (cell, result) in enumerate(results.items()):
        colour = f"C{list(CELLS).index(cell)}"
        back = np.exp(np.mean([np.log(np.maximum(norms[::-1], 1e-30)) for norms in result.norms], axis=0))
        panels["before"].plot(range(1, len(back)), back[1:], color=colour, label=cell)
        share = [np.mean([run.solved for run in result.runs[corridor]]) for corridor in corridors]
        shift = 1.03 ** (number - len(results) / 2)  # so that equal points stay apart
        panels["after"].plot(np.array(corridors) * shift, share, "o-", color=colour, label=cell)
        for name in ("before", "after"):
            panels[name].axvline(result.horizons[len(result.horizons) // 2], color=colour, ls=":", lw=1.2)
        for i, run in enumerate(result.runs[watched]):
            steps, shares = zip(*run.arrives, strict=True)
            end = "o" if run.solved else "x"
            label = None if i else cell
            panels["course"].plot(steps, shares, color=colour, lw=1, marker=end, markevery=[-1], label=label)
    for name, axis in panels.items():
        axis.spines[["top", "right"]].set_visible(False)
        if name != "after":
            axis.set_yscale("log")
            axis.axhline(SHARE, color="#888888", ls="--", lw=1)
    panels["before"].set(
        ylabel="share of the gradient", ylim=(1e-8, 30), title="before training: what comes so far back"
    )
    panels["before"].legend(frameon=False)
    panels["after"].set(
        xlabel="steps back, or tiles of the corridor (dotted: horizon before training)",
        ylabel="share of seeds",
        title="after training: both signs walked to the goal",
    )
    for name in ("before", "after"):
        panels[name].set(xscale="log", xlim=(0.8, 1.25 * FAR))
        panels[name].set_xticks(corridors, [str(corridor) for corridor in corridors])
        panels[name].minorticks_off()
    panels["course"].set_xscale("symlog", linthresh=1)
    panels["course"].set(
        xlim=(0, None),
        xlabel="updates (o: solved, x: not)",
        ylabel="share of the gradient",
        title=f"while training: what arrives at the sign, {watched} tiles back",
    )
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "memory_horizon.png", dpi=110)
    print(f"wrote {folder / 'memory_horizon.png'}")


def main(words: list[str] | None = None) -> dict[str, Result]:
    """Measure, train, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS), metavar="CELL", help=", ".join(CELLS))
    parser.add_argument("--corridors", nargs="+", type=count, metavar="TILES", help="default: 1 2 4 8 16 32 64 128")
    parser.add_argument("--seeds", type=count, help="how many first weights; default: 5")
    parser.add_argument("--seed", type=natural, default=0, help="the first of them; default: %(default)s")
    parser.add_argument("--updates", type=count, help="at most so many; default: 2000")
    parser.add_argument("--hidden", type=count, default=32, help="default: %(default)s")
    parser.add_argument("--lr", type=positive, help="instead of the one chosen for the cell")
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
    return results


if __name__ == "__main__":
    start(main)
