"""The proof of a certificate in plain sentences, its two places drawn in the maze."""

import textwrap
from typing import TYPE_CHECKING, Final

from ...envs import World
from ...envs.maps.directions import DIRECTION_NAMES

if TYPE_CHECKING:
    from .certificate import MemoryCertificate

SHOWN: Final = 4
"""mazes that are drawn, at most"""


def explain(certificate: "MemoryCertificate") -> str:
    """Return what a certificate says, and why it is so."""
    from .certificate import HELPS, HIDES, SUFFICES

    world = certificate.world
    mazes = len(world.mazes)
    which = "this maze" if mazes == 1 else f"these {mazes} mazes, walked by one policy"
    seen = f"seen through {certificate.observation!r}, discount {certificate.discount:g}"
    values = {
        "who knows the state earns": certificate.full_state_value,
        "the best map from observation to action earns": certificate.memoryless_value,
        "no such map earns more, even at random, than": f"{certificate.stochastic_bound:.9g}",
        f"the controller of {_nodes(certificate.controller.nodes)} earns": certificate.controller_value,
    }
    why = {SUFFICES: _suffices, HELPS: _helps, HIDES: _hides}.get(certificate.verdict, _undecided)(certificate)
    parts = [
        f"{certificate.verdict.upper()}: {which}, {seen}.",
        "\n".join(f"  {what:<46}{value}" for what, value in values.items()),
        "\n".join(textwrap.fill(sentence, 100) for sentence in why),
    ]
    if certificate.confusion is not None:
        parts += _draw(world, certificate.confusion.states)
    elif certificate.witness is not None:
        parts += _draw(world, certificate.witness[:2])
    if certificate.verdict == HELPS and len(world.start_states) == 1 and not world.slip.any():
        parts.append(textwrap.fill(_CAVEAT, 100))
    return "\n\n".join(parts) + "\n"


_CAVEAT: Final = (
    "A caveat: in one known maze with one start where nothing slips, counting steps is memory too: a list of the "
    "actions of a shortest way would do, without looking. That memory helps says that something has to be remembered, "
    "not that it has to be the heading."
)


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def _suffices(certificate: "MemoryCertificate") -> list[str]:
    return [
        "A map from what is seen to an action takes, in every state that it leads to, an action that is optimal for "
        "who knows the state. So it earns as much, and no memory could earn more."
    ]


def _helps(certificate: "MemoryCertificate") -> list[str]:
    world, controller = certificate.world, f"a controller of {_nodes(certificate.controller.nodes)}"
    if certificate.controller_value.upper < certificate.full_state_value.lower:
        return [f"By the numbers: {controller} earns more than any map from what is seen to an action."]
    if certificate.witness is None:
        return [
            "Every map from what is seen to an action takes, somewhere on its way, an action that is not optimal. "
            "Choosing at random does not help: each action that is taken now and then would have to be optimal too. "
            f"But {controller} earns all that there is to earn."
        ]
    first, second, first_actions, second_actions = certificate.witness
    return [
        f"Two places look alike: A, at {_place(world, first)}, where the best is to go {_names(first_actions)}, "
        f"and B, at {_place(world, second)}, where it is {_names(second_actions)}. Whoever earns the most is sure to "
        "come to both. A map from what is seen to an action treats them alike: it is wrong at one of them. Choosing at "
        "random does not help: each action that is taken now and then is wrong at one of them. "
        f"But {controller} earns all that there is to earn."
    ]


def _hides(certificate: "MemoryCertificate") -> list[str]:
    assert certificate.confusion is not None
    actions, states = certificate.confusion
    way = f"after going {', '.join(DIRECTION_NAMES[action] for action in actions)}" if actions else "at the start"
    lines = [
        f"However good the memory: {way}, what was seen may fit {len(states)} places, and they share no optimal "
        "action. Until then each action taken is optimal wherever the agent might have been, so who acts otherwise "
        "loses something before, or comes to places like these. Whatever is done now is wrong in one of them:"
    ]
    named = zip("ABCDEFGH", states, strict=False)
    lines += [f"  {letter}: {_place(certificate.world, state)}" for letter, state in named]
    if certificate.memory_helps:
        lines.append(
            "Memory helps all the same: the controller earns more than any map from what is seen to an action."
        )
    return lines


def _undecided(certificate: "MemoryCertificate") -> list[str]:
    return [f"It is not known {certificate.missing}."]


def _names(actions: tuple[int, ...]) -> str:
    return " or ".join(DIRECTION_NAMES[action] for action in actions)


def _place(world: World, state: int) -> str:
    maze = int(world.maze_of[state])
    row, column = divmod(int(world.cell[state]), world.mazes[maze].width)
    where = f"row {row}, column {column}"
    carried = f", carrying {int(world.carried[state])}" if world.carried[state] else ""
    return where + carried + (f" of maze {maze}" if len(world.mazes) > 1 else "")


def _draw(world: World, states: tuple[int, ...]) -> list[str]:
    """Return the mazes of these states, one text each, the places marked A, B, ..."""
    letters = dict(zip(states, "ABCDEFGH", strict=False))
    drawings: list[str] = []
    for maze in list(dict.fromkeys(int(world.maze_of[state]) for state in letters))[:SHOWN]:
        marks = [(state, letter) for state, letter in letters.items() if world.maze_of[state] == maze]
        for group in _apart(world, marks):
            rows = [list(row.replace(".", "●").replace("#", "█")) for row in world.mazes[maze].rows()]
            for state, letter in group:
                row, column = divmod(int(world.cell[state]), world.mazes[maze].width)
                rows[row][column] = letter
            drawings.append("\n".join("  " + "".join(row) for row in rows))
    return drawings


def _apart(world: World, marks: list[tuple[int, str]]) -> list[list[tuple[int, str]]]:
    """Return the marks in groups of which no two are at the same cell."""
    groups: list[list[tuple[int, str]]] = []
    for mark in marks:
        for group in groups:
            if all(world.cell[mark[0]] != world.cell[other] for other, _ in group):
                group.append(mark)
                break
        else:
            groups.append([mark])
    return groups
