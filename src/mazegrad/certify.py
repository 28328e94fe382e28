"""`mazegrad certify`: does a maze need memory? The proof in words, in pictures, and as a file that anyone can check."""

import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .agents import Measured, MemoryCertificate, agent_value, certify_memory
from .agents.proofs.picture import picture
from .colour import paint
from .envs import World
from .envs.maps.files import write_file
from .envs.planning.questions import question
from .files import kind_of
from .film import save_png
from .named import choose_agent, find_environment, is_id, make_env, named_maze
from .trained import holds_trained, read_trained


def certify(arguments: Namespace) -> int | None:
    """Make a certificate and print its proof, or check the certificate in a file.

    Args:
        arguments: `maze` (a list: shipped names, files and environment ids, all with one policy; or one .json file to
            check), `observation`, `view_size`, `discount`, `nodes`, `time` (seconds), `levels` (the number of episodes
            of an environment whose mazes are used), `seed` (of the first one), `world` (pairs: keywords of
            environments), `agents` (names and files of agents that are measured beside), `episodes` (of each), `format`
            (of files), `json` and `png` (Paths to write to, or None).

    Returns:
        The exit code: 1 if the certificate in the file is false, 130 if Ctrl-C ended the search, else None.
    """
    if len(arguments.maze) == 1 and arguments.maze[0].endswith(".json"):
        certificate = _read(Path(arguments.maze[0]))
        _print(certificate, arguments)
        faults = certificate.faults()
        for fault in faults:
            print(f"{paint('FALSE:', 'bad', sys.stdout)} {fault}")
        if not faults:
            print(paint("Checked: every claim holds.", "good", sys.stdout))
        code = 1 if faults else None
    else:
        if certificates := [name for name in arguments.maze if name.endswith(".json")]:
            raise ValueError(f"{certificates[0]} is checked alone, without mazes or other certificates beside it")
        if arguments.world and not any(map(is_id, arguments.maze)):
            raise ValueError("--world is for an environment, and none is named; a map says such things in its header")
        worlds = [world for name in arguments.maze for world in _worlds(name, arguments)]
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
        _print(certificate, arguments)
        code = 130 if certificate.interrupted else None
    if arguments.json is not None:
        write_file(arguments.json, certificate.to_json().encode())
        print(f"wrote {arguments.json}")
    if arguments.png is not None:
        save_png(arguments.png, picture(certificate))
        print(f"wrote {arguments.png}")
    return code


def _print(certificate: MemoryCertificate, arguments: Namespace) -> None:
    """Print the proof; its verdict is in colour."""
    verdict, colon, rest = certificate.explain(_measured(certificate, arguments)).partition(":")
    print(paint(verdict + colon, "strong", sys.stdout) + rest)


def _read(path: Path) -> MemoryCertificate:
    kind = kind_of(path)
    if kind not in ("a memory certificate", "JSON", "text"):
        raise ValueError(f"{path} is {kind}, not a memory certificate")
    try:
        return MemoryCertificate.from_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _worlds(name: str, arguments: Namespace) -> list[World]:
    """Return the world of a maze, or the different worlds of an environment's first episodes."""
    if not is_id(name):
        world = World.compile(named_maze(name, arguments.format))
        question(world)
        return [world]
    env = make_env(find_environment(name), **dict(arguments.world)).unwrapped
    worlds: dict[str, World] = {}
    for level in range(arguments.levels):
        env.reset(seed=arguments.seed + level)
        world = env.get_wrapper_attr("world")
        worlds.setdefault(world.mazes[0].digest, world)
    env.close()
    return list(worlds.values())


def _measured(certificate: MemoryCertificate, arguments: Namespace) -> dict[str, Measured]:
    """Return what the agents earn that stand beside the certificate's values."""
    found = {}
    for name in arguments.agents:
        sees = _what_it_sees(name, arguments)
        shown = sees["observation"] if isinstance(sees["observation"], str) else " and ".join(sees["observation"])
        value = agent_value(
            certificate,
            choose_agent(name).make,
            episodes=arguments.episodes,
            seed=arguments.seed,
            **{**sees, "view_size": sees.get("view_size", arguments.view_size)},
        )
        found[f"{Path(name).name}, which sees {shown!r}"] = value
    return found


def _what_it_sees(name: str, arguments: Namespace) -> Mapping[str, Any]:
    """Return the keywords that say what an agent observes; what "net" means depends on the environment."""
    sees: dict[str, Any] = {"observation": choose_agent(name).observation}
    if holds_trained(Path(name)):
        sees |= read_trained(Path(name)).what_it_sees
        sees.pop("actions", None)  # the worlds have their own
    if sees["observation"] == "net" and is_id(arguments.maze[0]):
        made: Any = make_env(find_environment(arguments.maze[0]), **{**dict(arguments.world), **sees}).unwrapped
        sees = {"encoding": "float", **sees, "observation": made.observation_kind}
    return sees


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
