"""`mazegrad dataset`: offline data sets of named levels, for any environment, written for Minari."""

import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import gymnasium
import numpy as np

from . import __version__
from .adapters import minari
from .agents import Agent, DAgger, RecurrentPolicy
from .envs import OBSERVATIONS
from .envs.maps.arguments import nearest
from .extras import require
from .named import environment_ids, find_environment
from .offline import EXACT, POLICIES, Dataset, collect
from .progress import doing
from .puzzles import write_puzzles
from .standing import vector_env
from .train import DEFAULTS
from .trained import read_trained

STAGES: Final[Mapping[str, float]] = {"learner_1": 0.1, "learner_2": 0.3, "learner_3": 1.0}
"""name -> the share of the training after which the learner is taken"""
PUZZLES: Final = "maze-hard"
LEVELS: Final = ("random", *STAGES, "optimal")
_SEES: Final = "view"  # the learner
_LANES, _CELL, _HIDDEN = 64, "gru", 32
# many short updates: the stages then differ on every id
_SETTINGS: Final[Mapping[str, Any]] = {"segment": 16, "epochs": 4, "memory": 4}


def dataset(arguments: Namespace) -> None:
    """Collect and write data sets, a line for each; or puzzles, see `write_puzzles`.

    Args:
        arguments: `name` (ids, or "all"), `level` (names, or None for all), `agent` (a file of `train` in place of
            levels, or None), `epsilon`, `steps`, `lanes`, `observation` (names, or None), `training` (the learner's
            steps), `seed`, `world` (pairs), `out` (a folder, or None for Minari's).
    """
    if arguments.name == [PUZZLES]:
        write_puzzles(arguments)
        return
    if PUZZLES in arguments.name:
        raise ValueError(f"{PUZZLES} is written alone, into a folder of its own; leave out the environments beside it")
    ids = [*environment_ids()] if arguments.name == ["all"] else [find_environment(name) for name in arguments.name]
    levels = arguments.level or ([] if arguments.agent else LEVELS)
    for level in levels:
        if level not in LEVELS:
            raise ValueError(f"unknown level {level!r}{nearest(level, LEVELS)}")
    for name in arguments.observation or ():
        if name not in OBSERVATIONS:
            raise ValueError(f"unknown observation {name!r}{nearest(name, OBSERVATIONS)}")
    if not 0 <= arguments.epsilon <= 1:
        raise ValueError(f"--epsilon is a probability, from 0 to 1, not {arguments.epsilon:g}")
    require("minari", "minari")
    names = {(env_id, level): name_of(env_id, level, arguments.epsilon) for env_id in ids for level in levels}
    if arguments.agent:
        names |= {(i, ""): name_of(i, arguments.agent.stem, arguments.epsilon) for i in ids}
    taken = [name for name in names.values() if minari.folder_of(name, arguments.out).exists()]
    if taken:
        raise ValueError(f"there is a data set {taken[0]!r} already in {minari.folder_of(taken[0], arguments.out)}")
    for env_id in ids:
        _write_levels(env_id, levels, names, arguments)


def name_of(env_id: str, level: str, epsilon: float) -> str:
    """Return the name of a data set, such as "mazegrad/FourRooms/optimal-eps0p1-v0"."""
    noise = f"-eps{epsilon:g}".replace(".", "p") if epsilon else ""
    return f"{env_id.removesuffix('-v0')}/{level}{noise}-v0"


def _write_levels(env_id: str, levels: Sequence[str], names: Mapping[Any, str], arguments: Namespace) -> None:
    kept, world = tuple(arguments.observation or (_SEES,)), dict(arguments.world)

    def write(level: str, agent: Agent | str, sees: str | None, about: str) -> None:
        begin = time.process_time()
        seen = kept if sees is None else tuple(dict.fromkeys([*kept, sees]))
        if sees is not None and not isinstance(agent, str):
            agent = Seeing(agent, sees)
        keywords = {**world, "observation": seen, "info": EXACT, "autoreset_mode": "Disabled"}
        env = vector_env(env_id, arguments.lanes, keywords)
        with doing(f"{names[env_id, level]}: {arguments.steps:,} steps"):
            found = collect(env, agent, arguments.steps, seed=arguments.seed, epsilon=arguments.epsilon)
        found = _only(found, kept)
        name = names[env_id, level]
        about = f"{about}, {arguments.epsilon:g} random actions" if arguments.epsilon else about
        minari.write(
            found, name, folder=arguments.out, algorithm_name=about, requirements=[f"mazegrad>={__version__}"],
            description=f"{env_id}: {about}; V* and the best actions are infos",
        )  # fmt: skip
        speed = found.steps / max(time.process_time() - begin, 1e-9)
        print(
            f"{name}: {found.steps:,} steps, {found.episodes:,} episodes, mean return {found.returns.mean():.3f},"
            f" {speed:,.0f} steps/s, sha256 {found.digest[:16]}",
            flush=True,
        )

    if arguments.agent:
        trained = read_trained(arguments.agent)
        sees = str(trained.what_it_sees.get("observation", "dots"))
        write("", trained.agent, sees, f"{trained.kind} of {arguments.agent.name}")
    for level in levels:
        if level in POLICIES:
            write(level, level, None, level)
    wanted = [level for level in STAGES if level in levels]
    if wanted:
        for level, steps, agent in learner(env_id, wanted, arguments.training, arguments.seed, world):
            write(level, agent, _SEES, f"DAgger after {steps:,} steps")


def learner(
    env_id: str, stages: Sequence[str], steps: int, seed: int, world: Mapping[str, Any]
) -> Iterator[tuple[str, int, Agent]]:
    """Train a net by DAgger on the view, and yield (stage, steps made, the agent that draws its actions).

    Args:
        env_id, world: the environment and its keywords.
        stages: which of `STAGES`, in their order.
        steps: of the whole training.
        seed: of the weights, and of all that is drawn.
    """
    rng = np.random.default_rng(seed)
    keywords = {**world, "observation": _SEES, "info": ("optimal_actions",)}
    env = vector_env(env_id, _LANES, keywords)
    seen, actions = env.single_observation_space, env.single_action_space
    policy = RecurrentPolicy(seen, actions, _CELL, _HIDDEN, rng=rng)
    settings = {**DEFAULTS["dagger"](steps), **_SETTINGS}
    trained = DAgger(env, policy, **settings, rng=rng)
    for stage, share in STAGES.items():  # all of them, so that one asked for alone is the same
        trained.train(max(1, round(share * steps) - trained.steps))
        if stage in stages:
            yield stage, trained.steps, policy.sampling(np.random.default_rng(seed))
        if stage == stages[-1]:
            return


class Seeing:
    """An agent that sees one of several observations.

    Args:
        agent: the agent.
        name: of the observation.
    """

    def __init__(self, agent: Agent, name: str) -> None:
        self._agent, self._name = agent, name

    def initial_state(self, batch_size: int | None = None) -> Any:
        """Return the agent's."""
        return self._agent.initial_state(batch_size)

    def act(self, observation: Mapping[str, Any], state: Any) -> tuple[Any, Any]:
        """Return what the agent does."""
        return self._agent.act(observation[self._name], state)


def _only(found: Dataset, kept: tuple[str, ...]) -> Dataset:
    """Return a data set with some of its observations; a single one is not a dict."""
    space, seen = found.observation_space, found.observations
    assert isinstance(space, gymnasium.spaces.Dict)
    single = len(kept) == 1
    return replace(
        found,
        observations=seen[kept[0]] if single else {name: seen[name] for name in kept},
        observation_space=space[kept[0]] if single else gymnasium.spaces.Dict({name: space[name] for name in kept}),
        keywords={**found.keywords, "observation": kept[0] if single else kept},
    )
