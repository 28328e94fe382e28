"""The gallery: every id, map, generator and tile, each with what makes it. `make docs` writes it."""

from pathlib import Path

import environments
import numpy as np
from reference import write_if_changed

from mazegrad.envs import GENERATORS, LEGEND, MAZES, Maze, World, draw_svg, generate, growth, load_maze
from mazegrad.envs.maps.generators import TREES
from mazegrad.envs.pictures.palette import LIGHT
from mazegrad.named import environment_ids


def growing(name: str, tile: int = 12) -> str:
    """Return a maze that grows, as a moving SVG: walls lie over the finished maze, and vanish one after the other.

    Where SVG does not move, on paper, the finished maze is seen.
    """
    *stages, maze = growth(name, 8, 14, rng=np.random.default_rng(0), frames=40)
    seconds, still = 6, 1.5
    covers, before = [], maze.tiles != ord("#")
    for number, stage in enumerate([*stages, maze]):
        shut = (stage.tiles == ord("#")) & (maze.tiles != ord("#"))
        opened = before & ~shut
        share = number / len(stages) * (1 - still / seconds)
        if opened.any() and number:
            cells = "".join(f"M{x * tile} {y * tile}h{tile}v{tile}h-{tile}z" for y, x in np.argwhere(opened).tolist())
            hide = (
                f'values="1;0" keyTimes="0;{share:.3f}" dur="{seconds}s" repeatCount="indefinite" calcMode="discrete"'
            )
            covers.append(f'<path opacity="0" d="{cells}"><animate attributeName="opacity" {hide}/></path>')
        before = shut
    wall = "#" + bytes(LIGHT.wall).hex()
    walls = f'<g fill="{wall}" stroke="{wall}" stroke-width=".3">{"".join(covers)}</g></svg>'
    return draw_svg(maze, tile=tile).removesuffix("</svg>") + walls


def write(docs: Path) -> None:
    """Write gallery.md into a folder, and its pictures into images/gallery there."""
    folder = docs / "images" / "gallery"
    folder.mkdir(parents=True, exist_ok=True)

    def shown(name: str, drawing: Maze | World, state: int | None = None, tile: int | None = None) -> str:
        write_if_changed(folder / f"{name}.svg", draw_svg(drawing, state, tile=tile))
        return f"![{name}](images/gallery/{name}.svg)"

    lines = ["# Gallery", "", "`make docs` writes this page.", "", "## Environments", ""]
    for env_id in sorted(environment_ids()):
        name = env_id.removeprefix("mazegrad/")
        write_if_changed(folder / f"{name}.svg", environments.best_walk(env_id)._repr_svg_() or "")
        picture = f"![An optimal walk through {name}](images/gallery/{name}.svg)"
        lines += [f"### {name}", "", picture, "", f"    mazegrad watch --env {name}", ""]
    lines += ["## Maps", "", "`draw_svg(load_maze(name))`; the commands draw the maps with a way to the goal.", ""]
    for name in MAZES:
        command = f"    mazegrad solve {name} --png {name}.png"
        lines += [f"### {name}", "", shown(f"map_{name}", load_maze(name)), "", command, ""]
    lines += ["## Generators", ""]
    for name in GENERATORS:
        maze = generate(name, 8, 14, rng=np.random.default_rng(0))
        drawn = growing(name) if name in TREES else draw_svg(maze)
        write_if_changed(folder / f"generator_{name}.svg", drawn)
        picture = f"![generator_{name}](images/gallery/generator_{name}.svg)"
        command = f"    mazegrad generate {name} --rows 8 --columns 14 --png {name}.png"
        lines += [f"### {name}", "", picture, "", command, ""]
    lines += [
        "## Tiles",
        "",
        '`draw_svg(Maze.from_text("~"), tile=32)` and the like.',
        "",
        "| tile | picture | what |",
        "| --- | --- | --- |",
    ]
    for number, (tile, about) in enumerate(LEGEND.items()):
        what = shown(f"tile_{number}", Maze(np.array([[ord(tile)]], dtype=np.uint8)), tile=32)
        sign = "(blank)" if tile == " " else f"`{tile}`"
        lines.append(f"| {sign} | {what} | {about} |")
    write_if_changed(docs / "gallery.md", "\n".join(lines) + "\n")
