"""Which levels should one train on? Four curricula, each with several scores of levels, tested on mazes drawn by hand.

    python examples/curricula.py                                       # robust PLR by MaxMC, one seed
    python examples/curricula.py --curriculum accel --score regret     # another
    python examples/curricula.py --engine jax                          # the learner of train_on_device.py (extra: jax)
    python examples/curricula.py --all --seeds 5 --out results.jsonl   # the whole table, an hour; goes on where it was
    python examples/curricula.py --table results.jsonl                 # prints the table of what is there

dr          domain randomisation: each level is new (Tobin et al. 2017).
plr         prioritized level replay: sometimes new levels, mostly those that scored high (Jiang et al. 2021a).
robust_plr  the same, but new levels are only judged: the agent learns in replayed ones alone (Jiang et al. 2021b).
accel       robust PLR; replayed levels are also edited a little, judged, and kept if they score high (Parker-Holder et
            al. 2022).

A level's score says how much there is to learn in it:

max_mc        the largest return ever seen in it, minus what the critic expected (Jiang et al. 2021b)
pvl           the mean positive advantage (Jiang et al. 2021a)
learnability  p (1 - p) for the share p of episodes that reach the goal (Rutherford et al. 2024)
regret        V* minus the return, exactly. The others estimate it; here the optimum of each level is computed.

A level has 13 x 13 tiles in a border, up to 60 of them walls, a start and a goal; it may be unsolvable. The agent has
a GRU, and sees which of the 5 x 5 tiles around it are closed, and which the goal. It trains in episodes of at most 125
steps. The test is on eight mazes that are drawn after those on which this field reports, and on which nothing is
trained, in 250 steps. Lanes, rates and net were chosen by looks at domain randomisation, and are the same for all.

Who learns is either the PPO of `mazegrad.agents`, in numpy, or that of train_on_device.py on the functional engine, in
JAX: levels go in as tables of one shape, so that walking and learning are compiled once.
"""

import argparse
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import gymnasium
import numpy as np
import train_on_device
from gymnasium import spaces

from mazegrad.agents import PPO, RecurrentPolicy
from mazegrad.agents.curricula import (
    episode_returns,
    learnability,
    max_monte_carlo,
    positive_value_loss,
    true_regret,
)
from mazegrad.agents.learners.experience import Experience, Lanes
from mazegrad.agents.learners.policy import drawn as drawn_actions
from mazegrad.envs import HOLDOUTS, PLANES, LevelBuffer, Maze, World, functional, load_maze, mutate
from mazegrad.extras import require
from mazegrad.progress import progress
from mazegrad.script import count, natural, start

SIDE, VIEW, DISCOUNT = 13, 5, 0.995
TRAINED, TESTED = 125, 250  # the longest episodes, in steps
LANES, SEGMENT, UNITS = 64, 128, 64
MINIBATCHES, EPOCHS, ENTROPY = 2, 4, 0.03
RATES = 2e-3, 2e-4  # at first, and in the end
CURRICULA = ("dr", "plr", "robust_plr", "accel")
SCORES = ("max_mc", "pvl", "learnability", "regret")


# ------------------------------------------------------------------------------------------------------------- levels
def random_levels(n: int, rng: np.random.Generator, most_walls: int = 60) -> list[Maze]:
    """Return n levels: walls, start and goal wherever they fall."""
    levels = []
    for walls in rng.integers(0, most_walls + 1, n).tolist():
        inside = np.full(SIDE * SIDE, ord("."), np.uint8)
        places = rng.permutation(SIDE * SIDE)[: walls + 2]
        inside[places] = ord("#")
        inside[places[:2]] = ord("S"), ord("G")
        levels.append(Maze(np.pad(inside.reshape(SIDE, SIDE), 1, constant_values=ord("#"))))
    return levels


class Walk(NamedTuple):
    """A rollout of lanes, each in a level, as its learner judges it; (steps, lanes) each."""

    ended: np.ndarray
    """whether the step ended an episode; lanes begin anew in the same level"""
    solved: np.ndarray
    """whether it led to the goal"""
    rewards: np.ndarray
    values: np.ndarray
    """what the critic expected"""
    advantages: np.ndarray
    whole: Any
    """what the learner learns from"""


def score_of(kind: str, levels: Sequence[Maze], walk: Walk, largest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each level's score, and the largest return ever seen in each; (lanes,).

    Args:
        kind: one of `SCORES`.
        levels: what each lane was in.
        walk: in these levels.
        largest: (lanes,), the largest return before, -inf where the level is new.
    """
    returns = episode_returns(walk.ended, walk.rewards, discount=DISCOUNT)
    largest = np.array([max([seen, *one]) for seen, one in zip(largest, returns, strict=True)])
    if kind == "max_mc":
        scores = max_monte_carlo(walk.ended, walk.values, largest)
    elif kind == "pvl":
        scores = positive_value_loss(walk.ended, walk.advantages)
    elif kind == "learnability":
        scores = learnability(walk.solved.sum(axis=0) / np.maximum(walk.ended.sum(axis=0), 1))
    else:
        means = np.array([one.mean() if len(one) else -np.inf for one in returns])
        scores = true_regret(World.compile(levels), np.where(np.isfinite(means), means, 0.0), discount=DISCOUNT)
        scores[~np.isfinite(means)] = -np.inf
    return np.where(np.isfinite(scores), scores, 0.0), largest


# ------------------------------------------------------------------------------------------------------------ learners
# what the agent sees, of the planes of a view: what is closed, and the goal; a net with few inputs learns faster
SEEN = [PLANES.index("closed"), PLANES.index("goal")]
SIGHT: dict[str, Any] = {"observation": "view", "view_size": VIEW, "encoding": "planes", "map_warnings": False}


class Learner(Protocol):
    """What a curriculum needs of a learner."""

    @property
    def steps(self) -> int:
        """Steps of all lanes together, until now."""

    def walk(self, levels: Sequence[Maze]) -> Walk:
        """Walk a segment, each lane in one of these levels from its start on."""

    def learn(self, walk: Walk) -> None:
        """Learn from it."""

    def trial(self, levels: Sequence[Maze], seed: int) -> Walk:
        """Walk `TESTED` steps in these levels, in episodes of as many at most."""


class InNumpy:
    """The recurrent PPO of `mazegrad.agents`."""

    def __init__(self, levels: Sequence[Maze], steps: int, seed: int, rng: np.random.Generator) -> None:
        env = make_env(levels, TRAINED)
        policy = RecurrentPolicy(
            env.single_observation_space, env.single_action_space, "gru", UNITS, previous_action=True, rng=rng
        )
        self.ppo = PPO(
            env, policy, segment=SEGMENT, minibatches=MINIBATCHES, epochs=EPOCHS, discount=DISCOUNT, entropy=ENTROPY,
            learning_rate=(*RATES, steps), rng=rng,
        )  # fmt: skip

    @property
    def steps(self) -> int:
        """See `Learner`."""
        return self.ppo.steps

    def walk(self, levels: Sequence[Maze]) -> Walk:
        """See `Learner`."""
        self.ppo.lanes.restart({"maze": list(levels)})
        return self.judged(self.ppo.collect())

    def learn(self, walk: Walk) -> None:
        """See `Learner`."""
        self.ppo.learn(walk.whole)

    def trial(self, levels: Sequence[Maze], seed: int) -> Walk:
        """See `Learner`."""
        rng = np.random.default_rng(seed)
        lanes = Lanes(make_env(levels, TESTED), self.ppo.policy, seed)
        return self.judged(lanes.collect(TESTED, lambda logits, _: drawn_actions(logits, rng)))

    def judged(self, experience: Experience) -> Walk:
        """Return experience with what the critic makes of it."""
        values, advantages = self.ppo.judge(experience)
        ended, rewards = experience.terminated | experience.truncated, experience.rewards * experience.live
        return Walk(ended, experience.terminated & (rewards > 0), rewards, values[:-1], advantages, experience)


class Seen(gymnasium.vector.VectorObservationWrapper):
    """Leaves the planes `SEEN` of an observation."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.single_observation_space = spaces.Box(0, 1, (len(SEEN), VIEW, VIEW), np.uint8)
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, env.num_envs)

    def observations(self, observations: Any) -> Any:
        """Return (lanes, 2, VIEW, VIEW)."""
        return observations[:, SEEN]


def make_env(levels: Sequence[Maze], longest: int) -> Any:
    """Return a vector environment with a lane in each level, and episodes of at most `longest` steps."""
    name, mazes = "mazegrad/GridWorld-v0", list(levels)
    return Seen(gymnasium.make_vec(name, num_envs=len(mazes), maze=mazes, time_limit=longest, **SIGHT))


class InJax:
    """The recurrent PPO of train_on_device.py, on the functional engine."""

    def __init__(self, levels: Sequence[Maze], steps: int, seed: int, rng: np.random.Generator) -> None:
        jax = require("jax", "jax")
        self.settings = train_on_device.Settings(
            rate=(*RATES, steps), segment=SEGMENT, discount=DISCOUNT, entropy=ENTROPY, epochs=EPOCHS,
            groups=MINIBATCHES,
        )  # fmt: skip
        self.memory = train_on_device.beginner(*tables_and_keys(levels, TRAINED), UNITS, jax.random.key(seed))

    @property
    def steps(self) -> int:
        """See `Learner`."""
        return int(self.memory.steps)

    def walk(self, levels: Sequence[Maze]) -> Walk:
        """See `Learner`."""
        walk, _ = compiled()
        self.memory, segment = walk(self.settings, *tables_and_keys(levels, TRAINED), self.memory)
        return self.judged(segment)

    def learn(self, walk: Walk) -> None:
        """See `Learner`."""
        _, improve = compiled()
        self.memory = improve(self.settings, self.memory, walk.whole)

    def trial(self, levels: Sequence[Maze], seed: int) -> Walk:
        """See `Learner`."""
        walk, _ = compiled()
        memory = self.memory._replace(key=require("jax", "jax").random.key(seed))
        _, segment = walk(self.settings._replace(segment=TESTED), *tables_and_keys(levels, TESTED), memory)
        return self.judged(segment)

    def judged(self, segment: train_on_device.Segment) -> Walk:
        """Return what a curriculum needs of a segment, which was judged on the device, as arrays of numpy."""
        moments = segment.moments
        solved = moments.terminated & (moments.reward > 0)
        judged = moments.terminated | moments.truncated, solved, moments.reward, moments.value, segment.gain
        return Walk(*map(np.asarray, judged), segment)


def tables_and_keys(levels: Sequence[Maze], longest: int) -> tuple[functional.Tables, Any]:
    """Return the tables of lanes in these levels, of the same shapes for all levels, and the keys of the lanes."""
    tables = functional.tables(list(levels), xp="jax", states=len(levels) * SIDE * SIDE, time_limit=longest, **SIGHT)
    return tables._replace(seen=tables.seen[:, np.array(SEEN)]), functional.keys(tables, 0, len(levels))


@cache
def compiled() -> tuple[Any, Any]:
    """Return the learner's walk from the starts of levels, and its update, compiled for all that are of one shape."""
    jax = require("jax", "jax")

    def walk(settings: Any, tables: functional.Tables, keys: Any, memory: Any) -> Any:
        return train_on_device.walk(settings, tables, train_on_device.begun(tables, keys, memory))

    return jax.jit(walk, static_argnums=0), jax.jit(train_on_device.improve, static_argnums=0)


ENGINES = {"numpy": InNumpy, "jax": InJax}


# ----------------------------------------------------------------------------------------------------------- curricula
def train(
    engine: str, curriculum: str, score: str, steps: int, *, lanes: int = LANES, seed: int = 0, capacity: int = 1000
) -> Learner:
    """Train an agent in levels that a curriculum chooses.

    Args:
        engine: one of `ENGINES`.
        curriculum: one of `CURRICULA`.
        score: one of `SCORES`; domain randomisation has no use for it.
        steps: of all lanes together; those in which levels are only judged count as well.
        lanes: levels at a time.
        seed: of everything.
        capacity: levels in the buffer.
    """
    rng = np.random.default_rng(seed)
    learner: Learner = ENGINES[engine](random_levels(lanes, rng), steps, seed, rng)
    buffer = LevelBuffer(
        capacity, replay_probability=0.8, staleness=0.3, fill=0.5, temperature=0.3, duplicates=True, rng=rng
    )

    def judge(levels: Sequence[Maze], walk: Walk) -> None:
        scores, largest = score_of(score, levels, walk, np.full(lanes, -np.inf))
        buffer.insert(levels, scores, largest.tolist())

    def rounds() -> Iterator[int]:
        while learner.steps < steps:
            yield learner.steps

    for _ in progress(rounds(), -(-steps // (lanes * SEGMENT)), f"{curriculum}, {score}"):
        if curriculum == "dr":
            learner.learn(learner.walk(random_levels(lanes, rng)))
        elif not buffer.replay_now():
            levels = random_levels(lanes, rng)
            walk = learner.walk(levels)
            judge(levels, walk)
            if curriculum == "plr":
                learner.learn(walk)
        else:
            drawn = buffer.draw(lanes)
            walk = learner.walk(drawn.levels)
            before = np.array([buffer.extra[place] for place in drawn.places.tolist()])
            scores, largest = score_of(score, drawn.levels, walk, before)
            buffer.update(drawn.places, scores, largest.tolist())
            learner.learn(walk)
            if curriculum == "accel":
                edited = [mutate(level, rng, 10) for level in drawn.levels]
                judge(edited, learner.walk(edited))
    return learner


def solve_rates(learner: Learner, seed: int, attempts: int = 20) -> dict[str, float]:
    """Return how often an agent, which draws its actions, reaches the goal of each holdout in `TESTED` steps."""
    walk = learner.trial([load_maze(name) for name in HOLDOUTS for _ in range(attempts)], seed)
    first = walk.ended.argmax(axis=0)  # the step that ended each lane's first episode
    solved = walk.solved[first, np.arange(len(first))].reshape(len(HOLDOUTS), attempts)
    return dict(zip(HOLDOUTS, solved.mean(axis=1).tolist(), strict=True))


# --------------------------------------------------------------------------------------------------------------- table
NAMED = ("engine", "curriculum", "score", "seed", "steps")
"""what names a run"""


def run(engine: str, curriculum: str, score: str, steps: int, seed: int) -> dict[str, Any]:
    """Train and test once; return what is written down."""
    began = time.process_time()
    learner = train(engine, curriculum, score, steps, seed=seed)
    seconds = time.process_time() - began
    named = dict(zip(NAMED, (engine, curriculum, "" if curriculum == "dr" else score, seed, steps), strict=True))
    return named | {"made": learner.steps, "seconds": round(seconds), "solved": solve_rates(learner, seed)}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the means over seeds as a Markdown table: curricula by holdouts, with the spread of the mean of all."""
    lines = [
        "| engine | curriculum | score | seeds | "
        + " | ".join(name.replace("_", " ") for name in HOLDOUTS)
        + " | mean |",
        "| --- | --- | --- | ---: |" + " ---: |" * (len(HOLDOUTS) + 1),
    ]
    for key in itertools.product(ENGINES, CURRICULA, ("", *SCORES)):
        found = [row["solved"] for row in rows if (row["engine"], row["curriculum"], row["score"]) == key]
        if found:
            rates = np.array([[row[name] for name in HOLDOUTS] for row in found])
            means = " | ".join(f"{rate:.2f}" for rate in rates.mean(axis=0))
            spread = f" ± {rates.mean(axis=1).std():.2f}" if len(found) > 1 else ""
            overall = f"**{rates.mean():.2f}**{spread}"
            lines.append(f"| {' | '.join(key)} | {len(found)} | {means} | {overall} |")
    return "\n".join(lines)


def main(words: list[str] | None = None) -> None:
    """Train, test, and print; or print the table of what was trained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curriculum", choices=CURRICULA, default="robust_plr", help="default: %(default)s")
    parser.add_argument("--score", choices=SCORES, default="max_mc", help="default: %(default)s")
    parser.add_argument("--engine", choices=ENGINES, default="numpy", help="who learns; default: %(default)s")
    parser.add_argument("--steps", type=count, default=3_000_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=natural, default=0, metavar="S", help="default: %(default)s")
    parser.add_argument("--seeds", type=count, default=1, metavar="N", help="how many, from --seed on; default: 1")
    parser.add_argument("--all", action="store_true", help="all curricula with all scores")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="add a line for each run; runs that are there are kept"
    )
    parser.add_argument("--table", type=Path, metavar="FILE", help="print the table of such a file, and train nothing")
    parser.add_argument("--quick", action="store_true", help="a few updates, in seconds")
    options = parser.parse_args(words)
    if options.table:
        print(table([json.loads(line) for line in options.table.read_text(encoding="utf-8").splitlines()]))
        return
    if options.engine == "jax":
        for module in ("jax", "optax"):
            require(module, "jax")
    steps = 200_000 if options.quick else options.steps
    pairs = [(options.curriculum, options.score)]
    if options.all:
        pairs = [("dr", "max_mc")] + [(curriculum, score) for curriculum in CURRICULA[1:] for score in SCORES]
    rows: list[dict[str, Any]] = []
    if options.out and options.out.exists():
        rows = [json.loads(line) for line in options.out.read_text(encoding="utf-8").splitlines()]
    for seed in range(options.seed, options.seed + options.seeds):
        for curriculum, score in pairs:
            key = (options.engine, curriculum, "" if curriculum == "dr" else score, seed, steps)
            if key in {tuple(row[name] for name in NAMED) for row in rows}:
                continue
            rows.append(run(options.engine, curriculum, score, steps, seed))
            solved = ", ".join(f"{name} {rate:.2f}" for name, rate in rows[-1]["solved"].items())
            print(f"{' '.join(map(str, key))}: {rows[-1]['seconds']} s; solved {solved}", flush=True)
            if options.out:
                with options.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    print(table(rows))


if __name__ == "__main__":
    start(main)
