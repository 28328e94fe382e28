"""A certificate in plain sentences, with its two states drawn in the maze."""

import textwrap
from collections.abc import Mapping
from typing import Any, Final

from ...envs import BeliefValues, World
from ...envs.maps.directions import DIRECTION_NAMES
from ...envs.pictures.text import maze_text
from .claims import HELPS, HIDES, SUFFICES, Bounds, Claims

SHOWN: Final = 4
"""mazes that are drawn, at most"""
_LETTERS: Final = "ABCDEFGH"

_PARTIAL: Final = (
    "PARTIAL: the search was interrupted. Every claim holds, but a complete search may find tighter bounds, a smaller "
    "or better controller, or a verdict."
)
_VACUOUS: Final = (
    "VACUOUS: whatever an agent does here, it earns the same, so that all policies are best ones. The proof holds, but "
    "says nothing about memory. Is there a way from the start to a goal?"
)
_CAVEAT: Final = (
    "A caveat: in one known maze with one start and without slips, counting steps is memory too: the list of the "
    "actions of a shortest path is enough, without observing anything. The verdict says that something must be "
    "remembered, not that it must be the heading."
)


def explain(claims: Claims, agents: Mapping[str, Any]) -> str:
    """Return what a certificate claims, and why it is so.

    Args:
        claims: of the certificate.
        agents: name -> what it earns, shown below the values that are proved; a `BeliefValues` for the bounds of a
            POMDP solver, which nobody checks here.
    """
    world = claims.world
    mazes = len(world.mazes)
    which = "this maze" if mazes == 1 else f"these {mazes} mazes, with one policy for all"
    values: dict[str, Any] = {
        "V*, the value of knowing the state": claims.full_state_value,
        "value of the best memoryless policy": claims.memoryless_value,
        "upper bound for stochastic memoryless policies": f"{claims.stochastic_bound:.9g}",
        f"value of the controller, {_nodes(claims.controller.nodes)}": claims.controller_value,
    }
    for name, value in agents.items():
        if isinstance(value, BeliefValues):
            _check_fit(claims, value)
            values[f"cited, bounds with any memory: {name}"] = Bounds(value.lower, value.upper)
        else:
            values[f"measured: {name}"] = value
    wide = max(48, *(len(what) + 2 for what in values))
    reasons = {SUFFICES: _suffices, HELPS: _helps, HIDES: _hides}.get(claims.verdict, _undecided)(claims)
    verdict = claims.verdict.upper() + ", VACUOUSLY" * claims.vacuous
    parts = [
        f"{verdict}: {which}, observation {claims.observation!r}, discount {claims.discount:g}.",
        "\n".join(f"  {what:<{wide}}{value}" for what, value in values.items()),
        "\n".join(textwrap.fill(sentence, 100) for sentence in reasons),
    ]
    if claims.confusion is not None:
        parts += _drawings(world, claims.confusion.states)
    elif claims.witness is not None:
        parts += _drawings(world, claims.witness[:2])
    if claims.vacuous:
        parts.insert(1, "\n".join(textwrap.wrap(_VACUOUS, 100)))
    if claims.interrupted:
        parts.insert(1, "\n".join(textwrap.wrap(_PARTIAL, 100)))
    if claims.verdict == HELPS and len(world.start_states) == 1 and not world.noisy:
        parts.append(textwrap.fill(_CAVEAT, 100))
    return "\n\n".join(parts) + "\n"


def _check_fit(claims: Claims, bounds: BeliefValues) -> None:
    """Check that the bounds of a POMDP solver speak of the same world, as far as they tell.

    Raises:
        ValueError: another discount or number of states, or bounds that contradict what is proved.
    """
    states = bounds.vectors.shape[1]
    if bounds.discount != claims.discount or states != claims.world.states:
        raise ValueError(
            f"these bounds are for the discount {bounds.discount:g} and {states} states, the certificate for "
            f"{claims.discount:g} and {claims.world.states}"
        )
    slack = 1e-6 * max(1.0, abs(claims.full_state_value.upper))
    if bounds.upper < claims.controller_value.lower - slack or bounds.lower > claims.full_state_value.upper + slack:
        raise ValueError(
            f"bounds of {bounds.lower:.6g} to {bounds.upper:.6g} contradict what is proved: the solver saw another "
            "observation, or another world"
        )


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def _suffices(claims: Claims) -> list[str]:
    return [
        "There is a map from observations to actions whose action is optimal in every state that it reaches, even for "
        "an agent that observes the state. So its value is V*, and memory cannot improve it."
    ]


def _helps(claims: Claims) -> list[str]:
    world, controller = claims.world, f"a controller with {_nodes(claims.controller.nodes)}"
    if claims.controller_value.upper < claims.full_state_value.lower:
        return [f"The value of {controller} is larger than that of any map from observations to actions."]
    if claims.witness is None:
        return [
            "Every map from observations to actions takes an action that is not optimal in some state that it reaches. "
            "A stochastic policy does not help, since each action that it takes with some probability must be optimal "
            f"too. But {controller} has the value V*."
        ]
    first, second, first_actions, second_actions = claims.witness
    return [
        f"Two states have the same observation: A, at {_where(world, first)}, where the best is to go "
        f"{_names(world, first_actions)}, and B, at {_where(world, second)}, where it is to go "
        f"{_names(world, second_actions)}. "
        "Every optimal policy visits both. A map from observations to actions takes the same action in both, so it is "
        "wrong in one of them. A stochastic policy does not help, since each action that it takes with some "
        f"probability is wrong in one of them. But {controller} has the value V*."
    ]


def _hides(claims: Claims) -> list[str]:
    assert claims.confusion is not None
    actions, states = claims.confusion
    names = claims.world.moves.names
    when = f"after going {', '.join(names[action] for action in actions)}" if actions else "at the start"
    lines = [
        f"No memory is enough: {when}, {len(states)} states fit all observations of the agent, and they share no "
        "optimal action. Each action before that is optimal in every state in which the agent may be; other actions "
        "lose something earlier, or lead to such a situation too. Every action is now wrong in one of:"
    ]
    lines += [f"  {letter}: {_where(claims.world, state)}" for letter, state in zip(_LETTERS, states, strict=False)]
    if claims.memory_helps:
        lines.append(
            "Even so, memory helps: the value of the controller is larger than that of any map from observations to "
            "actions."
        )
    return lines


def _undecided(claims: Claims) -> list[str]:
    return [f"It is not known {claims.missing}."]


def _names(world: World, actions: tuple[int, ...]) -> str:
    return " or ".join(world.moves.names[action] for action in actions)


def _where(world: World, state: int) -> str:
    maze = int(world.maze_of[state])
    row, column = divmod(int(world.cell[state]), world.mazes[maze].width)
    carried = f", carrying {int(world.carried[state])}" if world.carried[state] else ""
    if world.moves.headings > 1:
        carried += f", facing {DIRECTION_NAMES[int(world.heading[state])]}"
    return f"row {row}, column {column}{carried}" + (f" of maze {maze}" if len(world.mazes) > 1 else "")


def _drawings(world: World, states: tuple[int, ...]) -> list[str]:
    """Return texts of the mazes of these states, with the states marked A, B, ...; two at one cell in two texts."""
    letters = dict(zip(states, _LETTERS, strict=False))
    drawings: list[str] = []
    for maze in list(dict.fromkeys(int(world.maze_of[state]) for state in letters))[:SHOWN]:
        texts: list[dict[int, str]] = []  # the marks of each text: cell -> letter
        for state, letter in letters.items():
            if world.maze_of[state] == maze:
                cell = int(world.cell[state])
                marks = next((marks for marks in texts if cell not in marks), None)
                if marks is None:
                    texts.append(marks := {})
                marks[cell] = letter
        drawings += [textwrap.indent(maze_text(world.mazes[maze], marks).rstrip("\n"), "  ") for marks in texts]
    return drawings
