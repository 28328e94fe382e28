"""Experience: T steps of every lane of a vector environment, kept so that a recurrent net can be trained on them.

Time comes first: arrays are (T, lanes, ...). Several episodes may follow each other in a lane; `begins` says where one
begins and the net's state is fresh. A vector environment in its mode NEXT_STEP spends one step on resetting a lane
after an episode's last one: such a step is not `live`, and its observation is the last of the episode before, from
which the critic can say what an episode that was cut short would still have brought.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Protocol

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from ...envs import MazeVectorEnv, SavedState

Array = NDArray[Any]
Choose = Callable[[Array, Mapping[str, Any]], Array]
"""from logits (lanes, actions) and what `info` says to actions (lanes,)"""
NO_ACTION = -1


class Thinks(Protocol):
    """What walking needs of a policy; see `RecurrentPolicy`."""

    actions: int
    encoder: Any

    def inputs_of_stored(self, stored: Array, previous: Array | None = None) -> Any:
        """Return (lanes, inputs), in a form that `think` takes."""

    def begin(self, batch: int) -> tuple[Array, ...]:
        """Return the state at the beginning of an episode."""

    def think(self, x: Any, hidden: tuple[Array, ...]) -> Any:
        """Return logits, values and the next state."""


@dataclass(frozen=True)
class Experience:
    """T steps of all lanes; each array (T, lanes, ...) but for `values`, (T + 1, lanes), and `hidden`."""

    observations: Array
    """what was seen, as `encoder.stored` keeps it"""
    previous: Array
    """the action before, `NO_ACTION` where an episode begins"""
    begins: NDArray[np.bool_]
    live: NDArray[np.bool_]
    """False for a step that only resets a lane: nothing is learned from it"""
    actions: NDArray[np.int64]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    logits: Array
    """(T, lanes, actions)"""
    values: Array
    """what the critic said of each observation, and of the one after the last step"""
    labels: NDArray[np.bool_]
    """(T, lanes, actions): the actions that an expert might take; none without an expert"""
    hidden: tuple[Array, ...]
    """the net's state before the first step, each part (lanes, layers, hidden)"""

    def lanes(self, which: Array) -> "Experience":
        """Return the same of some lanes: a minibatch of whole segments."""
        cut = {f.name: getattr(self, f.name)[:, which] for f in fields(self) if f.name != "hidden"}
        return Experience(**cut, hidden=tuple(part[which] for part in self.hidden))

    def arrays(self) -> dict[str, Any]:
        """Return all arrays by name, `hidden` as a list of them: see `nn.save`."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"hidden": list(self.hidden)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "Experience":
        """Make the experience whose `arrays` these are."""
        return cls(**{**arrays, "hidden": tuple(arrays["hidden"])})

    @staticmethod
    def side_by_side(parts: Sequence["Experience"]) -> "Experience":
        """Return the lanes of all of them as those of one."""
        if len(parts) == 1:
            return parts[0]
        names = [f.name for f in fields(Experience) if f.name != "hidden"]
        joined = {name: np.concatenate([getattr(one, name) for one in parts], axis=1) for name in names}
        hidden = zip(*(one.hidden for one in parts), strict=True)
        return Experience(**joined, hidden=tuple(np.concatenate(part) for part in hidden))


class Episodes(NamedTuple):
    """Episodes that were finished: their returns, lengths, and whether they ended at a goal."""

    returns: list[float]
    discounted: list[float]
    """their returns, discounted, which compare with values"""
    lengths: list[int]
    successes: list[bool]


def check_lanes(env: object) -> None:
    """Raise a TypeError unless this is a vector environment."""
    if not isinstance(env, VectorEnv):
        raise TypeError(
            f"a learner walks in a vector environment, gymnasium.make_vec(id, num_envs=64), not in a"
            f" {type(env).__name__}"
        )


class Lanes:
    """A vector environment under way, and the mind of the policy that walks in it: segment follows on segment.

    Args:
        env: `gymnasium.make_vec(id, num_envs)`, in the mode NEXT_STEP, which is the default.
        policy: see `RecurrentPolicy`.
        seed: of the first lane's first episode; lane i has `seed + i`.
        discount: for the discounted returns of finished episodes.
        experts: names of infos, one of which has to be there, that say which actions an expert would take: a mask
            (lanes, actions) of all of them, or one action a lane, -1 for none.

    Raises:
        TypeError: it is not a vector environment.
        ValueError: another mode, or an info that is missing.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        policy: Thinks,
        seed: int,
        discount: float = 0.99,
        experts: Sequence[str] = (),
    ) -> None:
        check_lanes(env)
        mode = env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
        if mode is not AutoresetMode.NEXT_STEP:
            raise ValueError(f"a learner needs the autoreset_mode NEXT_STEP, which is the default, not {mode.name}")
        self.env, self.policy, self.discount = env, policy, discount
        observation, self.info = env.reset(seed=seed)
        self.observation = policy.encoder.stored(observation)
        self.expert = next((name for name in experts if name in self.info), None)
        if experts and self.expert is None:
            raise ValueError(
                f"an expert speaks by info {experts[0]!r}: make the environment with info=({experts[0]!r},)"
            )
        self._begin()
        self.finished = Episodes([], [], [], [])

    def restart(self, options: Mapping[str, Any]) -> None:
        """Leave the episodes under way, and begin new ones in all lanes, such as in other mazes.

        Args:
            options: of the environment's `reset`.

        Raises:
            ValueError: see there.
        """
        observation, self.info = self.env.reset(options=dict(options))
        self.observation = self.policy.encoder.stored(observation)
        self._begin()

    def _begin(self) -> None:
        count = self.env.num_envs
        self.begins, self.over = np.ones(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
        self.hidden, self.previous = self.policy.begin(count), np.full(count, NO_ACTION)
        self._return, self._discounted = np.zeros(count), np.zeros(count)
        self._length = np.zeros(count, dtype=np.int64)

    def collect(self, steps: int, choose: Choose) -> Experience:
        """Walk on for T = `steps` steps, and keep them."""
        env, policy, count = self.env, self.policy, self.env.num_envs
        hidden = self._anew()
        kept: dict[str, list[Any]] = {f.name: [] for f in fields(Experience) if f.name != "hidden"}
        for _ in range(steps):
            thought = policy.think(policy.inputs_of_stored(self.observation, self.previous), self._anew())
            labels, actions = self.labels(), choose(thought.logits, self.info)
            observation, rewards, terminated, truncated, info = env.step(actions)
            step = {
                "observations": self.observation, "previous": self.previous, "begins": self.begins,
                "live": ~self.over, "actions": actions, "rewards": rewards, "terminated": terminated,
                "truncated": truncated, "logits": thought.logits, "values": thought.values, "labels": labels,
            }  # fmt: skip
            for name, rows in step.items():
                kept[name].append(rows)
            self._count(rewards, terminated, truncated)
            self.observation = policy.encoder.stored(observation)
            self.info, self.hidden = info, thought.hidden
            self.begins, self.over = self.over, terminated | truncated
            self.previous = np.where(self.begins, NO_ACTION, actions)
        last = policy.think(policy.inputs_of_stored(self.observation, self.previous), self._anew())
        kept["values"].append(last.values)
        arrays = {name: np.array(rows) for name, rows in kept.items()}
        assert arrays["actions"].shape == (steps, count)
        return Experience(**arrays, hidden=hidden)

    def _anew(self) -> tuple[Array, ...]:
        """Return the net's state, fresh where an episode begins."""
        rows = np.flatnonzero(self.begins)
        if len(rows):
            fresh = self.policy.begin(len(rows))
            self.hidden = tuple(part.copy() for part in self.hidden)
            for part, beginning in zip(self.hidden, fresh, strict=True):
                part[rows] = beginning
        return self.hidden

    def labels(self) -> NDArray[np.bool_]:
        """Return which actions an expert might take now, (lanes, actions); none without an expert."""
        every = np.arange(self.policy.actions)
        if self.expert is None:
            return np.zeros((self.env.num_envs, 0), dtype=np.bool_)
        told = np.asarray(self.info[self.expert])
        return told.astype(np.bool_) if told.ndim == 2 else told[:, None] == every

    def _count(self, rewards: Array, terminated: Array, truncated: Array) -> None:
        """Add up the episodes, and put those aside that have ended."""
        self._return += rewards
        self._discounted += rewards * self.discount**self._length
        self._length += ~self.over
        ended = np.flatnonzero(terminated | truncated)
        if len(ended):
            at_goal = np.asarray(getattr(self.env.unwrapped, "at_goal", terminated))
            self.finished.returns.extend(self._return[ended].tolist())
            self.finished.discounted.extend(self._discounted[ended].tolist())
            self.finished.lengths.extend(self._length[ended].tolist())
            self.finished.successes.extend(at_goal[ended].tolist())
            self._return[ended] = self._discounted[ended] = self._length[ended] = 0

    def take_finished(self) -> Episodes:
        """Return the episodes that were finished since this was asked before."""
        finished, self.finished = self.finished, Episodes([], [], [], [])
        return finished

    # the rest of the way, as a file needs it

    def state(self) -> dict[str, Any]:
        """Return all that the next steps depend on; of an environment of another library all but its own state."""
        env = self.env.unwrapped
        return {
            "environment": env.get_state().to_json() if isinstance(env, MazeVectorEnv) else None,
            "observation": self.observation, "labels": self.labels(), "begins": self.begins, "over": self.over,
            "previous": self.previous, "hidden": list(self.hidden), "return": self._return,
            "discounted": self._discounted, "length": self._length,
        }  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken, in an environment that was made alike.

        In an environment of another library episodes begin anew.

        Raises:
            ValueError: the state does not belong to this environment.
        """
        env = self.env.unwrapped
        if state["environment"] is None or not isinstance(env, MazeVectorEnv):
            return
        env.set_state(SavedState.from_json(state["environment"]))
        self.observation, self.info = state["observation"], {}
        if self.expert is not None:
            self.info = {self.expert: state["labels"]}
        self.begins, self.over, self.previous = (np.array(state[name]) for name in ("begins", "over", "previous"))
        self.hidden = tuple(state["hidden"])
        self._return, self._discounted, self._length = (
            np.array(state[name]) for name in ("return", "discounted", "length")
        )


def advantages(experience: Experience, values: Array, discount: float, smoothing: float) -> NDArray[np.float64]:
    """Return by how much each step was better than the critic thought, (T, lanes); 0 for steps that are not live.

    Generalised advantage estimation (Schulman et al. 2016): the discounted sum of the temporal-difference errors, each
    step `smoothing` of the one before. With 1 it is the whole return less the value; the critic only says what lies
    beyond the last step, or beyond an episode that was cut short.

    Args:
        experience: the steps.
        values: (T + 1, lanes), on the scale of the rewards.
        discount: from 0 to 1.
        smoothing: lambda, from 0 to 1.
    """
    going_on = discount * ~experience.terminated
    errors = (experience.rewards + going_on * values[1:] - values[:-1]) * experience.live
    carried = discount * smoothing * ~(experience.terminated | experience.truncated) * experience.live
    result = errors
    for t in reversed(range(len(errors) - 1)):
        result[t] += carried[t] * result[t + 1]
    return result
