"""A drawing becomes tables: the moves from every state of many mazes at once, by array operations, and their rewards.

`framed` says where moves end, `states` which states there are, `noise` what may happen in place of a move.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..maps.arguments import fraction, nearest
from ..maps.legend import REWARDS, TILE_REWARDS
from ..maps.maze import Maze
from ..maps.moves import Moves, moves_of
from .framed import FramedMazes, zero_or_table
from .noise import ICE, Plan, columns_of
from .states import finder, state_codes

AT_ONCE: Final = 2**16  # states whose moves are computed together, so that what is needed on the way stays small


def compile_tables(mazes: Sequence[Maze], rewards: Mapping[str, float], slip: float | None) -> dict[str, Any]:
    """Return the fields of a `World`, by name, for mazes of one size, their states end to end.

    Args:
        mazes: at least one, all of one size.
        rewards: by name, over each maze's metadata, over `REWARDS`.
        slip: the probability that a move slips sideways, except on ice; None for each maze's metadata, else 0.

    Raises:
        MazeError: a maze without a start, a teleporter without its twin, a `wind` that does not give one number for
            each column or row, a `trap: restart` without a single start, too many keys and items.
        ValueError: mazes with different actions; an unknown reward, or one that is not finite; a slip that is not a
            probability.
        TooManyStates: the mazes must be compiled one by one.
    """
    checked = checked_rewards(rewards)
    reward_of = [{**REWARDS, **(maze.setting("rewards") or {}), **checked} for maze in mazes]
    moves, slip = common_moves(mazes), None if slip is None else fraction("slip", slip)
    plan = Plan(mazes, moves, slip)
    framed = FramedMazes(mazes, moves, plan.columns)

    def rewards_for(name: str) -> NDArray[np.float64]:
        return np.array([reward[name] for reward in reward_of])  # (mazes,)

    step, bump = rewards_for("step"), rewards_for("bump")
    arrival = np.zeros((len(mazes), 256))  # by maze and tile, for ending a move there, besides the reward of the step
    for letter, name in TILE_REWARDS.items():
        arrival[:, ord(letter)] = rewards_for(name)
    entering, leaving, acting = framed.earnings(arrival)

    codes = state_codes(framed)
    state_of, states = finder(framed, codes), len(codes)
    noise = None if plan.kinds is None else plan.noise(framed.kinds(codes, plan.kinds))
    ice = _setting(mazes, "ice", ICE)
    general = _setting(mazes, "slip", 0.0) if slip is None else np.full(len(mazes), slip)
    slips = plan.kinds is None and bool(general.any() or (framed.tiles == ord("~")).any())
    columns = plan.columns[: columns_of(noise, len(moves))]
    next_state, reward = np.empty((states, len(columns)), dtype=np.int64), np.empty((states, len(columns)))
    tables: dict[str, Any] = {
        "next_state": next_state,
        "reward": reward,
        "terminal": np.empty(states, dtype=np.bool_),
        "goal": np.empty(states, dtype=np.bool_),
        "slip": zero_or_table(states, np.float64, slips),
        "dots": np.empty((states, moves.seen.shape[1]), dtype=np.int8),
        "cell": np.empty(states, dtype=np.int64),
        "carried": zero_or_table(states, np.int64, framed.combinations > framed.headings),
        "heading": zero_or_table(states, np.int64, framed.headings > 1),
        "maze_of": zero_or_table(states, np.int64, len(mazes) > 1),
    }
    for first in range(0, states, AT_ONCE):
        some = slice(first, min(first + AT_ONCE, states))
        position, carried, heading = framed.decode(codes[some])
        tile, maze = framed.tiles[position], framed.maze_of(position)
        terminal = framed.over(position, carried)
        for number, column in enumerate(columns):
            end, blocked = framed.end(position, carried, heading, column)
            after = state_of(framed.arrive(position, end, carried, heading, column))
            next_state[some, number] = np.where(terminal, np.arange(some.start, some.stop), after)
            tile_there = framed.tiles[end]
            earned = arrival[maze, tile_there]
            if framed.needs is not None:  # a thing earns when it is taken, a goal that waits for things when all are
                new = (framed.gives[end] & carried) == 0
                earned = np.where(new & (~framed.goal[end] | framed.over(end, carried)), earned, 0.0)
            earned += step[maze]
            if entering is not None:
                passed = entering[maze, tile_there] + leaving[maze, tile]
                earned += np.where(end != position, passed, 0.0) + framed.jump_reward[maze, tile]
            if acting is not None:
                meant = number if number < len(moves) else column.meant
                earned += acting[maze, meant] if meant >= 0 else 0.0
            if bump.any():
                earned += np.where(blocked, bump[maze], 0.0)
            reward[some, number] = np.where(terminal, 0.0, earned)
        tables["terminal"][some] = terminal
        tables["goal"][some] = terminal & framed.goal[position]
        tables["dots"][some] = framed.dots(position, carried, heading)
        tables["cell"][some] = _cells(framed, position, maze)
        if slips:
            tables["slip"][some] = np.where(tile == ord("~"), ice[maze], general[maze])
        for name, values in (("carried", carried), ("heading", heading), ("maze_of", maze)):
            if tables[name].strides[0]:
                tables[name][some] = values
    starts = framed.starts
    first_codes = framed.encode(starts, 0, framed.facing[framed.maze_of(starts)])
    return {**tables, "start_states": state_of(first_codes).astype(np.int64), "noise": noise}


class Listed(NamedTuple):
    """The states of a maze in their order, without their tables."""

    cell: NDArray[np.int64]
    """(S,), and so are the others"""
    carried: NDArray[np.int64]
    heading: NDArray[np.int64]


def listed_states(maze: Maze) -> Listed:
    """Return the states of a maze, as `compile_tables` numbers them.

    Raises:
        MazeError: see `compile_tables`.
    """
    moves = moves_of(maze)
    framed = FramedMazes([maze], moves, Plan([maze], moves, None).columns)
    position, carried, heading = framed.decode(state_codes(framed))
    return Listed(_cells(framed, position, framed.maze_of(position)), carried, heading)


def _cells(framed: FramedMazes, position: NDArray[np.int64], maze: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the cells, in mazes without a frame, of positions in framed mazes."""
    row, column = np.divmod(position - maze * framed.size, framed.width)
    return (row - framed.margin) * (framed.width - 2 * framed.margin) + column - framed.margin


def common_moves(mazes: Sequence[Maze]) -> Moves:
    """Return the moves of mazes.

    Raises:
        ValueError: they do not have the same ones.
    """
    moves = moves_of(mazes[0])
    for maze in mazes:
        if moves_of(maze) != moves:
            one, other = str(moves), str(moves_of(maze))
            raise ValueError(f"all mazes of a World have the same actions, not {one} and {other}")
    return moves


def _setting(mazes: Sequence[Maze], key: str, default: float) -> NDArray[np.float64]:
    given = (maze.setting(key) for maze in mazes)
    return np.array([default if value is None else value for value in given], dtype=np.float64)


def checked_rewards(rewards: Mapping[str, float]) -> dict[str, float]:
    """Return the rewards as a dict of floats.

    Raises:
        TypeError: not a mapping.
        ValueError: an unknown name, or a number that is not finite.
    """
    if not isinstance(rewards, Mapping):
        raise TypeError(f"rewards must be a dict, such as {{'goal': 1.0}}, not {rewards!r:.80}")
    for name, value in rewards.items():
        if name not in REWARDS:
            raise ValueError(f"unknown reward {name!r}{nearest(name, REWARDS)}")
        if not isinstance(value, int | float | np.integer | np.floating) or not np.isfinite(value):
            raise ValueError(f"the reward {name!r} must be a finite number, not {value!r}")
    return {name: float(value) for name, value in rewards.items()}
