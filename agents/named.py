"""Agents by name, for the command line: the observation that each needs, and how to make it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from ..envs import World, value_iteration
from ..envs.maps.arguments import nearest
from . import reference
from .agent import Agent
from .automata import compile_automaton, path_follower_automaton, t_maze_automaton
from .policy_agent import agent_from_policy
from .rnn import path_follower, wall_follower_rnn


class NamedAgent(NamedTuple):
    """How to make an agent."""

    about: str
    """one line"""
    observation: str
    """which the environment must have"""
    make: Callable[[World, np.random.Generator], Agent]


# name -> an agent for the command line
AGENTS: Final[Mapping[str, NamedAgent]] = MappingProxyType(
    {
        "path_follower": NamedAgent(
            "the hand-set recurrent net of exercise 38", "dots", lambda world, rng: path_follower()
        ),
        "wall_follower": NamedAgent(
            "keeps its right hand on the wall", "dots", lambda world, rng: reference.WallFollower()
        ),
        "wall_follower_rnn": NamedAgent(
            "a hand-set recurrent net that does the same", "dots", lambda world, rng: wall_follower_rnn()
        ),
        "path_automaton": NamedAgent(
            "the rule of exercise 38 as four nodes", "dots", lambda world, rng: path_follower_automaton()
        ),
        "compiled_automaton": NamedAgent(
            "the same rule as 65 threshold units",
            "dots",
            lambda world, rng: compile_automaton(path_follower_automaton()),
        ),
        "t_maze_automaton": NamedAgent(
            "the rule of the T-maze as two nodes", "dots", lambda world, rng: t_maze_automaton()
        ),
        "shortest_path": NamedAgent(
            "takes a shortest path, knowing the map", "index", lambda world, rng: reference.ShortestPathAgent(world)
        ),
        "optimal": NamedAgent(
            "takes the best actions, by value iteration",
            "state",
            lambda world, rng: agent_from_policy(value_iteration(world)),
        ),
        "random": NamedAgent(
            "takes random actions", "dots", lambda world, rng: reference.RandomAgent(rng, world.actions)
        ),
    }
)


def named_agent(name: str) -> NamedAgent:
    """Return the entry of `AGENTS` with this name.

    Raises:
        ValueError: an unknown name; the message suggests the nearest.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import named_agent
        >>> from mazegrad.envs import World, load_maze
        >>> entry = named_agent("shortest_path")
        >>> entry.about, entry.observation
        ('takes a shortest path, knowing the map', 'index')
        >>> agent = entry.make(World.compile(load_maze("spiral")), np.random.default_rng(0))
        >>> type(agent).__name__
        'ShortestPathAgent'
    """
    if name not in AGENTS:
        raise ValueError(f"unknown agent {name!r}{nearest(name, AGENTS)}")
    return AGENTS[name]
