"""What a whole new maze decides, as tables over its cells: distances, values, best actions, the numbers of states.

They are made with the maze. Where nothing counts but how soon a goal is reached, all follows from the distances, and is
made where the maze is; the rest, such as values where moves slip, on the host, which compiled code calls.
"""

from collections.abc import Sequence
from functools import cache, partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.world import World
from ..engines.engine import Setup
from ..info import BY_DISTANCE, info_table
from ..maps.maze import Maze
from ..planning.plain import arrival_rewards, values_by_distance
from .distances import maps_of, open_tiles
from .namespace import Array, Maybe, Namespace, is_jax, is_torch, namespace, take
from .plain import best_actions

_OF_TILES: Final = ("distance", "state")
"""names of `INFO` that are read off the tiles, whatever moves earn"""


class Tabler(NamedTuple):
    """Who makes tables on the host. A tuple without fields, one class for each: `jit` takes it for structure."""


class WholeMazes(NamedTuple):
    """How the tables of whole mazes are made."""

    zeros: dict[str, Array]
    """(1, ...) by name of `INFO`: an entry of each table"""
    values: Maybe
    """(height * width + 2,): V* by distance, as `values_by_distance` has it; None where distances do not decide it"""
    tabler: Any
    """`Tabler` of those that are made on the host"""


def whole_mazes(
    names: Sequence[str], discount: float, setup: Setup, *, alike: World, first: Maze, array: Any
) -> WholeMazes:
    """Return how the tables of these names of `INFO` are made.

    Args:
        names, discount, setup: of the environment.
        alike: the world of `world_of_kinds`, whose rewards are those of all mazes.
        first: one of the mazes.
        array: from a numpy array to one of the library at hand.
    """
    earned = arrival_rewards(alike, discount)
    there = tuple(name for name in names if name not in _OF_TILES and (earned is None or name not in BY_DISTANCE))
    world = setup.compile([first]) if names else None
    return WholeMazes(
        zeros={name: array(info_table(name, world, discount)[:1]) for name in names if world is not None},
        values=None if earned is None else array(values_by_distance(earned, discount, first.tiles.size)),
        tabler=_tabler(there, discount, setup.slip, tuple(sorted(setup.rewards.items()))),
    )


@cache
def _tabler(names: tuple[str, ...], discount: float, slip: float | None, rewards: Any) -> Tabler:
    """Return who makes the tables of these names; the same one for the same names and settings."""
    setup = Setup(slip=slip, rewards=dict(rewards))

    def made(tiles: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Return tables over cells, (n, height * width, ...); those of walls mean nothing."""
        world, found = setup.compile([Maze(one) for one in tiles]), {}
        for name in names:
            rows = info_table(name, world, discount)
            found[name] = np.zeros((len(tiles), tiles[0].size, *rows.shape[1:]), dtype=rows.dtype)
            found[name][world.maze_of, world.cell] = rows
        return found

    again = (_tabler, (names, discount, slip, rewards))
    members = {"names": names, "tables": staticmethod(made), "__reduce__": lambda self: again}
    tabler: Tabler = type("Tabler", (Tabler,), {"__slots__": (), **members})()
    return tabler


def tables_of_mazes(whole: WholeMazes, tiles: Array, making: Array) -> dict[str, Array]:
    """Return tables over cells, (lanes, height * width, ...) by name.

    Args:
        whole: which, and how.
        tiles: (lanes, height, width) uint8.
        making: (lanes,) bool; the tables of other lanes mean nothing, nor do the rows of walls.
    """
    xp, tabler = namespace(tiles), whole.tabler
    found = _read_off(xp, whole, tiles) if whole.zeros.keys() - {*tabler.names} else {}
    if tabler.names:
        found |= _from_host(xp, whole, tiles, making)
    return {name: xp.astype(found[name], one.dtype) for name, one in whole.zeros.items()}


def _read_off(xp: Namespace, whole: WholeMazes, tiles: Array) -> dict[str, Array]:
    """Return the tables that are read off tiles and distances; those that are not wanted cost nothing when compiled."""
    names = whole.zeros.keys() - {*whole.tabler.names}
    cells, found = (tiles.shape[0], tiles.shape[1] * tiles.shape[2]), {}
    if "state" in names:
        found["state"] = _cumulative_sum(xp, xp.astype(xp.reshape(open_tiles(tiles), cells), xp.int32)) - 1
    if names == {"state"}:
        return found
    maps = maps_of(tiles)
    found["distance"] = xp.reshape(maps, cells)
    if "value" in names:
        index = xp.where(found["distance"] < 0, cells[1], found["distance"])
        found["value"] = xp.reshape(take(whole.values, xp.reshape(index, (-1,))), cells)
    if names & {"optimal_action", "optimal_actions"}:
        best = xp.reshape(best_actions(maps), (*cells, 4))
        found["optimal_actions"] = best
        found["optimal_action"] = xp.where(xp.any(best != 0, axis=2), xp.argmax(best, axis=2), -1)
    return found


def _cumulative_sum(xp: Namespace, rows: Array) -> Array:
    """Return the sums of rows up to each entry, (n, length); not all libraries have it."""
    by = 1
    while by < rows.shape[1]:
        rows = rows + xp.concat([rows[:, :by] & 0, rows[:, :-by]], axis=1)
        by *= 2
    return rows


def _from_host(xp: Namespace, whole: WholeMazes, tiles: Array, making: Array) -> dict[str, Array]:
    """Return the tables that the host makes."""
    lanes, height, width = tiles.shape
    kinds = {name: whole.zeros[name] for name in whole.tabler.names}
    shapes = {name: (lanes, height * width, *one.shape[1:]) for name, one in kinds.items()}
    if is_jax(xp):
        import jax

        structs = {name: jax.ShapeDtypeStruct(shape, kinds[name].dtype) for name, shape in shapes.items()}
        call = partial(_on_host, whole.tabler, shapes, {name: np.dtype(one.dtype) for name, one in kinds.items()})
        return dict(jax.pure_callback(call, structs, tiles, making, vmap_method="sequential"))
    given = [np.asarray(array.cpu() if is_torch(xp) else array) for array in (tiles, making)]
    where = {"device": tiles.device} if is_torch(xp) else {}
    tables = _on_host(whole.tabler, shapes, {}, *given)
    return {name: xp.asarray(table, dtype=kinds[name].dtype, **where) for name, table in tables.items()}


def _on_host(tabler: Any, shapes: Any, kinds_of: Any, tiles: Any, making: Any) -> dict[str, NDArray[Any]]:
    making = np.asarray(making)
    found = tabler.tables(np.asarray(tiles)[making]) if making.any() else {}
    tables = {}
    for name, shape in shapes.items():
        rows = found.get(name, np.zeros((0, *shape[1:]), dtype=np.int8))
        tables[name] = np.zeros(shape, dtype=kinds_of.get(name, rows.dtype))
        tables[name][making] = rows
    return tables
