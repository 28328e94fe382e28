"""Blocks of lanes: what a run is cut into, what all its blocks share, and what an actor makes of these."""

import hashlib
import json
import os
import pickle
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext
from typing import Any, Final, NamedTuple, TypeAlias

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv

from ..agents import Agent
from ..agents.agent import checked_agent
from ..envs import Maze
from ..envs.maps.arguments import whole
from .journal import Journal

Environment: TypeAlias = str | Callable[[int], VectorEnv[Any, Any, Any]]
"""an id, or a function from a number of lanes to a vector environment"""
Chooser: TypeAlias = Agent | Callable[[int], Agent]
"""an agent, or a function from a lane's seed to one, which then acts for a block of lanes from that on"""


class Shared(NamedTuple):
    """What all pieces of a run have in common."""

    environment: Environment
    keywords: dict[str, Any]
    num_envs: int
    agent: Chooser
    setting: Any  # the discount of `evaluate`, the `max_steps` of `rollout`, the steps of `collect`
    name: str  # of the environment, among those that a process has made


class Block(NamedTuple):
    """A block of lanes: the seed of the first, and the state in which the agent begins."""

    seed: int
    state: Any


def shared_by(
    environment: Environment, keywords: Mapping[str, Any] | None, num_envs: int, agent: Chooser, setting: Any
) -> Shared:
    """Return what all blocks of a run share.

    Args:
        environment, keywords, num_envs, agent: see `evaluate`.
        setting: see `Shared`.

    Raises:
        TypeError: keywords of an environment that is not named by an id; not an agent.
        ValueError: an agent that draws random numbers of its own; a number below 1.
    """
    if not isinstance(environment, str) and (keywords or not callable(environment)):
        raise TypeError("give an id with its keywords, or a function from a number of lanes to a vector environment")
    given: Any = agent
    if isinstance(given, type) or not callable(given) or isinstance(given, Agent):
        checked_agent(given)
        if isinstance(getattr(given, "rng", None), np.random.Generator):
            raise ValueError(
                "this agent draws random numbers as it acts, so its actions would be the same in every block of lanes; "
                "give a function from a seed to such an agent"
            )
    lanes, keywords = whole("num_envs", num_envs, 1), dict(keywords or {})
    try:
        name = hashlib.sha256(pickle.dumps((environment, keywords, lanes))).hexdigest()
    except (pickle.PicklingError, AttributeError, TypeError):  # a function in a function, say
        name = uuid.uuid4().hex
    return Shared(environment, keywords, lanes, agent, setting, name)


def blocks_of(shared: Shared, lanes: int, seed: int) -> list[Block]:
    """Return all blocks: an agent's first states are drawn here, one block after another, as in a single process."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed must be an integer of 0 or more, not {seed!r}")
    firsts = range(int(seed), int(seed) + lanes, shared.num_envs)
    if isinstance(shared.agent, Agent):
        return [Block(first, shared.agent.initial_state(shared.num_envs)) for first in firsts]
    return [Block(first, None) for first in firsts]


_WHO_MOVES: Final = ("engine", "device")
"""keywords that change no result"""


def question_of(what: str, shared: Shared, seed: int) -> dict[str, Any]:
    """Return what a run asks, for JSON; the same question has the same answer, whatever engine moves the lanes."""
    name = shared.environment if isinstance(shared.environment, str) else shared.environment.__qualname__
    asked = {key: value for key, value in shared.keywords.items() if key not in _WHO_MOVES}
    keywords = json.loads(json.dumps(asked, default=_in_words, sort_keys=True))
    question = {"what": what, "environment": name, "keywords": keywords, "num_envs": shared.num_envs, "seed": int(seed)}
    return question | {"setting": shared.setting}


def _in_words(value: Any) -> Any:
    """Return what JSON has no words for, the same in each process."""
    if isinstance(value, Maze):
        return value.digest
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, range):
        return repr(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return type(value).__qualname__


def journal_of(path: str | os.PathLike[str] | None, what: str, shared: Shared, seed: int) -> Any:
    """Return the journal of a run, or None for no path, as a context."""
    return nullcontext() if path is None else closing(Journal(path, question_of(what, shared, seed)))


# ------------------------------------------------------------------------------------------------------- in the actors
_made: Final[dict[str, VectorEnv[Any, Any, Any]]] = {}
"""the environment that this process made last"""


def environment_of(shared: Shared) -> VectorEnv[Any, Any, Any]:
    """Return the environment of a run, which this process makes once."""
    made, lanes = shared.environment, shared.num_envs
    if shared.name not in _made:
        _made.clear()
        if isinstance(made, str):
            _made[shared.name] = gymnasium.make_vec(_imported(made), num_envs=lanes, **shared.keywords)
        else:
            _made[shared.name] = made(lanes)
    return _made[shared.name]


def _imported(name: str) -> str:
    """Return an id with the module that registers it, as a worker needs it."""
    return f"mazegrad:{name}" if name.startswith("mazegrad/") else name


class Begun:
    """An agent that begins in given states."""

    def __init__(self, agent: Agent, state: Any) -> None:
        self.agent, self._state = agent, state

    def initial_state(self, batch_size: int | None = None) -> Any:
        """Return the given states."""
        return self._state

    def act(self, observation: Any, state: Any) -> Any:
        """Act as the agent does."""
        return self.agent.act(observation, state)


def agent_of(shared: Shared, block: Block) -> Agent:
    """Return the agent of a block."""
    if isinstance(shared.agent, Agent):
        return Begun(shared.agent, block.state)
    made: Agent = shared.agent(block.seed)
    return checked_agent(made)
