"""A trained agent in a file: what it is, and in which environment it was trained."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from .agents import Agent
from .agents.learners.tabular.value_table import ValueTable

_MARKS: Final = ({"mazegrad.json.npy"}, {"format.npy", "keys.npy", "values.npy"})
"""entries of the files that `nn.save` and `ValueTable.save` write"""
_OF_LEARNING: Final = ("info", "autoreset_mode", "render_mode")
"""keywords that an agent does without"""


class Trained(NamedTuple):
    """An agent, and how the environment was made in which it was trained."""

    agent: Agent
    sampling: Callable[[np.random.Generator], Agent] | None
    """makes the agent that draws its actions by their probabilities; None for a table"""
    kind: str
    """such as "gru net" or "table of q_learning" """
    env_id: str | None
    """None if the file does not say"""
    keywords: Mapping[str, Any]
    """what the environment was made with"""

    @property
    def what_it_sees(self) -> dict[str, Any]:
        """The keywords of an environment that say what an agent observes in it."""
        return {name: self.keywords[name] for name in _SEEN if name in self.keywords}


_SEEN: Final = ("observation", "view_size", "encoding", "actions")


def holds_trained(path: Path) -> bool:
    """Return whether a file looks like one that `mazegrad train` wrote."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
    return any(mark <= names for mark in _MARKS)


def read_trained(path: Path) -> Trained:
    """Read a trained agent. Nothing in the file is executed.

    Raises:
        ValueError: the file holds something else, or is damaged.
        OSError: it cannot be opened.
    """
    with zipfile.ZipFile(path) as archive:
        is_table = _MARKS[1] <= set(archive.namelist())
    return _read_table(path) if is_table else _read_net(path)


def _read_table(path: Path) -> Trained:
    table = ValueTable.load(path)
    try:
        about = json.loads(table.about) if table.about else {}
        kind = f"table of {about.get('learner', 'values')}"
        return Trained(table, None, kind, *_where(about.get("environment")))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from None


def _read_net(path: Path) -> Trained:
    from . import nn
    from .agents import RecurrentPolicy

    saved = nn.load(path)
    policy = RecurrentPolicy.from_saved(saved, path)
    plain = policy.cell == "linear" and policy.heads is None and policy.layers == 1 and not policy.previous_action
    try:
        where = _where(saved.get("environment"))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from None
    return Trained(policy.as_rnn() if plain else policy, policy.sampling, f"{policy.cell} net", *where)


def _where(environment: Any) -> tuple[str | None, dict[str, Any]]:
    """Return the id and the keywords of the environment of training, without what only training needs."""
    if environment is None:
        return None, {}
    keywords = {name: value for name, value in environment["keywords"].items() if name not in _OF_LEARNING}
    env_id = environment["id"]
    return (None if env_id is None else str(env_id)), keywords
