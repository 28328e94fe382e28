"""What is seen in fresh mazes: look-ups from the cells that lanes are on, and from all cells of their mazes.

Each kind of look is a NamedTuple of tables, whose class says how it is done; so `jit` sees the ways as structure.
"""

from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..core.scene import TILE_CODES
from ..engines.engine import Setup
from ..maps.legend import AGENT_CODE
from ..observations import Sight
from ..observations.encodings import encoded
from .fresh import IS_GOAL, IS_NOTHING, IS_START, OPEN, cells, of_maze, slots
from .namespace import Array, counted, namespace, take
from .structure import State, Tables


class Dots(NamedTuple):
    """The neighbours that are open."""

    bits: Array
    """(4,) int32, 0 to 3"""
    zeros: Array
    """() of the dtype of what is seen"""

    def __call__(self, tables: Tables, state: State) -> Array:
        """Return bits, (lanes, 4)."""
        return namespace(state.at).astype((cells(state)[:, None] >> self.bits) & 1, self.zeros.dtype)


class OfCell(NamedTuple):
    """A table over cells: where the agent is."""

    table: Array
    """(height * width, ...)"""

    def __call__(self, tables: Tables, state: State) -> Array:
        """Return rows of the table, (lanes, ...)."""
        return take(self.table, state.at - state.maze * state.mazes.cells.shape[2])


class OfState(NamedTuple):
    """The row of the tables of the lane's maze."""

    def __call__(self, tables: Tables, state: State) -> Array:
        """Return rows, (lanes,)."""
        return of_maze(state, "state")


class OfGoal(NamedTuple):
    """A table over cells: where the goal is."""

    table: Array

    def __call__(self, tables: Tables, state: State) -> Array:
        """Return rows of the table, (lanes, ...)."""
        return take(self.table, take(namespace(state.at).reshape(state.mazes.goal, (-1,)), slots(state)))


class Whole(NamedTuple):
    """The codes of all tiles, the agent marked."""

    codes: Array
    """(256,) uint8, by the bits of a cell"""
    agent: Array
    """(1,) uint8"""

    def __call__(self, tables: Tables, state: State) -> Array:
        """Return codes, (lanes, height, width)."""
        xp, size = namespace(state.at), state.mazes.cells.shape[2]
        own = take(xp.reshape(state.mazes.cells, (-1, size)), slots(state))
        codes = xp.reshape(take(self.codes, xp.reshape(xp.astype(own, xp.int32), (-1,))), own.shape)
        here = counted(own[0, :])[None, :] == (state.at - state.maze * size)[:, None]
        return xp.reshape(xp.where(here, self.agent, codes), (-1, *tables.fresh.maker.size))


class Window(NamedTuple):
    """The codes of the tiles around the agent."""

    codes: Array
    rows: Array
    """(side, side) int32, from the agent's"""
    columns: Array

    def __call__(self, tables: Tables, state: State) -> Array:
        """Return codes, (lanes, side, side)."""
        xp, (height, width) = namespace(state.at), tables.fresh.maker.size
        first, cell = slots(state) * (height * width), state.at - state.maze * (height * width)
        row = (cell // width)[:, None, None] + self.rows
        column = (cell % width)[:, None, None] + self.columns
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        index = first[:, None, None] + xp.where(inside, row * width + column, 0)
        near = take(xp.reshape(state.mazes.cells, (-1,)), xp.reshape(index, (-1,)))
        codes = xp.reshape(take(self.codes, xp.astype(near, xp.int32)), index.shape)
        return xp.where(inside, codes, codes * 0)


class Planes(NamedTuple):
    """Codes as planes."""

    of_codes: Any
    table: Array
    """(256, planes)"""

    def __call__(self, tables: Tables, state: State) -> Array:
        """Return planes, (lanes, planes, height, width)."""
        return namespace(state.at).permute_dims(_planes(self, tables, state), (0, 3, 1, 2))


class PlanesLast(NamedTuple):
    """The same with the planes last."""

    of_codes: Any
    table: Array

    def __call__(self, tables: Tables, state: State) -> Array:
        """Return planes, (lanes, height, width, planes)."""
        return _planes(self, tables, state)


class PlanesFlat(NamedTuple):
    """The same in a row."""

    of_codes: Any
    table: Array

    def __call__(self, tables: Tables, state: State) -> Array:
        """Return planes, (lanes, planes * height * width)."""
        planes = Planes(self.of_codes, self.table)(tables, state)
        return namespace(planes).reshape(planes, (planes.shape[0], -1))


def _planes(look: Any, tables: Tables, state: State) -> Array:
    xp, codes = namespace(state.at), look.of_codes(tables, state)
    flat = take(look.table, xp.reshape(xp.astype(codes, xp.int32), (-1,)))
    return xp.reshape(flat, (*codes.shape, -1))


_ENCODED: dict[str, Any] = {"planes": Planes, "planes_last": PlanesLast, "float": PlanesFlat}


def looks_of(setup: Setup, sight: Sight, size: tuple[int, int], array: Any) -> Any:
    """Return how lanes see what is observed: a look, or a dict of looks.

    Args:
        setup, sight: of the environment.
        size: (height, width) of the mazes.
        array: from a numpy array to one of the library at hand.

    Raises:
        ValueError: an observation that fresh mazes do not have here.
    """
    return sight.together({name: _look(name, setup, sight, size, array) for name in sight.bare})


def _look(name: str, setup: Setup, sight: Sight, size: tuple[int, int], array: Any) -> Any:
    kind, encode = sight.kind(name), sight.encode(name)
    if kind == "dots":
        dtype = np.int8 if encode is None else np.float32
        return Dots(array(np.arange(4, dtype=np.int32)), array(np.zeros((), dtype=dtype)))
    if kind == "state" and encode is None:
        return OfState()
    if kind in ("index", "position", "goal"):
        table = _table(kind, size)
        return (OfGoal if kind == "goal" else OfCell)(array(table if encode is None else encode(table)))
    if kind not in ("view", "map"):
        raise ValueError(
            f"the functional engine does not show {kind!r} of a new maze at each reset; give level_seeds=, or use "
            "engine='numpy'"
        )
    codes = array(_codes())
    look: Any = Whole(codes, array(np.array([AGENT_CODE], dtype=np.uint8)))
    if kind == "view":
        side = setup.view_size
        offsets = np.indices((side, side), dtype=np.int32) - side // 2
        look = Window(codes, array(offsets[0]), array(offsets[1]))
    if encode is None:
        return look
    one_tile = encoded(spaces.Box(0, 255, (1, 1), np.uint8), setup.encoding)
    assert one_tile is not None
    by_code = one_tile.encode(np.arange(256, dtype=np.uint8).reshape(256, 1, 1)).reshape(256, -1)
    return _ENCODED[str(setup.encoding)](look, array(by_code))


def _table(kind: str, size: tuple[int, int]) -> NDArray[Any]:
    """Return "index" or "position" of each cell; "goal" is the position of the goal's."""
    height, width = size
    cells = np.arange(height * width)
    if kind == "index":
        return cells
    return np.stack(np.divmod(cells, width), axis=1)


def _codes() -> NDArray[np.uint8]:
    """Return the code of the tile that has these bits, (256,)."""
    bits = np.arange(256)
    tiles = np.full(256, ord("#"), dtype=np.uint8)
    for bit, tile in ((IS_NOTHING, " "), (OPEN, "."), (IS_GOAL, "G"), (IS_START, "S")):
        tiles[(bits & bit) != 0] = ord(tile)
    return TILE_CODES[tiles]
