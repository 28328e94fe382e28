"""The proof of a certificate in plain sentences, its two places drawn in the maze."""

from typing import TYPE_CHECKING

from ...envs import World
from ...envs.directions import DIRECTION_NAMES

if TYPE_CHECKING:
    from .certificate import MemoryCertificate

SHOWN: int = 4
"""mazes drawn, and places named, at most"""


def explain(certificate: "MemoryCertificate") -> str:
    """Return what a certificate says, and why it is so."""
    from .certificate import HELPS, HIDES, SUFFICES

    mazes = len(certificate.world.mazes)
    which = "this maze" if mazes == 1 else f"these {mazes} mazes, walked by one policy"
    lines = [
        f"{certificate.verdict.upper()}: {which}, seen through {certificate.observation!r}, discount {certificate.discount:g}.",
        "",
        f"  {'who knows the state earns':<44}{certificate.full_state_value}",
        f"  {'the best map from observation to action':<44}{certificate.memoryless_value}",
        f"  {'no map earns more, even one with chances, than':<44}  {certificate.stochastic_bound:.9g}",
        f"  {f'the controller of {_nodes(certificate.controller.nodes)} earns':<44}{certificate.controller_value}",
        "",
    ]
    lines += {SUFFICES: _suffices, HELPS: _helps, HIDES: _hides}.get(certificate.verdict, _undecided)(certificate)
    if certificate.witness is not None and certificate.verdict != HIDES:
        lines += ["", *_draw(certificate.world, certificate.witness[:2])]
    if certificate.confusion is not None:
        lines += ["", *_draw(certificate.world, certificate.confusion.states)]
    if certificate.verdict == HELPS and len(certificate.world.start_states) == 1 and not certificate.world.slip.any():
        lines += [
            "",
            "A caveat: in one known maze with one start where nothing slips, counting steps is memory too. A list of the",
            "actions of a shortest way would do without looking. That memory helps says that something has to be",
            "remembered, not that it has to be the heading.",
        ]
    return "\n".join(lines) + "\n"


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def _suffices(certificate: "MemoryCertificate") -> list[str]:
    return [
        "A map from what is seen to an action takes, in every state that it leads to, an action that is optimal for who",
        "knows the state. So it earns as much, and no memory could earn more.",
    ]


def _helps(certificate: "MemoryCertificate") -> list[str]:
    lines = []
    if certificate.witness is not None:
        first, second, first_actions, second_actions = certificate.witness
        lines += [
            f"Two places look alike: A, at {_place(certificate.world, first)}, where the best is to go "
            f"{_names(first_actions)},",
            f"and B, at {_place(certificate.world, second)}, where it is {_names(second_actions)}. Whoever earns the most "
            "is sure to come to both.",
            "A map from what is seen to an action treats them alike: it is wrong at one of them. Choosing at random does",
            "not help: it would be wrong at both, now and then.",
        ]
    else:
        lines += [
            "Every map from what is seen to an action, whatever it is, takes an action that is not optimal somewhere on",
            "its way. Choosing at random does not help: each action that is taken now and then has to be optimal too.",
        ]
    if certificate.controller_value.upper >= certificate.full_state_value.lower:
        lines.append(f"A controller of {_nodes(certificate.controller.nodes)} earns all there is.")
    else:
        lines.append(f"A controller of {_nodes(certificate.controller.nodes)} earns more than any such map.")
    return lines


def _hides(certificate: "MemoryCertificate") -> list[str]:
    assert certificate.confusion is not None
    actions, states = certificate.confusion
    way = f"after going {', '.join(DIRECTION_NAMES[action] for action in actions)}" if actions else "at the start"
    lines = [
        f"However good the memory: {way}, what was seen so far fits {len(states)} places, and they share no optimal",
        "action. Until then only actions that are optimal in all of them were taken, so whoever acts otherwise has",
        "already lost something. Whatever is done now is wrong in one of them:",
    ]
    lines += [f"  {letter} at {_place(certificate.world, state)}" for letter, state in zip("ABCDEFGH", states, strict=False)]
    if certificate.memory_helps:
        lines.append("Memory helps all the same: the controller earns more than every map from observation to action.")
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
    """Return the mazes of these states as text, the places marked A, B, ..."""
    letters = dict(zip(states, "ABCDEFGH", strict=False))
    lines: list[str] = []
    for maze in list(dict.fromkeys(int(world.maze_of[state]) for state in letters))[:SHOWN]:
        marks = [(state, letter) for state, letter in letters.items() if world.maze_of[state] == maze]
        for group in _apart(world, marks):
            rows = [list(row.replace(".", "●").replace("#", "█")) for row in world.mazes[maze].rows()]
            for state, letter in group:
                row, column = divmod(int(world.cell[state]), world.mazes[maze].width)
                rows[row][column] = letter
            lines += ["  " + "".join(row) for row in rows] + [""]
    return lines[:-1]


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
