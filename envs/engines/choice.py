"""Engines by name, and which one numpy takes: fresh mazes where levels are made in batches, else stacked tables."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from ..maps.levels import Levels
from ..maps.maze import Maze
from ..observations import Sight
from .engine import Engine, Lanes, Setup, accept
from .fresh import FreshMazes
from .stacked import StackedTables

_STACKED_TILES: Final = 2**22  # of a set of levels that are all compiled when the environment is made


def numpy_engine(setup: Setup, sight: Sight, lanes: int, mazes: Sequence[Maze], levels: Levels | None) -> Engine:
    """Return an engine.

    Args:
        setup, sight, lanes: see `StackedTables`.
        mazes: one for all lanes, or one for each; with levels, one of these.
        levels: where `draw` takes mazes from, if lanes draw them.
    """
    if levels is None:
        return StackedTables.of(setup, sight, lanes, mazes, None)
    keys = levels.keys and levels.keys[: lanes if levels.pinned else None]
    if keys and len(keys) * mazes[0].tiles.size <= _STACKED_TILES:
        batch = levels.batch and levels.batch(np.array(keys, dtype=np.uint64))
        every = [levels.make(key) for key in keys] if batch is None else [Maze(tiles) for tiles in batch]
        return StackedTables(setup, sight, lanes, every, np.zeros(lanes, dtype=np.int64), levels, stacked=True)
    if levels.batch is not None and setup.check is accept and not setup.rewards.get("bump"):
        height, width = mazes[0].tiles.shape
        return FreshMazes(setup, sight, lanes, levels, (height, width))
    return StackedTables.of(setup, sight, lanes, mazes, levels)


MakeEngine: TypeAlias = Callable[[Setup, Sight, int, Sequence[Maze], Levels | None], Engine]
"""makes an engine for a number of lanes, in one maze or in one for each; with levels, `draw` takes mazes from these"""


class EngineKind(NamedTuple):
    """What `engine=` names: whose arrays the lanes are, and how they are moved."""

    module: str
    """of the functions on these arrays"""
    title: str
    """of the library"""
    extra: str
    """that installs it; "" where it is always there"""
    make: MakeEngine | None
    """makes an `Engine`, whose arrays are written in place: `MazeVectorEnv` moves it by its clock. None: pure functions
    move the lanes, envs/functional; state goes in and comes out, and `FunctionalVectorEnv` calls them"""


ENGINES: Final[Mapping[str, EngineKind]] = MappingProxyType(
    {
        "numpy": EngineKind("numpy", "numpy", "", numpy_engine),
        "jax": EngineKind("jax.numpy", "JAX", "jax", None),
        "torch": EngineKind("array_api_compat.torch", "PyTorch", "torch", None),
    }
)
"""Name -> how lanes are moved; all give the same episodes."""


def restacked(
    engine: Engine,
    setup: Setup,
    sight: Sight,
    lanes: int,
    entering: Lanes,
    mazes: Sequence[Maze],
    levels: Levels | None,
) -> Engine:
    """Return stacked tables in place of an engine that does not accept mazes, with some lanes in these mazes.

    Args:
        engine: the engine that does not accept `mazes`; its other lanes stay where they are.
        setup, sight, lanes, levels: see `StackedTables`.
        entering, mazes: lanes and the maze of each.
    """
    staying = np.setdiff1d(np.arange(lanes), entering)
    places = engine.places(staying)
    in_maze = dict(zip(entering.tolist(), mazes, strict=True))
    in_maze |= {
        lane: engine.scene.maze(number) for lane, number in zip(staying.tolist(), places.maze.tolist(), strict=True)
    }
    stacked = StackedTables.of(setup, sight, lanes, [in_maze[lane] for lane in range(lanes)], levels)
    stacked.put(staying, places)
    return stacked
