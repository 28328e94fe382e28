"""What a notebook shows: a card its maze and counts, an environment its maze and agent, lanes side by side."""

import html
from collections.abc import Sequence
from typing import Final

from gymnasium.error import ResetNeeded

from .env import MazeEnv
from .maps.maze import Maze
from .pictures.draw import draw_place, tile_size
from .pictures.notebook import frames_svg, svg
from .planning.describe import DifficultyCard
from .vector import MazeVectorEnv

_LANES: Final = 8  # shown of a vector environment
_SIDE: Final = 640  # px of the longer side of all lanes together; shown at half that size


def env_svg(env: MazeEnv) -> str:
    """Return the maze as an SVG, with the agent if there was a reset."""
    try:
        state = env.state
    except ResetNeeded:
        return _svg([env.maze], [(None, 0, 0)])
    world = env.world
    return _svg([env.maze], [(int(world.cell[state]), int(world.carried[state]), int(world.heading[state]))])


def vector_svg(envs: MazeVectorEnv) -> str | None:
    """Return the mazes and agents of the first lanes side by side as an SVG; None before the first reset."""
    try:
        saved = envs.get_state()
    except ResetNeeded:
        return None
    mazes = [envs.maze_of(lane) for lane in range(min(envs.num_envs, _LANES))]
    headings = saved.heading if isinstance(saved.heading, tuple) else (saved.heading,) * len(saved.cell)
    return _svg(mazes, list(zip(saved.cell, saved.carried, headings, strict=True)))


def card_html(card: DifficultyCard) -> str:
    """Return a maze and its counts as HTML: the picture, and a table beside it."""
    left = "style='text-align:left'"
    rows = "".join(
        f"<tr><th {left}>{html.escape(name)}</th><td {left}>{html.escape(value)}</td></tr>"
        for name, value in card.rows()
    )
    return f"<div style='display:flex;gap:2em;align-items:center'>{svg(card.maze)}<table>{rows}</table></div>"


def _svg(mazes: Sequence[Maze], places: Sequence[tuple[int | None, int, int]]) -> str:
    """Return mazes side by side, the agent of each on a cell, carrying inventory bits, facing a direction."""
    width = _SIDE // len(mazes)
    return frames_svg(
        [
            draw_place(maze, cell, carried, heading=heading, tile=tile_size(maze, max(width, _SIDE // 3), width))
            for maze, (cell, carried, heading) in zip(mazes, places, strict=False)
        ]
    )


DifficultyCard._repr_html_ = card_html  # type: ignore[attr-defined]
for _kind, _shown in ((MazeEnv, env_svg), (MazeVectorEnv, vector_svg)):
    setattr(_kind, "_repr_svg_", _shown)  # noqa: B010 (type checkers know the attributes of classes)
