"""Rollouts: a policy and its environment in one loop, which JAX compiles into a single scan."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, NamedTuple, TypeAlias

from ..maps.arguments import nearest, whole
from .namespace import Array, Maybe, Namespace, is_jax, namespace
from .stepping import observe, step
from .structure import SameStep, State, Tables

Act: TypeAlias = Callable[[Any, Any, Any], tuple[Array, Any]]
"""(parameters, observation, hidden) -> (lanes,) actions, hidden"""


class Policy(NamedTuple):
    """A pure policy: its function is compiled once, its parameters are arguments of what is compiled.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import functional
        >>> tables = functional.tables("mazegrad/FourRooms-v0")
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=3))
        >>> def linear(weights, dots, hidden):  # (dots, actions), (lanes, dots)
        ...     return (dots @ weights).argmax(axis=1), hidden
        >>> policy = functional.Policy(linear, np.diag([1.0, 4.0, 2.0, 3.0]), hidden=None)  # right, else down, left, up
        >>> steps, state, _ = functional.rollout(tables, policy, state, steps=6)
        >>> steps.action[:, 0]
        array([1, 1, 1, 1, 3, 3])
    """

    act: Act
    """(parameters, observation, hidden) -> (lanes,) actions, hidden"""
    parameters: Any
    """arrays in tuples, lists or dicts"""
    hidden: Any
    """(lanes, ...) arrays before the first observation of an episode: with each, they begin anew"""


class Steps(NamedTuple):
    """Everything that happened, each with (steps, lanes, ...).

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import RIGHT, Maze, functional
        >>> tables = functional.tables(Maze.from_text("SG"))
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=3))
        >>> steps, state, _ = functional.rollout(tables, np.full((5, 3), RIGHT), state, 5)
        >>> steps.observation.shape, steps.reward.shape
        ((5, 3, 4), (5, 3))
        >>> steps.terminated[:, 0]  # of lane 0
        array([ True, False,  True, False,  True])
    """

    observation: Any
    """what the policy acted on"""
    action: Array
    reward: Array
    terminated: Array
    truncated: Array
    info: dict[str, Any]


class Episodes(NamedTuple):
    """The episodes that ended, summed up for each lane, (lanes,) each.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import RIGHT, Maze, functional
        >>> tables = functional.tables(Maze.from_text("SG"))
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=2))
        >>> actions = np.full((9, 2), RIGHT)
        >>> episodes, _, _ = functional.rollout(tables, actions, state, 9, keep="episodes")
        >>> episodes.episodes, episodes.returns, episodes.lengths  # every second step begins the next episode
        (array([5, 5], dtype=int32), array([5., 5.]), array([5, 5], dtype=int32))
    """

    returns: Array
    """the sum of their returns; with autoreset disabled, the return of the only one"""
    lengths: Array
    """the number of their steps; those that begin the next episode do not count"""
    episodes: Array
    """how many there were"""
    successes: Maybe
    """how many ended on a goal; None unless the tables have the info "success" """
    earned: Array
    """what was earned until now, since the beginning"""
    made: Array
    """steps until now"""
    weight: Maybe
    """of the next reward; None where rewards are not discounted"""


KEEP = ("everything", "episodes")
# steps in one round of a scan over given actions: with 1,024 lanes a seventh faster than one, and four are slower; with
# a net in the loop two are slower than one
_UNROLLED = 2


def rollout(
    tables: Tables,
    policy: Policy | Callable[[Any, Any], tuple[Array, Any]] | Array,
    state: State,
    steps: int,
    *,
    hidden: Any = None,
    keep: str = "everything",
    discount: float = 1.0,
    before: Episodes | None = None,
    shards: int = 1,
) -> tuple[Any, State, Any]:
    """Let a policy act for a number of steps in all lanes.

    Under JAX this is one `scan`, compiled once for each policy, number of steps and shapes; elsewhere a loop.

    Args:
        tables: see `tables`.
        policy: a `Policy`; or a pure function (observation, hidden) -> ((lanes,) actions, hidden), which JAX traces
            once; or the actions themselves, (steps, lanes).
        state: from `reset`, `step` or an earlier rollout.
        steps: how many, 1 or more.
        hidden: of the policy, from an earlier rollout; by default that of the `Policy`, else None.
        keep: "everything" returns `Steps`; "episodes" `Episodes`, the returns and lengths alone, which is faster.
        discount: of the returns of `Episodes`.
        before: the `Episodes` of an earlier rollout, to go on with.
        shards: under JAX, into how many parts the lanes are divided, of which as many are walked at once as there are
            cores: by one thread each, since one scan keeps one core busy. Elsewhere it changes nothing. The policy must
            take any number of lanes, and have all its hidden state by lane.

    Returns:
        `Steps` or `Episodes`, the state, and the policy's hidden state.

    Raises:
        ValueError: an unknown `keep`, actions for another number of steps, steps or shards below 1, lanes that cannot
            be divided so.
        TypeError: a policy of another kind.

    Example:
        >>> from mazegrad.envs import functional
        >>> def first_dot(dots, hidden):
        ...     return dots.argmax(axis=1), hidden
        >>> tables = functional.tables("mazegrad/FourRooms-v0")
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=4))
        >>> steps, state, _ = functional.rollout(tables, first_dot, state, 10)
        >>> steps.action.shape
        (10, 4)
    """
    steps = whole("steps", steps, 1)
    if keep not in KEEP:
        raise ValueError(f"unknown keep {keep!r}{nearest(keep, KEEP)}")
    xp = namespace(state.at)
    actions = initial = None
    if isinstance(policy, Policy):
        act, parameters, initial = policy
        hidden = initial if hidden is None else hidden
    elif callable(policy):
        act, parameters = _without_parameters(policy), None
    elif hasattr(policy, "shape"):
        actions, act, parameters = policy, _given, None
        if tuple(actions.shape) != (steps, state.at.shape[0]):
            raise ValueError(
                f"actions for {steps} steps have shape {(steps, state.at.shape[0])}, not {tuple(actions.shape)}"
            )
    else:
        raise TypeError(f"a policy is a Policy, a function or an array of actions, not {type(policy).__name__}")
    totals = None
    if keep == "episodes":
        totals = _nothing(tables, state, discount) if before is None else before
    lanes, shards = state.at.shape[0], whole("shards", shards, 1)
    if lanes % shards:
        raise ValueError(f"{lanes:,} lanes cannot be divided into {shards} shards of one size")
    if is_jax(xp):
        one, part, joined = _compiled()
        arguments: Any = (tables, (parameters, initial), actions, (state, hidden, totals), discount)
        if shards == 1:
            return one(*arguments, act=act, steps=steps)
        _check_by_lane((initial, hidden), lanes)
        run = partial(part, *arguments, act=act, steps=steps, shards=shards)
        return joined([*_threads(min(shards, _cores())).map(run, range(shards))])
    return _looped(xp, tables, (parameters, initial), actions, (state, hidden, totals), discount, act, steps)


@cache
def _without_parameters(policy: Callable[[Any, Any], tuple[Array, Any]]) -> Act:
    return lambda parameters, observation, hidden: policy(observation, hidden)


def _given(parameters: Any, observation: Any, hidden: Any) -> tuple[Array, Any]:
    raise AssertionError("actions are given")


def _nothing(tables: Tables, state: State, discount: float) -> Episodes:
    xp = namespace(state.at)
    zero = state.at & 0
    earned = xp.astype(zero, tables.rewards.dtype)
    successes = zero if "success" in tables.info else None
    return Episodes(earned, zero, zero, successes, earned, zero, None if discount == 1 else earned + 1)


def _counted(
    tables: Tables, totals: Episodes, begun: Any, reward: Array, over: Array, facts: Any, discount: Any
) -> Episodes:
    """Return the episodes after a step.

    Args:
        begun: (lanes,) bool, the lanes whose episode was over before; None where that does not happen.
        facts: the info of the states that the step led to.
    """
    xp = namespace(reward)
    weight, add = totals.weight, xp.astype(over, xp.int32)
    made = totals.made + 1 if begun is None else totals.made + xp.astype(~begun, xp.int32)
    earned = totals.earned + (reward if weight is None else reward * weight)
    if weight is not None:
        weight = xp.where(over, weight * 0 + 1, weight * discount)
        weight = weight if begun is None else xp.where(begun, weight * 0 + 1, weight)
    successes = totals.successes
    if successes is not None:
        successes = successes + xp.astype(over & facts["success"], xp.int32)
    return Episodes(
        xp.where(over, earned, totals.returns),
        xp.where(over, made, totals.lengths),
        totals.episodes + add,
        successes,
        earned,
        made,
        weight,
    )


def _once(
    tables: Tables, fixed: Any, act: Act, discount: Any, carry: Any, action: Array | None
) -> tuple[Any, Steps | None]:
    """Act and step once.

    Args:
        fixed: the parameters of the policy, and its hidden state when an episode begins, or None.
        carry: (state, hidden, episodes or None, observation).
    """
    state, hidden, totals, seen = carry
    parameters, initial = fixed
    if action is None:
        action, hidden = act(parameters, seen, hidden)
    following, after, reward, terminated, truncated, facts = step(tables, state, action)
    if initial is not None:
        begun = terminated | truncated if isinstance(tables.mode, SameStep) else state.over
        hidden = _chosen(begun, initial, hidden)
    if totals is None:
        return (after, hidden, None, following), Steps(seen, action, reward, terminated, truncated, facts)
    last = facts["final_info"] if isinstance(tables.mode, SameStep) else facts
    totals = _counted(tables, totals, state.over, reward, terminated | truncated, last, discount)
    return (after, hidden, totals, following), None


def _chosen(mask: Array, one: Any, other: Any) -> Any:
    """Return the arrays of one in the lanes of a mask, else those of the other, in tuples, lists and dicts."""
    if isinstance(one, dict):
        return {name: _chosen(mask, one[name], other[name]) for name in one}
    if isinstance(one, tuple | list):
        parts = [_chosen(mask, *pair) for pair in zip(one, other, strict=True)]
        return type(one)(*parts) if hasattr(one, "_fields") else type(one)(parts)
    xp = namespace(one)
    return xp.where(xp.reshape(mask, (-1, *[1] * (len(one.shape) - 1))), one, other)


@cache
def _compiled() -> tuple[Any, Any, Any]:
    """Return the scan, that of a shard, and the join of these, compiled by JAX for each policy's function."""
    import jax

    def scanned(tables: Tables, fixed: Any, actions: Any, carry: Any, discount: Any, *, act: Act, steps: int) -> Any:
        once = partial(_once, tables, fixed, act, discount)
        return scan(tables, once, carry, actions, steps, actions is not None)

    def part(
        tables: Tables,
        fixed: Any,
        actions: Any,
        carry: Any,
        discount: Any,
        number: Any,
        *,
        act: Act,
        steps: int,
        shards: int,
    ) -> Any:
        size = carry[0].at.shape[0] // shards

        def cut(arrays: Any) -> Any:
            return jax.tree.map(lambda x: jax.lax.dynamic_slice_in_dim(x, number * size, size), arrays)

        def once(carry: Any, time: Any) -> Any:
            # of given actions each step takes its own from the whole, so that these are not copied first
            row = None if actions is None else jax.lax.dynamic_slice(actions, (time, number * size), (1, size))[0]
            return _once(tables, (fixed[0], cut(fixed[1])), act, discount, carry, row)

        return scan(tables, once, cut(carry), jax.numpy.arange(steps), steps, actions is not None)

    def scan(tables: Tables, once: Any, carry: Any, rows: Any, steps: int, given: bool) -> Any:
        unroll = _UNROLLED if given and tables.fresh is None else 1
        begin = (*carry, observe(tables, carry[0]))
        (state, hidden, totals, _), happened = jax.lax.scan(once, begin, rows, length=steps, unroll=unroll)
        return (happened if totals is None else totals), state, hidden

    def joined(parts: list[Any]) -> Any:
        axis = 1 if isinstance(parts[0][0], Steps) else 0
        happened = jax.tree.map(lambda *some: jax.numpy.concatenate(some, axis=axis), *(one[0] for one in parts))
        return happened, *jax.tree.map(lambda *some: jax.numpy.concatenate(some), *(one[1:] for one in parts))

    static = ("act", "steps")
    return (
        jax.jit(scanned, static_argnames=static),
        jax.jit(part, static_argnames=(*static, "shards")),
        jax.jit(joined),
    )


def _check_by_lane(hidden: Any, lanes: int) -> None:
    """Raise ValueError for a hidden state that cannot be divided by lane."""
    import jax

    for array in jax.tree.leaves(hidden):
        if array.shape[:1] != (lanes,):
            raise ValueError(
                f"with shards all hidden state is by lane: ({lanes}, ...), not {tuple(array.shape)}; leave out shards"
            )


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="mazegrad shard")


def _looped(
    xp: Namespace, tables: Tables, fixed: Any, actions: Any, carry: Any, discount: Any, act: Act, steps: int
) -> Any:
    """Return what the scan returns, by a loop."""
    carry, happened = (*carry, observe(tables, carry[0])), []
    for time in range(steps):
        action = None if actions is None else actions[time, ...]
        carry, one = _once(tables, fixed, act, discount, carry, action)
        happened.append(one)
    state, hidden, totals, _ = carry
    return (_stacked(xp, happened) if totals is None else totals), state, hidden


def _stacked(xp: Namespace, parts: list[Any]) -> Any:
    """Return dicts and tuples of arrays from a list of them, with a first axis for the list."""
    if isinstance(parts[0], dict):
        return {name: _stacked(xp, [part[name] for part in parts]) for name in parts[0]}
    if isinstance(parts[0], tuple):
        return type(parts[0])(*(_stacked(xp, list(column)) for column in zip(*parts, strict=True)))
    return xp.stack(parts)
