"""The registered environments: each is a MazeEnv with a maze of its own, or with `num_envs` a MazeVectorEnv."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from .engines.choice import ENGINES
from .env import MazeEnv
from .functional.vector import FunctionalVectorEnv
from .maps.arguments import nearest, whole
from .maps.directions import DIRECTION_NAMES, OFFSETS
from .maps.generators import KNOBS
from .maps.levels import Levels, generated, t_maze_levels
from .maps.maze import Maze
from .maps.paths import check_path
from .maps.shipped import find_maze
from .parallel import ParallelMazes
from .planning.goals import random_goals as drawn_goals
from .tabular_env import TabularMDPEnv
from .tabular_vector import TabularMDPVectorEnv
from .vector import MazeVectorEnv


def _made(
    maze: Any,
    num_envs: int | None = None,
    *,
    episodes_per_level: int = 1,
    agents: int | None = None,
    **keywords: Any,
) -> Any:
    repeat = whole("episodes_per_level", episodes_per_level, 1)
    if isinstance(maze, Levels) and repeat > 1:
        maze = replace(maze, repeat=repeat)
    if agents is not None:
        return ParallelMazes(maze, agents, 1 if num_envs is None else num_envs, **keywords)
    if num_envs is None:
        return MazeEnv(maze, **keywords)
    kind = ENGINES.get(keywords.get("engine", "numpy"))  # an unknown name is refused by `MazeVectorEnv`
    if kind is not None and kind.make is None:
        return FunctionalVectorEnv(maze, num_envs, **keywords)
    return MazeVectorEnv(maze, num_envs, **keywords)


def path_follow(maze: Maze | str | Path = "sheet38", **keywords: Any) -> MazeEnv | MazeVectorEnv:
    """Exercise 38, `mazegrad/PathFollow-v0`: a path of dots that does not touch itself; see `MazeEnv`.

    Paths that have no end, or a circle, are meant here: there is no `MapWarning`.

    Raises:
        MazeError: the maze is not such a path; see `check_path`.
    """
    return _made(maze, check=check_path, **{"map_warnings": False, **keywords})


# shipped map -> its actions in the order in which its source in Gymnasium numbers them
_ORDERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "cliff_walk": ("up", "right", "down", "left"),  # CliffWalking-v1
        "ice_lake": ("left", "down", "right", "up"),  # FrozenLake-v1
        "ice_lake_8x8": ("left", "down", "right", "up"),
    }
)
ACTION_ORDERS: Final = ("mazegrad", "gymnasium")


def _ordered(maze: Any, order: str) -> dict[str, tuple[int, int]]:
    """Return the directions as Gymnasium numbers them in the environment that a shipped map is from.

    Raises:
        ValueError: an unknown order, or a map that is not from Gymnasium.
    """
    if not isinstance(order, str) or order not in ACTION_ORDERS:
        raise ValueError(f"unknown action_order {order!r}{nearest(order, ACTION_ORDERS)}")
    name = maze.metadata.get("name") if isinstance(maze, Maze) else maze
    if not isinstance(name, str) or name not in _ORDERS:
        raise ValueError(f"action_order={order!r} is for maps from Gymnasium, {', '.join(_ORDERS)}, not {name!r:.80}")
    steps = dict(zip(DIRECTION_NAMES, map(tuple, OFFSETS.tolist()), strict=True))
    return {direction: steps[direction] for direction in _ORDERS[name]}


def grid_world(
    maze: Maze | str | Path = "four_rooms",
    random_goals: bool = False,
    action_order: str = "mazegrad",
    **keywords: Any,
) -> MazeEnv | MazeVectorEnv:
    """Any map, `mazegrad/GridWorld-v0`: a Maze, a text, a file or a shipped name; see `MazeEnv`.

    Args:
        maze: one for all lanes; for a vector environment also one for each.
        action_order: "mazegrad" (up, right, left, down), or "gymnasium": as the environment of Gymnasium numbers its
            actions from which a shipped map is; then the bits of "dots" are in that order too.
        random_goals: each reset moves the goal to some floor that can be reached; "level" in `info` is its cell.
        keywords: `episodes_per_level` says how many episodes a goal stays; the rest goes to `MazeEnv`.

    Raises:
        ValueError: random goals, and no floor that can be reached; an action order that the map does not have.
    """
    if action_order != "mazegrad":
        if keywords.get("actions") is not None:
            raise ValueError("give actions or action_order, not both")
        keywords["actions"] = _ordered(maze, action_order)
    if random_goals:
        return _made(drawn_goals(find_maze(maze, keywords.get("format"))), **keywords)
    return _made(maze, **keywords)


def tabular(mdp: Any = "tiger", num_envs: int | None = None, **keywords: Any) -> TabularMDPEnv | TabularMDPVectorEnv:
    """Any decision process, `mazegrad/Tabular-v0`: a TabularMDP, a World, a name or a file; see `TabularMDPEnv`."""
    return TabularMDPEnv(mdp, **keywords) if num_envs is None else TabularMDPVectorEnv(mdp, num_envs, **keywords)


def maze(
    size: tuple[int, int] = (8, 8),
    generator: str = "backtracker",
    braid: float = 0.0,
    level_seeds: Iterable[int] | None = None,
    pinned: bool = False,
    walls: str = "tiles",
    frame_size: int | tuple[int, int] | None = None,
    **keywords: Any,
) -> MazeEnv | MazeVectorEnv:
    """A new maze at each reset, `mazegrad/Maze-v0`.

    Args:
        size: (rows, columns) of rooms.
        generator: one of `GENERATORS`.
        braid: the share of dead ends to open, from 0 to 1.
        level_seeds: each reset draws one of these mazes, so that training and test sets can be told apart; by default
            any maze may come.
        pinned: lane i keeps the i-th of `level_seeds`; this single environment keeps the first.
        walls: "tiles", or of perfect mazes "thin": between cells, so that the maze has one tile for each room.
        frame_size: `size` of other environments: that of "pixels" and frames in px, see `MazeEnv`.
        keywords: the generator's further knobs, see `KNOBS`; `episodes_per_level`, how many episodes a lane stays in a
            level before it gets the next; the rest goes to `MazeEnv`.

    Raises:
        ValueError: see `generated` and `generate`.
    """
    _refuse_a_maze("Maze-v0", keywords)
    knobs = {name: keywords.pop(name) for name in KNOBS.get(generator, ()) if name in keywords}
    if braid:
        knobs["braid"] = braid
    levels = generated(generator, size, level_seeds=level_seeds, pinned=pinned, walls=walls, **knobs)
    return _made(levels, size=frame_size, **keywords)


def _refuse_a_maze(name: str, keywords: Mapping[str, Any]) -> None:
    if "maze" in keywords:
        raise TypeError(f"mazegrad/{name} makes its own mazes; mazegrad/GridWorld-v0 takes one")


def t_maze(corridor: int = 10, **keywords: Any) -> MazeEnv | MazeVectorEnv:
    """A corridor, and a sign at its start that says which arm at its end has the goal, `mazegrad/TMaze-v0`.

    Bakker, "Reinforcement learning with long short-term memory" (2002). Between the start and the junction lie
    `corridor` tiles, of which the first is the sign: it shows the left or the right bit though no dot is there. The
    goal is in that arm, drawn at each reset; the other arm is a trap (-1) and ends the episode as well, where Bakker
    gives 4 and -0.1. With "dots" nothing else tells the two mazes apart: without a memory one is right half the time.

    Raises:
        ValueError: the corridor has no tile, or too many.
    """
    _refuse_a_maze("TMaze-v0", keywords)
    return _made(t_maze_levels(corridor), **keywords)


for _entry in (path_follow, grid_world, maze, t_maze):
    # by it `gymnasium.make` knows which render modes there are, and which it adds ("rgb_array_list")
    setattr(_entry, "metadata", MazeEnv.metadata)  # noqa: B010 (mypy knows of no attributes of functions)
