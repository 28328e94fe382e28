"""Values: of the best policy, by value iteration, and of any policy, by one linear solve.

Both come with a bound on their error that is computed from the result itself, by the Bellman equation. At discount 1 a
value is the expected sum of rewards until the end of the episode.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..core.world import World
from ..pictures.draw import draw
from ..pictures.tiles import Frame
from ..pictures.vector import draw_svg
from .checks import check_discount, check_distribution
from .distances import Graph
from .endings import ahead, ending_cost, free_move, longest, restless, ways_to_end
from .linear import TooWideError, solve_chain
from .mdp import TabularMDP, as_process

ROUNDING: Final = 32 * float(np.finfo(np.float64).eps)
"""The rounding error of a backup of a few outcomes is below this, relative to the largest value in it."""

_SWEEPS: Final = 10  # after these, if five times as many more would not suffice, the policy is evaluated exactly
_STALE: Final = 40  # stop after this many sweeps without a smaller error

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Values:
    """The value of each state, and of each action in it.

    Example:
        >>> from mazegrad.envs import Maze, World, value_iteration
        >>> values = value_iteration(World.compile(Maze.from_text("S.G")), discount=0.9)
        >>> values.values.round(2)
        array([0.9, 1. , 0. ])
        >>> values.action_values[1].round(2)  # in the middle: up, right, left, down
        array([0.9 , 1.  , 0.81, 0.9 ])
        >>> values.policy
        array([1, 1, 0])
    """

    values: Floats
    """(S,): V; -inf where, at discount 1, no policy is sure to end the episode."""
    action_values: Floats
    """(S, A): Q: the action once, then the policy."""
    error: float
    """A bound on the error of every entry of V and Q."""
    expected_return: float
    """V, averaged over the start distribution."""
    world: World | None = None
    """whose values they are, where it is a world of one maze: a notebook draws them over it"""

    @property
    def optimal(self) -> NDArray[np.bool_]:
        """(S, A): the actions whose Q is within twice the error of the best; they include all optimal ones."""
        best: Floats = self.action_values.max(axis=1, keepdims=True)
        return np.greater_equal(self.action_values, best - 2 * self.error)

    @property
    def policy(self) -> NDArray[np.int64]:
        """(S,): the action with the greatest Q, the first of equals."""
        best: NDArray[np.int64] = self.action_values.argmax(axis=1)
        return best

    def plot(self, world: World, state: int | None = None, **keywords: Any) -> Frame:
        """Draw the values and the optimal actions over a maze of the world; see `draw`, which takes more keywords."""
        return draw(world, state, **{"values": self, "policy": self, **keywords})

    def _repr_svg_(self) -> str | None:
        return None if self.world is None else draw_svg(self.world, values=self, policy=self)

    def __repr__(self) -> str:
        return (
            f"<Values of {len(self.values)} states, return {self.expected_return:.9g}, error at most {self.error:.2g}>"
        )


def _single(problem: World | TabularMDP) -> World | None:
    """Return a world of one maze, which can be drawn; else None."""
    return problem if isinstance(problem, World) and len(problem.mazes) == 1 else None


def value_iteration(
    problem: World | TabularMDP, *, discount: float = 0.99, tol: float = 1e-9, max_sweeps: int = 100_000
) -> Values:
    """Return V*, Q* and the optimal actions.

    Sweeps go over the states from the best ends outwards, layer by layer, and each layer uses the newest values
    (asynchronous value iteration; Bertsekas & Tsitsiklis, Parallel and Distributed Computation, 1989, section 4.3). An
    action that may leave the state unchanged is repeated until it leaves. Where the sweeps converge slowly, the greedy
    policy is evaluated exactly from time to time (Howard, 1960).

    The error bound comes from one more backup of all states. Below discount 1 it is the largest change divided by
    1 - discount. At discount 1 costs take the place of contraction: let the end of an episode cost so much more that
    every outcome has a positive cost; if no change exceeds theta times the cost of its action, the expected cost is
    right up to factors of 1 + theta and 1 - theta (a scaled solution of the Bellman inequality is a bound). Where moves
    are free, as in the gambler's problem, it is the largest change times the longest expected time to the end. All
    bounds include rounding.

    Args:
        problem: a World, or a TabularMDP.
        discount: 0 to 1. At 1 every move that does not end the episode must have a negative reward, and from each start
            some policy must be sure to end (a stochastic shortest path problem; Bertsekas & Tsitsiklis, 1991); or all
            policies must be sure to end, whatever moves earn.
        tol: the wanted error; where rounding prevents it, the result has the smallest error that could be proven.
        max_sweeps: after which it gives up.

    Raises:
        ValueError: a discount out of range, or one that the problem does not allow; a tol that is not positive.
        RuntimeError: `max_sweeps` were not enough.
        TypeError: neither a World nor a TabularMDP.

    Example:
        >>> from mazegrad.envs import Maze, World, value_iteration
        >>> values = value_iteration(World.compile(Maze.from_text("S.G")), discount=0.5)
        >>> values.values
        array([0.5, 1. , 0. ])
        >>> values.policy[:2]  # right, right
        array([1, 1])
        >>> values.expected_return
        0.5
    """
    mdp, discount = as_process(problem), check_discount(discount)
    if not tol > 0:
        raise ValueError(f"tol must be a positive number, not {tol!r}")
    allowed, first = np.ones((mdp.states, mdp.actions), dtype=bool), None
    shift, horizon = 0.0, None if discount == 1 else 1 / (1 - discount)
    if discount == 1:
        if (free := free_move(mdp)) is None:
            shift = ending_cost(mdp)
        else:
            horizon = longest(mdp, free)
        allowed, first = ways_to_end(mdp)
    lives = allowed.any(axis=1) & ~mdp.terminal
    reward = np.where(allowed, mdp.expected_reward(), -np.inf)
    probability, next_state = ahead(mdp, allowed, discount)
    sweep = _sweeper(mdp, lives, reward, probability, next_state, discount)
    V = np.zeros(mdp.states + 1)
    solvable = True
    if first is not None:
        try:
            V[:-1] = _solve(mdp, np.eye(mdp.actions)[first], discount, lives)[0]
        except TooWideError:
            solvable = False
    errors = [np.inf]
    smallest, since = np.inf, 0
    for count in range(1, max_sweeps + 1):
        sweep(V)
        Q = reward + np.einsum("sak,sak->sa", probability, V[next_state])
        error, settled = _bound(mdp, horizon, V[:-1][lives], Q[lives], lives, shift)
        errors.append(error)
        smallest, since = (error, 0) if error < smallest else (smallest, since + 1)
        if error <= tol or settled or (since >= _STALE and error < np.inf):
            break
        if solvable and count % _SWEEPS == 0 and not error * (error / errors[-_SWEEPS]) ** 5 <= tol:
            try:
                V[:-1] = _solve(mdp, np.eye(mdp.actions)[Q.argmax(axis=1)], discount, lives)[0]
            except TooWideError:
                solvable = False
    else:
        raise RuntimeError(f"the error is still {smallest:.3g} after {max_sweeps} sweeps; raise max_sweeps or tol")
    values = np.where(mdp.terminal, 0.0, np.where(lives, V[:-1], -np.inf))
    Q[mdp.terminal] = 0.0
    return Values(values, Q, error, _average(mdp.start, values), _single(problem))


def evaluate_policy(problem: World | TabularMDP, policy: NDArray[Any], *, discount: float = 0.99) -> Values:
    """Return V and Q of a policy, exactly (up to the rounding that `error` bounds), by one linear solve.

    Args:
        problem: a World, or a TabularMDP.
        policy: (S,) ints, an action for each state; or (S, A) probabilities.
        discount: 0 to 1. At 1 the policy must be sure, from each start, to end or to reach states from where all
            rewards are 0; V is NaN where it is not.

    Raises:
        ValueError: a policy of a wrong shape or type, an action out of range, probabilities whose sum is not 1; a
            discount out of range, or one that the policy does not allow; a world too wide for `solve_chain`.
        TypeError: neither a World nor a TabularMDP.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import Maze, World, evaluate_policy
        >>> world = World.compile(Maze.from_text("S.G"))
        >>> evaluate_policy(world, np.full((3, 4), 0.25), discount=0.5).values.round(4)  # a random walk
        array([0.069 , 0.3448, 0.    ])
    """
    mdp, discount = as_process(problem), check_discount(discount)
    chances = _probabilities(policy, mdp)
    lives, endless = ~mdp.terminal, np.zeros(mdp.states, dtype=bool)
    if discount == 1:
        lives, endless = restless(mdp, chances)
    V, error = _solve(mdp, chances, discount, lives)
    V[endless] = np.nan
    probability, next_state = ahead(mdp, np.ones((mdp.states, mdp.actions), dtype=bool), discount)
    Q = mdp.expected_reward() + np.einsum("sak,sak->sa", probability, np.append(V, 0.0)[next_state])
    return Values(V, Q, error, _average(mdp.start, V), _single(problem))


def _probabilities(policy: NDArray[Any], mdp: TabularMDP) -> Floats:
    """Return a policy as probabilities, (S, A)."""
    policy, states, actions = np.asarray(policy), mdp.states, mdp.actions
    if policy.shape == (states,) and policy.dtype.kind in "iu":
        if not ((policy >= 0) & (policy < actions)).all():
            raise ValueError(f"the actions of a policy must be {named_actions(mdp)}")
        return np.eye(actions).take(policy, axis=0)
    if policy.shape == (states, actions) and policy.dtype.kind == "f":
        check_distribution("policy", policy)
        return policy.astype(np.float64)
    raise ValueError(
        f"a policy must be ({states},) ints or ({states}, {actions}) floats, not {policy.shape} of {policy.dtype}"
    )


def named_actions(mdp: TabularMDP) -> str:
    """Return the allowed actions in words."""
    if mdp.actions != 4:
        return f"numbers from 0 to {mdp.actions - 1}"
    return "0 (up), 1 (right), 2 (left) or 3 (down)"


def _solve(mdp: TabularMDP, chances: Floats, discount: float, lives: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Return V of a policy, (S,), and a bound on its error.

    Args:
        mdp: the tables.
        chances: (S, A), the probability of each action.
        discount: 0 to 1.
        lives: (S,): where V is to be solved for; it is 0 elsewhere.
    """
    chance = np.where(lives[:, None, None], chances[:, :, None] * mdp.probability, 0.0)
    expected = (chance * mdp.reward).sum(axis=(1, 2))
    happens = (chance > 0) & lives[mdp.next_state]
    tail, head, weight = np.nonzero(happens)[0], mdp.next_state[happens], discount * chance[happens]
    index = np.cumsum(lives) - 1
    solved = solve_chain(index[tail], index[head], weight, np.stack([expected, np.ones(mdp.states)], axis=1)[lives])
    V = np.zeros(mdp.states)
    V[lives] = solved[:, 0]
    residual = np.abs(expected + np.bincount(tail, weight * V[head], minlength=mdp.states) - V).max()
    steps = solved[:, 1].max(initial=0.0)  # (discounted), over which an error of 1 in each adds up
    return V, float((residual + _rounding(mdp, V)) * steps)


def _average(start: Floats, values: Floats) -> float:
    begins = start > 0
    return float(start[begins] @ values[begins])


def _rounding(mdp: TabularMDP, V: Floats) -> float:
    """Return a bound on the rounding error of one backup."""
    return ROUNDING * float(max(np.abs(V).max(initial=0.0), np.abs(mdp.reward).max()))


def _sweeper(
    mdp: TabularMDP,
    lives: NDArray[np.bool_],
    reward: Floats,
    probability: Floats,
    next_state: NDArray[np.int64],
    discount: float,
) -> Callable[[Floats], None]:
    """Return a function that updates V, (S + 1,), in place, layer by layer, where `lives`."""
    happens = mdp.probability > 0
    tail = np.nonzero(happens)[0]
    head = mdp.next_state[happens]
    ends = mdp.terminal[head] & ~mdp.terminal[tail]
    last = mdp.reward[happens][ends]
    level = Graph(head, tail, mdp.states).levels(np.unique(head[ends][last == last.max(initial=-np.inf)]))
    level[level < 0] = level.max() + 1
    order = np.flatnonzero(lives)
    order = order[np.argsort(level[order], kind="stable")]

    # an action that may stay is repeated until it leaves; one that never leaves costs for ever (at discount 1), or is
    # discounted for ever
    stays = next_state[order] == order[:, None, None]
    leaves = 1 - discount + discount * np.where(stays, 0.0, mdp.probability[order]).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.where(leaves > 0, reward[order] / leaves, -np.inf)
        p = np.where(stays | (leaves <= 0)[:, :, None], 0.0, probability[order] / leaves[:, :, None])
    to = next_state[order]
    bounds = np.flatnonzero(np.diff(level[order])) + 1
    blocks = list(zip(*(np.split(table, bounds) for table in (order, r, p, to)), strict=True))

    def sweep(V: Floats) -> None:
        for states, r, p, to in blocks:
            V[states] = (r + (p * V[to]).sum(axis=2)).max(axis=1)

    return sweep


def _bound(
    mdp: TabularMDP, horizon: float | None, V: Floats, Q: Floats, lives: NDArray[np.bool_], shift: float
) -> tuple[float, bool]:
    """Return a bound on the error of V, given its backup Q, and whether the error is only rounding.

    Args:
        mdp: the tables.
        horizon: over how many steps an error of each backup adds up at most; None where each outcome has a cost.
        V: (n,), of the states that live.
        Q: (n, A), their backup.
        lives: (S,).
        shift: the extra cost of ending, see `ending_cost`.
    """
    if not len(V):
        return 0.0, True
    rounding = _rounding(mdp, V)
    best = Q.argmax(axis=1)[:, None]
    change = np.take_along_axis(Q, best, axis=1)[:, 0] - V
    largest = np.abs(change).max()
    settled = bool(largest <= rounding)
    if horizon is not None:
        return float((largest + rounding) * horizon), settled
    ends = np.where(mdp.terminal[mdp.next_state[lives]], mdp.probability[lives], 0.0).sum(axis=2)
    cost = shift * ends - mdp.expected_reward()[lives]
    above = ((Q - V[:, None] + rounding) / cost).max()
    below = ((rounding - change) / np.take_along_axis(cost, best, axis=1)[:, 0]).max()
    if below >= 1 or (shift < V).any():
        return np.inf, settled
    return float((shift - V).max() * max(above, below / (1 - below))), settled
