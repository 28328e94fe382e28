"""A job is one run of a learner, or the exact bounds of a task; its result depends on the job alone."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import gymnasium
import numpy as np

from .. import __version__
from ..agents import Agent, RandomAgent, RecurrentPolicy, certify_memory, evaluate
from ..agents.learners import Learner
from ..envs import INFO, MazeEnv, World, evaluate_policy, hitting_times, value_iteration
from ..nn import NonFiniteGradient
from ..standing import HELD_OUT, MAX_STATES, MAX_WORLDS, vector_env
from ..tables import TABLES, TableTraining
from ..train import DEFAULTS
from ..train import LEARNERS as NETS

DISCOUNT: Final = 0.99
CUT: Final = 500
"""steps after which an episode that is scored ends: later rewards count less than 0.99 ** 500 = 0.7 %"""
EPISODES: Final = 100
"""of which a score is the mean: where each reset makes a new maze, V* is the mean over the same mazes"""
SLIPPERY: Final = 1000
"""the same where moves slip"""
POINTS: Final = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
"""of each power of ten: after this many steps a learner is scored"""
FIRST: Final = 1000
"""steps of a table before the first point of a curve; of a net ten times as many"""
CERTIFYING: Final = 20.0
"""seconds to search for the best memoryless policy"""

OBSERVED: Final = ("dots", "index", "position", "view", "map")
"""what the difficulty is measured with; "pixels" hold what "map" holds, in a thousand times as many numbers"""


class Kind(NamedTuple):
    """A learner as it is scored: as `mazegrad train` makes it, with these options."""

    agent: str
    """the option --agent"""
    steps: int
    cell: str = ""
    """of a net"""


LANES: Final = 64
UNITS: Final = 64
TABLE_STEPS: Final = 100_000
NET_STEPS: Final = 200_000

# name -> a learner of the table of scores, and how long it learns
LEARNERS: Final[Mapping[str, Kind]] = MappingProxyType(
    {name: Kind(name, TABLE_STEPS) for name in TABLES}
    | {
        "ppo": Kind("ppo", NET_STEPS, "none"),
        "recurrent_ppo": Kind("ppo", NET_STEPS, "gru"),
        "reinforce": Kind("reinforce", NET_STEPS, "gru"),
        "dagger": Kind("dagger", NET_STEPS, "gru"),
    }
)
"""name -> how it is scored"""

BOUNDS: Final = "bounds"
"""the learner of a job that computes chance, the best memoryless policy and the optimum"""


@dataclass(frozen=True)
class Job:
    """One run: everything that its result depends on, besides the version of the library.

    Example:
        >>> from mazegrad.scores import Job
        >>> job = Job("mazegrad/CliffWalk-v0", "index", "q_learning", seed=3, steps=1000)
        >>> job.key
        '{"env_id": "mazegrad/CliffWalk-v0", "keywords": {}, "learner": "q_learning", "observation": "index",
         "seed": 3, "steps": 1000}'
    """

    env_id: str
    observation: str
    learner: str
    """a name of `LEARNERS`, or `BOUNDS`"""
    seed: int = 0
    steps: int = 0
    keywords: Mapping[str, Any] = field(default_factory=dict)
    """of the environment"""

    @property
    def key(self) -> str:
        """A text that tells it from all others."""
        return json.dumps(asdict(self), sort_keys=True)


class Result(NamedTuple):
    """The result of a job.

    Example:
        >>> from mazegrad.scores import Job, Result
        >>> job = Job("mazegrad/CliffWalk-v0", "index", "q_learning", steps=1000)
        >>> result = Result(job, {"return": -12.2}, seconds=0.3, version="0.1.0")
        >>> Result.from_json(result.to_json()) == result
        True
    """

    job: Job
    figures: Mapping[str, Any]
    """of a learner: "return" (discounted), "success", "length", "steps" (made) and "curve", a list of (steps, return,
    success); "failed" if it diverged. Of bounds: see `bounds`"""
    seconds: float
    version: str

    def to_json(self) -> str:
        """Return it as one line."""
        return json.dumps({**self._asdict(), "job": asdict(self.job)})

    @classmethod
    def from_json(cls, line: str) -> "Result":
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is something else.
        """
        try:
            fields = json.loads(line)
            return cls(**fields | {"job": Job(**fields["job"])})
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"this is not the result of a run: {error}") from None


@dataclass(frozen=True)
class Plan:
    """The jobs of a table of scores: all learners with several seeds, and some of them with every observation.

    Args:
        ids: environments.
        learners: names of `LEARNERS`.
        seeds: how many, from 0 on.
        steps: of each run; None: those of `LEARNERS`.
        observed: what the learners of `WIDE` see besides, for the table of difficulty.
        wide_seeds: how many seeds these runs have.

    Example:
        >>> from mazegrad.scores import Plan
        >>> plan = Plan(["mazegrad/CliffWalk-v0"], ["sarsa", "q_learning"], seeds=2, wide_seeds=0)
        >>> [(job.learner, job.seed) for job in plan.jobs()]
        [('bounds', 0), ('sarsa', 0), ('q_learning', 0), ('sarsa', 1), ('q_learning', 1)]
    """

    ids: Sequence[str]
    learners: Sequence[str]
    seeds: int
    steps: int | None = None
    observed: Sequence[str] = OBSERVED
    wide_seeds: int = 3

    def job(self, env_id: str, learner: str, observation: str, seed: int) -> Job:
        """Return the job of one run."""
        return Job(env_id, observation, learner, seed, self.steps or LEARNERS[learner].steps)

    def bounds(self, env_id: str, observation: str) -> Job:
        """Return the job that computes the bounds of one task."""
        return Job(env_id, observation, BOUNDS)

    def wide(self) -> list[str]:
        """Return the learners that are run with every observation."""
        return [name for name in WIDE if name in self.learners] if self.wide_seeds else []

    def observations(self, env_id: str) -> list[str]:
        """Return all observations with which something is run in an environment, its own first."""
        return list(dict.fromkeys([own_observation(env_id), *(self.observed if self.wide() else ())]))

    def jobs(self) -> list[Job]:
        """Return all jobs, in an order in which what is finished early is a table already."""
        jobs = [self.bounds(env_id, seen) for env_id in self.ids for seen in self.observations(env_id)]
        jobs += [job for seed in range(self.seeds) for job in self._main(seed)]
        jobs += [job for seed in range(self.wide_seeds) for job in self._wide(seed)]
        return list({job.key: job for job in jobs}.values())

    def _main(self, seed: int) -> Iterator[Job]:
        for env_id in self.ids:
            yield from (self.job(env_id, name, own_observation(env_id), seed) for name in self.learners)

    def _wide(self, seed: int) -> Iterator[Job]:
        for seen in self.observed:
            yield from (self.job(env_id, name, seen, seed) for env_id in self.ids for name in self.wide())


WIDE: Final = ("q_learning", "ppo", "recurrent_ppo")
"""the learners by which the difficulty is measured"""


@cache
def own_observation(env_id: str) -> str:
    """Return what learners see in an environment: the place, "index", or where each reset makes another maze "dots"."""
    return "index" if len(list(worlds_of(env_id, {}, 2 * MAX_WORLDS))) == 1 else "dots"


# -------------------------------------------------------------------------------------------------------------- running
def run_job(job: Job) -> Result:
    """Run a job here: train and score its learner, or compute the bounds.

    Example:
        >>> from mazegrad.scores import Job, run_job
        >>> result = run_job(Job("mazegrad/CliffWalk-v0", "index", "q_learning", steps=1000))
        >>> sorted(result.figures), result.figures["steps"] >= 1000
        (['curve', 'length', 'return', 'steps', 'success'], True)
    """
    begin = time.process_time()
    figures = bounds(job) if job.learner == BOUNDS else learned(job)
    return Result(job, figures, round(time.process_time() - begin, 2), __version__)


def points(steps: int, first: int = FIRST) -> Iterator[int]:
    """Yield after how many steps a run is scored, from the first (a power of ten) to `steps`."""
    power = first
    while True:
        for factor in POINTS:
            if round(factor * power) >= steps:
                yield steps
                return
            yield round(factor * power)
        power *= 10


def learned(job: Job) -> dict[str, Any]:
    """Train a learner, score it on the way and at the end."""
    kind, keywords = LEARNERS[job.learner], {"observation": job.observation, **job.keywords}
    learner: Any
    if kind.agent in TABLES:
        env = gymnasium.make(job.env_id, **keywords)
        learner = TableTraining(kind.agent, env, {}, keywords, np.random.default_rng(job.seed))
    else:
        learner = net_learner(kind, job.env_id, keywords, job.steps, job.seed)
    agent, scorer = getattr(learner, "table", learner), Scorer(job)
    curve: list[list[float]] = []
    for point in points(job.steps, FIRST if kind.agent in TABLES else 10 * FIRST):
        if learner.steps >= point:  # the last update, or episode, went further
            continue
        try:
            learner.train(point - learner.steps, lambda _: None)
        except NonFiniteGradient as error:
            return {"failed": f"diverged after {learner.steps:,} steps: {error}", "curve": curve}
        mean, success, _ = scorer.score(agent)
        curve.append([learner.steps, round(mean, 4), round(success, 4)])
    mean, success, length = scorer.score(agent)
    return {"return": mean, "success": success, "length": length, "steps": learner.steps, "curve": curve}


def net_learner(
    kind: Kind, env_id: str, keywords: Mapping[str, Any], steps: int, seed: int, **settings: Any
) -> Learner:
    """Make a learner with a net as `mazegrad train` does, with settings over its own."""
    make: Any = NETS[kind.agent]
    if make.experts:
        keywords = {**keywords, "info": tuple(info for info in make.experts if info in INFO)[:1]}
    rng = np.random.default_rng(seed)
    env = vector_env(env_id, LANES, keywords)
    seen, actions = env.single_observation_space, env.single_action_space
    policy = RecurrentPolicy(seen, actions, kind.cell, UNITS, previous_action=kind.cell != "none", rng=rng)
    learner: Learner = make(env, policy, **{**DEFAULTS[kind.agent](steps), **settings}, rng=rng)
    return learner


class Scorer:
    """Held-out episodes of a job's environment; only one where all of them are the same."""

    def __init__(self, job: Job) -> None:
        self.env_id, self.keywords = job.env_id, {"observation": job.observation, **job.keywords}
        limit = _bare(job.env_id, job.keywords).time_limit
        self.keywords = {"time_limit": CUT if limit is None else min(limit, CUT)} | self.keywords
        worlds = list(worlds_of(job.env_id, job.keywords, 2 * MAX_WORLDS))
        slips = any(world.slip.any() for world in worlds)
        self.episodes = SLIPPERY if slips else EPISODES
        self.always_the_same = len(worlds) == 1 and len(worlds[0].start_states) == 1 and not slips

    def score(self, agent: Agent) -> tuple[float, float, float]:
        """Return the mean discounted return, the success and the mean length of episodes of an agent."""
        episodes = 1 if self.always_the_same and not isinstance(agent, RandomAgent) else self.episodes
        found = evaluate(vector_env(self.env_id, episodes, self.keywords), agent, episodes, HELD_OUT, discount=DISCOUNT)
        return float(found.returns.mean()), float(found.successes.mean()), float(found.lengths.mean())


def _bare(env_id: str, keywords: Mapping[str, Any]) -> MazeEnv:
    bare = gymnasium.make(env_id, **keywords).unwrapped
    assert isinstance(bare, MazeEnv)
    return bare


def worlds_of(env_id: str, keywords: Mapping[str, Any], episodes: int) -> Iterator[World]:
    """Yield the different worlds of an environment's held-out episodes."""
    env, seen = _bare(env_id, keywords), set()
    for episode in range(episodes):
        env.reset(seed=HELD_OUT + episode)
        if env.maze.digest not in seen:
            seen.add(env.maze.digest)
            yield env.world


# --------------------------------------------------------------------------------------------------------------- bounds
def bounds(job: Job) -> dict[str, Any]:
    """Return what a random walk, the best memoryless policy and the best policy earn, by exact tables.

    Returns:
        "random", "optimum": expected discounted returns; "memoryless": bounds of the same, or None where there are too
        many worlds, or they are too large; "hitting": the expected steps of a random walk to a goal; "success": of a
        random walk, in episodes as learners are scored in; "worlds": over how many mazes these are means.
    """
    worlds = list(worlds_of(job.env_id, job.keywords, EPISODES))
    chance, best, times = [], [], []
    for world in worlds:
        chance.append(evaluate_policy(world, np.full((world.states, 4), 0.25), discount=DISCOUNT).expected_return)
        best.append(value_iteration(world, discount=DISCOUNT).expected_return)
        times.append(hitting_times(world)[world.start_states].mean())
    _, success, _ = Scorer(job).score(RandomAgent(np.random.default_rng(0)))
    return {
        "random": float(np.mean(chance)),
        "optimum": float(np.mean(best)),
        "memoryless": _memoryless(worlds, job.observation),
        "hitting": float(np.mean(times)),
        "success": success,
        "worlds": len(worlds),
    }


def _memoryless(worlds: Sequence[World], observation: str) -> list[float] | None:
    if len(worlds) > MAX_WORLDS or sum(world.states for world in worlds) > MAX_STATES:
        return None
    try:
        found = certify_memory(list(worlds), observation, DISCOUNT, time_limit=CERTIFYING).memoryless_value
    except ValueError:  # an observation, or a size, that certificates do not cover
        return None
    return [float(found.lower), float(found.upper)]
