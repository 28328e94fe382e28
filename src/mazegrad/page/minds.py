"""Minds that the page offers: a student's W, U, b, and automata, as JSON; both are only read, never executed."""

import json
from pathlib import Path
from typing import Any, Final

from ..agents import Automaton
from ..agents.automata.automaton import ACTIONS, DOTS
from ..files import ARCHIVE, kind_of
from ..nets import read_net
from ..trained import holds_trained

MAX_NODES: Final = 60
"""of an automaton: the page draws them in a circle, and compiles each into 16 units"""


def net_of(file: Path) -> dict[str, Any] | None:
    """Return the net in an npz file as the page takes it: name, W, U, b, h0; None for another kind of file.

    Raises:
        ValueError: the file does not hold W, U, b; or the net feeds back something else than h.
    """
    if file.suffix != ".npz" and kind_of(file) != ARCHIVE:
        return None
    if holds_trained(file):
        raise ValueError(f"{file}: the page shows nets of W, U, b; `mazegrad watch --agent {file}` shows a trained one")
    agent = read_net(file)
    if agent.feedback != "raw":
        raise ValueError(f"{file}: the page feeds h back raw, not {agent.feedback}; `mazegrad watch` shows this net")
    return {"name": file.name, **{name: getattr(agent.rnn, name).tolist() for name in ("W", "U", "b", "h0")}}


def automaton_of(file: Path) -> dict[str, Any] | None:
    """Return the automaton in a JSON file, or the controller of a memory certificate, as the page takes it.

    Returns:
        name, next and action (nodes x 16), start, names (None: numbers); None for another kind of file.

    Raises:
        ValueError: an automaton that the page cannot show; the message names the file and says why.
    """
    if kind_of(file) not in ("JSON", "a memory certificate"):
        return None
    data = json.loads(file.read_text(encoding="utf-8"))
    given = data.get("controller", data) if isinstance(data, dict) else {}
    if not isinstance(given, dict) or "next_node" not in given:
        return None
    try:
        automaton = Automaton.from_dict(given)
        if automaton.encode != DOTS or automaton.actions != ACTIONS:
            raise ValueError("the page shows automata that see four bits and have four actions; this one differs")
        if automaton.nodes > MAX_NODES:
            raise ValueError(f"the page shows automata of up to {MAX_NODES} nodes; this one has {automaton.nodes}")
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
    tables = {"next": automaton.next_node.tolist(), "action": automaton.action.tolist()}
    return {"name": file.name, **tables, "start": automaton.start, "names": None}
