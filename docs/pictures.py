"""Draw the pictures of README and docs, all or some by name: `make pictures`. Needs the extras plot and video."""

import argparse
import itertools
import os
import re
import runpy
from pathlib import Path

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import gymnasium
import numpy as np
from gallery import write as write_gallery

from mazegrad.agents import EXCHANGE, LinearRNN, certify_memory, named_agent
from mazegrad.envs import (
    LEGEND,
    SOLVERS,
    Maze,
    MazeEnv,
    World,
    draw_svg,
    load_maze,
    value_iteration,
)
from mazegrad.envs.maps.thin import read_thin
from mazegrad.film import save_gif, save_png
from mazegrad.nn.analysis.plot import INK
from mazegrad.pictures import style
from mazegrad.watch import Picture, walk

IMAGES = Path(__file__).parent / "images"


def watch() -> None:
    env = gymnasium.make("mazegrad/PathFollow-v0").unwrapped
    assert isinstance(env, MazeEnv)
    picture = Picture("PathFollow-v0", "sheet38, walked by path_follower")
    moment = next(itertools.islice(walk(env, named_agent("path_follower").make, 0), 36, None))
    save_png(IMAGES / "watch.png", picture.draw(moment))


def staircase() -> None:
    """Draw the storeys of envs, for docs/design.md."""
    storeys = {
        "maps": "what is drawn: Maze, tiles, generators, levels, randomness",
        "core": "what is true: World, rules, Places, Scene",
        "pictures": "how it looks: frames, text, windows",
        "observations": "what is seen, as functions of Places",
        "planning": "what is best: distances, values",
        "engines": "who steps: Engine",
        "the clock": "env, vector, episodes, info, replay",
    }
    label = f"The storeys of envs, from the ground: {', '.join(storeys)}. Imports go down."
    parts = ['<rect width="760" height="356" fill="#fbf9f4"/>']
    for number, (name, about) in enumerate(storeys.items()):
        left, top = 20 + 40 * number, 296 - 46 * number
        box = f'width="{620 - 40 * number}" height="40" rx="4" fill="#fff" stroke="#485668" stroke-width="1.5"'
        parts.append(f'<rect x="{left}" y="{top}" {box}/>')
        parts.append(f'<text x="{left + 14}" y="{top + 25}" font-size="15" font-weight="bold">{name}</text>')
        parts.append(f'<text x="626" y="{top + 25}" font-size="13" text-anchor="end">{about}</text>')
    parts.append('<path d="M690 28V320M682 310l8 14 8-14" stroke="#d94820" stroke-width="2.5" fill="none"/>')
    parts.append(
        '<text x="706" y="180" font-size="13" fill="#b03010" transform="rotate(90 706 180)" text-anchor="middle">'
        "imports go down only</text>"
    )
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 356" font-family="Helvetica, Arial, sans-serif"'
    text = f'{head} fill="#2c3848" role="img" aria-label="{label}">\n' + "\n".join(parts) + "\n</svg>\n"
    (IMAGES / "staircase.svg").write_text(text, encoding="utf-8")


def eigenvalues() -> None:
    """Draw where the eigenvalues lie, and the margins on a staircase from its end, down, right, down, right, ..."""
    nets = {
        "−J": (-EXCHANGE, np.eye(4)),
        "−J/2": (-EXCHANGE / 2, np.eye(4)),
        "(I−J)/2": ((np.eye(4) - EXCHANGE) / 2, 2 * np.eye(4)),
    }
    figure, (left, right) = style.figure(1, 2, height=2.6, width_ratios=[1, 1.2])
    for row, (name, (U, W)) in enumerate(nets.items()):
        colour, _, marker = style.line(name, list(nets))
        values, counts = np.unique(np.round(np.linalg.eigvalsh(U), 12), return_counts=True)
        left.plot(values, 0 * values - row, marker, color=colour, ms=9)
        for value, count in zip(values, counts, strict=True):
            left.annotate(f"×{count}", (value, -row), (7, 6), textcoords="offset points", fontsize=8, color=INK)
        rnn = LinearRNN(W, U, np.zeros(4), [1, 0, 0, 0])
        h, margins, way = rnn.h0, [], [3, 1]
        for step in range(60):
            x = np.eye(4)[way[step % 2]] + (np.eye(4)[3 - way[(step - 1) % 2]] if step else 0)
            h = rnn.step(x, h)
            margins.append(h[way[step % 2]] - np.delete(h, way[step % 2]).max())
        lost = next((step for step, margin in enumerate(margins) if margin <= 0), None)
        style.draw_line(
            right, range(len(margins[:lost])), margins[:lost], f"U = {name}", [f"U = {key}" for key in nets]
        )
        right.get_lines()[-1].set(color=colour, linestyle=style.line(name, list(nets)).dash)
        if lost is not None:
            right.get_lines()[-1].set_label("_")
            right.plot(lost, 1e-16, marker, color=colour, ms=7, label="_")
            right.annotate(f"U = {name} is lost", (lost, 1e-16), (-10 if lost else 8, -1), textcoords="offset points",
                           color=colour, ha="right" if lost else "left", va="center", fontsize=8)  # fmt: skip
    for radius in (-1, 1):
        left.axvline(radius, color=INK, lw=0.8, ls=":")
    left.set(title="eigenvalues, all real (dotted: ±1)", xlabel="eigenvalue", xlim=(-1.4, 1.4), ylim=(-2.6, 0.6))
    left.set_yticks([0, -1, -2], [f"U = {name}" for name in nets])
    right.set(yscale="log", xlim=(0, 60), ylim=(3e-17, 10))
    style.finish(right, title="margin on a staircase, from its end", xlabel="step")
    style.save(figure, IMAGES / "eigenvalues.png")


def certificate() -> None:
    """Draw the proof that the sheet's path needs memory."""
    save_png(IMAGES / "certificate.png", certify_memory(load_maze("sheet38")).plot())


def moving() -> None:
    """The picture at the top of the README: the net on the sheet's path, its mind beside it."""
    env = gymnasium.make("mazegrad/PathFollow-v0").unwrapped
    assert isinstance(env, MazeEnv)
    picture = Picture("PathFollow-v0", "sheet38, walked by path_follower", (432, 768))
    save_gif(IMAGES / "watch.gif", list(walk(env, named_agent("path_follower").make, 0)), picture.draw, 6)


def overlays() -> None:
    """Draw what `draw` lays over a maze: the pictures of docs/drawing.md."""
    world = World.compile(load_maze("four_rooms"))
    values = value_iteration(world, discount=0.95)
    env = gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=1000, info=("state",), time_limit=60)
    rng = np.random.default_rng(0)
    states = [env.reset(seed=0)[1]["state"]]
    for _ in range(50):
        states.append(env.step(rng.integers(0, 4, 1000))[4]["state"])
    start = int(world.start_states[0])
    write = {
        "values": draw_svg(world, start, values=values, policy=values),
        "visits": draw_svg(world, visits=np.bincount(np.ravel(states), minlength=world.states)),
        "trails": draw_svg(world, trails=np.array(states)),
        "search": draw_svg(world, search=SOLVERS["a_star"](world)),
        "seen": draw_svg(world, 30, observation="view", view_size=5, labels={60: "B"}),
        "agents": draw_svg(world, [3, 8, 40], theme="dark"),
    }
    for name, text in write.items():
        (IMAGES / f"over_{name}.svg").write_text(text, encoding="utf-8")


def gallery() -> None:
    """Write docs/gallery.md and its pictures, as `make docs` does."""
    write_gallery(IMAGES.parent)


# pictures of docs/maps.md with best actions as arrows, and with the agent
ARROWS = ("king", "corners", "named", "slip", "noise", "wind", "wind_left", "walls")
AGENT = ("turns",)


def pictured(page: str) -> dict[str, Maze]:
    """Return the maps of a page that have a picture below them, by its name."""
    found = re.findall(r"```text\n((?:(?!```).*\n)+)```\n\n!\[[^]]*\]\(images/maps/(\w+)\.svg\)", page)
    return {name: read_thin(text) if text.startswith("+") else Maze.from_text(text) for text, name in found}


def maps() -> None:
    """Draw each map of docs/maps.md; its digest is written into the picture, so that tests know whose it is."""
    folder = IMAGES / "maps"
    folder.mkdir(exist_ok=True)
    for name, maze in pictured((IMAGES.parent / "maps.md").read_text("utf-8")).items():
        world = World.compile(maze)
        drawn = {state: chr(maze.tiles.flat[cell]) for state, cell in enumerate(world.cell.tolist())}
        labels = {state: tile for state, tile in drawn.items() if tile not in LEGEND}
        best = value_iteration(world, discount=0.9) if name in ARROWS else None
        state = int(world.start_states[0]) if name in AGENT else None
        text = draw_svg(world, state, policy=best, labels=labels, tile=32)
        (folder / f"{name}.svg").write_text(f"{text}<!-- {maze.digest} -->\n", encoding="utf-8")


def gradients() -> None:
    """Draw those of exercise 39, but for three that take minutes each.

    Those come from examples/gradient_remedies.py --figure, long_memory.py --pictures and memory_horizon.py --pictures.
    """
    example = runpy.run_path(str(IMAGES.parents[1] / "examples" / "gradients_through_time.py"))
    example["main"](["--pictures", str(IMAGES)])


def learning() -> None:
    """Draw the curves of the textbook's tables."""
    example = runpy.run_path(str(IMAGES.parents[1] / "examples" / "textbook_learning.py"))
    example["draw"]([panel(10, False) for panel in example["PANELS"]], IMAGES)


PICTURES = {
    "watch": watch, "moving": moving, "overlays": overlays, "certificate": certificate, "gallery": gallery,
    "maps": maps, "staircase": staircase, "eigenvalues": eigenvalues, "gradients": gradients, "learning": learning,
}  # fmt: skip

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*PICTURES, []], metavar="NAME", help=f"all, or {', '.join(PICTURES)}"
    )
    IMAGES.mkdir(exist_ok=True)
    for name in parser.parse_args().names or PICTURES:
        PICTURES[name]()
