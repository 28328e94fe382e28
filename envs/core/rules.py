"""The whole physics: what a move leads to, looked up in a World's tables, for one agent or for many."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..maps.directions import left_of, right_of
from .noise import Noise, as_noise
from .world import World, checked_world

# the executed direction, at 3 * action + (0: as meant, 1: slipped to the left, 2: slipped to the right)
_EXECUTED: Final = tuple(way for action in range(4) for way in (action, left_of(action), right_of(action)))
_EXECUTED_ARRAY: Final = np.array(_EXECUTED)


class Slips(NamedTuple):
    """What `slipped` reads, as a list: for ints that is ten times faster than an array."""

    slip: list[float]
    noise: Noise | None = None


def slipped(world: World | Slips, state: Any, action: Any, u: Any) -> Any:
    r"""Return the executed move for an action: the action itself, or what noise makes of it.

    Args:
        world: the tables.
        state, action: ints, or int arrays of equal length.
        u: a uniform number in [0, 1) for each: with `World.slip`, below slip / 2 the move goes to the right of the
            action's direction, below slip to its left, else in its direction; with `World.noise`, it is below the first
            k of `Noise.below` in case k.

    Returns:
        An int, or an int array of the same length.

    Example:
        >>> from mazegrad.envs import RIGHT, Maze, World, slipped
        >>> world = World.compile(Maze.from_text("...\nS~G\n..."))
        >>> [int(slipped(world, 4, RIGHT, u)) for u in (0.1, 0.5, 0.9)]  # down, up, as meant
        [3, 0, 1]
    """
    if world.noise is not None:
        kind = world.noise.kind[state]
        case = (np.asarray(u)[..., None] < world.noise.below[kind, action]).sum(axis=-1)
        executed = world.noise.executed[kind, action, case]
        return int(executed) if np.ndim(executed) == 0 else executed
    slip = world.slip[state]
    if isinstance(world, World) and world.actions != 4:
        return action
    case = 3 * action + (u < slip) + (u < slip / 2)
    return _EXECUTED[case] if isinstance(case, int) else _EXECUTED_ARRAY[case]


def transition(world: World, state: Any, move: Any) -> tuple[Any, Any, Any]:
    """Return the next state, the reward and whether the episode ends.

    Args:
        world: the tables.
        state, move: ints, or int arrays of equal length; the move is the executed one, see `slipped`.

    Returns:
        Three numbers, or three arrays of the same length.

    Example:
        >>> from mazegrad.envs import RIGHT, Maze, World, transition
        >>> world = World.compile(Maze.from_text("S.G"))
        >>> state, reward, end = transition(world, 1, RIGHT)
        >>> int(state), float(reward), bool(end)
        (2, 1.0, True)
    """
    next_state = world.next_state[state, move]
    return next_state, world.reward[state, move], world.terminal[next_state]


@dataclass(frozen=True)
class Outcomes:
    """What can happen after each action in each state: (S, A, K), in K cases."""

    probability: NDArray[np.float64]
    next_state: NDArray[np.int64]
    reward: NDArray[np.float64]
    terminal: NDArray[np.bool_]
    """Whether the next state is terminal."""


def noise_of(world: World) -> Noise:
    """Return how actions turn into executed moves, as distributions."""
    return checked_world(world).noise or as_noise(world.slip, world.actions)


def cases(world: World) -> Outcomes:
    """Return what can happen after each action in each state, by the case of its `Noise`; case 0 is as meant.

    Where all moves are as meant, that is the only case.
    """
    if not checked_world(world).noisy:
        next_state, reward = world.meant[:, :, None], world.reward[:, : world.actions, None]
        return Outcomes(np.ones(next_state.shape), next_state, reward, world.terminal[next_state])
    return _cases(world)


def _cases(world: World) -> Outcomes:
    noise = noise_of(world)
    state, move = np.arange(world.states)[:, None, None], noise.executed[noise.kind]
    return Outcomes(noise.probability[noise.kind], *transition(world, state, move))


def outcomes(world: World) -> Outcomes:
    r"""Return what can happen after each action in each state; equal next states are not merged.

    The probabilities are those of `slipped`, the rest is from `transition`. Where the four directions slip sideways,
    the three outcomes are: to the right, as meant, to the left. Otherwise the first one is as meant.

    Example:
        >>> from mazegrad.envs import Maze, World, outcomes
        >>> world = World.compile(Maze.from_text("...\nS~G\n..."))
        >>> outcomes(world).probability[4, 1].round(3).tolist()  # on ice, to the right
        [0.333, 0.333, 0.333]
        >>> outcomes(world).next_state[4, 1].tolist()
        [7, 5, 1]
    """
    listed = _cases(world)
    if world.noise is not None or listed.probability.shape[2] == 1:
        return listed
    order = [2, 0, 1]
    return Outcomes(
        listed.probability[:, :, order],
        listed.next_state[:, :, order],
        listed.reward[:, :, order],
        listed.terminal[:, :, order],
    )
