"""What is laid over a maze: values, policies, visits, trails, what an agent sees, a search, labels, several agents.

`compose` checks it all and returns a `Composition`, what each cell looks like, from which frames, SVG and PDF are made.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..core.world import World
from ..maps.arguments import whole
from ..maps.directions import DOWN, OFFSETS, RIGHT, opposite
from ..maps.maze import Maze
from ..maps.moves import Moves, moves_of, quarters_of, turned
from ..maps.noise import SLIPS, floor_signs
from ..maps.thin import sides
from .crossings import flow_codes
from .locators import Locator, locators
from .palette import Theme, find_theme
from .stage import NOSES, Cells, Stage
from .tiles import HEAT_LEVELS, STRENGTHS, Look

Floats: TypeAlias = NDArray[np.float64]


class Search(Protocol):
    """What a solver found, such as a `Solution`."""

    @property
    def path(self) -> Sequence[int] | None:
        """The states of the way, or None."""

    @property
    def visited(self) -> Sequence[int]:
        """The states that it visited, in order."""


class Scale(NamedTuple):
    """What the colours of a heat map mean."""

    lowest: float
    highest: float
    logarithmic: bool


class Composition(NamedTuple):
    """A picture before it is painted."""

    codes: Cells
    """(height, width), the look of each cell as one number; `decoded` makes a Look of it"""
    labels: tuple[tuple[int, int, str], ...]
    """(row, column, text)"""
    scale: Scale | None
    theme: Theme
    walls: tuple[tuple[float, float, float, float], ...] = ()
    """thin walls: (x, y) of one end and of the other, in tiles from the upper left corner"""
    rings: tuple[Locator, ...] = ()
    """around agents and goals, in a large maze"""


class Overlays(NamedTuple):
    """The keywords of `draw` that lay something over the maze; see there."""

    values: Any = None
    policy: Any = None
    visits: Any = None
    trails: Any = None
    observation: Any = None
    search: Search | None = None
    labels: Mapping[int, str] | None = None
    scale: bool = True


def compose(
    drawing: Maze | World,
    agents: Sequence[int] = (),
    overlays: Overlays = Overlays(),  # noqa: B008 (immutable)
    trail: NDArray[np.uint8] | None = None,
    theme: str | Theme = "light",
    view_size: int = 5,
) -> Composition:
    """Return what each cell looks like; the arguments and errors are those of `draw`."""
    stage, theme = Stage(drawing, agents), find_theme(theme)
    maze = stage.maze
    heat, scale = _heat(stage, overlays)
    arrows, flow = _arrows(stage, overlays.policy), flow_codes(stage, overlays.trails)
    sides = np.zeros(stage.size, dtype=np.int64) if trail is None else trail.astype(np.int64)
    if overlays.search is not None and overlays.search.path is not None:
        sides |= _sides(stage.cells_of("search", list(overlays.search.path)), maze.width, stage.size)
    seen = _seen(stage, overlays.observation, view_size)
    who = np.zeros(stage.size, dtype=np.int64)
    for number, cell in enumerate(stage.agents):
        who[cell] = stage.alone if len(stage.agents) == 1 else number + 2
    signs = floor_signs(maze, stage.slip).ravel()
    columns: tuple[NDArray[Any], ...] = (flow, heat + 1, who, sides, signs, ~seen, stage.tiles)
    code = arrows
    for size, column in zip(_SIZES, columns, strict=True):
        code = code * size + column
    labels = _labels(stage, overlays.labels)
    shown = scale if overlays.scale else None
    colours = [theme.agent] if len(stage.agents) == 1 else theme.agents
    standing = {cell: colours[number % len(colours)] for number, cell in enumerate(stage.agents)}
    rings = locators(maze.tiles.shape, np.flatnonzero(stage.tiles == ord("G")).tolist(), standing, theme)
    return Composition(code.reshape(maze.tiles.shape), labels, shown, theme, _thin_walls(maze), tuple(rings))


def _thin_walls(maze: Maze) -> tuple[tuple[float, float, float, float], ...]:
    """Return the walls between cells, and the one around the maze, as lines."""
    if "walls" not in maze.metadata:
        return ()
    blocked, (height, width) = sides(maze), maze.tiles.shape
    around = [
        (0.0, 0.0, width, 0.0),
        (width, 0.0, width, height),
        (0.0, height, width, height),
        (0.0, 0.0, 0.0, height),
    ]
    lines: list[tuple[float, float, float, float]] = [(float(a), float(b), float(c), float(d)) for a, b, c, d in around]
    if blocked is not None:
        lines += [(x + 1, y, x + 1, y + 1) for y, x in np.argwhere(blocked >> RIGHT & 1).tolist() if x + 1 < width]
        lines += [(x, y + 1, x + 1, y + 1) for y, x in np.argwhere(blocked >> DOWN & 1).tolist() if y + 1 < height]
    return tuple(lines)


_ARROWS: Final = np.concatenate([OFFSETS, [(-1, 1), (-1, -1), (1, 1), (1, -1), (0, 0)]])  # (9, 2): where arrows point
_SIZES: Final = (4096, HEAT_LEVELS + 1, 64, 16, 2 * SLIPS, 2, 256)
"""of a code, after the arrows: how many flows, levels of heat, agents, trails, signs on the floor, dims and tiles"""


def decoded(code: int) -> Look:
    """Return the look of a code of a Composition."""
    parts = []
    for size in reversed(_SIZES):
        code, part = divmod(code, size)
        parts.append(part)
    tile, dim, signs, trail, agent, heat, flow = parts
    levels = [code // (STRENGTHS + 1) ** d % (STRENGTHS + 1) for d in range(len(_ARROWS))]
    arrows = tuple((*_ARROWS[d].tolist(), level) for d, level in enumerate(levels) if level)
    widths = tuple(flow >> 3 * d & 7 for d in range(4)) if flow else ()
    nose = max(agent - NOSES + 1, 0)
    who, wind, slips = 1 if nose else agent, signs % SLIPS, signs >= SLIPS
    return Look(tile, wind, trail, who, heat - 1, arrows, widths, bool(dim), nose, slips)


def _heat(stage: Stage, overlays: Overlays) -> tuple[Cells, Scale | None]:
    """Return the level of each cell, -1 for none, and what the levels mean."""
    heat = np.full(stage.size, -1, dtype=np.int64)
    given = {name: getattr(overlays, name) for name in ("values", "visits", "search")}
    given = {name: value for name, value in given.items() if value is not None}
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} are heat maps; draw one of them at a time")
    if not given:
        return heat, None
    if overlays.search is not None:
        order = stage.cells_of("search", list(overlays.search.visited))
        met, first = np.unique(order[order >= 0], return_index=True)
        return _levels(heat, met, first.astype(np.float64), logarithmic=False)
    if overlays.visits is not None:
        cells, counts = stage.over_cells("visits", overlays.visits)
        total: Floats = np.bincount(cells, weights=counts.astype(np.float64), minlength=stage.size).astype(np.float64)
        if (total < 0).any() or not np.isfinite(total).all():
            raise ValueError("visits must be counts: finite and not negative")
        met = np.flatnonzero(total)
        return _levels(heat, met, total[met], logarithmic=True)
    values = getattr(overlays.values, "values", overlays.values)
    cells, numbers = stage.over_cells("values", values)
    numbers = numbers.astype(np.float64)
    going = np.isfinite(numbers)
    if stage.world is not None and len(cells) == len(stage.here):
        going &= ~stage.world.terminal[stage.here]
    cells, numbers = cells[going], numbers[going]
    best = np.full(stage.size, -np.inf)
    if stage.headings == 1:
        best[cells] = numbers
    else:
        np.maximum.at(best, cells, numbers)  # of several states in one cell
    met = np.flatnonzero(np.isfinite(best) & stage.maze.open.ravel())
    return _levels(heat, met, best[met], logarithmic=False)


def _levels(heat: Cells, cells: Cells, numbers: Floats, logarithmic: bool) -> tuple[Cells, Scale | None]:
    if not len(cells):
        return heat, None
    scale = Scale(float(numbers.min()), float(numbers.max()), logarithmic)
    if logarithmic:
        numbers = np.log(numbers)
    low, high = numbers.min(), numbers.max()
    share = (numbers - low) / (high - low) if high > low else np.full(len(numbers), 1.0)
    heat[cells] = np.rint(share * (HEAT_LEVELS - 1)).astype(np.int64)
    return heat, scale


def _arrows(stage: Stage, policy: Any) -> Cells:
    """Return a code for the arrows of each cell, a digit for each way of `_ARROWS`: the longer, the likelier.

    Where actions turn, steps point ahead, by the heading of each state; turns have no arrows.
    """
    moves = moves_of(stage.maze)
    codes = np.zeros(stage.size, dtype=np.int64)
    if policy is None:
        return codes
    given = getattr(policy, "optimal", policy)
    array = np.asarray(given)
    chosen = array.ndim == 1 and array.dtype.kind in "iu"
    cells, rows = stage.over_cells("policy", array, columns=not chosen)
    if chosen or rows.ndim == 1:
        wrong = (rows < 0) | (rows >= len(moves))
        if wrong.any():
            raise ValueError(f"policy holds action {rows[wrong][0]}; expected 0 to {len(moves) - 1}")
        shares = np.eye(len(moves))[rows.astype(np.int64)]
    else:
        shares = rows.astype(np.float64)
        if shares.shape[1] != len(moves) or (shares < 0).any() or not np.isfinite(shares).all():
            raise ValueError(f"policy must have a probability, or True or False, for each of {len(moves)} actions")
    heading = np.zeros(len(cells), dtype=np.int64)
    if stage.world is not None and len(cells) == len(stage.here):
        going = np.flatnonzero(~stage.world.terminal[stage.here])
        cells, shares, heading = cells[going], shares[going], stage.world.heading[stage.here[going]]
    highest = np.maximum.reduce([*shares.T, np.full(len(shares), 1e-300)])[:, None]
    strength = np.ceil(STRENGTHS * shares / highest - 1e-9).astype(np.int64)
    ways = _ways(moves)
    if moves.headings == 1 and len({*ways[0]}) == len(moves):  # a digit for each action
        codes[cells] = strength @ (STRENGTHS + 1) ** np.array(ways[0])
    else:
        digits = np.zeros((stage.size, len(_ARROWS)), dtype=np.int64)
        for action, turn in enumerate(moves.turns):
            for facing in range(moves.headings) if not turn else ():
                here = heading == facing
                np.maximum.at(digits[:, ways[facing][action]], cells[here], strength[here, action])
        codes = digits @ (STRENGTHS + 1) ** np.arange(len(_ARROWS))
    codes[~stage.maze.open.ravel()] = 0
    return codes


@lru_cache(maxsize=64)
def _ways(moves: Moves) -> tuple[tuple[int, ...], ...]:
    """Return for each heading which way of `_ARROWS` each action leads."""
    return tuple(
        tuple(
            int((np.sign(turned(*step, quarters_of(facing))) == _ARROWS).all(axis=1).argmax()) for step in moves.steps
        )
        for facing in range(moves.headings)
    )


def _sides(cells: Cells, width: int, size: int) -> Cells:
    """Return the sides that a walk over cells crosses, as bits."""
    sides = np.zeros(size, dtype=np.int64)
    for direction, (row, column) in enumerate(OFFSETS.tolist()):
        before, after = cells[:-1], cells[1:]
        crossed = (after - before == row * width + column) & (bool(row) | (before // width == after // width))
        sides[before[crossed]] |= 1 << direction
        sides[after[crossed]] |= 1 << opposite(direction)
    return sides


def _seen(stage: Stage, observation: Any, view_size: int) -> NDArray[np.bool_]:
    """Return which cells the agents see."""
    everything = np.ones(stage.size, dtype=bool)
    if observation is None:
        return everything
    height, width = stage.maze.height, stage.maze.width
    if not isinstance(observation, str):
        seen = np.asarray(observation)
        if seen.dtype != bool or seen.size != stage.size:
            raise ValueError(f"observation must be a name, or a bool array ({height}, {width}) of what is seen")
        return seen.ravel()
    if not stage.agents:
        raise ValueError("observation shows what an agent sees; give its state too")
    if observation in ("map", "pixels"):
        return everything
    reach = whole("view_size", view_size, 1) // 2
    seen = np.zeros((height, width), dtype=bool)
    for cell in stage.agents:
        row, column = divmod(cell, width)
        if observation == "view":
            seen[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1] = True
        elif observation == "dots":
            for down, across in [(0, 0), *OFFSETS.tolist()]:
                if 0 <= row + down < height and 0 <= column + across < width:
                    seen[row + down, column + across] = True
        else:
            seen[row, column] = True
    return seen.ravel()


def _labels(stage: Stage, labels: Mapping[int, str] | None) -> tuple[tuple[int, int, str], ...]:
    if labels is None:
        return ()
    if not isinstance(labels, Mapping):
        raise TypeError(f"labels must be a mapping from states or cells to texts, not {type(labels).__name__}")
    cells = stage.cells_of("labels", np.array(list(labels), dtype=np.int64)).tolist()
    return tuple(
        (*divmod(cell, stage.maze.width), str(text)) for cell, text in zip(cells, labels.values(), strict=True)
    )
