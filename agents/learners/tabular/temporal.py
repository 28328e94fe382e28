"""Temporal-difference learning: an estimate moves towards what came of an action, and what is expected from there.

One class holds the family of Sutton & Barto 2018, chapters 6, 7 and 12: what is expected after the action (`target`),
after how many steps (`steps`, or `trace` for all of them, weighted), and by whom (`double`).
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, TypeAlias

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ....envs import MazeEnv, draw
from ....envs.maps.arguments import generator_of_numbers, nearest, whole
from .schedules import Schedule, as_schedule
from .value_table import Row, ValueTable

Target: TypeAlias = Literal["max", "sample", "expected"]

TARGETS: Final = ("max", "sample", "expected")
EXPLORATION: Final = 0.1
"""The share of random actions, by default."""
ADAPTIVE: Final = 0.6
"""The exponent of the adaptive learning rate."""
TOGETHER: Final = 0.1
"""Two tables get the same updates of a pair while its adaptive learning rate is above this."""
FAINTEST: Final = 1e-3
"""Traces below are dropped."""

_RATES: Final = [(1.0 + turns) ** -ADAPTIVE for turns in range(100_000)]


class TDLearner(ValueTable):
    """A learner of action values, epsilon-greedy while it trains; as an agent it is greedy, and remembers nothing.

    What it can learn is a map from what is observed to an action.

    Args:
        env: a single environment with discrete actions and observations of numbers, each of which is a row.
        target: what is expected after an action: "max", the best action's value (Q-learning; Watkins, 1989), "sample",
            that of the action taken next (SARSA; Rummery & Niranjan, 1994), or "expected", the mean over the
            epsilon-greedy choice (expected SARSA; van Seijen et al., 2009).
        double: two tables: each update corrects one of them at random, and the other says what that one's best action
            is worth, so that luck is not taken for value (van Hasselt, 2010). While tables change much they disagree,
            and then that worth is too low, and lower with every step back (Ren et al., 2021). So with the adaptive
            learning rate both get the same updates of a pair while its rate is above 0.1: until its error has changed
            its sign 46 times. Where nothing is random they stay one table.
        steps: the number of steps whose rewards are counted before the target (Sutton & Barto, sections 7.1 and 7.2).
            With "max" they are counted up to the first action that is not greedy.
        trace: lambda, from 0 to 1: a step corrects all pairs of the episode so far, one of k steps ago weighted by
            (discount * lambda) ** k, by replacing traces (section 12.10). With "max" they end where an
            action is not greedy (Watkins' Q(lambda)).
        learning_rate: the share of an error that is corrected, from 0 to 1; a schedule over the earlier updates of the
            pair; or "adaptive": (1 + n) ** -0.6, where n counts only how often the error of the pair has changed its
            sign (Kesten, 1958). Where nothing is random that is 1, so values travel as fast as they can.
        discount: from 0 to 1.
        epsilon: the share of actions that are taken at random, from 0 to 1, or a schedule over episodes. With "sample"
            and "expected" it counts in what is learned: with one that falls to 0, such as `schedules.harmonic`, and
            tries everything for ever, the best policy is learned in the end (Singh et al., 2000).
        initial: the value of actions never taken. Above what they turn out to be worth, it makes the learner try all of
            them. By default 1 with a learning rate that forgets it fast ("adaptive" or 1), else 0.
        rng: for random actions, and for ties.

    Raises:
        ValueError: actions that are not discrete, an unknown target, a number out of its range, or two of `double` or
            `steps` and `trace` that do not go together.
        TypeError: a vector environment, a number of another kind.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import TDLearner, regret
        >>> from mazegrad.envs import Maze, MazeEnv
        >>> env = MazeEnv(Maze.from_text("S....G"), observation="index")
        >>> learner = TDLearner(env, target="expected", steps=3, rng=np.random.default_rng(0))
        >>> curve = learner.train(episodes=50, seed=0)
        >>> float(regret(env.world, learner))  # its greedy policy is optimal
        0.0
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        *,
        target: Target = "max",
        double: bool = False,
        steps: int = 1,
        trace: float = 0.0,
        learning_rate: float | Schedule | Literal["adaptive"] = "adaptive",
        discount: float = 0.99,
        epsilon: float | Schedule = EXPLORATION,
        initial: float | None = None,
        rng: np.random.Generator,
    ) -> None:
        actions, axes = _spaces(env)
        if target not in TARGETS:
            raise ValueError(f"unknown target {target!r}{nearest(target, TARGETS)}")
        generator_of_numbers(rng)
        if initial is None:
            initial = 1.0 if learning_rate in ("adaptive", 1) else 0.0
        if not np.isfinite(initial):
            raise ValueError(f"initial must be a finite number, not {initial!r}")
        super().__init__(actions, axes, initial)
        self.env, self.target, self.double, self.steps_ahead = env, target, double, whole("steps", steps, 1)
        self.trace, self.discount = (as_schedule(*given)(0) for given in (("trace", trace), ("discount", discount)))
        if self.trace and (double or self.steps_ahead > 1):
            raise ValueError("trace does not go together with steps or double: leave out one of them")
        self._adaptive = learning_rate == "adaptive"
        self._rate, self._epsilon = _rates(learning_rate), as_schedule("epsilon", epsilon)
        self._uniforms = _uniforms(rng)
        self.returns: list[float] = []
        """of the episodes so far, not discounted"""
        self.lengths: list[int] = []
        """their numbers of steps"""
        # the next action has to be known before the update: it is part of it
        self._looks_ahead = target == "sample" or self.steps_ahead > 1 or self.trace > 0
        self._window: list[tuple[Row, int, float]] = []  # pairs and rewards whose returns are still being counted
        self._traces: dict[tuple[int, int], list[Any]] = {}  # (id of the row, action) -> row, action, trace

    # ------------------------------------------------------------------------------------------------------- training
    def plot(self, state: int | None = None, **keywords: Any) -> NDArray[np.uint8]:
        """Draw what it has learned over the maze that it learns in; see `draw`, which takes more keywords.

        A cell's colour is what its best action is worth, and its arrows are the actions of that value; where it never
        was there are none.

        Raises:
            TypeError: it learns in another environment than those of this library.
        """
        env = self.env.unwrapped
        if not isinstance(env, MazeEnv):
            raise TypeError(f"the mazes of this library's environments can be drawn, not a {type(env).__name__}")
        seen = env.observations()
        met, learned = np.array([self.key(row) in self.rows for row in seen]), self.action_values(seen)
        best = learned.max(axis=1, keepdims=True)
        over = {"values": np.where(met, best[:, 0], np.nan), "policy": (learned == best) & met[:, None]}
        return draw(env.world, state, **{**over, **keywords})

    def train(
        self, episodes: int | None = None, seed: int | None = None, *, steps: int | None = None
    ) -> NDArray[np.float64]:
        """Learn from a number of episodes, or until a number of steps has been made.

        Args:
            episodes: their number.
            seed: for the first `env.reset`; those after it have none.
            steps: instead: the episode during which this number is reached is the last one.

        Returns:
            (episodes,): their returns, not discounted; `lengths` has their numbers of steps.

        Raises:
            ValueError: neither or both are given, or a number is not positive.
        """
        if (episodes is None) == (steps is None):
            raise ValueError("give a number of episodes, or steps= instead")
        goal = whole("episodes", episodes, 1) if steps is None else whole("steps", steps, 1)
        first, made = len(self.returns), 0
        while made < goal:
            observation, _ = self.env.reset(seed=seed if len(self.returns) == first else None)
            self._episode(observation, self._epsilon(len(self.returns)))
            made += 1 if steps is None else self.lengths[-1]
        return np.array(self.returns[first:])

    def _episode(self, observation: Any, epsilon: float) -> None:
        """Walk one episode, and learn from each step."""
        step, rows, key, choose, learn = self.env.step, self.rows, self.key, self.choose, self.learn
        by_number, ahead = self.axes == 0, self._looks_ahead
        self._window.clear()
        self._traces.clear()
        total, count = 0.0, 0
        row = rows[key(observation)]
        action = choose(row, epsilon)
        over = False
        while not over:
            observation, earned, terminated, truncated, _ = step(action)
            reward = float(earned)
            after = rows[observation if by_number else key(observation)]
            over = terminated or truncated
            following = choose(after, epsilon) if ahead and not terminated else 0
            learn(row, action, reward, after, terminated, truncated, following, epsilon)
            total += reward
            count += 1
            row = after
            if not over:
                action = following if ahead else choose(after, epsilon)
        self.returns.append(total)
        self.lengths.append(count)

    def choose(self, row: Row, epsilon: float) -> int:
        """Return an action: a random one with probability epsilon, else one of those of the highest value."""
        u = next(self._uniforms)
        if u < epsilon:
            return int(u / epsilon * self.actions)
        q = row.q
        best = max(q)
        if q.count(best) == 1:
            return q.index(best)
        ties = [action for action, value in enumerate(q) if value == best]
        return ties[int(next(self._uniforms) * len(ties))]

    # ------------------------------------------------------------------------------------------------------- learning
    def learn(
        self,
        row: Row,
        action: int,
        reward: float,
        after: Row,
        terminated: bool,
        truncated: bool,
        following: int,
        epsilon: float,
    ) -> None:
        """Learn from one step.

        Args:
            row, action, reward, after: where it was, what it did, what it got, where that led.
            terminated: the episode is over, and nothing more will come.
            truncated: it was cut short: only the counting ends.
            following: the action taken next, if `target`, `steps` or `trace` ask for it.
            epsilon: that of this episode.
        """
        heads = self.double and next(self._uniforms) < 0.5
        future = 0.0 if terminated else self.discount * self.expected(after, following, epsilon, heads)
        if self.trace:
            self._learn_by_traces(row, action, reward + future, after, terminated or truncated, following)
        elif self.steps_ahead > 1:
            self._window.append((row, action, reward))
            cut = terminated or truncated or (self.target == "max" and after.q[following] != max(after.q))
            self._learn_from_window(future, len(self._window) if cut else 1, heads)
        else:
            self.move(row, action, reward + future, heads)

    def expected(self, row: Row, following: int, epsilon: float, heads: bool = False) -> float:
        """Return what is expected from a row on: by `target`; with two tables, by the one that does not learn now."""
        if row.first is None or row.second is None:
            own = other = row.q
        else:
            own, other = (row.first, row.second) if heads else (row.second, row.first)
        if self.target == "sample":
            return other[following]
        best = max(own) if own is other else other[own.index(max(own))]
        return best if self.target == "max" else (1 - epsilon) * best + epsilon * sum(other) / self.actions

    def move(self, row: Row, action: int, target: float, heads: bool = False) -> None:
        """Move the value of a pair towards a target; with two tables, in the one that learns now."""
        if not self.double:
            error = target - row.q[action]
            row.q[action] += self._rate(row, action, error) * error
            return
        if row.first is None or row.second is None:
            row.first, row.second, row.turns, row.signs = row.q[:], row.q[:], row.turns * 2, row.signs * 2
        own, twin = (row.first, row.second) if heads else (row.second, row.first)
        error = target - own[action]
        if self._adaptive:  # one count for both tables
            rate = self._rate(row, action, error)
        else:
            rate = self._rate(row, action if heads else action + self.actions, error)
        own[action] += rate * error
        if self._adaptive and rate > TOGETHER:
            twin[action] = own[action]
        row.q[action] = (row.first[action] + row.second[action]) / 2

    def _learn_from_window(self, future: float, ready: int, heads: bool) -> None:
        """Move the first pairs of the window, if it is full or cut, towards their returns."""
        window = self._window
        if ready == 1 and len(window) < self.steps_ahead:
            return
        returns: list[float] = []
        for _, _, reward in reversed(window):
            future = reward + future if not returns else reward + self.discount * future
            returns.append(future)
        for (row, action, _), target in zip(window[:ready], reversed(returns), strict=False):
            self.move(row, action, target, heads)
        del window[:ready]

    def _learn_by_traces(self, row: Row, action: int, target: float, after: Row, over: bool, following: int) -> None:
        """Correct all pairs of the episode so far by this step's error."""
        traces, decay = self._traces, self.discount * self.trace
        error = target - row.q[action]
        traces[id(row), action] = [row, action, 1.0]
        for name, entry in [*traces.items()]:
            one, act, trace = entry
            one.q[act] += self._rate(one, act, error * trace) * error * trace
            entry[2] = trace * decay
            if entry[2] < FAINTEST:
                del traces[name]
        if over or (self.target == "max" and after.q[following] != max(after.q)):
            traces.clear()


class QLearning(TDLearner):
    r"""Q-learning (Watkins, 1989): `TDLearner` with `target="max"`; see there for the arguments.

    Example:
        >>> import gymnasium
        >>> import numpy as np
        >>> import mazegrad
        >>> from mazegrad.agents import QLearning, regret
        >>> env = gymnasium.make("mazegrad/GridWorld-v0", maze="S..G\n", observation="index")
        >>> learner = QLearning(env, rng=np.random.default_rng(0))
        >>> curve = learner.train(episodes=200, seed=0)
        >>> float(regret(env.unwrapped.world, learner))
        0.0
    """

    def __init__(self, env: gymnasium.Env[Any, Any], *, rng: np.random.Generator, **keywords: Any) -> None:
        super().__init__(env, rng=rng, **{"target": "max", **keywords})


class SARSA(TDLearner):
    """SARSA (Rummery & Niranjan, 1994): `TDLearner` with `target="sample"`; exploring counts in what it learns.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import SARSA, QLearning, regret
        >>> from mazegrad.envs import MazeEnv
        >>> def lost(learner_class):
        ...     env = MazeEnv("cliff_walk", observation="index")
        ...     learner = learner_class(env, discount=1, rng=np.random.default_rng(0))
        ...     _ = learner.train(episodes=300, seed=0)
        ...     return float(regret(env.world, learner))
        >>> lost(SARSA), lost(QLearning)  # SARSA keeps away from the cliff, into which it may step by chance
        (4.0, 0.0)
    """

    def __init__(self, env: gymnasium.Env[Any, Any], *, rng: np.random.Generator, **keywords: Any) -> None:
        super().__init__(env, rng=rng, **{"target": "sample", **keywords})


class ExpectedSARSA(TDLearner):
    """Expected SARSA (van Seijen et al., 2009): `TDLearner` with `target="expected"`.

    It learns what SARSA learns, without the luck of the next action.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import ExpectedSARSA
        >>> from mazegrad.envs import Maze, MazeEnv
        >>> env = MazeEnv(Maze.from_text("S.G"), observation="index")
        >>> learner = ExpectedSARSA(env, discount=0.9, epsilon=0.4, rng=np.random.default_rng(0))
        >>> _ = learner.train(episodes=300, seed=0)
        >>> learner.action_values(0).round(2)  # of RIGHT less than 0.9: it counts in that it explores
        array([0.73, 0.85, 0.73, 0.73])
    """

    def __init__(self, env: gymnasium.Env[Any, Any], *, rng: np.random.Generator, **keywords: Any) -> None:
        super().__init__(env, rng=rng, **{"target": "expected", **keywords})


class DoubleQLearning(TDLearner):
    """Double Q-learning (van Hasselt, 2010): `TDLearner` with `double=True`.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import DoubleQLearning, QLearning
        >>> from mazegrad.envs import Maze, MazeEnv
        >>> def estimate(learner_class):
        ...     env = MazeEnv(Maze.from_text("XSG"), observation="index", slip=1.0)  # up and down: -1 or 1, by luck
        ...     learner = learner_class(env, learning_rate=0.3, epsilon=0.3, initial=0.0, rng=np.random.default_rng(0))
        ...     _ = learner.train(episodes=300, seed=0)
        ...     return float(learner.action_values(1).max().round(2))
        >>> estimate(QLearning), estimate(DoubleQLearning)  # what can be expected is 0
        (0.34, 0.03)
    """

    def __init__(self, env: gymnasium.Env[Any, Any], *, rng: np.random.Generator, **keywords: Any) -> None:
        super().__init__(env, rng=rng, **{"double": True, **keywords})


def _spaces(env: Any) -> tuple[int, int]:
    """Return the number of actions, and of the axes of an observation.

    Raises:
        ValueError: actions that are not discrete, observations that are not numbers.
        TypeError: not a single environment.
    """
    if not isinstance(env, gymnasium.Env):
        raise TypeError(
            f"a table is learned in a single environment, gymnasium.make(id), not in a {type(env).__name__}"
        )
    if not isinstance(env.action_space, spaces.Discrete) or env.action_space.start != 0:
        raise ValueError(f"a table of values needs discrete actions from 0, not {env.action_space}")
    seen = env.observation_space
    if seen.shape is None or (seen.shape == () and not isinstance(seen, spaces.Discrete)):
        raise ValueError(f"a table of values needs observations that are integers or arrays, not {seen}")
    return int(env.action_space.n), len(seen.shape)


def _uniforms(rng: np.random.Generator) -> Iterator[float]:
    """Yield uniform numbers from [0, 1), drawn a thousand at a time."""
    return itertools.chain.from_iterable(iter(lambda: rng.random(1024).tolist(), None))


def _rates(given: float | Schedule | Literal["adaptive"]) -> Callable[[Row, int, float], float]:
    """Return the function from (row, action, error) to the share of the error that is corrected."""
    if isinstance(given, str) and given != "adaptive":
        raise ValueError(f'learning_rate must be "adaptive", a number from 0 to 1 or a schedule, not {given!r}')
    if given == "adaptive":
        return _adaptive
    schedule = as_schedule("learning_rate", given)
    if not callable(given):
        rate = schedule(0)
        if not rate:
            raise ValueError("learning_rate must be above 0: at 0 nothing is learned")
        return lambda row, action, error: rate

    def by_updates(row: Row, action: int, error: float) -> float:
        count = row.turns[action]
        row.turns[action] = count + 1
        return schedule(count)

    return by_updates


def _adaptive(row: Row, action: int, error: float) -> float:
    turns = row.turns[action]
    if error:
        if error * row.signs[action] < 0:
            turns += 1
            row.turns[action] = turns
        row.signs[action] = error
    return _RATES[turns] if turns < len(_RATES) else (1.0 + turns) ** -ADAPTIVE
