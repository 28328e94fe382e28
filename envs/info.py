"""What an environment's `info` can hold: each name is a table over the states of a World, looked up by places."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .core.places import Places
from .core.rules import outcomes
from .core.scene import Scene
from .core.world import World
from .engines.engine import Engine, Lanes
from .maps.legend import is_open
from .maps.plain import distance_maps
from .planning.distances import distances, optimal_actions
from .planning.plain import ArrivalRewards, arrival_rewards, best_actions, values_of_distances
from .planning.values import value_iteration


def _action_mask(world: World, discount: float) -> NDArray[np.int8]:
    """Return 0 for the actions that surely leave the agent where it is, unless all do."""
    listed = outcomes(world)
    moves = (listed.probability > 0) & (listed.next_state != np.arange(world.states)[:, None, None])
    mask = moves.any(axis=2)
    return (mask | ~mask.any(axis=1, keepdims=True)).astype(np.int8)


def _optimal_actions(world: World, discount: float) -> NDArray[np.int8]:
    if arrival_rewards(world, discount) is not None:  # a shortest path is best: no values are needed
        best = optimal_actions(world) | (distances(world) < 0)[:, None]
    else:
        best = value_iteration(world, discount=discount).optimal
    return (best & ~world.terminal[:, None]).astype(np.int8)


def _first_optimal(optimal: NDArray[np.int8]) -> NDArray[np.int64]:
    return np.where(optimal.any(axis=-1), optimal.argmax(axis=-1), -1)


def _value(world: World, discount: float) -> NDArray[np.float64]:
    rewards = arrival_rewards(world, discount)
    if rewards is not None:
        return values_of_distances(distances(world), rewards, discount)
    return value_iteration(world, discount=discount).values


# name -> function from a World and the discount to a table, one row a state
INFO: Final[Mapping[str, Callable[[World, float], NDArray[Any]]]] = MappingProxyType(
    {
        "action_mask": _action_mask,
        "distance": lambda world, discount: distances(world),
        "level": lambda world, discount: np.full(world.states, -1),  # of a maze that was given
        "optimal_action": lambda world, discount: _first_optimal(_optimal_actions(world, discount)),
        "optimal_actions": _optimal_actions,
        "state": lambda world, discount: np.arange(world.states),
        "success": lambda world, discount: world.goal.copy(),
        "value": _value,
    }
)
# tables that a stack of mazes has number by number as the mazes have alone
_STACKABLE: Final = ("action_mask", "distance", "level", "success")
LOCAL: Final = ("action_mask", "level", "success")
"""tables whose rows depend on the four neighbours and the moves there alone"""


BY_DISTANCE: Final = ("optimal_action", "optimal_actions", "value")
"""tables that distances alone decide where a shortest path is best"""


def info_table(name: str, world: World, discount: float) -> NDArray[Any]:
    """Return a table of `INFO` over the states of a stack, each maze's rows as they are when it is alone."""
    goals_everywhere = len(np.unique(world.maze_of[world.goal])) == len(world.mazes)
    by_distance = name in BY_DISTANCE and goals_everywhere and arrival_rewards(world, discount) is not None
    if name in _STACKABLE or by_distance or len(world.mazes) == 1:
        return INFO[name](world, discount)
    return np.concatenate([INFO[name](world.only(number), discount) for number in range(len(world.mazes))])


def mask_of(lanes: Lanes, count: int) -> NDArray[np.bool_]:
    """Return the mask of some of `count` lanes."""
    mask = np.zeros(count, dtype=np.bool_)
    mask[lanes] = True
    return mask


def _plain_tables(
    names: Sequence[str], tiles: NDArray[np.uint8], rewards: ArrivalRewards | None, discount: float
) -> dict[str, NDArray[Any]]:
    """Return tables of `INFO` for plain mazes straight from their tiles, (n, height * width, ...).

    Rows of tiles where no agent can stand mean nothing. `rewards` may be None where no value is asked for.
    """
    cells = tiles.reshape(len(tiles), -1)
    tables: dict[str, NDArray[Any]] = {}
    if "state" in names:
        tables["state"] = np.cumsum(is_open(cells), axis=1) - 1
    if names == ["state"]:
        return tables
    maps = distance_maps(tiles)
    if "distance" in names or "value" in names:
        tables["distance"] = maps.reshape(cells.shape).astype(np.int64)
    if "value" in names and rewards is not None:
        tables["value"] = values_of_distances(tables["distance"], rewards, discount)
    if "optimal_action" in names or "optimal_actions" in names:
        tables["optimal_actions"] = best_actions(maps).reshape(*cells.shape, 4)
    if "optimal_action" in names:  # takes longer than the mask
        tables["optimal_action"] = _first_optimal(tables["optimal_actions"])
    return tables


class Info:
    """The info of an engine's lanes: tables over (maze, what is carried, cell), each maze's made when a lane enters it.

    Args:
        names: keys of `INFO`.
        discount: that of "optimal_action" and "value".
        level: from lanes to the "level" that each is in; None where there are none.
    """

    def __init__(
        self, names: Sequence[str], discount: float, level: Callable[[Lanes], NDArray[np.int64]] | None = None
    ) -> None:
        self._names, self._discount = names, discount
        self._level = level if "level" in names else None
        self._tables: dict[str, NDArray[Any]] = {}  # (mazes, carried * cells + cell, ...)
        self._known = np.zeros(0, dtype=np.int64)  # of mazes: the value of `scene.written` that the tables hold for
        self._cells, self._scene = 0, Scene(0, 0, 0)
        # of the world of `Engine.alike`: tables over its states, and its rewards if a shortest path is best
        self._local: dict[str, NDArray[Any]] = {}
        self._rewards: ArrivalRewards | None = None
        self._rewards_of: World | None = None

    def rows(self, engine: Engine, places: Places) -> dict[str, NDArray[Any]]:
        """Return the info at places by name: arrays (n, ...)."""
        rows: dict[str, NDArray[Any]] = {}
        alike = engine.alike(places) if self._names else None
        tabled = [name for name in self._names if alike is None or name not in LOCAL]
        if alike is not None:
            world, states = alike
            for name in set(self._names) - set(tabled):
                if name not in self._local:
                    self._local[name] = INFO[name](world, self._discount)
                rows[name] = self._local[name][states]
        if tabled:
            self._learn(engine, places.maze, tabled, None if alike is None else alike[0])
            at = self._at(places.carried, places.heading, engine) * self._cells + places.cell
            rows |= {name: self._tables[name][places.maze, at] for name in tabled}
        return {name: rows[name] for name in self._names}

    @staticmethod
    def _at(carried: NDArray[np.int64], heading: Any, engine: Engine) -> NDArray[np.int64]:
        """Return one number for what is carried and the heading, (n,)."""
        headings = engine.scene.moves.headings
        return carried if headings == 1 else carried * headings + heading

    def of(self, engine: Engine, lanes: Lanes, count: int) -> dict[str, NDArray[Any]]:
        """Return the info of some lanes as Gymnasium has it: arrays for all `count` lanes, and their masks."""
        infos: dict[str, NDArray[Any]] = {}
        for name, rows in self.rows(engine, engine.places(lanes)).items() if self._names else ():
            if name == "level" and self._level is not None:
                rows = self._level(lanes)
            infos[name] = rows
            if len(lanes) < count:
                infos[name] = np.zeros((count, *rows.shape[1:]), dtype=rows.dtype)
                infos[name][lanes] = rows
            infos[f"_{name}"] = mask_of(lanes, count)
        return infos

    def _learn(self, engine: Engine, mazes: NDArray[np.int64], names: Sequence[str], plain: World | None) -> None:
        """Make the tables of the mazes that are new.

        Args:
            engine: the engine.
            mazes: the numbers of the mazes that lanes are in.
            names: of the tables.
            plain: the world of `Engine.alike`, where there is one: then all mazes are plain, and have its rewards.
        """
        scene = engine.scene
        cells = scene.height * scene.width
        if scene is not self._scene or cells != self._cells:
            self._scene = scene
            self._tables, self._known, self._cells = {}, np.zeros(0, dtype=np.int64), cells
        if len(self._known) < len(scene):
            self._known = np.concatenate([self._known, np.zeros(len(scene) - len(self._known), dtype=np.int64)])
        new = self._known[mazes] != scene.written[mazes]
        if not new.any():
            return
        tiled = []  # the names whose tables are made from tiles
        if plain is not None:
            if plain is not self._rewards_of:
                self._rewards, self._rewards_of = arrival_rewards(plain, self._discount), plain
            tiled = [name for name in names if name not in BY_DISTANCE or self._rewards is not None]
        if len(tiled) == len(names):
            numbers = np.flatnonzero(self._known != scene.written)  # those made ahead too: one search for all
        else:
            numbers = np.unique(mazes[new])
            world = engine.worlds(numbers)
            for name in set(names) - set(tiled):
                table = info_table(name, world, self._discount)
                load = self._at(world.carried, world.heading, engine)
                room = self._room(name, len(scene), (int(load.max()) + 1) * cells, table)
                room[numbers[world.maze_of], load * cells + world.cell] = table
        if tiled:
            tables = _plain_tables(tiled, scene.drawings(numbers), self._rewards, self._discount)
            for name in tiled:
                self._room(name, len(scene), cells, tables[name][0])[numbers, :cells] = tables[name]
        self._known[numbers] = scene.written[numbers]

    def _room(self, name: str, count: int, length: int, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the table of a name with room for so many mazes and rows of each, like these rows."""
        before = self._tables.get(name, np.zeros((0, 0, *rows.shape[1:]), dtype=rows.dtype))
        room = (count, max(length, before.shape[1]), *rows.shape[1:])
        if before.shape != room:
            self._tables[name] = np.zeros(room, dtype=rows.dtype)
            self._tables[name][: len(before), : before.shape[1]] = before
        return self._tables[name]
