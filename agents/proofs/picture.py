"""A certificate as one picture: the verdict, the maze with its states, what is seen there, and the values."""

import base64
import html
import textwrap
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...envs import draw
from ...envs.pictures.draw import tile_size
from ...envs.pictures.lettering import paint_text, text_width
from ...envs.pictures.palette import ACCENT, FADED, LIGHT, Colour, mixed
from ...envs.pictures.png import png
from ..automata.observed import observe
from .claims import HELPS, HIDES, SUFFICES, Bounds, Claims
from .explanation import explain

SIZE: Final = (720, 1280)
"""(height, width) of the picture in px"""
SHOWN: Final = 4
"""states that are drawn, at most"""

_LETTERS: Final = "ABCD"
_MARGIN: Final = 32
_MAZES: Final = (96, 476, 560)  # top, bottom and right side of the part with the mazes
_REACH: Final = 1  # cells around a state that its detail shows
_VERDICTS: Final = {
    SUFFICES: "No memory needed: a map from what is seen to an action is as good as knowing the state.",
    HELPS: "Memory helps: every map from what is seen to an action is worse than an agent that remembers.",
    HIDES: "What is seen hides it: even with unlimited memory, nobody does as well as one who knows the state.",
}


def picture(claims: Claims) -> NDArray[np.uint8]:
    """Draw a certificate for a lecture.

    At the top is the verdict. Below it are the maze with the states of the proof, A, B, ..., and beside it each of them
    with what is seen there, and the best moves. Without such states the maze shows the memoryless policy. At the bottom
    are the values: of the best memoryless policy, of the controller, and V*.

    Returns:
        (720, 1280, 3) uint8.
    """
    frame = np.empty((*SIZE, 3), dtype=np.uint8)
    frame[:] = LIGHT.paper
    states, moves = _states(claims)
    sentence = _VERDICTS.get(claims.verdict, f"Undecided: it is not known {claims.missing}.")
    _write(frame, textwrap.shorten(sentence, 110), _MARGIN, 40, 24)
    under = f"observation {claims.observation}, discount {claims.discount:g}"
    _write(frame, under + (", search interrupted" if claims.interrupted else ""), _MARGIN, 74, 16, FADED)
    _draw_mazes(frame, claims, states)
    if claims.confusion is not None or claims.witness is not None:
        _draw_details(frame, claims, states, moves)
    _draw_values(frame, claims)
    return frame


def _states(claims: Claims) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Return the states to show, and the best moves in each where they are part of the proof."""
    if claims.confusion is not None:
        return claims.confusion.states[:SHOWN], ()
    if claims.witness is not None:
        first, second, *actions = claims.witness
        return (first, second), tuple(actions)
    return (int(claims.world.start_states[0]),), ()


def _draw_mazes(frame: NDArray[np.uint8], claims: Claims, states: tuple[int, ...]) -> None:
    """Draw each maze that has one of the states, with a letter on it; without proof states, the memoryless policy."""
    world, proved = claims.world, claims.confusion is not None or claims.witness is not None
    numbers = list(dict.fromkeys(int(world.maze_of[state]) for state in states))
    top, bottom, right = _MAZES
    height, width = bottom - top, (right - _MARGIN) // len(numbers)
    for column, number in enumerate(numbers):
        maze, here = world.mazes[number], [state for state in states if world.maze_of[state] == number]
        tile = tile_size(maze, height, width - 8)
        policy = None
        if claims.verdict == SUFFICES:
            seen = observe(world, claims.observation, claims.view_size, keep_pixels=False).numbers
            policy = claims.memoryless_policy[seen][world.maze_of == number]
        drawn = np.asarray(draw(world.only(number), policy=policy, tile=tile))[:height, :width]
        left = _MARGIN + column * width
        frame[top : top + len(drawn), left : left + drawn.shape[1]] = drawn
        for state in here if proved else ():
            row, cell = divmod(int(world.cell[state]), maze.width)
            x, y = left + (cell + 0.5) * tile, top + (row + 0.5) * tile
            letter = _LETTERS[states.index(state)]
            _badge(frame, letter, x, y, max(11, round(0.46 * tile)))


def _draw_details(
    frame: NDArray[np.uint8], claims: Claims, states: tuple[int, ...], moves: tuple[tuple[int, ...], ...]
) -> None:
    """Draw the neighbourhood of each state in large, what is seen there, and what is best there."""
    world, (top, bottom, left) = claims.world, _MAZES
    left += _MARGIN
    columns = 2
    width = (SIZE[1] - _MARGIN - left) // columns
    rows = -(-len(states) // columns)
    height = (bottom - top) // rows
    tile = min((height - 84) // (2 * _REACH + 1), (width - 24) // (2 * _REACH + 1), 88)
    for i, state in enumerate(states):
        x, y = left + i % columns * width, top + i // columns * height
        best = np.zeros((world.states, world.actions), dtype=bool)
        if moves:
            best[state, list(moves[i])] = True
        maze = world.mazes[int(world.maze_of[state])]
        one = world.only(int(world.maze_of[state]))
        shown = np.asarray(draw(one, policy=best[world.maze_of == world.maze_of[state]], tile=tile))
        row, column = divmod(int(world.cell[state]), maze.width)
        edge = _REACH * tile
        padded = np.full((len(shown) + 2 * edge, shown.shape[1] + 2 * edge, 3), LIGHT.paper, dtype=np.uint8)
        padded[edge:-edge, edge:-edge] = shown
        detail = padded[row * tile : (row + 2 * _REACH + 1) * tile, column * tile : (column + 2 * _REACH + 1) * tile]
        frame[y : y + len(detail), x : x + detail.shape[1]] = detail
        _outline(frame, y, x, *detail.shape[:2])
        _badge(frame, _LETTERS[i], x + 16, y + 16, 14)
        text_y = y + len(detail) + 24
        _write(frame, _sees(claims, state), x, text_y, 16)
        if moves:
            _write(
                frame,
                f"best: {' or '.join(world.moves.names[move] for move in moves[i])}",
                x,
                text_y + 26,
                18,
                ACCENT,
            )


def _sees(claims: Claims, state: int) -> str:
    if claims.observation != "dots":
        return "looks the same" if claims.witness or claims.confusion else ""
    bits, names = claims.world.dots[state], claims.world.moves.seen_names
    return "sees " + (", ".join(name for name, bit in zip(names, bits, strict=True) if bit) or "nothing")


def _draw_values(frame: NDArray[np.uint8], claims: Claims) -> None:
    """Draw the values as bars on one axis that contains 0."""
    nodes = claims.controller.nodes
    rows: list[tuple[str, Bounds, Colour]] = [
        ("best without memory", claims.memoryless_value, LIGHT.dot),
        (f"controller, {nodes} node{'s' * (nodes != 1)}", claims.controller_value, LIGHT.gem),
        ("V*, knowing the state", claims.full_state_value, LIGHT.goal),
    ]
    finite = [0.0, *[bound for _, bounds, _ in rows for bound in bounds if np.isfinite(bound)]]
    low, high = min(finite), max(finite)
    span = (high - low) or 1.0
    left, right, top, row_height = 290, SIZE[1] - 250, _MAZES[1] + 52, 52

    def place(value: float) -> int:
        return round(left + (right - left) * (min(max(value, low), high) - low) / span)

    zero = place(0.0)
    for i, (name, bounds, colour) in enumerate(rows):
        y = top + i * row_height
        _write(frame, name, _MARGIN, y, 18)
        value = bounds.upper if np.isfinite(bounds.upper) else low
        start, end = sorted((zero, place(value)))
        frame[y - 15 : y + 15, start : max(end, start + 2)] = colour
        certain = place(bounds.lower if np.isfinite(bounds.lower) else low)
        if abs(certain - place(value)) > 1:  # what is not known is pale
            pale = sorted((certain, place(value)))
            frame[y - 15 : y + 15, pale[0] : pale[1]] = mixed(colour, LIGHT.paper, 0.4)
        narrow = bounds.upper - bounds.lower <= 1e-9 * max(1.0, abs(bounds.upper))
        shown = f"{bounds.lower:.4g}" if narrow else f"{bounds.lower:.4g} to {bounds.upper:.4g}"
        shown = "may never end" if not np.isfinite(bounds.upper) else shown
        _write(frame, shown.replace("-", "−"), max(end, zero) + 12, y, 18)
    frame[top - 26 : top + 2 * row_height + 26, zero : zero + 2] = LIGHT.ink
    _write(frame, "discounted return from the start", _MARGIN, top + 3 * row_height - 6, 14, FADED)


def _badge(frame: NDArray[np.uint8], letter: str, x: float, y: float, radius: int) -> None:
    """Paint a letter on a disc."""
    rows, columns = np.mgrid[: frame.shape[0], : frame.shape[1]]
    away = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
    for size, colour in ((radius + 2, LIGHT.paper), (radius, ACCENT)):
        share = np.clip(size + 0.5 - away, 0, 1)[..., None]
        frame[:] = np.rint(frame + share * (np.array(colour) - frame)).astype(np.uint8)
    paint_text(frame, letter, x, y, round(1.3 * radius), LIGHT.paper)


def _outline(frame: NDArray[np.uint8], top: int, left: int, height: int, width: int) -> None:
    rows, columns = slice(top, top + height), slice(left, left + width)
    frame[top : top + 2, columns] = frame[top + height - 2 : top + height, columns] = LIGHT.dot
    frame[rows, left : left + 2] = frame[rows, left + width - 2 : left + width] = LIGHT.dot


def _write(frame: NDArray[np.uint8], text: str, left: float, y: float, size: int, ink: Colour = LIGHT.ink) -> None:
    """Write a line of text from `left` on, around the height y."""
    if text:
        paint_text(frame, text, left + text_width(text, size) / 2, y, size, ink)


def as_html(claims: Claims) -> str:
    """Return the picture, shown at half its size, and the explanation for a notebook."""
    image = base64.b64encode(png(picture(claims))).decode("ascii")
    shown = f"<img width='{SIZE[1] // 2}' src='data:image/png;base64,{image}'>"
    return f"{shown}<pre>{html.escape(explain(claims, {}))}</pre>"
