"""Rollouts: a policy and its environment in one loop, which JAX compiles into a single scan."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

from ..maps.arguments import nearest, whole
from .loop import looped
from .namespace import Array, is_jax, namespace
from .outcome import Episodes, nothing
from .scan import scanned
from .structure import State, Tables
from .trees import arrays
from .turn import Act

KEEP: Final = ("everything", "episodes")
"""what a rollout can return"""


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
    """(parameters, observation, hidden) -> (lanes,) actions, hidden; for any number of lanes"""
    parameters: Any
    """arrays in tuples, lists or dicts"""
    hidden: Any
    """(lanes, ...) arrays before the first observation of an episode: with each, they begin anew"""


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
    shards: int | None = None,
) -> tuple[Any, State, Any]:
    """Let a policy act for a number of steps in all lanes.

    Under JAX this is one `scan`, compiled once for each policy, number of steps and shapes. Elsewhere it is a loop.
    Under torch on a GPU, with a `Policy` or given actions, the loop replays a CUDA graph of one step, unless lanes draw
    new mazes or gradients are wanted.

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
        shards: under JAX, over how many of its devices the lanes are divided, by default those where the state is; the
            arrays that come out are divided, too. JAX takes a CPU for one device, however many cores it has, unless
            `jax_num_cpu_devices` says otherwise. Elsewhere it changes nothing. All hidden state has to be by lane.

    Returns:
        `Steps` or `Episodes`, the state, and the policy's hidden state.

    Raises:
        ValueError: an unknown `keep`, actions for another number of steps, a `Policy` for another number of lanes,
            steps or shards below 1, lanes that cannot be divided so, fewer devices than shards.
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
    lanes = state.at.shape[0]
    if shards is not None and lanes % whole("shards", shards, 1):
        raise ValueError(f"{lanes:,} lanes cannot be divided into {shards} shards of one size")
    actions = initial = None
    if isinstance(policy, Policy):
        act, parameters, initial = policy
        for array in arrays(initial):
            if array.shape[0] != lanes:
                raise ValueError(f"the policy is for {array.shape[0]:,} lanes, and there are {lanes:,}")
        hidden = initial if hidden is None else hidden
    elif callable(policy):
        act, parameters = _without_parameters(policy), None
    elif hasattr(policy, "shape"):
        actions, act, parameters = policy, _given, None
        if tuple(actions.shape) != (steps, lanes):
            raise ValueError(f"actions for {steps} steps have shape {(steps, lanes)}, not {tuple(actions.shape)}")
    else:
        raise TypeError(f"a policy is a Policy, a function or an array of actions, not {type(policy).__name__}")
    totals = None
    if keep == "episodes":
        totals = nothing(tables, state, discount) if before is None else before
    pure = actions is not None or isinstance(policy, Policy)
    arguments = (tables, (parameters, initial), actions, (state, hidden, totals), discount, act, steps, pure)
    return scanned(*arguments, shards) if is_jax(namespace(state.at)) else looped(*arguments)


@cache
def _without_parameters(policy: Callable[[Any, Any], tuple[Array, Any]]) -> Act:
    return lambda parameters, observation, hidden: policy(observation, hidden)


def _given(parameters: Any, observation: Any, hidden: Any) -> tuple[Array, Any]:
    raise AssertionError("actions are given")
