"""`mazegrad certify`: does a maze need memory? The proof in words, in pictures, and as a file that anyone can check."""

import sys
from argparse import Namespace
from pathlib import Path

import gymnasium
import numpy as np
from numpy.typing import NDArray

from .agents import MemoryCertificate, certify_memory
from .envs import World, draw
from .envs.maps.files import write_file
from .envs.pictures.draw import tile_size
from .files import kind_of
from .named import environment_ids, find_environment, named_maze
from .watch import save_png

_GAP = 12  # px between the pictures of two states


def certify(arguments: Namespace) -> int | None:
    """Make a certificate and print its proof, or check the certificate in a file; return 1 if that one is false.

    Args:
        arguments: `maze` (a list: shipped names, files and environment ids, all with one policy; or one .json file to
            check), `observation`, `view_size`, `discount`, `nodes`, `time` (seconds), `levels` (the number of episodes
            of an environment whose mazes are used), `seed` (of the first one), `json` and `png` (Paths to write to, or
            None).
    """
    if len(arguments.maze) == 1 and arguments.maze[0].endswith(".json"):
        certificate = _read(Path(arguments.maze[0]))
        print(certificate.explain())
        faults = certificate.faults()
        print("\n".join(f"FALSE: {fault}" for fault in faults) or "Checked: every claim holds.")
    else:
        worlds = [world for name in arguments.maze for world in _worlds(name, arguments.levels, arguments.seed)]
        bar = _Bar()
        certificate = certify_memory(
            worlds,
            arguments.observation,
            arguments.discount,
            view_size=arguments.view_size,
            max_nodes=arguments.nodes,
            time_limit=arguments.time,
            progress=bar.show if sys.stderr.isatty() else None,
        )
        bar.clear()
        print(certificate.explain())
        faults = []
    if arguments.json is not None:
        write_file(arguments.json, certificate.to_json().encode())
        print(f"wrote {arguments.json}")
    if arguments.png is not None:
        save_png(arguments.png, picture(certificate))
        print(f"wrote {arguments.png}")
    return 1 if faults else None


def picture(certificate: MemoryCertificate) -> NDArray[np.uint8]:
    """Draw the states of the proof side by side, with the agent in each; if there are none, the first start.

    Returns:
        (height, width, 3) uint8.
    """
    world = certificate.world
    states: tuple[int, ...] = world.start_states[:1].tolist()
    if certificate.confusion is not None:
        states = certificate.confusion.states[:4]
    elif certificate.witness is not None:
        states = certificate.witness[:2]
    tile = min(tile_size(maze) for maze in world.mazes)
    frames = [draw(world, state, tile=tile) for state in states]
    height = max(frame.shape[0] for frame in frames)
    parts: list[NDArray[np.uint8]] = []
    for frame in frames:
        parts += [
            np.full((height, _GAP, 3), 255, dtype=np.uint8),
            np.pad(frame, ((0, height - len(frame)), (0, 0), (0, 0)), constant_values=255),
        ]
    return np.concatenate(parts[1:], axis=1)


def _read(path: Path) -> MemoryCertificate:
    kind = kind_of(path)
    if kind not in ("a memory certificate", "JSON", "text"):
        raise ValueError(f"{path} is {kind}, not a memory certificate")
    try:
        return MemoryCertificate.from_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _worlds(name: str, levels: int, seed: int) -> list[World]:
    """Return the world of a maze, or the different worlds of an environment's first episodes."""
    if not name.startswith("mazegrad/") and f"mazegrad/{name}" not in environment_ids():
        return [World.compile(named_maze(name))]
    env = gymnasium.make(find_environment(name)).unwrapped
    worlds: dict[str, World] = {}
    for level in range(levels):
        env.reset(seed=seed + level)
        world: World = env.get_wrapper_attr("world")
        worlds.setdefault(world.mazes[0].digest, world)
    env.close()
    return list(worlds.values())


class _Bar:
    """A line on stderr with the current stage and the fraction of the time used."""

    def __init__(self) -> None:
        self._width = 0

    def show(self, stage: str, used: float) -> None:
        full = round(20 * used)
        line = f"[{'#' * full}{'.' * (20 - full)}] {stage} (Ctrl-C: what is known so far)"
        print(f"\r{line:<{self._width}}", end="", file=sys.stderr, flush=True)
        self._width = len(line)

    def clear(self) -> None:
        if self._width:
            print(f"\r{'':<{self._width}}\r", end="", file=sys.stderr, flush=True)
