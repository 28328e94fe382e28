"""A maze, its agent, and what is laid over it, as a numpy frame put together from one small picture for each cell."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.inventory import OPENED, inventory_bits, is_door, tiles_now
from ..core.world import World, checked_state, checked_world
from ..maps.arguments import whole
from ..maps.directions import DOWN, RIGHT
from ..maps.maze import Maze
from ..maps.moves import moves_of
from ..maps.noise import SLIPS, floor_signs
from ..maps.own_tiles import as_shown
from ..maps.thin import sides
from .lettering import paint_text
from .locators import LARGE, locators, paint_locators
from .overlays import Composition, Overlays, Scale, Search, compose, decoded
from .palette import LIGHT, Theme
from .shown import ShownFrame
from .tiles import Frame, cell_picture, tile_pictures

AUTO_SIZE: Final = 352
"""About how many px the longer side of a picture has by default."""
MAX_SIZE: Final = 2**13
"""the most px of a side, where a picture's size is given"""


class FrameSize(NamedTuple):
    """How large a picture of a maze is, in px: its tiles are as large as fit."""

    height: int
    width: int
    exact: bool = True
    """whether it is filled up with black to the right and below, not just as large as its tiles"""


def frame_size(tile: Any, size: Any, most: int | None = None) -> int | FrameSize | None:
    """Return how large pictures are, by the keywords `tile` and `size` of `draw`.

    Args:
        tile, size: at most one of them.
        most: the largest tile.

    Raises:
        TypeError: not integers.
        ValueError: both, below 1 px, or too large.
    """
    if isinstance(tile, FrameSize):
        return tile
    if tile is not None and size is not None:
        raise ValueError("give tile, the side of a tile, or size, that of the picture, not both")
    if size is None:
        return None if tile is None else whole("tile", tile, 1, most)
    if isinstance(size, Sequence | np.ndarray) and not isinstance(size, str):
        if len(size) != 2:
            raise ValueError(f"size is the longer side of a picture in px, or (height, width), not {size!r:.80}")
        height, width = (whole("size, of a picture in px,", side, 1, MAX_SIZE) for side in size)
        return FrameSize(height, width)
    side = whole("size, of a picture in px,", size, 1, MAX_SIZE)
    return FrameSize(side, side, exact=False)


def tile_of(shape: Sequence[int], wanted: int | FrameSize | None) -> int:
    """Return the side of a tile in px of a picture of a maze.

    Args:
        shape: (rows, columns) of the maze.
        wanted: see `frame_size`.

    Raises:
        ValueError: the picture is too small to have a px for each tile.
    """
    rows, columns = shape
    if wanted is None:
        return fitting(rows, columns, AUTO_SIZE, AUTO_SIZE)
    if not isinstance(wanted, FrameSize):
        return wanted
    tile = min(wanted.height // rows, wanted.width // columns)
    if not tile:
        raise ValueError(
            f"a picture of {wanted.height} x {wanted.width} px is too small for {rows} x {columns} tiles, a px each"
        )
    return tile


def filled_up(frame: NDArray[np.uint8], wanted: int | FrameSize | None) -> NDArray[np.uint8]:
    """Return a frame that is as large as was asked for: where its size is exact, the maze is in the upper left."""
    if not isinstance(wanted, FrameSize) or not wanted.exact or frame.shape[:2] == wanted[:2]:
        return frame
    whole_frame = np.zeros((wanted.height, max(wanted.width, frame.shape[1]), 3), dtype=np.uint8)
    whole_frame[: frame.shape[0], : frame.shape[1]] = frame
    return whole_frame


def tile_size(maze: Maze, height: int = AUTO_SIZE, width: int = AUTO_SIZE) -> int:
    """Return the side of a tile in px, from 4 to 96, for a picture of the maze that fits into height x width px."""
    return fitting(maze.height, maze.width, height, width)


def fitting(rows: int, columns: int, height: int, width: int) -> int:
    """Return the `tile_size` of a maze of rows x columns tiles."""
    return min(max(min(height // rows, width // columns), 4), 96)


def draw(
    drawing: Maze | World,
    state: int | Sequence[int] | None = None,
    *,
    values: Any = None,
    policy: Any = None,
    visits: ArrayLike | None = None,
    trails: Any = None,
    observation: Any = None,
    search: Search | None = None,
    labels: Mapping[int, str] | None = None,
    trail: NDArray[np.uint8] | None = None,
    theme: str | Theme = "light",
    tile: int | FrameSize | None = None,
    size: int | tuple[int, int] | None = None,
    view_size: int = 5,
    scale: bool = True,
) -> Frame:
    """Draw a maze, or a world with the agent in a state, and lay over it what is given.

    What is given for each state (S,) is drawn for the states of one maze in which the agent carries what it carries in
    `state`, or at the first start. Instead it may be given for each cell, (height, width). Only one of `values`,
    `visits` and `search` fits into a picture, since each colours the cells.

    Args:
        drawing: a Maze, or a World, of which the maze of the state is drawn.
        state: of the agent; a sequence of states for several agents, which are numbered; None for no agent.
        values: numbers that colour the cells, or `Values`; terminal states are left out.
        policy: arrows; actions (S,), optimal or likely actions (S, A), as bool or probabilities, or `Values`.
        visits: counts that colour the cells, on a logarithmic scale.
        trails: the walks of many agents, as states (steps,), (steps, agents), or a list of walks; -1 is no state. In a
            Maze they are cells, row * width + column. A line is the wider the more agents went along it.
        observation: what the agent sees, the rest is pale: "dots", "view" (of `view_size`), or a bool array of cells.
        search: a `Solution`: its visited states in order, and its way.
        labels: state, or cell of a Maze -> a short text that is written there.
        trail: the sides that one agent crossed, (height * width,), as `extend_trail` makes it.
        theme: "light", "dark", "print" (greys), or a `Theme`.
        tile: px of a tile's side; by default the longer side of the maze has about 350 px.
        size: in place of `tile`, that of the picture in px: its longer side, at most; or (height, width), exactly: what
            the tiles leave free to the right and below is black. Tiles are as large as fit, from 1 px.
        view_size: of the observation "view", in cells.
        scale: whether the scale of colours is drawn to the right of the maze.

    Returns:
        (height * tile, width * tile, 3) uint8, red, green, blue, and with a scale wider; a fresh array, which
        a notebook shows as a picture.

    Raises:
        TypeError: neither a Maze nor a World; a state of a Maze; a state or a tile size that is not an integer.
        ValueError: the world does not have this state; a tile size below 1 px; arrays that do not fit the world.

    Example:
        >>> from mazegrad.envs import World, draw, load_maze, value_iteration
        >>> world = World.compile(load_maze("four_rooms"))
        >>> draw(world, world.start_states[0], tile=16).shape  # 13 tiles of 16 px
        (208, 208, 3)
        >>> draw(world, values=value_iteration(world), tile=16).shape  # with their scale at the right
        (208, 310, 3)
    """
    overlays = Overlays(values, policy, visits, trails, observation, search, labels, scale)
    wanted = frame_size(tile, size)
    several = isinstance(state, Sequence | np.ndarray) and np.ndim(state) == 1
    if not several and all(part is None for part in overlays[:-1]) and theme == "light":
        return _draw_plain(drawing, state, trail, wanted)  # type: ignore[arg-type]
    agents: Sequence[int] = state if several else () if state is None else (state,)  # type: ignore[assignment]
    composition = compose(drawing, agents, overlays, trail, theme, view_size)
    frame = paint(composition, wanted)
    maze = drawing if isinstance(drawing, Maze) else drawing.mazes[int(drawing.maze_of[agents[0]]) if agents else 0]
    if "walls" in maze.metadata:
        mask = thin_mask(maze, frame.shape[0] // maze.height)
        frame[:, : mask.shape[1]][mask] = composition.theme.wall
    return filled_up(frame, wanted).view(ShownFrame)


def _draw_plain(drawing: Maze | World, state: int | None, trail: NDArray[np.uint8] | None, tile: Any) -> Frame:
    if isinstance(drawing, Maze):
        if state is not None:
            raise TypeError("a state belongs to a World: draw(World.compile(maze), state)")
        return draw_place(drawing, trail=trail, tile=tile)
    if state is None:
        return draw_place(checked_world(drawing).mazes[0], trail=trail, tile=tile, slip=drawing.slips[0])
    state = checked_state(drawing, state)
    maze, cell = drawing.mazes[int(drawing.maze_of[state])], int(drawing.cell[state])
    carried, heading = int(drawing.carried[state]), int(drawing.heading[state])
    slip = drawing.slips[int(drawing.maze_of[state])]
    return draw_place(maze, cell, carried, heading=heading, trail=trail, tile=tile, slip=slip)


def draw_place(
    maze: Maze,
    cell: int | None = None,
    carried: int = 0,
    *,
    heading: int = 0,
    trail: NDArray[np.uint8] | None = None,
    tile: int | FrameSize | None = None,
    slip: float | None = None,
) -> Frame:
    """Draw a maze with the agent on a cell (row * width + column), carrying a set of inventory bits; see `draw`.

    `heading` is the direction it faces, drawn where actions turn; `slip` that over the maze's own, or None.
    """
    size = tile_of(maze.tiles.shape, tile)
    canvas = _canvas(maze, size, bool(slip) if slip is not None else None)
    frame = canvas.background.copy()
    blocks = frame.reshape(maze.height, size, maze.width, size, 3).swapaxes(1, 2)
    kinds = canvas.kinds
    if carried:
        kinds = np.where(canvas.bits & carried, canvas.kinds_taken, kinds)
        cells = np.flatnonzero(kinds != canvas.kinds)
        blocks[np.divmod(cells, maze.width)] = canvas.sheet[kinds[cells], 0, 0]
    if trail is not None:
        cells = np.flatnonzero(trail)
        blocks[np.divmod(cells, maze.width)] = canvas.sheet[kinds[cells], trail[cells], 0]
    if cell is not None:
        blocks[divmod(cell, maze.width)] = canvas.sheet[kinds[cell], 0 if trail is None else trail[cell], 1 + heading]
    if "walls" in maze.metadata:
        frame[thin_mask(maze, size)] = LIGHT.wall
    if max(maze.tiles.shape) > LARGE:
        agents = {} if cell is None else {cell: LIGHT.agent}
        shown = locators(maze.tiles.shape, canvas.goals, agents, LIGHT)
        paint_locators(frame, shown, size, max(maze.tiles.shape), LIGHT)
    return filled_up(frame, tile).view(ShownFrame)


@lru_cache(maxsize=64)
def thin_mask(maze: Maze, size: int) -> NDArray[np.bool_]:
    """Return which pixels of a picture belong to thin walls, (height * size, width * size); all around is a wall."""
    half, walls = max(1, round(0.05 * size)), sides(maze)
    mask = np.zeros((maze.height * size, maze.width * size), dtype=np.bool_)
    mask[:half] = mask[-half:] = mask[:, :half] = mask[:, -half:] = True
    if walls is not None:
        for row, column in np.argwhere(walls >> RIGHT & 1).tolist():
            x, y = (column + 1) * size, row * size
            mask[max(y - half, 0) : y + size + half, x - half : x + half] = True
        for row, column in np.argwhere(walls >> DOWN & 1).tolist():
            x, y = column * size, (row + 1) * size
            mask[y - half : y + half, max(x - half, 0) : x + size + half] = True
    return mask


class _Canvas(NamedTuple):
    """What stays the same each time a maze is drawn at one tile size."""

    background: Frame
    sheet: Frame  # (kinds, 16 trails, 1 + headings, size, size, 3): the pictures of the tiles in use
    kinds: NDArray[np.intp]  # (height * width,)
    kinds_taken: NDArray[np.intp]  # the same when every item and key is taken and every door is open
    bits: NDArray[np.int64]  # (height * width,): `inventory_bits`
    goals: tuple[int, ...]  # cells


@lru_cache(maxsize=64, typed=True)  # typed: 8.0 is not a size, though it equals 8
def _canvas(maze: Maze, size: int, slips: bool | None = None) -> _Canvas:
    size = whole("tile", size, 1)
    drawn = as_shown(maze, maze.tiles)
    present = np.unique(drawn)
    later = [ord("."), *(present[is_door(present)] + OPENED)]  # where an item was taken or a door opened
    tiles = np.union1d(present, np.array(later, dtype=np.uint8))
    signs = floor_signs(maze, slips)
    kind_of = np.zeros((2 * SLIPS, 256), dtype=np.intp)  # by signs on the floor and byte of the tile
    pairs = [(floor, int(tile)) for floor in np.unique(signs).tolist() for tile in tiles]
    kind_of[tuple(np.transpose(pairs))] = range(len(pairs))
    headings = moves_of(maze).headings
    sheet = np.stack([tile_pictures(tile, floor, size, headings=headings) for floor, tile in pairs])
    kinds = kind_of[signs, drawn]
    background = sheet[kinds, 0, 0].swapaxes(1, 2).reshape(maze.height * size, maze.width * size, 3)
    kinds_taken = kind_of[signs, as_shown(maze, tiles_now(maze, -1))]
    bits, goals = inventory_bits(maze.tiles[None]).ravel(), np.flatnonzero(drawn == ord("G")).tolist()
    return _Canvas(background, sheet, kinds.ravel(), kinds_taken.ravel(), bits, tuple(goals))


# -------------------------------------------------------------------------------------------------- with what lies over
def paint(composition: Composition, tile: int | FrameSize | None = None) -> Frame:
    """Paint a composition; `tile` says how large, see `frame_size`."""
    codes, labels, scale, theme, _, rings = composition
    height, width = codes.shape
    size = tile_of(codes.shape, tile)
    sheet = _sheet(size, theme)
    if len(sheet) > _SHEET_LIMIT:
        _sheet.cache_clear()
        sheet = _sheet(size, theme)
    wide = width * size
    legend = None if scale is None else _legend(scale, height * size, theme)
    whole_frame = np.empty((height * size, wide + (0 if legend is None else legend.shape[1]), 3), dtype=np.uint8)
    if legend is not None:
        whole_frame[:, wide:] = legend
    # (height * size, width): which row of pixels of which look, one wide element each
    rows = (sheet.numbers(codes)[:, None, :] * size + np.arange(size)[:, None]).reshape(-1, width)
    if legend is None:
        np.take(sheet.rows, rows, out=whole_frame.reshape(len(rows), -1).view(sheet.rows.dtype), mode="clip")
    else:
        band = max(1, _BAND // (3 * wide))  # a few rows at once: larger arrays would be fresh pages
        for first in range(0, len(rows), band):
            part = sheet.rows.take(rows[first : first + band]).view(np.uint8).reshape(-1, wide, 3)
            whole_frame[first : first + len(part), :wide] = part
    frame = whole_frame[:, :wide]
    paint_locators(frame, rings, size, max(height, width), theme)
    font_size = max(8, round(0.5 * size))
    for row, column, text in labels:
        paint_text(frame, text, (column + 0.5) * size, (row + 0.5) * size, font_size, theme.ink, theme.paper)
    return whole_frame.view(ShownFrame)


_SHEET_LIMIT: Final = 1 << 14  # pictures of cells that are kept at one size
_BAND: Final = 1 << 16  # bytes


class _Sheet:
    """The pictures of looks at one size, painted when they are first needed."""

    def __init__(self, size: int, theme: Theme) -> None:
        self._size, self._theme = size, theme
        self._codes = np.array([np.iinfo(np.int64).max])  # rising, the last is no look
        self._numbers = np.array([-1])
        self.rows = np.empty(0, dtype=f"V{3 * size}")
        """(looks * size,): their rows of pixels, look after look"""

    def __len__(self) -> int:
        return len(self._codes) - 1

    def numbers(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which picture each look has, given by codes."""
        at = np.searchsorted(self._codes, codes)
        if (self._codes[at] != codes).any():
            self._add(np.setdiff1d(codes, self._codes))
            at = np.searchsorted(self._codes, codes)
        found: NDArray[np.int64] = self._numbers[at]
        return found

    def _add(self, codes: NDArray[np.int64]) -> None:
        pictures = [cell_picture(decoded(code), self._size, self._theme).reshape(-1) for code in codes.tolist()]
        self.rows = np.concatenate([self.rows, np.concatenate(pictures).view(self.rows.dtype)])
        numbers = np.concatenate([np.arange(len(self), len(self) + len(codes)), self._numbers])
        known = np.concatenate([codes, self._codes])
        order = np.argsort(known)
        self._codes, self._numbers = known[order], numbers[order]


@lru_cache(maxsize=8)
def _sheet(size: int, theme: Theme) -> _Sheet:
    return _Sheet(size, theme)


class Legend(NamedTuple):
    """Where the parts of a scale lie, in px from its upper left corner."""

    width: int
    bar: tuple[int, int, int, int]
    """left, top, width, height"""
    texts: tuple[tuple[float, float, str], ...]
    """(x, y, text) of their middles"""
    font_size: int

    @classmethod
    def of(cls, scale: Scale, height: int) -> "Legend":
        """Lay out a scale beside a maze of this height in px."""
        font_size = max(9, min(16, height // 12))
        bar_width, margin = max(6, font_size), font_size
        low, high = (f"{number:.4g}".replace("-", "−") for number in (scale.lowest, scale.highest))
        text_width = 0.62 * font_size * max(len(low), len(high), 3)
        top, bottom = min(margin, height // 4), height - min(margin, height // 4)
        x = margin + bar_width + 0.4 * font_size + text_width / 2
        texts = [(x, top + font_size / 2, high), (x, bottom - font_size / 2, low)]
        if scale.logarithmic and height > 6 * font_size:
            texts.append((x, (top + bottom) / 2, "log"))
        return cls(
            round(x + text_width / 2 + 4), (margin, top, bar_width, max(1, bottom - top)), tuple(texts), font_size
        )


@lru_cache(maxsize=64)
def _legend(scale: Scale, height: int, theme: Theme) -> Frame:
    place = Legend.of(scale, height)
    legend = np.empty((height, place.width, 3), dtype=np.uint8)
    legend[:] = theme.paper
    left, top, wide, high = place.bar
    shares = 1 - (np.arange(high) + 0.5) / high
    legend[top : top + high, left : left + wide] = np.array([theme.heat_colour(share) for share in shares])[:, None]
    for x, y, text in place.texts:
        paint_text(legend, text, x, y, place.font_size, theme.ink)
    return legend
