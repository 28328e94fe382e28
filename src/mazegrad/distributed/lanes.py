"""Episodes over Ray actors, each with a native vector environment: evaluated, recorded, or collected as data.

Lane i is seeded with `seed + i`, whichever actor it is in.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import agents
from ..agents import Evaluation, Rollout
from ..envs.maps.arguments import whole
from .actors import Actors
from .batches import Batch, Folder, collected
from .blocks import (
    Begun,
    Block,
    Chooser,
    Environment,
    Shared,
    agent_of,
    blocks_of,
    environment_of,
    journal_of,
    question_of,
    shared_by,
)
from .spreading import spread


def evaluate(
    environment: Environment,
    agent: Chooser,
    episodes: int,
    seed: int,
    *,
    keywords: Mapping[str, Any] | None = None,
    num_envs: int = 256,
    discount: float = 1.0,
    actors: int | Actors = 2,
    address: str | None = None,
    options: dict[str, Any] | None = None,
    journal: str | os.PathLike[str] | None = None,
) -> Evaluation:
    """Let the agent act for many episodes, the i-th begun with `seed + i`.

    The result is that of `mazegrad.agents.evaluate` in a vector environment of `num_envs` lanes, bit for bit, for every
    number of actors; actors that die are replaced. Ctrl-C ends the run; with a journal, the same call goes on from it,
    also with more episodes.

    Args:
        environment: an id, such as "mazegrad/FourRooms-v0", or a function from a number of lanes to a vector
            environment.
        agent: see `Agent`; or a function from a seed to an agent, for those that draw random numbers as they act: it is
            called for each block of lanes with the seed of the first.
        episodes: how many, 1 or more.
        seed: of the first episode.
        keywords: of the environment, if an id is given.
        num_envs: lanes of an actor's vector environment. Sums in nets can depend on it in their last bits.
        discount: 0 to 1.
        actors: how many processes; or `Actors`, which stay for further runs.
        address: of a Ray cluster; by default one is started on this machine. See `cluster`.
        options: what an actor needs, as `ray.remote` takes it, such as `{"num_gpus": 1}`.
        journal: a file that keeps finished blocks.

    Raises:
        MissingExtra: Ray is not installed.
        TypeError: not an agent.
        ValueError: a number out of range; a journal of another run.

    Example:
        >>> from mazegrad.agents import path_follower
        >>> from mazegrad.distributed import evaluate
        >>> result = evaluate("mazegrad/PathFollow-v0", path_follower(), episodes=100, seed=0, num_envs=50, actors=2)
        >>> len(result.returns), result.successes.mean().item()
        (100, 1.0)
    """
    episodes = whole("episodes", episodes, 1)
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must be a number from 0 to 1, not {discount!r}")
    shared = shared_by(environment, keywords, num_envs, agent, discount)
    blocks = blocks_of(shared, episodes, seed)
    with journal_of(journal, "evaluate", shared, seed) as store:
        how: dict[str, Any] = {"actors": actors, "address": address, "options": options, "label": "blocks of episodes"}
        parts = list(spread(_evaluate, shared, blocks, store=store, **how))
    return Evaluation(*(np.concatenate(column)[:episodes] for column in zip(*parts, strict=True)))


def rollout(
    environment: Environment,
    agent: Chooser,
    episodes: int,
    seed: int,
    *,
    keywords: Mapping[str, Any] | None = None,
    num_envs: int = 256,
    max_steps: int | None = None,
    actors: int | Actors = 2,
    address: str | None = None,
    options: dict[str, Any] | None = None,
    journal: str | os.PathLike[str] | None = None,
) -> list[Rollout]:
    """Record many episodes, the i-th begun with `seed + i`.

    They are those of `mazegrad.agents.rollout` in vector environments of `num_envs` lanes, bit for bit.

    Args:
        environment, agent, episodes, seed, keywords, num_envs, actors, address, options, journal: see `evaluate`.
        max_steps: stop an episode after this many steps; by default no limit.

    Raises:
        As `evaluate`.

    Example:
        >>> from mazegrad.agents import path_follower
        >>> from mazegrad.distributed import rollout
        >>> walks = rollout("mazegrad/PathFollow-v0", path_follower(), episodes=4, seed=0, num_envs=2, max_steps=10)
        >>> [len(walk.actions) for walk in walks]
        [10, 10, 10, 10]
    """
    episodes = whole("episodes", episodes, 1)
    if max_steps is not None:
        max_steps = whole("max_steps", max_steps, 1)
    shared = shared_by(environment, keywords, num_envs, agent, max_steps)
    blocks = blocks_of(shared, episodes, seed)
    with journal_of(journal, "rollout", shared, seed) as store:
        how: dict[str, Any] = {"actors": actors, "address": address, "options": options, "label": "blocks of episodes"}
        parts = list(spread(_rollout, shared, blocks, store=store, **how))
    return [Rollout(*fields) for part in parts for fields in part][:episodes]


def collect(
    environment: Environment,
    agent: Chooser,
    lanes: int,
    steps: int,
    seed: int,
    *,
    keywords: Mapping[str, Any] | None = None,
    num_envs: int = 256,
    actors: int | Actors = 2,
    address: str | None = None,
    options: dict[str, Any] | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> Iterator[Batch]:
    """Yield what the agent meets in many lanes, a batch for each block of `num_envs` lanes, in their order.

    Lane i begins with `seed + i`. Where an episode ends the agent begins anew. Only a few batches are in memory at
    once.

    Args:
        environment, agent, keywords, num_envs, actors, address, options: see `evaluate`; a function that makes the
            environment makes it with `autoreset_mode="SameStep"`.
        lanes: how many, a multiple of `num_envs`.
        steps: of each lane.
        seed: of the first lane.
        folder: keeps the batches as npz files; those that it holds are not collected again.

    Raises:
        As `evaluate`.

    Example:
        >>> from mazegrad.agents import path_follower
        >>> from mazegrad.distributed import collect
        >>> batches = collect("mazegrad/PathFollow-v0", path_follower(), lanes=32, steps=50, seed=0, num_envs=16)
        >>> [batch.rewards.shape for batch in batches]
        [(50, 16), (50, 16)]
    """
    lanes, steps, num_envs = whole("lanes", lanes, 1), whole("steps", steps, 1), whole("num_envs", num_envs, 1)
    if lanes % num_envs:
        raise ValueError(f"lanes must be a multiple of num_envs, {num_envs}, not {lanes}")
    keywords = {**(keywords or {}), "autoreset_mode": "SameStep"} if isinstance(environment, str) else keywords
    shared = shared_by(environment, keywords, num_envs, agent, steps)
    blocks = blocks_of(shared, lanes, seed)
    question = question_of("collect", shared, seed)
    store = None if folder is None else Folder(Path(folder), question, num_envs)
    how: dict[str, Any] = {"actors": actors, "address": address, "options": options, "label": "blocks of lanes"}
    ahead = 2 * (actors.count if isinstance(actors, Actors) else whole("actors", actors, 1)) + 1
    return spread(collected, shared, blocks, store=store, ahead=ahead, **how)


def _evaluate(shared: Shared, block: Block) -> tuple[Any, ...]:
    env = environment_of(shared)
    agent = agent_of(shared, block)
    if isinstance(agent, Begun) and getattr(env.unwrapped, "engine_name", "numpy") != "numpy":
        agent = agent.agent  # such engines take agents whose first state is always the same, and know them by type
    found = agents.evaluate(env, agent, shared.num_envs, block.seed, discount=shared.setting)
    return found.returns, found.lengths, found.successes


def _rollout(shared: Shared, block: Block) -> list[Any]:
    played = agents.rollout(environment_of(shared), agent_of(shared, block), seed=block.seed, max_steps=shared.setting)
    return [(p.observations, p.actions, p.rewards, p.states, p.terminated, p.truncated) for p in played]
