"""Automata written by hand, as rules in words: in this node, if you see that, go there and change to that node."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import numpy as np

from ...envs.maps.directions import ARROWS, DIRECTION_NAMES
from ...envs.planning.solvers import hand_turns
from .automaton import Automaton
from .encodings import Bits

Rule = Sequence[str]
"""(sees, go) or (sees, go, next node)"""

_DIRECTIONS: Final = {**{a: d for d, a in enumerate(ARROWS)}, **{name: d for d, name in enumerate(DIRECTION_NAMES)}}


def build_automaton(rules: Mapping[str, Iterable[Rule]], start: str | None = None) -> Automaton:
    """Return the automaton of rules about the four bits of `dots`; in each node the first rule that matches applies.

        build_automaton({                        # the T-maze: remember the sign, turn where the corridor ends
            "left":  [("↑ →", "↑", "right"), ("↑", "↑"), ("anything", "←")],
            "right": [("↑ ←", "↑", "left"),  ("↑", "↑"), ("anything", "→")],
        })

    Args:
        rules: for each node its rules, (sees, go) or (sees, go, next node). `sees` names directions that have a dot, by
            arrows or words, with "no" before one that has none. Other directions do not matter, except after "only":
            then they have none. Examples: "↑ no →", "only up down", "anything". `go` is a direction. Without a next
            node the node stays the same.
        start: the first node; by default the first of `rules`.

    Returns:
        The automaton, its nodes in the order of `rules`.

    Raises:
        ValueError: a word that is not known, or an observation for which a node has no rule.

    Example:
        >>> from mazegrad.agents import build_automaton
        >>> rules = [("right", "right"), ("up", "up"), ("left", "left"), ("anything", "down")]
        >>> automaton = build_automaton({"start": rules})
        >>> automaton.nodes, automaton.observations
        (1, 16)
    """
    number = {name: node for node, name in enumerate(rules)}
    if start is not None and start not in number:
        raise ValueError(f"start must be one of the nodes {', '.join(number)}, not {start!r}")
    encode = Bits()
    dots = encode.decode(np.arange(encode.observations))  # (16, 4)
    table = np.full((len(rules), encode.observations, 2), -1)  # next node, action
    for name, node in number.items():
        for rule in rules[name]:
            if isinstance(rule, str) or len(rule) not in (2, 3):
                raise ValueError(f"a rule must be (sees, go) or (sees, go, next node), not {rule!r}, in node {name!r}")
            sees, go, following = (*rule, name)[:3]
            if go not in _DIRECTIONS:
                raise ValueError(f"unknown direction {go!r} in node {name!r}; known: {', '.join(_DIRECTIONS)}")
            if following not in number:
                raise ValueError(f"unknown next node {following!r} in node {name!r}; known: {', '.join(number)}")
            least, most = _pattern(sees)
            matches = ((dots >= least) & (dots <= most)).all(axis=1)
            table[node, matches & (table[node, :, 0] < 0)] = number[following], _DIRECTIONS[go]
        for observation in np.flatnonzero(table[node, :, 0] < 0)[:1]:
            shown = "".join(ARROWS[d] for d in range(4) if dots[observation, d]) or "no dots"
            raise ValueError(f'node {name!r} has no rule for {shown}; add ("anything", ...) as its last rule')
    return Automaton(table[..., 0], table[..., 1], number[start] if start is not None else 0, encode)


def _pattern(sees: str) -> tuple[list[int], list[int]]:
    """Return the lower and the upper limits of the four bits that a pattern matches."""
    words = "".join(f" {letter} " if letter in ARROWS else letter for letter in sees.replace(",", " ")).split()
    only = words[:1] == ["only"]
    least, most = [0] * 4, [1 - only] * 4
    absent = False
    for word in [] if words == ["anything"] else words[only:]:
        if word in _DIRECTIONS:
            least[_DIRECTIONS[word]] = most[_DIRECTIONS[word]] = 0 if absent else 1
        elif word != "no" or absent:
            raise ValueError(f"unknown word {word!r} in {sees!r}; known: anything, only, no, {', '.join(_DIRECTIONS)}")
        absent = word == "no"
    if absent or not words:
        raise ValueError(f"{sees!r} lacks a direction; to match every observation, use 'anything'")
    return least, most


def path_follower_automaton() -> Automaton:
    """Return the rule of exercise 38 as four nodes, the headings: go straight on, else to a side, else back.

    Example:
        >>> from mazegrad.agents import follows_every_path, path_follower_automaton
        >>> automaton = path_follower_automaton()
        >>> automaton.nodes, follows_every_path(automaton)
        (4, True)
    """
    turns = hand_turns("right").items()
    return _by_heading({heading: [ahead, right, left, back] for heading, (right, ahead, left, back) in turns})


def wall_follower_automaton(hand: Literal["right", "left"] = "right") -> Automaton:
    """Return the wall-following rule as four nodes, the headings; it takes the actions of `WallFollower(hand)`.

    Raises:
        ValueError: a hand other than "right" and "left".

    Example:
        >>> from mazegrad.agents import wall_follower_automaton
        >>> wall_follower_automaton("left") == wall_follower_automaton("right")
        False
        >>> wall_follower_automaton("left").action[:, 15]  # at a crossing: turn left, from up, right, left, down
        array([2, 0, 3, 1])
    """
    return _by_heading(hand_turns(hand))


def t_maze_automaton() -> Automaton:
    """Return the rule of the T-maze as two nodes: remember the side of the sign, turn there at the corridor's end.

    Example:
        >>> import gymnasium
        >>> import mazegrad
        >>> from mazegrad.agents import evaluate, t_maze_automaton
        >>> envs = gymnasium.make_vec("mazegrad/TMaze-v0", num_envs=10, corridor=20)
        >>> print(evaluate(envs, t_maze_automaton(), episodes=100, seed=0))
        100 episodes: 100.0% succeed, mean return 1.000, mean length 22.0
    """
    return build_automaton(
        {
            "left": [("up right", "up", "right"), ("up", "up"), ("anything", "left")],
            "right": [("up left", "up", "left"), ("up", "up"), ("anything", "right")],
        }
    )


def _by_heading(preferences: Mapping[int, Sequence[int]]) -> Automaton:
    """Return the automaton that goes to the dot that its heading prefers, which is the next heading; else straight on.

    Args:
        preferences: for each heading the four directions, the preferred one first.
    """
    names = DIRECTION_NAMES
    return build_automaton(
        {
            names[heading]: [
                *((names[d], names[d], names[d]) for d in preferences[heading]),
                ("anything", names[heading]),
            ]
            for heading in range(4)
        }
    )
