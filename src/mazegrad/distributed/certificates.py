"""`certify_memory` for many questions at once, as Ray tasks."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import gymnasium

from .. import agents
from ..agents import MemoryCertificate
from ..agents.proofs.claims import tables_digest
from ..envs import MAZES, Maze, World, load_maze, suite
from ..envs.maps.arguments import whole
from ..envs.maps.suites import DIFFICULTIES, SPLITS
from ..named import find_environment
from .actors import Actors
from .journal import Journal
from .spreading import spread

Worlds: TypeAlias = World | Maze | Sequence[World | Maze]


def certify_memory(
    worlds: Mapping[str, Worlds] | Sequence[str],
    observation: str = "dots",
    discount: float = 0.99,
    *,
    view_size: int = 7,
    max_nodes: int = 8,
    time_limit: float = 20.0,
    levels: int = 1,
    seed: int = 0,
    actors: int | Actors | None = None,
    address: str | None = None,
    journal: str | os.PathLike[str] | None = None,
) -> dict[str, MemoryCertificate]:
    """Decide for each of many worlds, or sets of worlds, whether one policy for it needs memory.

    Certificates whose search ends by itself do not depend on where they were made; one that ends at the time limit
    holds what that process had found.

    Args:
        worlds: a name for each question, and its world, maze, or list of these; or names alone: shipped mazes, suites
            ("easy/test": each of its mazes is a question), environment ids ("Maze-v0": so are its first `levels`).
        observation, discount, view_size, max_nodes, time_limit: see `mazegrad.agents.certify_memory`.
        levels: of environments given by name.
        seed: of the first level.
        actors: a number of processes, or `Actors`; by default Ray runs as many tasks as there are CPUs.
        address: of a Ray cluster; see `cluster`.
        journal: a file that keeps certificates; the same call goes on from it.

    Returns:
        A certificate for each name, in their order.

    Raises:
        MissingExtra: Ray is not installed.
        ValueError: an unknown name, a number out of range, a journal of another run.

    Example:
        >>> from mazegrad.distributed import certify_memory
        >>> certify_memory(["four_rooms"], observation="index")["four_rooms"].verdict
        'memoryless suffices'
    """
    asked = worlds if isinstance(worlds, Mapping) else dict(_named(worlds, whole("levels", levels, 1), seed))
    settings = {"observation": observation, "discount": discount, "view_size": view_size, "max_nodes": max_nodes}
    settings |= {"time_limit": time_limit}
    pieces = list(asked.values())
    store = None
    if journal is not None:
        digests = {name: _digests(value) for name, value in asked.items()}
        store = Journal(journal, {"what": "certify_memory", "worlds": digests, **settings})
    try:
        how: dict[str, Any] = {"actors": actors, "address": address, "label": "certificates"}
        texts = list(spread(_certify, settings, pieces, store=store, check=False, **how))
    finally:
        if store is not None:
            store.close()
    return {name: MemoryCertificate.from_json(text) for name, text in zip(asked, texts, strict=True)}


def _certify(settings: Mapping[str, Any], worlds: Worlds) -> str:
    return agents.certify_memory(worlds, **settings).to_json()


def _named(names: Sequence[str], levels: int, seed: int) -> Iterator[tuple[str, Worlds]]:
    """Yield the questions that names stand for."""
    if isinstance(names, str):
        raise TypeError(f"give a list of names, such as [{names!r}]")
    for name in names:
        difficulty, _, split = name.partition("/")
        if name in MAZES:
            yield name, load_maze(name)
        elif difficulty in DIFFICULTIES and split in SPLITS:
            yield from (
                (f"{name} {number}", maze) for number, maze in zip(SPLITS[split], suite(difficulty, split), strict=True)
            )
        else:
            try:
                env = gymnasium.make(find_environment(name))
            except ValueError as error:
                suites = ", ".join(f"{one}/{other}" for one in DIFFICULTIES for other in SPLITS)
                known = f"names are shipped mazes ({', '.join(MAZES)}), suites ({suites}) and environments"
                raise ValueError(f"{error}; {known}") from None
            for level in range(seed, seed + levels):
                env.reset(seed=level)
                yield f"{name} {level}" if levels > 1 else name, env.get_wrapper_attr("world")
            env.close()


def _digests(worlds: Worlds) -> list[str]:
    """Return what identifies worlds in another process."""
    found = []
    for part in [worlds] if isinstance(worlds, World | Maze) else worlds:
        world = part if isinstance(part, World) else World.compile(part)
        content = tables_digest(world).encode() + world.reward.tobytes() + world.slip.tobytes()
        found.append(hashlib.sha256(content).hexdigest())
    return found
