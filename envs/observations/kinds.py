"""What an agent may see: every observation is a function of places, shared by all engines."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from ..core.dots import dots
from ..core.inventory import FLOOR, inventory_size, needs
from ..core.places import Places, places_of
from ..core.scene import IS_GOAL, SIDES, TILE_CODES, TILES, Scene, numbering, scene_of
from ..core.steps import can_step
from ..core.world import World
from ..maps.arguments import is_whole
from ..maps.directions import DOWN, LEFT, RIGHT
from ..maps.legend import AGENT_CODE, AGENT_CODES, CODES, LAST_CODE
from ..maps.maze import Maze
from ..maps.moves import CLOCKWISE, moves_of, quarters_of
from ..maps.own_tiles import OWN_CODES, own_kinds
from ..pictures.draw import FrameSize, tile_of
from ..pictures.lanes import draw_places

Look: TypeAlias = Callable[[Places], NDArray[Any]]
"""from the places of n agents to what they see, (n, ...), a fresh array"""

MAX_TILE: Final = 96  # px, the largest that `draw` takes by itself
MAX_VIEW: Final = 999  # a megabyte each: a bound, so that a wrong number is refused before it fills the memory


class Sizes(NamedTuple):
    """How large what is seen is."""

    view: int = 7
    """the side of "view", in tiles"""
    tile: int | FrameSize | None = None
    """the side of a tile of "pixels", in px, or how large they are; None: as `draw` has it"""


class Observation(NamedTuple):
    """An observation of one World."""

    space: Space[Any]
    look: Callable[[NDArray[np.int64]], NDArray[Any]]
    """(n,) states -> (n, ...) observations, a fresh array"""


@dataclass(frozen=True)
class Kind:
    """A kind of observation; called with a World and the side of its views, the `Observation` of that World's states.

    Args:
        space: from mazes and `Sizes` to the space that holds all observations of these mazes.
        look: from a scene and the declared space to the function that observes; it reads the scene when it is called,
            so that it holds for mazes written later.
        local: whether it depends on an agent's tile, the four neighbours and what is carried alone.
        holds: from a declared space and that of other mazes to whether these can be observed in the declared one.
    """

    space: Callable[[Sequence[Maze], Sizes], Space[Any]]
    look: Callable[[Scene, Space[Any]], Look]
    local: bool = False
    holds: Callable[[Space[Any], Space[Any]], bool] = operator.eq

    def __call__(self, world: World, view_size: int = 7, tile: int | None = None) -> Observation:
        """Return the observation of a World's states."""
        space = self.space(world.mazes, Sizes(view_size, tile))
        scene = scene_of(
            world.mazes, margin_of(view_size), tile, slips=dict(zip(world.mazes, world.slips, strict=True))
        )
        look = self.look(scene, space)
        return Observation(space, lambda states: look(places_of(world, states)))


def margin_of(view_size: int) -> int:
    """Return the margin that a scene needs for views of this side."""
    return max(1, view_size // 2) if is_whole(view_size) and view_size <= MAX_VIEW else 1


def _dots_space(mazes: Sequence[Maze], sizes: Sizes) -> Space[Any]:
    return spaces.MultiBinary(moves_of(mazes[0]).seen.shape[1])


def _dots(scene: Scene, space: Space[Any]) -> Look:
    moves = scene.moves

    def look(places: Places) -> NDArray[np.int8]:
        at, codes, width = scene.index(places), scene.codes.ravel(), scene.codes.shape[2]

        def can_enter(near: NDArray[np.int64]) -> NDArray[np.bool_]:
            bits = np.zeros(near.shape, dtype=np.int64) if scene.bits is None else scene.bits.ravel()[near]
            can: NDArray[np.bool_] = needs(TILES[codes[near]], bits) & ~places.carried == 0
            return can

        seen = moves.seen[0] if moves.headings == 1 else np.moveaxis(moves.seen[places.heading], 1, 0)  # (D, [n,] 2)
        walls = None if scene.sides is None else scene.sides.ravel()
        can = (can_step(at, step[..., 0], step[..., 1], width, can_enter, moves.cuts, walls) for step in seen)
        return dots(moves, TILES[codes[at]], can, places.heading)

    return look


def _index_space(mazes: Sequence[Maze], sizes: Sizes) -> Space[Any]:
    headings = moves_of(mazes[0]).headings
    return spaces.Discrete(headings * max(maze.tiles.size << inventory_size(maze) for maze in mazes))


def _index(scene: Scene, space: Space[Any]) -> Look:
    headings = scene.moves.headings

    def look(places: Places) -> NDArray[np.int64]:
        load = places.carried if headings == 1 else places.carried * headings + places.heading
        return load * scene.sizes[places.maze] + places.cell

    return look


def _state_space(mazes: Sequence[Maze], sizes: Sizes) -> Space[Any]:
    return spaces.Discrete(max(len(numbering(maze)) for maze in mazes))


def _state(scene: Scene, space: Space[Any]) -> Look:
    return scene.states


def _has_room(declared: Space[Any], own: Space[Any]) -> bool:
    """Return whether a maze has at most the declared number of states: rows of its own tables all the same."""
    assert isinstance(declared, spaces.Discrete) and isinstance(own, spaces.Discrete)
    return bool(own.n <= declared.n)


def _position_space(mazes: Sequence[Maze], sizes: Sizes) -> Space[Any]:
    return spaces.MultiDiscrete([*_size(mazes)])


def _position(scene: Scene, space: Space[Any]) -> Look:
    def look(places: Places) -> NDArray[np.int64]:
        return np.stack(scene.rows_and_columns(places), axis=1)

    return look


def _view_space(mazes: Sequence[Maze], sizes: Sizes) -> Space[Any]:
    view_size = sizes.view
    if not is_whole(view_size) or not 1 <= view_size <= MAX_VIEW or view_size % 2 == 0:
        raise ValueError(
            f"view_size is an odd number of tiles from 1 to {MAX_VIEW}, with the agent in the middle, not {view_size!r}"
        )
    largest = max(OWN_CODES.values()) if own_kinds(mazes[0].metadata) else max(CODES.values())
    return _codes_space(mazes, largest, (int(view_size), int(view_size)))


def _codes_space(mazes: Sequence[Maze], largest: int, shape: tuple[int, int]) -> spaces.Box:
    """Return the space of tile codes; where mazes have thin walls each has four bits more, see `with_sides`."""
    if any("walls" in maze.metadata for maze in mazes):
        return spaces.Box(0, largest | 15 << SIDES, shape, np.uint16)
    return spaces.Box(0, largest, shape, np.uint8)


def _codes_fit(declared: Space[Any], own: Space[Any]) -> bool:
    """Return whether tile codes fit; a maze without thin walls can be seen where others have them."""
    assert isinstance(declared, spaces.Box) and isinstance(own, spaces.Box)
    return declared == own or (
        declared.shape == own.shape and declared.dtype == np.uint16 and own.high.max() <= declared.high.max()
    )


def with_sides(codes: NDArray[np.uint8], sides: NDArray[np.uint8] | None) -> NDArray[np.uint16]:
    """Return tile codes, and above them the thin walls at the sides of each cell: bit SIDES + d for direction d."""
    seen = codes.astype(np.uint16)
    if sides is not None:
        seen += sides * np.uint16(1 << SIDES)
    return seen


# heading -> for each set of sides what it is to one who faces there: up is ahead
_FACED: Final[NDArray[np.uint8]] = np.zeros((4, 16), dtype=np.uint8)
for _heading in range(4):
    for _direction in range(4):
        _seen = CLOCKWISE[(CLOCKWISE.index(_direction) - quarters_of(_heading)) % 4]
        _FACED[_heading] |= ((np.arange(16) >> _direction & 1) << _seen).astype(np.uint8)


def _view(scene: Scene, space: Space[Any]) -> Look:
    (side, _), heads, walled = space.shape or (), scene.moves.headings > 1, space.dtype == np.uint16

    def look(places: Places) -> NDArray[Any]:
        corner = scene.index(places) - side // 2 * (scene.codes.shape[2] + 1)
        seen = _windows(scene.codes, corner, side)
        if scene.bits is not None:
            seen = _as_carried(seen, _windows(scene.bits, corner, side), places.carried)
        sides = None if scene.sides is None or not walled else _windows(scene.sides, corner, side)
        if heads:  # what lies ahead is above
            for heading in (RIGHT, LEFT, DOWN):
                facing = places.heading == heading
                for part in (seen,) if sides is None else (seen, sides):
                    part[facing] = np.rot90(part[facing], quarters_of(heading), axes=(1, 2))
            if sides is not None:
                sides = _FACED[places.heading[:, None, None], sides]
        return with_sides(seen, sides) if walled else seen

    return look


def _map_space(mazes: Sequence[Maze], sizes: Sizes) -> Space[Any]:
    largest = max(OWN_CODES.values()) if own_kinds(mazes[0].metadata) else LAST_CODE
    if moves_of(mazes[0]).headings > 1:
        largest = int(AGENT_CODES.max())
    return _codes_space(mazes, largest, _size(mazes))


def _map(scene: Scene, space: Space[Any]) -> Look:
    heads, walled = scene.moves.headings > 1, space.dtype == np.uint16

    def look(places: Places) -> NDArray[Any]:
        inner = slice(scene.margin, -scene.margin)
        seen = scene.codes[places.maze, inner, inner]
        if scene.bits is not None:
            seen = _as_carried(seen, scene.bits[places.maze, inner, inner], places.carried)
        row, column = scene.rows_and_columns(places)
        seen[np.arange(len(seen)), row, column] = AGENT_CODES[places.heading] if heads else AGENT_CODE
        if not walled:
            return seen
        return with_sides(seen, None if scene.sides is None else scene.sides[places.maze, inner, inner])

    return look


def _pixels_space(mazes: Sequence[Maze], sizes: Sizes) -> Space[Any]:
    sides = [np.multiply(maze.tiles.shape, tile_of(maze.tiles.shape, sizes.tile)) for maze in mazes]
    if isinstance(sizes.tile, FrameSize) and sizes.tile.exact:
        sides = [sizes.tile[:2]]
    return spaces.Box(0, 255, (*np.max(sides, axis=0).tolist(), 3), np.uint8)


def _pixels(scene: Scene, space: Space[Any]) -> Look:
    def look(places: Places) -> NDArray[np.uint8]:
        return draw_places(scene, places, space.shape or ())

    return look


def _goal(scene: Scene, space: Space[Any]) -> Look:
    """(row, column) of the goal, of several the first in reading order; (0, 0) without one."""
    # of mazes: the value of `scene.written` that the position holds for, row and column
    known = np.zeros((0, 3), dtype=np.int64)

    def look(places: Places) -> NDArray[np.int64]:
        nonlocal known
        if len(known) < len(scene):
            known = np.concatenate([known, np.zeros((len(scene) - len(known), 3), dtype=np.int64)])
        new = np.unique(places.maze[known[places.maze, 0] != scene.written[places.maze]])
        if len(new):
            codes = scene.codes[new, scene.margin : -scene.margin, scene.margin : -scene.margin]
            cell = IS_GOAL[codes].reshape(len(new), -1).argmax(axis=1)
            known[new] = np.stack([scene.written[new], *np.divmod(cell, codes.shape[2])], axis=1)
        return known[places.maze, 1:]

    return look


# name -> what is seen: its space, and a function of places
OBSERVATIONS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "dots": Kind(_dots_space, _dots, local=True),
        "index": Kind(_index_space, _index),
        "state": Kind(_state_space, _state, holds=_has_room),
        "position": Kind(_position_space, _position),
        "view": Kind(_view_space, _view, holds=_codes_fit),
        "map": Kind(_map_space, _map, holds=_codes_fit),
        "pixels": Kind(_pixels_space, _pixels),
        "goal": Kind(_position_space, _goal),
    }
)


def _size(mazes: Sequence[Maze]) -> tuple[int, int]:
    """Return the (height, width) that holds every maze."""
    return max(maze.height for maze in mazes), max(maze.width for maze in mazes)


def _windows(plane: NDArray[Any], corners: NDArray[np.int64], side: int) -> NDArray[Any]:
    """Return the squares of `plane` whose upper left corners are at these flat indices, (n, side, side), fresh.

    Args:
        plane: (mazes, rows, columns), contiguous.
        corners: (n,).
        side: of each square.
    """
    step, stride = plane.itemsize, plane.strides[1]
    # each row of a square as one wide element, so that numpy copies rows
    rows = plane.size - (side - 1) * plane.shape[2] - side + 1
    squares: NDArray[Any] = np.ndarray((rows, side), f"V{side * step}", plane.data, strides=(step, stride))
    return squares[corners].view(plane.dtype).reshape(-1, side, side)


def _as_carried(codes: NDArray[np.uint8], bits: NDArray[np.int64], carried: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Show floor where something was taken or a door stands open, in place; (n, rows, columns)."""
    codes[bits & carried[:, None, None] != 0] = TILE_CODES[FLOOR]
    return codes
