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
from .planning.distances import distances
from .planning.values import value_iteration


def _action_mask(world: World, discount: float) -> NDArray[np.int8]:
    """Return 0 for the actions that surely leave the agent where it is, unless all do."""
    listed = outcomes(world)
    moves = (listed.probability > 0) & (listed.next_state != np.arange(world.states)[:, None, None])
    mask = moves.any(axis=2)
    return (mask | ~mask.any(axis=1, keepdims=True)).astype(np.int8)


def _optimal_action(world: World, discount: float) -> NDArray[np.int64]:
    return np.where(world.terminal, -1, value_iteration(world, discount=discount).policy)


def _value(world: World, discount: float) -> NDArray[np.float64]:
    return value_iteration(world, discount=discount).values


# name -> function from a World and the discount to a table, one row a state
INFO: Final[Mapping[str, Callable[[World, float], NDArray[Any]]]] = MappingProxyType(
    {
        "action_mask": _action_mask,
        "distance": lambda world, discount: distances(world),
        "optimal_action": _optimal_action,
        "state": lambda world, discount: np.arange(world.states),
        "value": _value,
    }
)
# tables that a stack of mazes has number by number as the mazes have alone
_STACKABLE: Final = ("action_mask", "distance")
LOCAL: Final = ("action_mask",)
"""tables whose rows depend on the four neighbours and the moves there alone"""


def info_table(name: str, world: World, discount: float) -> NDArray[Any]:
    """Return a table of `INFO` over the states of a stack, each maze's rows as they are when it is alone."""
    if name in _STACKABLE or len(world.mazes) == 1:
        return INFO[name](world, discount)
    return np.concatenate([INFO[name](world.only(number), discount) for number in range(len(world.mazes))])


def mask_of(lanes: Lanes, count: int) -> NDArray[np.bool_]:
    """Return the mask of some of `count` lanes."""
    mask = np.zeros(count, dtype=np.bool_)
    mask[lanes] = True
    return mask


class Info:
    """The info of an engine's lanes: tables over (maze, what is carried, cell), each maze's made when a lane enters it.

    Args:
        names: keys of `INFO`.
        discount: that of "optimal_action" and "value".
    """

    def __init__(self, names: Sequence[str], discount: float) -> None:
        self._names, self._discount = names, discount
        self._tables: dict[str, NDArray[Any]] = {}  # (mazes, carried * cells + cell, ...)
        self._known = np.zeros(0, dtype=np.int64)  # of mazes: the value of `scene.written` that the tables hold for
        self._cells, self._scene = 0, Scene(0, 0, 0)
        self._local: dict[str, NDArray[Any]] = {}  # by state of `Engine.alike`

    def rows(self, engine: Engine, places: Places) -> dict[str, NDArray[Any]]:
        """Return the info at places by name: arrays (n, ...)."""
        rows: dict[str, NDArray[Any]] = {}
        tabled = self._names
        if any(name in LOCAL for name in tabled) and (alike := engine.alike(places)) is not None:
            world, states = alike
            tabled = [name for name in tabled if name not in LOCAL]
            for name in set(self._names) - set(tabled):
                if name not in self._local:
                    self._local[name] = INFO[name](world, self._discount)
                rows[name] = self._local[name][states]
        if tabled:
            self._learn(engine, places.maze, tabled)
            at = places.carried * self._cells + places.cell
            rows |= {name: self._tables[name][places.maze, at] for name in tabled}
        return {name: rows[name] for name in self._names}

    def of(self, engine: Engine, lanes: Lanes, count: int) -> dict[str, NDArray[Any]]:
        """Return the info of some lanes as Gymnasium has it: arrays for all `count` lanes, and their masks."""
        infos: dict[str, NDArray[Any]] = {}
        for name, rows in self.rows(engine, engine.places(lanes)).items() if self._names else ():
            infos[name] = rows
            if len(lanes) < count:
                infos[name] = np.zeros((count, *rows.shape[1:]), dtype=rows.dtype)
                infos[name][lanes] = rows
            infos[f"_{name}"] = mask_of(lanes, count)
        return infos

    def _learn(self, engine: Engine, mazes: NDArray[np.int64], names: Sequence[str]) -> None:
        """Make the tables of the mazes that are new."""
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
        numbers = np.unique(mazes[new])
        world = engine.worlds(numbers)
        length = (int(world.carried.max()) + 1) * cells
        for name in names:
            table = info_table(name, world, self._discount)
            before = self._tables.get(name, np.zeros((0, 0, *table.shape[1:]), dtype=table.dtype))
            room = (len(scene), max(length, before.shape[1]), *table.shape[1:])
            if before.shape != room:
                self._tables[name] = np.zeros(room, dtype=table.dtype)
                self._tables[name][: len(before), : before.shape[1]] = before
            self._tables[name][numbers[world.maze_of], world.carried * cells + world.cell] = table
        self._known[numbers] = scene.written[numbers]
