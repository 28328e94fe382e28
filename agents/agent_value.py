"""The value of any agent in the worlds of a certificate, measured: to stand beside the values that are proved."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from ..envs import MazeVectorEnv, World
from ..envs.maps.arguments import whole
from ..envs.maps.randomness import checked_seed
from ..envs.planning.checks import check_discount
from .agent import Agent, checked_agent
from .proofs import MemoryCertificate
from .rollout import check_agent, evaluate_lanes

Maker: TypeAlias = Callable[[World, np.random.Generator], Agent]
"""makes the agent for a world"""
_LONGEST: Final = 10_000
_NEGLIGIBLE: Final = 1e-9  # what a reward counts for at the end of an episode that is cut


class Measured(NamedTuple):
    """A value that was measured over episodes.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import RandomAgent, agent_value
        >>> from mazegrad.envs import Maze, World
        >>> agent = RandomAgent(np.random.default_rng(0))
        >>> value = agent_value(World.compile(Maze.from_text("S..G")), agent, discount=0.9, episodes=1000)
        >>> round(value.mean, 2), round(value.error, 2)  # the mean, and its standard error
        (0.23, 0.01)
    """

    mean: float
    error: float
    """the standard error of the mean; 0 where all episodes of a start were the same"""
    episodes: int

    def __str__(self) -> str:
        count = f"{self.episodes:,} episodes"
        return f"{self.mean:.9g}" if self.error == 0 else f"{self.mean:.4f} ± {self.error:.4f}, {count}"


def agent_value(
    worlds: World | MemoryCertificate | Sequence[World],
    agent: Agent | Maker,
    *,
    discount: float | None = None,
    episodes: int = 1000,
    seed: int = 0,
    engine: str = "numpy",
    device: Any = None,
    **sees: Any,
) -> Measured:
    """Return what an agent earns in worlds, discounted; all starts are equally likely, as in `certify_memory`.

    So it can be compared with what a certificate proves: `print(certificate.explain({"my net": agent_value(certificate,
    agent)}))`. An agent that observes more than the certificate's policies can be better than these. An episode is cut
    where a reward would count for less than 1e-9, or after 10,000 steps.

    Args:
        worlds: a World, a list of them, or a certificate, whose worlds are taken.
        agent: see `Agent`; or a function from a world and an rng to one, called once for each maze.
        discount: 0 to 1; by default the certificate's, or 0.99.
        episodes: how many at least; each start is begun from equally often.
        seed: of the first episode.
        engine: "jax" or "torch": the same episodes, by rollouts of `mazegrad.envs.functional` that keep returns alone;
            for the agents that `policy_of` takes.
        device: of the engine; by default its library's choice.
        sees: keywords of `MazeVectorEnv` that say what the agent observes: `observation`, `encoding`, `view_size`; by
            default as in the certificate, or "dots".

    Raises:
        ImportError: the engine's library is not installed.
        TypeError: not an agent, or one that `policy_of` does not take; a number that is not an integer.
        ValueError: a number out of range, or an agent that cannot read what it observes.

    Example:
        >>> from mazegrad.agents import WallFollower, agent_value
        >>> from mazegrad.envs import Maze, World
        >>> worlds = [World.compile(Maze.from_text(text)) for text in ("S..G", "S....G")]
        >>> agent_value(worlds, WallFollower(), discount=0.5, episodes=10).mean  # the mean of 0.5 ** 2 and 0.5 ** 4
        0.15625
    """
    if isinstance(worlds, MemoryCertificate):
        sees = sees or {"observation": worlds.observation, "view_size": worlds.view_size}
        discount = worlds.discount if discount is None else discount
        worlds = worlds.world
    discount = check_discount(0.99 if discount is None else discount)
    stacks = [worlds] if isinstance(worlds, World) else [*worlds]
    alone = [stack.only(number) for stack in stacks for number in range(len(stack.mazes))]
    episodes, seed = whole("episodes", episodes, 1), checked_seed(seed)
    each = -(-episodes // sum(len(world.start_states) for world in alone))
    rng = np.random.default_rng(seed)
    longest = _LONGEST if discount == 1 else math.ceil(math.log(_NEGLIGIBLE) / math.log(max(discount, 1e-9)))
    kinds = {"time_limit": max(1, min(longest, _LONGEST)), "map_warnings": False, **sees}
    returns = [_returns(world, agent, each, seed, discount, rng, kinds, engine, device) for world in alone]
    found = np.concatenate(returns)  # (starts, each)
    same = (found == found[:, :1]).all(axis=1)  # then without rounding
    means = np.where(same, found[:, 0], found.mean(axis=1))
    variances = np.where(same, 0.0, found.var(axis=1, ddof=min(1, each - 1))) / each
    return Measured(float(means.mean()), float(np.sqrt(variances.sum())) / len(found), found.size)


def _returns(
    world: World,
    agent: Any,
    each: int,
    seed: int,
    discount: float,
    rng: Any,
    kinds: dict[str, Any],
    engine: str,
    device: Any,
) -> Any:
    """Return the returns of `each` episodes from each start of a world, (starts, each)."""
    made = agent if isinstance(agent, Agent) or not callable(agent) else agent(world, rng)
    starts = len(world.start_states)
    env = MazeVectorEnv(world, starts * each, **kinds)
    check_agent(env, checked_agent(made))
    if engine != "numpy":
        from .functional import returns_at_once

        states = np.repeat(world.start_states, each)
        return returns_at_once(env, made, states, seed, discount, engine, device).reshape(starts, each)
    cells = np.repeat(world.cell[world.start_states], each)
    options = {"start": [divmod(int(cell), world.mazes[0].width) for cell in cells]}
    returns, _, _ = evaluate_lanes(env, made, seed, discount, options)
    return returns.reshape(starts, each)
