"""A trained agent in a file: what it is, and in which environment it was trained."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from .agents import Agent, RecurrentPolicy

_MARK: Final = "mazegrad.json.npy"  # in every file that `nn.save` writes
_OF_LEARNING: Final = ("info", "autoreset_mode", "render_mode")  # keywords that an agent does without


class Trained(NamedTuple):
    """A policy, and how the environment was made in which it was trained."""

    policy: "RecurrentPolicy"
    learner: str
    """its name, such as "ppo"; empty for a policy that was saved alone"""
    steps: int
    env_id: str | None
    """None if the file does not say"""
    keywords: Mapping[str, Any]
    """what the environment was made with"""

    @property
    def agent(self) -> "Agent":
        """The agent; a linear net without heads as W, U and b."""
        plain = self.policy.cell == "linear" and self.policy.heads is None and not self.policy.previous_action
        return self.policy.as_rnn() if plain and self.policy.layers == 1 else self.policy

    @property
    def what_it_sees(self) -> dict[str, Any]:
        """The keywords of an environment that say what an agent observes in it."""
        return {name: self.keywords[name] for name in ("observation", "view_size") if name in self.keywords}


def holds_trained(path: Path) -> bool:
    """Return whether a file looks like one that `mazegrad train` wrote."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _MARK in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def read_trained(path: Path) -> Trained:
    """Read a trained agent. Nothing in the file is executed.

    Raises:
        ValueError: the file holds something else, or is damaged.
        OSError: it cannot be opened.
    """
    from . import nn
    from .agents import RecurrentPolicy

    saved = nn.load(path)
    policy = RecurrentPolicy.from_saved(saved, path)
    environment = saved.get("environment") or {"id": None, "keywords": {}}
    try:
        keywords = {name: value for name, value in environment["keywords"].items() if name not in _OF_LEARNING}
        return Trained(policy, str(saved.get("learner", "")), int(saved.get("steps", 0)), environment["id"], keywords)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from None
