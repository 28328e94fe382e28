"""Where a score stands: beside chance, the best policy without memory, and V*, the best that knows the state."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from .agents import Agent, Evaluation, RandomAgent, certify_memory, evaluate
from .envs import MazeEnv, World
from .named import bad_keyword, make_env
from .progress import doing
from .trained import Trained

HELD_OUT: Final = 1_000_000
"""the seed of the first episode of an evaluation, far from those of training"""
MAX_STATES: Final = 400
"""of worlds in which the best memoryless policy is searched for"""
MAX_WORLDS: Final = 8
"""different mazes of an environment that count as one task"""


def vector_env(env_id: str, lanes: int, keywords: Mapping[str, Any]) -> VectorEnv[Any, Any, Any]:
    """Make a vector environment; a keyword that it does not take is named."""
    try:
        return gymnasium.make_vec(env_id, num_envs=lanes, **keywords)
    except TypeError as error:
        raise ValueError(bad_keyword(env_id, error)) from None


class Row(NamedTuple):
    """One line of the table."""

    name: str
    value: str
    success: str = ""
    length: str = ""
    within: str = ""


def optimum(
    env: VectorEnv[Any, Any, Any] | gymnasium.Env[Any, Any], discount: float, episodes: int = 64
) -> float | None:
    """Return V*, the mean over the first episodes of seeds `HELD_OUT` on; None in another library's environment."""
    spec = env.spec
    if spec is None or not spec.id.startswith("mazegrad/"):
        return None
    keywords = {k: v for k, v in spec.kwargs.items() if k not in ("num_envs", "vectorization_mode", "info")}
    return _optimum(spec.id, keywords, discount, episodes, HELD_OUT)


def _optimum(env_id: str, keywords: Mapping[str, Any], discount: float, episodes: int, seed: int) -> float:
    keywords = {**keywords, "info": ("value",), "discount": discount}
    _, info = vector_env(env_id, episodes, keywords).reset(seed=seed)
    return float(info["value"].mean())


def standing(
    trained: Trained,
    name: str,
    episodes: int,
    seed: int,
    discount: float,
    sampled: bool = False,
    within: float | None = None,
) -> str:
    """Return the table for a trained agent, in its own environment."""
    if trained.env_id is None:
        raise ValueError(f"{name} does not say in which environment it was trained: name one")
    if sampled and trained.sampling is None:
        raise ValueError(f"{name} holds a {trained.kind}, which has no probabilities: leave out --sampled")

    def make(world: World | None, rng: np.random.Generator) -> Agent:
        return trained.sampling(rng) if sampled and trained.sampling is not None else trained.agent

    return table(trained.env_id, trained.keywords, name, make, episodes, seed, discount, within)


def table(
    env_id: str,
    keywords: Mapping[str, Any],
    name: str,
    make: Any,
    episodes: int,
    seed: int,
    discount: float,
    within: float | None = None,
) -> str:
    """Return the score of an agent beside chance, the best memoryless policy and V*, as text.

    Args:
        env_id, keywords: where it walks.
        name: of the agent.
        make: from a world, or None, and an rng to the agent.
        episodes: how many.
        seed: of the first.
        discount: of the returns.
        within: also say which share arrives within so many times the shortest way; None: leave this out.
    """
    rng = np.random.default_rng(seed)
    actions = int(vector_env(env_id, 1, keywords).single_action_space.n)  # type: ignore[attr-defined]

    def at_random(world: World | None, rng: np.random.Generator) -> Agent:
        return RandomAgent(rng, actions)

    scores = {}
    for who, maker in (("random walk", at_random), (name, make)):
        with doing(f"{who}: {episodes:,} episodes"):
            scores[who] = _score(env_id, keywords, maker, episodes, seed, discount, rng)
    rows = [Row("", f"return, x {discount:g} a step", "success", "mean length")]
    if within is not None:
        rows[0] = rows[0]._replace(within=f"within {within:g} x shortest")
        longest = within * _shortest(env_id, keywords, episodes, seed)
    for who, result in scores.items():
        lengths = f"{result.lengths.mean():.1f}"
        row = Row(who, f"{result.returns.mean():.4f}", f"{result.successes.mean():.1%}", lengths)
        if within is not None:
            row = row._replace(within=f"{(result.successes & (result.lengths <= longest)).mean():.1%}")
        rows.append(row)
    with doing("the best memoryless policy is searched for, and V*"):
        rows[2:2] = [Row("best memoryless policy", text) for text in _memoryless(env_id, keywords, discount, seed)]
        best = _optimum(env_id, keywords, discount, min(episodes, 256), seed)
    rows.append(Row("V*, which knows the state", f"{best:.4f}"))
    lines = [f"{row.name:26}{row.value:>24}{row.success:>10}{row.length:>13}{row.within:>22}".rstrip() for row in rows]
    return "\n".join([f"{env_id}, {episodes} episodes, seeds from {seed:,}", *lines])


def _score(
    env_id: str, keywords: Mapping[str, Any], make: Any, episodes: int, seed: int, discount: float, rng: Any
) -> Evaluation:
    """Return what an agent does; one that is the same in every world walks many episodes at once."""
    keywords = {name: value for name, value in keywords.items() if name != "info"}
    try:
        agent = make(None, rng)
    except (AttributeError, TypeError):  # it is made for a world
        agent = None
    if agent is not None:
        envs = vector_env(env_id, min(episodes, 256), keywords)
        return evaluate(envs, agent, episodes, seed, discount=discount)
    env = make_env(env_id, **keywords)
    bare = env.unwrapped
    assert isinstance(bare, MazeEnv)
    parts = []
    for episode in range(seed, seed + episodes):
        env.reset(seed=episode)
        parts.append(evaluate(env, make(bare.world, rng), 1, episode, discount=discount))
    columns = zip(*((part.returns, part.lengths, part.successes) for part in parts), strict=True)
    return Evaluation(*(np.concatenate(column) for column in columns))


def _shortest(env_id: str, keywords: Mapping[str, Any], episodes: int, seed: int) -> NDArray[np.int64]:
    """Return how many steps it takes at least from the start to the goal, (episodes,)."""
    lanes = min(episodes, 256)
    env = vector_env(env_id, lanes, {**keywords, "info": ("distance",)})
    parts = [env.reset(seed=first)[1]["distance"] for first in range(seed, seed + episodes, lanes)]
    return np.concatenate(parts)[:episodes]


def _memoryless(env_id: str, keywords: Mapping[str, Any], discount: float, seed: int) -> Iterator[str]:
    """Yield the value of the best memoryless policy, if the environment's worlds are few and small."""
    env = make_env(env_id, **{name: value for name, value in keywords.items() if name != "info"}).unwrapped
    assert isinstance(env, MazeEnv)
    worlds: dict[str, World] = {}
    for episode in range(seed, seed + 4 * MAX_WORLDS):
        env.reset(seed=episode)
        worlds.setdefault(env.maze.digest, env.world)
        if len(worlds) > MAX_WORLDS or sum(world.states for world in worlds.values()) > MAX_STATES:
            return
    observation, view_size = keywords.get("observation", "dots"), keywords.get("view_size", 7)
    try:
        found = certify_memory(list(worlds.values()), observation, discount, view_size=view_size, time_limit=5.0)
    except ValueError:  # an observation, or a size, that certificates do not cover
        return
    bounds = found.memoryless_value
    yield f"{bounds.lower:.4f}" if bounds.upper - bounds.lower < 5e-5 else f"{bounds.lower:.4f} to {bounds.upper:.4f}"
