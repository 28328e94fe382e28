"""A linear net of four units learns exercise 38 from nothing; its W, U and b beside those set by hand.

    python examples/train_rnn_walker.py                 # five seeds, about a minute
    python examples/train_rnn_walker.py --seed 0        # one of them
    python examples/train_rnn_walker.py --quick         # one seed and a tenth of the steps, in seconds

The net is that of the sheet, h' = W x + U h + b, h_0 = (1, 0, 0, 0): it sees four bits and goes where the largest of
its four units points. It begins with random W and U, walks along random paths of 20 steps beside an expert who knows
the map, and learns by gradients through time to say what the expert does (behaviour cloning: `DAgger` with
`expert_share=1`). It is tested on paths that it has never seen, twice, four and eight times as long.

What to look for: does it find an eigenvalue of U near 1, as the solution by hand has it? That is the heading, which has
to be kept without fading and without growing. An eigenvalue of 1.02 grows tenfold in 116 steps, one of 0.98 fades to a
tenth in 114: the counterexample says how far the net can be trusted.
"""

import argparse
import time

import gymnasium
import numpy as np

import mazegrad  # noqa: F401  (registers the environments)
from mazegrad.agents import (
    DAgger,
    RecurrentPolicy,
    RNNAgent,
    counterexample,
    evaluate,
    extract_automaton,
    path_follower,
)
from mazegrad.envs import load_maze
from mazegrad.progress import progress
from mazegrad.script import count, natural, start

LENGTH = 20  # steps of a path of training
TESTS = (20, 40, 80, 160)  # of held-out ones
PARTS = 20  # of the training, for the progress bar


def paths(length: int, lanes: int, **keywords: object) -> gymnasium.vector.VectorEnv:
    """Return an environment of random paths that do not touch themselves; a new one at each reset.

    The start is inside the path, and a dot lies below it, as h_0 = "up" says.
    """
    rooms = 4 + length // 12
    return gymnasium.make_vec(
        "mazegrad/Maze-v0", num_envs=lanes, generator="path", size=(rooms, rooms), length=length, start="inside",
        time_limit=2 * length, **keywords,
    )  # fmt: skip


def learn(seed: int, steps: int) -> DAgger:
    """Return the learner after its training."""
    env, rng = paths(LENGTH, 64, info=("optimal_actions",)), np.random.default_rng(seed)
    policy = RecurrentPolicy(
        env.single_observation_space, 4, cell="linear", hidden=4, heads=False, h0=[1, 0, 0, 0], rng=rng
    )
    learner = DAgger(env, policy, segment=LENGTH, expert_share=1.0, learning_rate=(1e-2, 1e-4, steps), rng=rng)
    for _ in progress(range(PARTS), PARTS, f"seed {seed}"):
        learner.train(-(-steps // PARTS))
    return learner


def successes(agent: RNNAgent, episodes: int) -> list[float]:
    """Return which share of held-out paths of each length in TESTS the agent follows to the goal."""
    return [float(evaluate(paths(n, episodes), agent, episodes, seed=1_000_000).successes.mean()) for n in TESTS]


def eigenvalues(agent: RNNAgent) -> np.ndarray:
    """Return the eigenvalues of U, the largest first."""
    found = np.linalg.eigvals(agent.rnn.U)
    return found[np.argsort(-abs(found))]


def in_words(values: np.ndarray) -> str:
    """Return complex numbers, the real ones without their zero."""
    return "  ".join(f"{v.real:.3f}" if abs(v.imag) < 1e-9 else f"{v.real:.3f}{v.imag:+.3f}i" for v in values)


def print_matrices(agent: RNNAgent) -> None:
    """Print W, U and b, learned on the left, set by hand on the right."""
    learned, by_hand = agent.rnn, path_follower().rnn
    print(f"\n{'':5}{'learned':34}by hand")
    for name in ("W", "U", "b"):
        rows = zip(np.atleast_2d(getattr(learned, name)), np.atleast_2d(getattr(by_hand, name)), strict=True)
        for i, (mine, theirs) in enumerate(rows):
            left, right = ("".join(f"{value:8.2f}" for value in row) for row in (mine, theirs))
            print(f"{name if i == 0 else '':2}{left}  {right}")
    print(f"\neigenvalues of U, learned: {in_words(eigenvalues(agent))}")
    print(f"                  by hand: {in_words(eigenvalues(path_follower()))}")


def print_limits(agent: RNNAgent) -> None:
    """Print where the net goes wrong first, and the automaton that it is on the sheet's path."""
    found = counterexample(agent, max_length=12, starts=("dot below",))
    if found is None:
        print("\nIt follows every path of 12 steps, and of the longer ones that were tried every one.")
    else:
        how = "the shortest path that it does not follow" if found.shortest else "found by hunting where its lead fades"
        print(f"\nIt fails after {len(found.moves) - 1} right steps ({how}):\n{found}")
    automaton = extract_automaton(agent, load_maze("sheet38"))
    print(f"\non the sheet's path: {automaton!r}")


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=natural, metavar="N", help="one seed instead of 0 to 4")
    parser.add_argument("--steps", type=count, default=400_000, metavar="N", help="of training (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="one seed and a tenth of the steps")
    options = parser.parse_args(words)
    seeds = [options.seed] if options.seed is not None else [0] if options.quick else range(5)
    steps = max(1, options.steps // 10) if options.quick else options.steps

    print("share of held-out paths followed to the goal, and the eigenvalues of U")
    print(f"{'seed':>6}{'seconds':>9}" + "".join(f"{f'{n} steps':>11}" for n in TESTS))
    agents = []
    for seed in seeds:
        begin = time.process_time()
        agents.append(learn(seed, steps).policy.as_rnn())
        seconds, shares = time.process_time() - begin, successes(agents[-1], 40 if options.quick else 200)
        figures = "".join(f"{share:>11.1%}" for share in shares)
        print(f"{seed:>6}{seconds:>9.1f}{figures}    {in_words(eigenvalues(agents[-1]))}", flush=True)
    print_matrices(agents[0])
    print_limits(agents[0])


if __name__ == "__main__":
    start(main)
