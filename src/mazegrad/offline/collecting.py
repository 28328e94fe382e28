"""Collecting: an agent acts in many lanes at once, and all that happens becomes a Dataset."""

from collections.abc import Mapping
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from ..agents import Agent
from ..agents.agent import checked_agent
from ..agents.agent_state import with_rows
from ..envs import MazeVectorEnv
from ..envs.maps.arguments import nearest, whole
from ..envs.maps.randomness import MASK, checked_seed
from .dataset import Dataset, mapped

EXACT: Final = ("value", "optimal_actions")
"""infos that come with each observation: V*, and a mask of the best actions"""
POLICIES: Final = ("random", "optimal")
"""names that `collect` takes for an agent"""
_DRAWN: Final = 2**18  # random numbers that are drawn at a time


def collect(
    env: VectorEnv[Any, Any, Any] | str,
    agent: Agent | str,
    steps: int,
    *,
    lanes: int = 1024,
    seed: int = 0,
    epsilon: float = 0.0,
    options: Mapping[str, Any] | None = None,
    **keywords: Any,
) -> Dataset:
    """Let an agent act in many lanes at once, and keep everything.

    Each episode is begun with a seed of its own: the first ones in lanes 0, 1, ... have seed, seed + 1, ..., and the
    seeds go on from there in the order in which episodes begin. At the end the episodes that are not over are cut:
    their last step is a truncation, as Minari's own collector has it.

    Args:
        env: an id, which is made with `lanes` and these keywords, and with the infos `EXACT` unless others are asked
            for; or a vector environment of this library, made with `autoreset_mode="Disabled"`.
        agent: an agent, which acts on all lanes as one batch; "random", or "optimal": it takes one of the best actions,
            each with equal probability.
        steps: at least this many: a whole number of them in each lane.
        lanes: the number of lanes, if an id is given.
        seed: of the first lane's first episode, and of all that is drawn here.
        epsilon: the probability that an action is drawn, all being equally likely, instead.
        options: of each reset: `maze` and `start`, the same for all lanes.

    Raises:
        ValueError: an unknown name of an agent; a number out of its range; "optimal" without its info; another
            autoreset mode; options that are not the same for all lanes.
        TypeError: not such an environment or agent; keywords with an environment that is made.

    Example:
        >>> from mazegrad.offline import collect
        >>> data = collect("mazegrad/CliffWalk-v0", "random", steps=1000, lanes=10, seed=7)
        >>> data.observations.shape, data.actions.shape, sorted(data.infos)
        ((1010, 4), (1000,), ['optimal_actions', 'value'])
        >>> int(data.seeds[0])  # `env.reset(seed=7)` begins the first episode again
        7
    """
    env = _made(env, lanes, keywords)
    steps, seed = whole("steps", steps, 1), checked_seed(seed)
    if not isinstance(epsilon, int | float) or isinstance(epsilon, bool) or not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon is a probability, from 0 to 1, not {epsilon!r}")
    options = dict(options or {})
    several = np.ndim(options.get("start", ())) > 1 or isinstance(options.get("maze"), list)
    if several or set(options) - {"maze", "start"}:
        raise ValueError("options are maze and start, the same for all lanes")
    walk = _Walk(env, agent, -(-steps // env.num_envs), seed, epsilon, options)
    for time in range(walk.length):
        walk.step(time)
    return walk.dataset()


def _made(env: Any, lanes: int, keywords: dict[str, Any]) -> MazeVectorEnv:
    if isinstance(env, str):
        made = {"info": EXACT, **keywords, "autoreset_mode": "Disabled"}
        env = gymnasium.make_vec(env, num_envs=lanes, **made)
    elif keywords:
        raise TypeError(f"keywords go with an id, not with an environment that is made: {', '.join(keywords)}")
    inner = env.unwrapped if isinstance(env, VectorEnv) else env
    if not isinstance(inner, MazeVectorEnv):
        raise TypeError(f"collect takes an id or a vector environment of mazegrad, not {type(env).__name__}")
    if inner.autoreset_mode is not AutoresetMode.DISABLED:
        raise ValueError('collect begins episodes itself: make the environment with autoreset_mode="Disabled"')
    return inner


class _Walk:
    """The steps of all lanes while they are made: everything by time, what episodes ended with apart."""

    def __init__(
        self, env: MazeVectorEnv, agent: Any, length: int, seed: int, epsilon: float, options: dict[str, Any]
    ) -> None:
        self.env, self.length, self.epsilon, self.options = env, length, epsilon, options
        count = env.num_envs
        self.first_seed, self.begun = seed, 0
        self.seeds: list[NDArray[np.uint64]] = []
        self.choices = int(env.single_action_space.n)  # type: ignore[attr-defined]
        self.rng = np.random.default_rng(seed)
        self.drawn = np.zeros((0, count))
        self.observation, self.info = self.begin(None)
        self.agent, self.state = agent, None
        if isinstance(agent, str):
            if agent not in POLICIES:
                raise ValueError(f"unknown agent {agent!r}{nearest(agent, POLICIES)}")
            if agent == "optimal" and "optimal_actions" not in self.info:
                raise ValueError('the optimal agent needs info=("optimal_actions",)')
        else:
            self.state = checked_agent(agent).initial_state(count)
        self.seen = _room(self.observation, length)
        self.infos = _room(self.info, length)
        self.actions = np.zeros((length, count), dtype=np.int64)
        self.rewards = np.zeros((length, count))
        self.terminations, self.truncations = np.zeros((2, length, count), dtype=np.bool_)
        self.ends: list[tuple[int, NDArray[np.int64], Any, Any]] = []  # time, lanes, observations, infos

    def begin(self, over: NDArray[np.bool_] | None) -> tuple[Any, dict[str, Any]]:
        """Reset the lanes that are over, or all; return what all lanes observe, and the infos of all."""
        count = self.env.num_envs
        lanes = np.arange(count) if over is None else np.flatnonzero(over)
        if self.first_seed + self.begun + len(lanes) > MASK:
            raise ValueError(f"seed {self.first_seed} is too large: each episode has one of its own, below 2**64")
        seeds = np.zeros(count, dtype=np.uint64)
        seeds[lanes] = np.arange(len(lanes), dtype=np.uint64) + np.uint64(self.first_seed + self.begun)
        self.begun += len(lanes)
        self.seeds.append(seeds[lanes])
        mask = {} if over is None else {"reset_mask": over}
        observation, info = self.env.reset(seed=seeds, options={**self.options, **mask})  # type: ignore[arg-type]
        return observation, {name: rows for name, rows in info.items() if not name.startswith("_")}

    def step(self, time: int) -> None:
        """Move all lanes, keep the move, and begin the next episodes of those that are over."""
        actions = self.choose()
        _write(self.seen, time, self.observation)
        _write(self.infos, time, self.info)
        self.actions[time] = actions
        self.observation, self.rewards[time], terminated, truncated, info = self.env.step(actions)
        self.info = {name: rows for name, rows in info.items() if not name.startswith("_")}
        over = terminated | truncated
        self.terminations[time], self.truncations[time] = terminated, truncated
        if time == self.length - 1:
            self.truncations[time] |= ~over
            self.ends.append((time, np.arange(len(over)), self.observation, self.info))
        elif over.any():
            lanes = np.flatnonzero(over)
            self.ends.append((time, lanes, mapped(self.observation, lanes), mapped(self.info, lanes)))
            self.observation, fresh = self.begin(over)
            for name, rows in fresh.items():
                self.info[name][over] = rows[over]
            if self.state is not None:
                self.state = with_rows(self.state, over, self.agent.initial_state(len(lanes)))

    def choose(self) -> NDArray[np.int64]:
        """Return the actions of all lanes."""
        count = self.env.num_envs
        if isinstance(self.agent, str):
            actions = self.any_of(None if self.agent == "random" else self.info["optimal_actions"])
        else:
            actions, self.state = self.agent.act(self.observation, self.state)
            actions = np.asarray(actions, dtype=np.int64)
        if self.epsilon:
            actions = np.where(self.random() < self.epsilon, self.any_of(None), actions)
        return actions.reshape(count)

    def any_of(self, mask: NDArray[Any] | None) -> NDArray[np.int64]:
        """Return an action of each lane, one of those in a mask (all where it is empty), each equally likely."""
        u = self.random()
        if mask is None:
            return (u * self.choices).astype(np.int64)
        counted = np.cumsum(mask | ~mask.any(axis=1, keepdims=True), axis=1, dtype=np.int64)
        wanted = 1 + (u * counted[:, -1]).astype(np.int64)
        return (counted >= wanted[:, None]).argmax(axis=1)

    def random(self) -> NDArray[np.float64]:
        """Return a uniform number for each lane."""
        if not len(self.drawn):
            count = self.env.num_envs
            self.drawn = self.rng.random((max(1, _DRAWN // count), count))
        now, self.drawn = self.drawn[0], self.drawn[1:]
        return now

    def dataset(self) -> Dataset:
        """Return what was kept, lane by lane."""
        env, count, length = self.env, self.env.num_envs, self.length
        over = (self.terminations | self.truncations).T.ravel()  # lane by lane
        ends = np.flatnonzero(over)
        lengths = np.diff(ends, prepend=-1)
        rows = np.arange(count * length) + np.repeat(np.arange(len(ends)), lengths)
        by_time = np.ascontiguousarray(rows.reshape(count, length).T)
        # where each episode's last observation lies, in the order in which they ended
        times = np.concatenate([np.full(len(lanes), time) for time, lanes, _, _ in self.ends])
        lanes = np.concatenate([lanes for _, lanes, _, _ in self.ends])
        last = by_time[times, lanes] + 1

        def laid_out(kept: Any, finals: list[Any]) -> Any:
            if isinstance(kept, dict):
                return {name: laid_out(part, [final[name] for final in finals]) for name, part in kept.items()}
            found = np.empty((len(rows) + len(ends), *kept.shape[2:]), dtype=kept.dtype)
            wide, source = _wide(found, 1), _wide(kept, 2)
            wide[by_time] = source
            found[last] = np.concatenate(finals)
            return found

        def by_lane(kept: NDArray[Any]) -> NDArray[Any]:
            return np.ascontiguousarray(kept.T).ravel()

        # seeds lie in the order in which episodes began: of a lane's first episodes, then by the ends before them
        began = np.concatenate([np.arange(count) * length, (lanes * length + times + 1)[:-count]])
        spec = env.spec
        known = ("num_envs", "vectorization_mode", "autoreset_mode", "engine", "render_mode")
        keywords = {} if spec is None else {n: value for n, value in spec.kwargs.items() if n not in known}
        return Dataset(
            laid_out(self.seen, [final for _, _, final, _ in self.ends]),
            by_lane(self.actions),
            by_lane(self.rewards),
            by_lane(self.terminations),
            by_lane(self.truncations),
            laid_out(self.infos, [final for _, _, _, final in self.ends]),
            lengths,
            np.concatenate(self.seeds)[np.argsort(began)],
            env.single_observation_space,
            env.single_action_space,
            None if spec is None else spec.id,
            keywords,
            self.options,
        )


def _wide(rows: NDArray[Any], axes: int) -> NDArray[Any]:
    """Return an array with each row as one element, which numpy copies faster, the first axes kept."""
    size = rows.itemsize * int(np.prod(rows.shape[axes:]))
    kind = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}.get(size, f"V{size}")
    return rows.reshape(*rows.shape[:axes], -1).view(kind).reshape(rows.shape[:axes])


def _room(rows: Any, length: int) -> Any:
    if isinstance(rows, dict):
        return {name: _room(part, length) for name, part in rows.items()}
    return np.empty((length, *rows.shape), dtype=rows.dtype)


def _write(room: Any, time: int, rows: Any) -> None:
    if isinstance(room, dict):
        for name, part in room.items():
            _write(part, time, rows[name])
    else:
        room[time] = rows
