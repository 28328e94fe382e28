"""Sight: what the agents of an environment observe, one kind or several, encoded or not."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from ..core.scene import Scene
from ..maps.moves import FOUR, Moves
from .encodings import Encode, encoded
from .kinds import OBSERVATIONS, Look


class Sight:
    """The declared space of observations, and how places in a scene are observed.

    Args:
        observation: a name of `OBSERVATIONS`, or several: then an observation is a dict by name; see `kinds_of`.
        encoding: None or a name of `ENCODINGS`, for all of them.
        bare: by name, the spaces before they are encoded.
    """

    space: Space[Any]
    """of what is observed"""

    def __init__(
        self,
        observation: str | Sequence[str],
        encoding: str | None,
        bare: Mapping[str, Space[Any]],
        moves: Moves = FOUR,
    ) -> None:
        self._made_from = observation, encoding, bare, moves
        self.moves = moves
        self._single, self._kinds = isinstance(observation, str), kinds_of(observation)
        names = list(self._kinds)
        self.bare = {name: bare[name] for name in names}
        self._encoded = {name: encoded(space, encoding) for name, space in self.bare.items()}
        declared = {name: self.bare[name] if taken is None else taken.space for name, taken in self._encoded.items()}
        self.spaces = declared
        self.space = declared[names[0]] if self._single else spaces.Dict(declared)
        self.local = all(OBSERVATIONS[kind].local for kind in self._kinds.values())
        """whether an agent's tile, the four neighbours and what is carried decide what is observed"""
        self.bits_alone = self._single and isinstance(self.space, spaces.MultiBinary) and len(self.space.shape) == 1
        """whether an observation is a row of bits"""
        self.four_bytes = self._single and declared[names[0]] == spaces.MultiBinary(4)

    def __reduce__(self) -> tuple[Any, ...]:
        return Sight, self._made_from

    def holds(self, other: "Sight") -> bool:
        """Return whether what another sight of the same kinds shows is in these spaces, and means the same there."""
        return all(OBSERVATIONS[self._kinds[name]].holds(space, other.bare[name]) for name, space in self.bare.items())

    @property
    def dots(self) -> int:
        """How many bits "dots" has; 0 where it is not observed."""
        return sum(int(np.prod(self.bare[name].shape or ())) for name, kind in self._kinds.items() if kind == "dots")

    def misread(self, seen: Any, wrong: NDArray[np.bool_]) -> Any:
        """Return what agents observe who see some bits of "dots" wrongly.

        Args:
            seen: of one agent or of many.
            wrong: (dots,) or (n, dots).
        """
        if isinstance(seen, dict):
            flat = {name for name, kind in self._kinds.items() if kind == "dots"}
            return {name: self.misread(part, wrong) if name in flat else part for name, part in seen.items()}
        return np.where(wrong, 1 - seen, seen).astype(seen.dtype)

    def kind(self, name: str) -> str:
        """Return the kind of what is observed under a name."""
        return self._kinds[name]

    def encode(self, name: str) -> Encode | None:
        """Return how what is observed under a name is encoded, None where it stays as it is."""
        taken = self._encoded[name]
        return None if taken is None else taken.encode

    def looks(self, scene: Scene) -> dict[str, Look]:
        """Return by name the function from places in a scene to what is observed there, (n, ...)."""
        return {name: self._look(name, scene) for name in self.bare}

    def _look(self, name: str, scene: Scene) -> Look:
        look, encode = OBSERVATIONS[self._kinds[name]].look(scene, self.bare[name]), self.encode(name)
        if encode is None:
            return look
        return lambda places: encode(look(places))

    def together(self, parts: dict[str, Any]) -> Any:
        """Return an observation from its parts by name: a dict, or the single one as it is."""
        return next(iter(parts.values())) if self._single else parts

    def look(self, scene: Scene) -> Look:
        """Return the function from places in a scene to what is observed there."""
        looks = self.looks(scene)
        return lambda places: self.together({name: look(places) for name, look in looks.items()})

    def one(self, parts: dict[str, Any]) -> Any:
        """Return the observation of one agent from batches of one: as Gymnasium has it, an int for a Discrete space."""
        rows = {name: part[0] for name, part in parts.items()}
        return self.together({name: row if np.ndim(row) else row.item() for name, row in rows.items()})


def kinds_of(observation: str | Sequence[str]) -> dict[str, str]:
    """Return the kinds that are observed, each by the name that it has in a dict of several.

    With "goal" among several they are those of goal-conditioned learning: "achieved_goal", where the agent is, and
    "desired_goal"; what else is observed is "observation", if it is of one kind.
    """
    if isinstance(observation, str) or "goal" not in observation:
        kinds = (observation,) if isinstance(observation, str) else observation
        return {kind: kind for kind in kinds}
    others = [kind for kind in observation if kind != "goal"]
    seen = {"observation" if len(others) == 1 else kind: kind for kind in others}
    return {**seen, "achieved_goal": "position", "desired_goal": "goal"}


def row_bytes(space: Space[Any]) -> int:
    """Return the number of bytes of one observation of a space that is not a Dict."""
    return int(np.prod(space.shape or ())) * (space.dtype or np.dtype(np.int64)).itemsize


def assign(seen: Any, lanes: Any, rows: Any) -> None:
    """Write the observations of some lanes, in place: arrays, or dicts of them."""
    if isinstance(seen, dict):
        for name, part in seen.items():
            part[lanes] = rows[name]
    else:
        seen[lanes] = rows


def listed(seen: Any, lanes: Any) -> list[Any]:
    """Return the observations of some lanes one by one, as single environments have them: fresh."""
    if isinstance(seen, dict):
        parts = {name: listed(part, lanes) for name, part in seen.items()}
        return [dict(zip(parts, row, strict=True)) for row in zip(*parts.values(), strict=True)]
    rows = seen[lanes]
    return rows.tolist() if rows.ndim == 1 else [*rows.copy()]
