"""Which levels should one train on? Four curricula, each with several scores of levels, tested on mazes drawn by hand.

    python examples/curricula.py                                       # robust PLR by MaxMC, one seed
    python examples/curricula.py --curriculum accel --score regret     # another
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
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from mazegrad.agents import PPO, RecurrentPolicy
from mazegrad.agents.curricula import (
    LevelBuffer,
    episode_returns,
    learnability,
    max_monte_carlo,
    positive_value_loss,
    true_regret,
)
from mazegrad.agents.learners.experience import Experience, Lanes
from mazegrad.agents.learners.policy import drawn as drawn_actions
from mazegrad.envs import HOLDOUTS, PLANES, Maze, World, load_maze, mutate
from mazegrad.progress import progress
from mazegrad.script import count, natural, start

SIDE, VIEW, DISCOUNT = 13, 5, 0.995
TRAINED, TESTED = 125, 250  # the longest episodes, in steps
SEGMENT = 128
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


def score_of(
    kind: str, levels: Sequence[Maze], experience: Experience, learner: PPO, largest: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each level's score (lanes,) by one rollout, and the largest return ever seen in each.

    Args:
        kind: one of `SCORES`.
        levels: what each lane was in.
        experience: the rollout; lanes begin anew in the same level.
        learner: whose critic judges.
        largest: (lanes,), the largest return before, -inf where the level is new.
    """
    ended, rewards = experience.terminated | experience.truncated, experience.rewards * experience.live
    returns = episode_returns(ended, rewards, discount=DISCOUNT)
    largest = np.array([max([seen, *one]) for seen, one in zip(largest, returns, strict=True)])
    values, advantages = learner.judge(experience)
    if kind == "max_mc":
        scores = max_monte_carlo(ended, values[:-1], largest)
    elif kind == "pvl":
        scores = positive_value_loss(ended, advantages)
    elif kind == "learnability":
        ends = np.maximum(ended.sum(axis=0), 1)
        scores = learnability((experience.terminated & (rewards > 0)).sum(axis=0) / ends)
    else:
        means = np.array([one.mean() if len(one) else -np.inf for one in returns])
        scores = true_regret(World.compile(levels), np.where(np.isfinite(means), means, 0.0), discount=DISCOUNT)
        scores[~np.isfinite(means)] = -np.inf
    return np.where(np.isfinite(scores), scores, 0.0), largest


# ----------------------------------------------------------------------------------------------------------- curricula
class Seen(gymnasium.vector.VectorObservationWrapper):
    """Leaves two planes of an observation: what is closed, and the goal. A net with few inputs learns faster."""

    KEPT = PLANES.index("closed"), PLANES.index("goal")

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.single_observation_space = spaces.Box(0, 1, (2, VIEW, VIEW), np.uint8)
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, env.num_envs)

    def observations(self, observations: Any) -> Any:
        """Return (lanes, 2, VIEW, VIEW)."""
        return observations[:, list(self.KEPT)]


def make_env(levels: Sequence[Maze], longest: int) -> Any:
    """Return a vector environment with a lane in each level, and episodes of at most `longest` steps."""
    return Seen(gymnasium.make_vec(
        "mazegrad/GridWorld-v0", num_envs=len(levels), maze=list(levels), observation="view", view_size=VIEW,
        encoding="planes", time_limit=longest, map_warnings=False,
    ))  # fmt: skip


def train(curriculum: str, score: str, steps: int, *, lanes: int = 64, seed: int = 0, capacity: int = 1000) -> PPO:
    """Train an agent in levels that a curriculum chooses.

    Args:
        curriculum: one of `CURRICULA`.
        score: one of `SCORES`; domain randomisation has no use for it.
        steps: of all lanes together; those in which levels are only judged count as well.
        lanes: levels at a time.
        seed: of everything.
        capacity: levels in the buffer.
    """
    rng = np.random.default_rng(seed)
    env = make_env(random_levels(lanes, rng), TRAINED)
    policy = RecurrentPolicy(
        env.single_observation_space, env.single_action_space, "gru", 64, previous_action=True, rng=rng
    )
    learner = PPO(
        env, policy, segment=SEGMENT, minibatches=2, discount=DISCOUNT, entropy=0.03,
        learning_rate=(2e-3, 2e-4, steps), rng=rng,
    )  # fmt: skip
    buffer = LevelBuffer(
        capacity, replay_probability=0.8, staleness=0.3, fill=0.5, temperature=0.3, duplicates=True, rng=rng
    )

    def walk(levels: Sequence[Maze]) -> Experience:
        learner.lanes.restart({"maze": list(levels)})
        return learner.collect()

    def judge(levels: Sequence[Maze], experience: Experience) -> None:
        scores, largest = score_of(score, levels, experience, learner, np.full(lanes, -np.inf))
        buffer.insert(levels, scores, largest.tolist())

    def rounds() -> Iterator[int]:
        while learner.steps < steps:
            yield learner.steps

    for _ in progress(rounds(), -(-steps // (lanes * SEGMENT)), f"{curriculum}, {score}"):
        if curriculum == "dr":
            learner.learn(walk(random_levels(lanes, rng)))
        elif not buffer.replay_now():
            levels = random_levels(lanes, rng)
            experience = walk(levels)
            judge(levels, experience)
            if curriculum == "plr":
                learner.learn(experience)
        else:
            drawn = buffer.draw(lanes)
            experience = walk(drawn.levels)
            before = np.array([buffer.extra[place] for place in drawn.places.tolist()])
            scores, largest = score_of(score, drawn.levels, experience, learner, before)
            buffer.update(drawn.places, scores, largest.tolist())
            learner.learn(experience)
            if curriculum == "accel":
                edited = [mutate(level, rng, 10) for level in drawn.levels]
                judge(edited, walk(edited))
    return learner


def solve_rates(policy: RecurrentPolicy, seed: int, attempts: int = 20) -> dict[str, float]:
    """Return how often a policy, which draws its actions, reaches the goal of each holdout in `TESTED` steps."""
    rng = np.random.default_rng(seed)
    lanes = Lanes(make_env([load_maze(name) for name in HOLDOUTS for _ in range(attempts)], TESTED), policy, seed)
    walked = lanes.collect(TESTED, lambda logits, _: drawn_actions(logits, rng))
    first = (walked.terminated | walked.truncated).argmax(axis=0)  # the step that ended each lane's first episode
    solved = walked.terminated[first, np.arange(len(first))].reshape(len(HOLDOUTS), attempts)
    return dict(zip(HOLDOUTS, solved.mean(axis=1).tolist(), strict=True))


# --------------------------------------------------------------------------------------------------------------- table
def run(curriculum: str, score: str, steps: int, seed: int) -> dict[str, Any]:
    """Train and test once; return what is written down."""
    began = time.process_time()
    learner = train(curriculum, score, steps, seed=seed)
    seconds = time.process_time() - began
    score = "" if curriculum == "dr" else score
    key = {"curriculum": curriculum, "score": score, "seed": seed, "steps": steps}
    return key | {"made": learner.steps, "seconds": round(seconds), "solved": solve_rates(learner.policy, seed)}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the means over seeds as a Markdown table: curricula by holdouts, with the spread of the mean of all."""
    lines = [
        "| curriculum | score | seeds | " + " | ".join(name.replace("_", " ") for name in HOLDOUTS) + " | mean |",
        "| --- | --- | ---: |" + " ---: |" * (len(HOLDOUTS) + 1),
    ]
    for curriculum in CURRICULA:
        for score in ("", *SCORES):
            found = [row["solved"] for row in rows if (row["curriculum"], row["score"]) == (curriculum, score)]
            if found:
                rates = np.array([[row[name] for name in HOLDOUTS] for row in found])
                means = " | ".join(f"{rate:.2f}" for rate in rates.mean(axis=0))
                overall = f"**{rates.mean():.2f}** ± {rates.mean(axis=1).std():.2f}"
                lines.append(f"| {curriculum} | {score} | {len(found)} | {means} | {overall} |")
    return "\n".join(lines)


def main(words: list[str] | None = None) -> None:
    """Train, test, and print; or print the table of what was trained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curriculum", choices=CURRICULA, default="robust_plr", help="default: %(default)s")
    parser.add_argument("--score", choices=SCORES, default="max_mc", help="default: %(default)s")
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
    steps = 200_000 if options.quick else options.steps
    pairs = [(options.curriculum, options.score)]
    if options.all:
        pairs = [("dr", "max_mc")] + [(curriculum, score) for curriculum in CURRICULA[1:] for score in SCORES]
    rows: list[dict[str, Any]] = []
    if options.out and options.out.exists():
        rows = [json.loads(line) for line in options.out.read_text(encoding="utf-8").splitlines()]
    for seed in range(options.seed, options.seed + options.seeds):
        for curriculum, score in pairs:
            key = (curriculum, "" if curriculum == "dr" else score, seed, steps)
            if key in {tuple(row[name] for name in ("curriculum", "score", "seed", "steps")) for row in rows}:
                continue
            rows.append(run(curriculum, score, steps, seed))
            solved = ", ".join(f"{name} {rate:.2f}" for name, rate in rows[-1]["solved"].items())
            print(f"{' '.join(map(str, key))}: {rows[-1]['seconds']} s; solved {solved}", flush=True)
            if options.out:
                with options.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    print(table(rows))


if __name__ == "__main__":
    start(main)
