"""A walk to look at step by step: a piece of HTML with a slider, which needs no server and no other file."""

import base64
import html
import json
from collections.abc import Sequence
from typing import Final

import numpy as np

from ..core.inventory import tiles_now
from ..core.world import World
from ..maps.directions import OFFSETS
from ..maps.maze import Maze
from .draw import tile_size
from .palette import LIGHT
from .vector import draw_svg

_SIDE: Final = 360  # px of the longer side of the maze
_PAUSE: Final = 160  # ms between steps when it plays

# no script elements, which some front ends leave out: the two programs are handlers of the slider and of the button
_SHOW: Final = """
const root = this.closest('.mazegrad-walk'), walk = root.walk ??= JSON.parse(root.dataset.walk), t = +this.value;
const at = i => [walk.cells[i] % walk.width, Math.floor(walk.cells[i] / walk.width)];
let way = '', before = null;
for (let i = 0; i <= t; i++) {
  const [x, y] = at(i), near = before && Math.abs(x - before[0]) + Math.abs(y - before[1]) < 2.5;
  way += (near ? 'L' : 'M') + (x + .5) + ' ' + (y + .5);
  before = [x, y];
}
root.querySelector('path').setAttribute('d', way);
const [x, y] = at(t), nose = walk.noses ? walk.noses[t] : [0, 0];
root.querySelectorAll('circle').forEach((circle, i) => {
  circle.setAttribute('cx', x + .5 + i * .28 * nose[1]);
  circle.setAttribute('cy', y + .5 + i * .28 * nose[0]);
});
root.querySelectorAll('img').forEach((image, i) => image.hidden = i !== walk.grounds[t]);
root.querySelector('output').textContent = walk.texts[t];
this.setAttribute('aria-valuetext', walk.texts[t]);
"""
_PLAY: Final = """
const root = this.closest('.mazegrad-walk'), slider = root.querySelector('input');
const stop = () => { clearInterval(root.timer); root.timer = 0; this.textContent = '▶'; };
if (root.timer) return stop();
if (+slider.value >= +slider.max) slider.value = 0;
this.textContent = '❚❚';
root.timer = setInterval(() => {
  if (!root.isConnected || +slider.value >= +slider.max) return stop();
  slider.value = +slider.value + 1;
  slider.dispatchEvent(new Event('input'));
}, PAUSE);
"""


def walk_html(world: World, states: Sequence[int], texts: Sequence[str] | None = None) -> str:
    """Return a walk as HTML to put into a page: the maze, a slider over its steps, a button that plays it.

    Args:
        world: the tables.
        states: of one maze of the world, T + 1 of them, in the order of the walk.
        texts: what stands below each; by default its number.
    """
    number, steps = int(world.maze_of[states[0]]), len(states) - 1
    maze, slip = world.mazes[number], world.slips[number]
    drawn = maze if slip is None else maze.with_settings({"slip": repr(slip) if slip else None})  # a keyword's too
    held, grounds = np.unique(world.carried[list(states)], return_inverse=True)
    tile = max(4, min(tile_size(maze, _SIDE, _SIDE), 40))
    texts = [f"step {t} of {steps}" for t in range(steps + 1)] if texts is None else list(texts)
    walk = {"width": maze.width, "cells": world.cell[list(states)].tolist(), "grounds": grounds.tolist(),
            "texts": texts}  # fmt: skip
    if world.moves.headings > 1:
        walk["noses"] = OFFSETS[world.heading[list(states)]].tolist()
    images = "".join(
        f'<img alt="{"the maze" if not i else ""}" style="width:100%"{" hidden" if i != grounds[0] else ""}'
        f' src="data:image/svg+xml;base64,{base64.b64encode(_ground(drawn, int(bits), tile).encode()).decode()}">'
        for i, bits in enumerate(held)
    )
    row, column = divmod(walk["cells"][0], maze.width)
    place = f'cx="{column + 0.5}" cy="{row + 0.5}"'
    nose = f'<circle {place} r=".12" fill="rgb{LIGHT.paper}"/>' if "noses" in walk else ""
    size, ink = f"{maze.width * tile}px", f'stroke="rgb{LIGHT.agent}" stroke-opacity=".6"'
    over = f'viewBox="0 0 {maze.width} {maze.height}" style="position:absolute;inset:0;width:100%;height:100%"'
    return f"""<div class="mazegrad-walk" data-walk="{html.escape(json.dumps(walk, separators=(",", ":")))}"
 style="display:inline-block;width:{size};max-width:100%;font:14px/1.5 system-ui,sans-serif;color:inherit">
<style>.mazegrad-walk [hidden]{{display:none!important}}</style>
<div style="position:relative;line-height:0">{images}<svg {over} aria-hidden="true">
<path fill="none" stroke-width=".12" stroke-linejoin="round" {ink}/>
<circle {place} r=".38" fill="rgb{LIGHT.agent}" stroke="rgb{LIGHT.paper}" stroke-width=".06"/>{nose}</svg></div>
<div style="display:flex;gap:.5em;align-items:center;min-width:14em">
<button type="button" title="play or pause" aria-label="play or pause" onclick="{_attribute(_PLAY)}">▶</button>
<input type="range" min="0" max="{steps}" value="0" style="flex:1" aria-label="step of the walk"
 oninput="{_attribute(_SHOW)}">
</div><output style="font-variant-numeric:tabular-nums">{html.escape(texts[0])}</output></div>"""


def page(fragment: str, title: str) -> str:
    """Return a page of HTML that shows nothing else, light or dark as its reader likes it."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{html.escape(title)}</title>'
        f'<body style="margin:2em">{fragment}</body></html>\n'
    )


def _ground(maze: Maze, carried: int, tile: int) -> str:
    """Return the maze without agent, with what was taken gone and open doors as floor."""
    tiles = tiles_now(maze, carried)
    changed = tiles != maze.tiles
    return draw_svg(Maze(np.where(changed, ord("."), maze.tiles), maze.metadata) if changed.any() else maze, tile=tile)


def _attribute(program: str) -> str:
    """Return a program as the value of an attribute, in one line."""
    return html.escape(" ".join(program.replace("PAUSE", str(_PAUSE)).split()))
