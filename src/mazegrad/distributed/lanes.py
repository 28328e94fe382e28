"""Episodes over Ray actors, each with a native vector environment: evaluated, recorded, or collected as data.

Lane i is seeded with `seed + i`, whichever actor it is in.
"""

import hashlib
import json
import os
import pickle
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, TypeAlias

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from .. import agents
from ..agents import Agent, Evaluation, Rollout
from ..agents.agent import checked_agent
from ..agents.agent_state import rows_of, with_rows
from ..envs import Maze
from ..envs.maps.arguments import whole
from ..envs.maps.files import replacing, write_file
from .journal import Journal
from .spreading import Actors, spread

Environment: TypeAlias = str | Callable[[int], VectorEnv[Any, Any, Any]]
"""an id, or a function from a number of lanes to a vector environment"""
Chooser: TypeAlias = Agent | Callable[[int], Agent]
"""an agent, or a function from a lane's seed to one, which then acts for a block of lanes from that on"""


class _Shared(NamedTuple):
    """What all pieces of a run have in common."""

    environment: Environment
    keywords: dict[str, Any]
    num_envs: int
    agent: Chooser
    setting: Any  # the discount of `evaluate`, the `max_steps` of `rollout`, the steps of `collect`
    name: str  # of the environment, among those that a process has made


class _Block(NamedTuple):
    """A block of lanes: the seed of the first, and the state in which the agent begins."""

    seed: int
    state: Any


def evaluate(
    environment: Environment,
    agent: Chooser,
    episodes: int,
    seed: int,
    *,
    keywords: Mapping[str, Any] | None = None,
    num_envs: int = 256,
    discount: float = 1.0,
    actors: int | Actors = 2,
    address: str | None = None,
    options: dict[str, Any] | None = None,
    journal: str | os.PathLike[str] | None = None,
) -> Evaluation:
    """Let the agent act for many episodes, the i-th begun with `seed + i`.

    The result is that of `mazegrad.agents.evaluate` in a vector environment of `num_envs` lanes, bit for bit, for every
    number of actors; actors that die are replaced. Ctrl-C ends the run; with a journal, the same call goes on from it,
    also with more episodes.

    Args:
        environment: an id, such as "mazegrad/FourRooms-v0", or a function from a number of lanes to a vector
            environment.
        agent: see `Agent`; or a function from a seed to an agent, for those that draw random numbers as they act: it is
            called for each block of lanes with the seed of the first.
        episodes: how many, 1 or more.
        seed: of the first episode.
        keywords: of the environment, if an id is given.
        num_envs: lanes of an actor's vector environment. Sums in nets can depend on it in their last bits.
        discount: 0 to 1.
        actors: how many processes; or `Actors`, which stay for further runs.
        address: of a Ray cluster; by default one is started on this machine. See `cluster`.
        options: what an actor needs, as `ray.remote` takes it, such as `{"num_gpus": 1}`.
        journal: a file that keeps finished blocks.

    Raises:
        MissingExtra: Ray is not installed.
        TypeError: not an agent.
        ValueError: a number out of range; a journal of another run.

    Example:
        >>> from mazegrad.agents import path_follower
        >>> from mazegrad.distributed import evaluate
        >>> result = evaluate("mazegrad/PathFollow-v0", path_follower(), episodes=100, seed=0, num_envs=50, actors=2)
        >>> len(result.returns), result.successes.mean().item()
        (100, 1.0)
    """
    episodes = whole("episodes", episodes, 1)
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must be a number from 0 to 1, not {discount!r}")
    shared = _shared(environment, keywords, num_envs, agent, discount)
    blocks = _blocks(shared, episodes, seed)
    with _journal(journal, "evaluate", shared, seed) as store:
        how: dict[str, Any] = {"actors": actors, "address": address, "options": options, "label": "blocks of episodes"}
        parts = list(spread(_evaluate, shared, blocks, store=store, **how))
    return Evaluation(*(np.concatenate(column)[:episodes] for column in zip(*parts, strict=True)))


def rollout(
    environment: Environment,
    agent: Chooser,
    episodes: int,
    seed: int,
    *,
    keywords: Mapping[str, Any] | None = None,
    num_envs: int = 256,
    max_steps: int | None = None,
    actors: int | Actors = 2,
    address: str | None = None,
    options: dict[str, Any] | None = None,
    journal: str | os.PathLike[str] | None = None,
) -> list[Rollout]:
    """Record many episodes, the i-th begun with `seed + i`.

    They are those of `mazegrad.agents.rollout` in vector environments of `num_envs` lanes, bit for bit.

    Args:
        environment, agent, episodes, seed, keywords, num_envs, actors, address, options, journal: see `evaluate`.
        max_steps: stop an episode after this many steps; by default no limit.

    Raises:
        As `evaluate`.

    Example:
        >>> from mazegrad.agents import path_follower
        >>> from mazegrad.distributed import rollout
        >>> walks = rollout("mazegrad/PathFollow-v0", path_follower(), episodes=4, seed=0, num_envs=2, max_steps=10)
        >>> [len(walk.actions) for walk in walks]
        [10, 10, 10, 10]
    """
    episodes = whole("episodes", episodes, 1)
    if max_steps is not None:
        max_steps = whole("max_steps", max_steps, 1)
    shared = _shared(environment, keywords, num_envs, agent, max_steps)
    blocks = _blocks(shared, episodes, seed)
    with _journal(journal, "rollout", shared, seed) as store:
        how: dict[str, Any] = {"actors": actors, "address": address, "options": options, "label": "blocks of episodes"}
        parts = list(spread(_rollout, shared, blocks, store=store, **how))
    return [Rollout(*fields) for part in parts for fields in part][:episodes]


class Batch(NamedTuple):
    """T steps of some lanes. Episodes follow each other in a lane; the reset is in the step that ends an episode.

    Example:
        >>> from mazegrad.agents import path_follower
        >>> from mazegrad.distributed import collect
        >>> (batch,) = collect("mazegrad/PathFollow-v0", path_follower(), lanes=8, steps=50, seed=0, num_envs=8)
        >>> batch.observations.shape, batch.actions.shape, batch.next_observations().shape
        ((51, 8, 4), (50, 8), (50, 8, 4))
    """

    observations: Any
    """(T + 1, lanes, ...); of several observations at once a dict of such arrays"""
    actions: NDArray[np.int64]
    """(T, lanes)"""
    rewards: NDArray[np.float64]
    """(T, lanes)"""
    terminated: NDArray[np.bool_]
    """(T, lanes)"""
    truncated: NDArray[np.bool_]
    """(T, lanes)"""
    final_observations: Any
    """(E, ...): the last ones of the E episodes that ended, in the order of `np.argwhere(terminated | truncated)`"""

    def next_observations(self) -> Any:
        """Return what each step led to, (T, lanes, ...): not what the next episode begins with."""
        over = self.terminated | self.truncated

        def following(seen: NDArray[Any], final: NDArray[Any]) -> NDArray[Any]:
            after = seen[1:].copy()
            after[over] = final
            return after

        if isinstance(self.observations, dict):
            return {name: following(seen, self.final_observations[name]) for name, seen in self.observations.items()}
        return following(self.observations, self.final_observations)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the arrays as npz; of a dict under names such as "observations.view"."""
        arrays: dict[str, Any] = {}
        for name, part in self._asdict().items():
            arrays |= {f"{name}.{key}": p for key, p in part.items()} if isinstance(part, dict) else {name: part}
        with replacing(path) as draft, draft.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises:
            ValueError: something else.
        """
        fields: dict[str, Any] = {}
        try:
            with np.load(path, allow_pickle=False) as arrays:
                for name in arrays.files:
                    field, _, key = name.partition(".")
                    if key:
                        fields.setdefault(field, {})[key] = arrays[name]
                    else:
                        fields[field] = arrays[name]
            return cls(**fields)
        except (TypeError, ValueError, EOFError, AttributeError) as error:
            raise ValueError(f"{os.fspath(path)} is not a batch of mazegrad: {error}") from None


def collect(
    environment: Environment,
    agent: Chooser,
    lanes: int,
    steps: int,
    seed: int,
    *,
    keywords: Mapping[str, Any] | None = None,
    num_envs: int = 256,
    actors: int | Actors = 2,
    address: str | None = None,
    options: dict[str, Any] | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> Iterator[Batch]:
    """Yield what the agent meets in many lanes, a batch for each block of `num_envs` lanes, in their order.

    Lane i begins with `seed + i`. Where an episode ends the agent begins anew. Only a few batches are in memory at
    once.

    Args:
        environment, agent, keywords, num_envs, actors, address, options: see `evaluate`; a function that makes the
            environment makes it with `autoreset_mode="SameStep"`.
        lanes: how many, a multiple of `num_envs`.
        steps: of each lane.
        seed: of the first lane.
        folder: keeps the batches as npz files; those that it holds are not collected again.

    Raises:
        As `evaluate`.

    Example:
        >>> from mazegrad.agents import path_follower
        >>> from mazegrad.distributed import collect
        >>> batches = collect("mazegrad/PathFollow-v0", path_follower(), lanes=32, steps=50, seed=0, num_envs=16)
        >>> [batch.rewards.shape for batch in batches]
        [(50, 16), (50, 16)]
    """
    lanes, steps, num_envs = whole("lanes", lanes, 1), whole("steps", steps, 1), whole("num_envs", num_envs, 1)
    if lanes % num_envs:
        raise ValueError(f"lanes must be a multiple of num_envs, {num_envs}, not {lanes}")
    keywords = {**(keywords or {}), "autoreset_mode": "SameStep"} if isinstance(environment, str) else keywords
    shared = _shared(environment, keywords, num_envs, agent, steps)
    blocks = _blocks(shared, lanes, seed)
    question = _question("collect", shared, seed)
    store = None if folder is None else _Folder(Path(folder), question, num_envs)
    how: dict[str, Any] = {"actors": actors, "address": address, "options": options, "label": "blocks of lanes"}
    ahead = 2 * (actors.count if isinstance(actors, Actors) else whole("actors", actors, 1)) + 1
    return spread(_collect, shared, blocks, store=store, ahead=ahead, **how)


class _Folder:
    """Keeps batches as files."""

    def __init__(self, path: Path, question: Mapping[str, Any], num_envs: int) -> None:
        self.path, self.num_envs = path, num_envs
        path.mkdir(parents=True, exist_ok=True)
        text, asked = json.dumps(question, sort_keys=True, indent=1) + "\n", path / "question.json"
        if not asked.exists():
            write_file(asked, text.encode())
        elif asked.read_text(encoding="utf-8") != text:
            raise ValueError(f"{path} holds the batches of another run; see {asked}: name another folder")

    def _file(self, number: int) -> Path:
        return self.path / f"lanes-{number * self.num_envs:08}.npz"

    def finished(self) -> set[int]:
        return {int(file.stem.partition("-")[2]) // self.num_envs for file in self.path.glob("lanes-*.npz")}

    def read(self, number: int) -> Batch:
        return Batch.load(self._file(number))

    def write(self, number: int, result: Batch) -> None:
        result.save(self._file(number))


# ------------------------------------------------------------------------------------------------------ in this process
def _shared(
    environment: Environment, keywords: Mapping[str, Any] | None, num_envs: int, agent: Chooser, setting: Any
) -> _Shared:
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
    return _Shared(environment, keywords, lanes, agent, setting, name)


def _blocks(shared: _Shared, lanes: int, seed: int) -> list[_Block]:
    """Return all blocks: an agent's first states are drawn here, one block after another, as in a single process."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed must be an integer of 0 or more, not {seed!r}")
    firsts = range(int(seed), int(seed) + lanes, shared.num_envs)
    if isinstance(shared.agent, Agent):
        return [_Block(first, shared.agent.initial_state(shared.num_envs)) for first in firsts]
    return [_Block(first, None) for first in firsts]


_WHO_MOVES: Final = ("engine", "device")
"""keywords that change no result"""


def _question(what: str, shared: _Shared, seed: int) -> dict[str, Any]:
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


class _NoJournal:
    """Nothing is kept."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: object) -> None:
        return None


def _journal(path: str | os.PathLike[str] | None, what: str, shared: _Shared, seed: int) -> Any:
    return _NoJournal() if path is None else closing(Journal(path, _question(what, shared, seed)))


# ------------------------------------------------------------------------------------------------------- in the actors
_made: Final[dict[str, VectorEnv[Any, Any, Any]]] = {}
"""the environment that this process made last"""


def _environment(shared: _Shared) -> VectorEnv[Any, Any, Any]:
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


class _Begun:
    """An agent that begins in given states."""

    def __init__(self, agent: Agent, state: Any) -> None:
        self.agent, self._state = agent, state

    def initial_state(self, batch_size: int | None = None) -> Any:
        return self._state

    def act(self, observation: Any, state: Any) -> Any:
        return self.agent.act(observation, state)


def _agent(shared: _Shared, block: _Block) -> Agent:
    if isinstance(shared.agent, Agent):
        return _Begun(shared.agent, block.state)
    made: Agent = shared.agent(block.seed)
    return checked_agent(made)


def _evaluate(shared: _Shared, block: _Block) -> tuple[Any, ...]:
    env = _environment(shared)
    agent = _agent(shared, block)
    if isinstance(agent, _Begun) and getattr(env.unwrapped, "engine_name", "numpy") != "numpy":
        agent = agent.agent  # such engines take agents whose first state is always the same, and know them by type
    found = agents.evaluate(env, agent, shared.num_envs, block.seed, discount=shared.setting)
    return found.returns, found.lengths, found.successes


def _rollout(shared: _Shared, block: _Block) -> list[Any]:
    played = agents.rollout(_environment(shared), _agent(shared, block), seed=block.seed, max_steps=shared.setting)
    return [(p.observations, p.actions, p.rewards, p.states, p.terminated, p.truncated) for p in played]


def _collect(shared: _Shared, block: _Block) -> Batch:
    env, agent, lanes, steps = _environment(shared), _agent(shared, block), shared.num_envs, shared.setting
    if env.metadata.get("autoreset_mode") is not AutoresetMode.SAME_STEP:
        raise ValueError('make the environment with autoreset_mode="SameStep"')
    observation, _ = env.reset(seed=block.seed)
    state = first = agent.initial_state(lanes)
    seen = _kept("seen", observation, steps + 1)
    actions, rewards = (_kept(name, np.zeros(lanes, kind), steps) for name, kind in _KINDS.items())
    ends, cuts = (_kept(name, np.zeros(lanes, np.bool_), steps) for name in ("terminated", "truncated"))
    final: list[Any] = []
    _keep(seen, 0, observation)
    for step in range(steps):
        actions[step], state = agent.act(observation, state)
        observation, rewards[step], terminated, truncated, info = env.step(actions[step])
        _keep(seen, step + 1, observation)
        ends[step], cuts[step] = terminated, truncated
        over = terminated | truncated
        if over.any():
            final += list(info["final_obs"][over])
            state = with_rows(state, over, rows_of(first, over))
    return Batch(seen, actions, rewards, ends, cuts, _stacked(final, observation))


_KINDS: Final = {"actions": np.int64, "rewards": np.float64}
_arrays: Final[dict[str, NDArray[Any]]] = {}
"""which this process fills again and again: fresh memory costs more than what is written to it"""


def _kept(name: str, rows: Any, steps: int) -> Any:
    """Return an array, or a dict of arrays, for this many steps of what one step gives."""
    if isinstance(rows, dict):
        return {key: _kept(f"{name}.{key}", part, steps) for key, part in rows.items()}
    shape = (steps, *rows.shape)
    if name not in _arrays or (_arrays[name].shape, _arrays[name].dtype) != (shape, rows.dtype):
        _arrays[name] = np.empty(shape, rows.dtype)
    return _arrays[name]


def _keep(room: Any, step: int, rows: Any) -> None:
    if isinstance(room, dict):
        for name, part in room.items():
            part[step] = rows[name]
    else:
        room[step] = rows


def _stacked(parts: list[Any], example: Any) -> Any:
    """Return observations one after another, as arrays."""
    if isinstance(example, dict):
        return {name: _stacked([part[name] for part in parts], like) for name, like in example.items()}
    return np.stack(parts) if parts else np.empty((0, *example.shape[1:]), example.dtype)
