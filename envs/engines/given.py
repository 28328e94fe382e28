"""Worlds that are given in place of mazes: their tables are used as they are, such as with other rewards."""

import io
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np

from ..core.noise import Noise
from ..core.scene import numbering
from ..core.world import TABLES, World
from ..maps.maze import Maze


def given_worlds(maze: Any) -> tuple[Any, dict[Maze, World]]:
    """Return the argument of an environment with each World replaced by its maze, and the worlds by maze.

    Args:
        maze: a World, or several, some of which are worlds; all else is returned as it is.

    Raises:
        ValueError: a world of several mazes, two different worlds of one maze, or tables that are not those of a world.
    """
    if isinstance(maze, World):
        return checked_tables(maze).mazes[0], {maze.mazes[0]: maze}
    if isinstance(maze, str) or not isinstance(maze, Iterable):
        return maze, {}
    every = [*maze]
    given: dict[Maze, World] = {}
    for one in every:
        if isinstance(one, World) and given.setdefault(checked_tables(one).mazes[0], one) is not one:
            raise ValueError("two worlds of one maze: give their mazes another name, so that they can be told apart")
    return [one.mazes[0] if isinstance(one, World) else one for one in every], given


def checked_tables(world: World) -> World:
    """Return a world of one maze.

    Raises:
        ValueError: several mazes, tables whose shapes do not fit each other, next states that do not exist, rewards
            that are not finite, terminal states that lead elsewhere, no start, states that are not those of the maze.
    """
    if len(world.mazes) != 1:
        raise ValueError(f"an environment takes a World of one maze, not of {len(world.mazes)}; take world.only(i)")
    states = world.states
    for name in TABLES:
        if name != "start_states" and len(getattr(world, name)) != states:
            raise ValueError(f"the table {name!r} of a World must have {states} rows, not {len(getattr(world, name))}")
    if world.reward.shape != world.next_state.shape or not np.isfinite(world.reward).all():
        raise ValueError(f"rewards must be finite and of shape {world.next_state.shape}")
    if not ((world.next_state >= 0) & (world.next_state < states)).all():
        raise ValueError(f"next states must be from 0 to {states - 1}")
    if not len(world.start_states) or not ((world.start_states >= 0) & (world.start_states < states)).all():
        raise ValueError(f"a World must have start states, from 0 to {states - 1}")
    over = np.flatnonzero(world.terminal)
    if (world.next_state[over] != over[:, None]).any() or world.reward[over].any():
        raise ValueError("a terminal state must lead to itself with reward 0")
    if world.next_state.shape[1] < world.actions:
        raise ValueError(f"the tables of a World need a column for each of the {world.actions} actions of its maze")
    if world.noise is not None:
        _check_noise(world, world.noise)
    headings = world.moves.headings
    load = world.carried if headings == 1 else world.carried * headings + world.heading
    keys = load * world.mazes[0].tiles.size + world.cell
    if not np.array_equal(keys, numbering(world.mazes[0])):
        raise ValueError("the states of a World must be those of World.compile(maze), in that order")
    return world


def _check_noise(world: World, noise: Noise) -> None:
    kinds, moves = len(noise.executed), world.next_state.shape[1]
    shape = (kinds, world.actions, noise.executed.shape[-1])
    if noise.executed.shape != shape or noise.probability.shape != shape or noise.below.shape[:2] != shape[:2]:
        raise ValueError("the tables of a World's noise must have the shape (kinds, actions, cases)")
    if noise.below.shape[2] != shape[2] - 1:
        raise ValueError("the noise of a World must have one threshold less than cases")
    if noise.kind.shape != (world.states,) or not ((noise.kind >= 0) & (noise.kind < kinds)).all():
        raise ValueError("each state of a World must have a kind of noise that exists")
    if not ((noise.executed >= 0) & (noise.executed < moves)).all():
        raise ValueError(f"the moves that noise leads to must be from 0 to {moves - 1}")
    sums = noise.probability.sum(axis=2)
    if not (noise.probability >= 0).all() or (np.abs(sums - 1) > 1e-9).any() or not np.isfinite(noise.below).all():
        raise ValueError("the noise of a World must hold distributions")


def world_to_bytes(world: World) -> bytes:
    """Return a world as the content of an npz file, to be read by `world_from_bytes`."""
    buffer = io.BytesIO()
    tables = {name: getattr(world, name) for name in TABLES}
    if world.noise is not None:
        tables |= {f"noise_{part.name}": getattr(world.noise, part.name) for part in fields(Noise)}
    np.savez_compressed(buffer, mazes=np.array([maze.to_text() for maze in world.mazes]), **tables)
    return buffer.getvalue()


def world_from_bytes(data: bytes) -> World:
    """Return the world of one maze that `world_to_bytes` wrote; nothing in it is executed.

    Raises:
        ValueError: not such bytes, or tables that are not those of a world.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as tables:
            mazes = tuple(Maze.from_text(str(text)) for text in tables["mazes"].tolist())
            noise = None
            if "noise_kind" in tables:
                noise = Noise(**{part.name: tables[f"noise_{part.name}"] for part in fields(Noise)})
            return checked_tables(World(mazes, **{name: tables[name] for name in TABLES}, noise=noise))
    except Exception as error:  # a damaged zip or header can raise anything
        raise ValueError(f"this is not a saved World: {error}") from None
