"""Agents by name, for whoever picks one by hand: what each needs to see, and how it is made."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from ..envs import World
from ..envs.maps.arguments import nearest
from .agent import Agent
from .compiler import compile_automaton
from .controllers import path_follower_automaton, t_maze_automaton
from .reference import RandomAgent, ShortestPathAgent, WallFollower
from .rnn import path_follower, wall_follower_rnn


class NamedAgent(NamedTuple):
    """How to make an agent for a world, what the environment has to show it, and a line about it."""

    about: str
    observation: str
    make: Callable[[World, np.random.Generator], Agent]


AGENTS: Final[Mapping[str, NamedAgent]] = MappingProxyType(
    {
        "path_follower": NamedAgent(
            "the hand-set recurrent net of exercise 38", "dots", lambda world, rng: path_follower()
        ),
        "wall_follower": NamedAgent("keeps its right hand on the wall", "dots", lambda world, rng: WallFollower()),
        "wall_follower_rnn": NamedAgent(
            "a hand-set recurrent net that does so too", "dots", lambda world, rng: wall_follower_rnn()
        ),
        "path_automaton": NamedAgent(
            "the rule of exercise 38 as four nodes", "dots", lambda world, rng: path_follower_automaton()
        ),
        "compiled_automaton": NamedAgent(
            "the same rule, compiled into 65 threshold units",
            "dots",
            lambda world, rng: compile_automaton(path_follower_automaton()),
        ),
        "t_maze_automaton": NamedAgent(
            "the rule of the T-maze as two nodes", "dots", lambda world, rng: t_maze_automaton()
        ),
        "shortest_path": NamedAgent("knows the map", "index", lambda world, rng: ShortestPathAgent(world)),
        "random": NamedAgent("goes anywhere", "dots", lambda world, rng: RandomAgent(rng)),
    }
)


def named_agent(name: str) -> NamedAgent:
    """Return the agent of this name; an unknown one is a ValueError that says the nearest."""
    if name not in AGENTS:
        raise ValueError(f"no agent is called {name!r}{nearest(name, AGENTS)}")
    return AGENTS[name]
