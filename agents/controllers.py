"""Automata from rules that one can read aloud: "in this node, when you see that, go there and be in that node"."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import numpy as np

from ..envs.maps.directions import ARROWS, DIRECTION_NAMES
from ..envs.planning.solvers import hand_turns
from .automaton import Automaton, Bits

Rule = Sequence[str]
"""(sees, go) or (sees, go, be): when this is seen, go there, and be in that node, or else stay in the same"""

_DIRECTIONS: Final = {**{a: d for d, a in enumerate(ARROWS)}, **{name: d for d, name in enumerate(DIRECTION_NAMES)}}


def build_automaton(rules: Mapping[str, Iterable[Rule]], start: str | None = None) -> Automaton:
    """Return the automaton of rules about the four bits of `dots`; in each node the first rule that fits holds.

        build_automaton({                        # the T-maze: remember the sign, turn where the corridor ends
            "left":  [("↑ →", "↑", "right"), ("↑", "↑"), ("anything", "←")],
            "right": [("↑ ←", "↑", "left"),  ("↑", "↑"), ("anything", "→")],
        })

    Args:
        rules: for each node its rules, (sees, go) or (sees, go, be). `sees` names directions with a dot, by arrows or
            words, "no" before one without; others do not matter, but after "only" they have none: "↑ no →", "only up
            down", "anything". `go` is a direction. `be` is the next node; without it the node stays the same.
        start: the first node; by default the first of `rules`.

    Returns:
        The automaton, its nodes in the order of `rules`.

    Raises:
        ValueError: words that mean nothing here, or something that can be seen for which a node has no rule.
    """
    number = {name: node for node, name in enumerate(rules)}
    if start is not None and start not in number:
        raise ValueError(f"the start {start!r} is none of the nodes {', '.join(number)}")
    encode = Bits()
    dots = encode.decode(np.arange(encode.observations))  # (16, 4)
    table = np.full((len(rules), encode.observations, 2), -1)
    for name, node in number.items():
        for rule in rules[name]:
            if isinstance(rule, str) or len(rule) not in (2, 3):
                raise ValueError(f"a rule is (sees, go) or (sees, go, be), not {rule!r}, in node {name!r}")
            sees, go, be = (*rule, name)[:3]
            if go not in _DIRECTIONS:
                raise ValueError(f"{go!r} is no direction, in node {name!r}; known: {', '.join(_DIRECTIONS)}")
            if be not in number:
                raise ValueError(f"there is no node {be!r}, which node {name!r} leads to")
            least, most = _pattern(sees)
            fits = ((dots >= least) & (dots <= most)).all(axis=1)
            table[node, fits & (table[node, :, 0] < 0)] = number[be], _DIRECTIONS[go]
        for seen in np.flatnonzero(table[node, :, 0] < 0)[:1]:
            shown = "".join(ARROWS[d] for d in range(4) if dots[seen, d]) or "nothing"
            raise ValueError(f'node {name!r} has no rule for seeing {shown}; end with ("anything", ...)')
    return Automaton(table[..., 0], table[..., 1], number[start] if start is not None else 0, encode)


def _pattern(sees: str) -> tuple[list[int], list[int]]:
    """Return the least and the most that the four bits are where a rule fits."""
    words = "".join(f" {letter} " if letter in ARROWS else letter for letter in sees.replace(",", " ")).split()
    only = words[:1] == ["only"]
    least, most = [0] * 4, [1 - only] * 4
    absent = False
    for word in [] if words == ["anything"] else words[only:]:
        if word in _DIRECTIONS:
            least[_DIRECTIONS[word]] = most[_DIRECTIONS[word]] = 0 if absent else 1
        elif word != "no" or absent:
            raise ValueError(f"cannot read {word!r} in {sees!r}; known: anything, only, no, {', '.join(_DIRECTIONS)}")
        absent = word == "no"
    if absent or not words:
        raise ValueError(f"{sees!r} says nothing to see; for whatever is seen, write 'anything'")
    return least, most


def path_follower_automaton() -> Automaton:
    """Return the rule of exercise 38 as four nodes, the headings: straight on, else to a side, else back."""
    turns = hand_turns("right").items()
    return _by_heading({g: [ahead, right, left, back] for g, (right, ahead, left, back) in turns})


def wall_follower_automaton(hand: Literal["right", "left"] = "right") -> Automaton:
    """Return the hand on the wall as four nodes, the headings; it does what `WallFollower(hand)` does.

    Raises:
        ValueError: the hand is neither "right" nor "left".
    """
    return _by_heading(hand_turns(hand))


def t_maze_automaton() -> Automaton:
    """Return the rule of the T-maze as two nodes: be what the sign at the corridor's foot says, turn at its end."""
    return build_automaton(
        {
            "left": [("up right", "up", "right"), ("up", "up"), ("anything", "left")],
            "right": [("up left", "up", "left"), ("up", "up"), ("anything", "right")],
        }
    )


def _by_heading(wanted: Mapping[int, Sequence[int]]) -> Automaton:
    """Return the automaton that takes the most wanted dot and heads there; where none is seen, it bumps ahead."""
    names = DIRECTION_NAMES
    return build_automaton(
        {
            names[heading]: [*((names[d], names[d], names[d]) for d in wanted[heading]), ("anything", names[heading])]
            for heading in range(4)
        }
    )
