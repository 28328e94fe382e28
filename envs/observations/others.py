"""What an agent sees of the other agents in its maze, added to what it sees alone."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from ..core.scene import SIDES
from ..maps.legend import AGENT_CODE, LAST_CODE
from .encodings import plane_count
from .sight import Sight, kinds_of


class Crowd(NamedTuple):
    """Where all agents are, and who sees whom: of n agents each sees m others, itself among them."""

    row: NDArray[np.int64]
    """(n,)"""
    column: NDArray[np.int64]
    """(n,)"""
    others: NDArray[np.int64]
    """(n, m - 1): the numbers of the other agents in its maze, in the order of their names"""
    kind: NDArray[np.int64]
    """(n, m - 1): 0 for one that has left the maze, 1 for one of the same team, 2 for an opponent"""


def crowd_of(
    row: NDArray[np.int64], column: NDArray[np.int64], team: NDArray[np.int64], live: NDArray[np.bool_]
) -> Crowd:
    """Return who sees whom in lanes of agents.

    Args:
        row, column: (lanes * agents,), where they are.
        team: (agents,), the number of each one's.
        live: (lanes, agents), False for those that have left.
    """
    lanes, count = live.shape
    others = np.array([[other for other in range(count) if other != agent] for agent in range(count)])
    kind = np.where(team[:, None] == team[others], 1, 2)
    numbers = (np.arange(lanes)[:, None, None] * count + others).reshape(lanes * count, count - 1)
    kind = np.where(live.ravel()[numbers], np.tile(kind, (lanes, 1)), 0)
    return Crowd(row, column, numbers, kind)


class Others:
    """Adds the other agents to observations.

    - "dots": as many bits again, 1 where another agent stands in the neighbouring cell: up, right, left, down.
    - "view", "map": another agent has the code `LAST_CODE` + 1; as planes there is one more plane.
    - "index", "state": a `MultiDiscrete`, followed by the cell + 1 of each other agent, 0 for one that has left.
    - "position": followed by (row + 1, column + 1) of each, (0, 0) for one that has left.
    - With `encoding="float"` the last three are followed by (1, row, column) of each, scaled, (0, 0, 0) for one that
      has left.

    With opponents, there are bits for them as well, the code `LAST_CODE` + 2, and a further plane for these. "pixels"
    shows all agents; goals stay as they are.

    Args:
        sight: what is observed without the others.
        observation, encoding: what it was made with.
        agents: in a maze.
        teams: 1, or 2 where there are opponents.
        height, width: of the largest maze.
    """

    space: Space[Any]

    def __init__(
        self,
        sight: Sight,
        observation: str | Sequence[str],
        encoding: str | None,
        agents: int,
        teams: int,
        height: int,
        width: int,
    ) -> None:
        self._encoding, self._others, self._teams = encoding, agents - 1, teams
        self._height, self._width, self._steps = height, width, sight.moves.seen[0].tolist()
        self._planes = max(map(plane_count, sight.bare.values()))
        single = isinstance(observation, str)
        kinds = kinds_of(observation)
        self._kinds = {name: "goal" if name.endswith("_goal") else kind for name, kind in kinds.items()}
        self._single = single
        spaces_of = {name: self._space(kind, sight.spaces[name]) for name, kind in self._kinds.items()}
        self.space = next(iter(spaces_of.values())) if single else spaces.Dict(spaces_of)

    def _space(self, kind: str, space: Space[Any]) -> Space[Any]:
        """Return a space with the others in it."""
        more, cells = self._teams, self._height * self._width
        if kind == "dots":
            size = len(self._steps) * (1 + more)
            return spaces.MultiBinary(size) if self._encoding != "float" else spaces.Box(0, 1, (size,), np.float32)
        if kind in ("view", "map"):
            shape = tuple(space.shape or ())
            if self._encoding == "planes":
                return spaces.Box(0, 1, (shape[0] + more, *shape[1:]), np.uint8)
            if self._encoding == "planes_last":
                return spaces.Box(0, 1, (*shape[:-1], shape[-1] + more), np.uint8)
            if self._encoding == "float":
                return spaces.Box(0, 1, (shape[0] + more * self._tiles(kind, shape[0]),), np.float32)
            assert isinstance(space, spaces.Box)
            sides = int(space.high.max()) >> SIDES
            return spaces.Box(0, sides << SIDES | LAST_CODE + more, shape, space.dtype.type)
        if kind in ("index", "state", "position"):
            if self._encoding == "float":
                return spaces.Box(0, 1, (int(np.prod(space.shape or ())) + 3 * self._others,), np.float32)
            own = [int(space.n)] if isinstance(space, spaces.Discrete) else np.asarray(space.nvec).tolist()  # type: ignore[attr-defined]
            each = [cells + 1] if isinstance(space, spaces.Discrete) else [self._height + 1, self._width + 1]
            return spaces.MultiDiscrete(own + each * self._others)
        return space

    def _tiles(self, kind: str, planes: int) -> int:
        """Return the tiles of a view or a map, from the numbers of its flat planes."""
        return planes // self._planes

    def add(self, seen: Any, crowd: Crowd) -> Any:
        """Return observations, (n, ...) or a dict of them by name, with the others in them."""
        if self._single:
            (kind,) = self._kinds.values()
            return self._added(kind, seen, crowd)
        return {name: self._added(kind, seen[name], crowd) for name, kind in self._kinds.items()}

    def _added(self, kind: str, seen: NDArray[Any], crowd: Crowd) -> NDArray[Any]:
        count = len(crowd.row)
        down = crowd.row[crowd.others] - crowd.row[:, None]
        right = crowd.column[crowd.others] - crowd.column[:, None]
        if kind == "dots":
            near = np.stack([(down == r) & (right == c) for r, c in self._steps], axis=1)  # (n, bits, others)
            bits = [(near & (crowd.kind == team + 1)[:, None]).any(axis=2) for team in range(self._teams)]
            return np.concatenate([seen, *(part.astype(seen.dtype) for part in bits)], axis=1)
        if kind in ("view", "map"):
            return self._on_tiles(kind, seen, crowd, down, right)
        if kind in ("index", "state", "position"):
            gone = crowd.kind == 0
            row, column = crowd.row[crowd.others], crowd.column[crowd.others]
            if self._encoding == "float":
                last_row, last_column = max(1, self._height - 1), max(1, self._width - 1)
                scaled = np.stack([np.ones(row.shape), row / last_row, column / last_column])
                more = np.where(gone, 0.0, scaled).transpose(1, 2, 0).reshape(count, -1)
                return np.concatenate([seen.reshape(count, -1), more.astype(np.float32)], axis=1)
            if kind == "position":
                places = np.stack([row + 1, column + 1], axis=-1)
                return np.concatenate([seen, np.where(gone[..., None], 0, places).reshape(count, -1)], axis=1)
            return np.concatenate([seen[:, None], np.where(gone, 0, row * self._width + column + 1)], axis=1)
        return seen

    def _on_tiles(self, kind: str, seen: NDArray[Any], crowd: Crowd, down: Any, right: Any) -> NDArray[Any]:
        """Mark the others on views and maps, or lay planes of them beside."""
        count = len(crowd.row)
        planes = self._encoding in ("planes", "planes_last")
        if planes:
            height, width = seen.shape[2:] if self._encoding == "planes" else seen.shape[1:3]
        elif self._encoding == "float":
            tiles = self._tiles(kind, seen.shape[1])
            height, width = (self._height, self._width) if kind == "map" else (round(tiles**0.5),) * 2
        else:
            height, width = seen.shape[1:]
        if kind == "map":
            row, column = crowd.row[crowd.others], crowd.column[crowd.others]
        else:
            row, column = down + height // 2, right + width // 2
        marks = np.zeros((self._teams, count, height, width), dtype=np.bool_)
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        for team in range(self._teams):
            agent, other = np.nonzero(inside & (crowd.kind == team + 1))
            marks[team, agent, row[agent, other], column[agent, other]] = True
        if planes:
            axis = 1 if self._encoding == "planes" else 3
            return np.concatenate([seen, np.moveaxis(marks, 0, axis).astype(seen.dtype)], axis=axis)
        if self._encoding == "float":
            return np.concatenate([seen, np.moveaxis(marks, 0, 1).reshape(count, -1).astype(np.float32)], axis=1)
        for team in range(self._teams):
            marked = marks[team] & (seen & 255 != AGENT_CODE)
            seen[marked] = (seen[marked] >> SIDES) << SIDES | LAST_CODE + 1 + team
        return seen
