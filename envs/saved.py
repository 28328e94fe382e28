"""A saved state: an immutable record from which an episode goes on, of one lane or of many."""

import json
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .core.places import Places
from .maps.maze import Maze
from .maps.randomness import Streams

FORMAT = "mazegrad state 1"
Record = TypeVar("Record")


class SavedState(NamedTuple):
    """All that the rest of an episode and the episodes after it depend on; an immutable record that shares its mazes.

    Of a single environment the columns are ints; of a vector environment tuples, one entry a lane.

    Example:
        >>> from mazegrad.envs import RIGHT, Maze, MazeEnv, SavedState
        >>> env = MazeEnv(Maze.from_text("S.G"))
        >>> _ = env.reset(seed=0)
        >>> saved = env.get_state()
        >>> _, _ = env.step(RIGHT), env.step(RIGHT)
        >>> env.set_state(SavedState.from_json(saved.to_json()))
        >>> env.state, saved.steps  # back at the start
        (0, 0)
    """

    mazes: tuple[Maze, ...]
    """the mazes that lanes are in"""
    maze: Any
    """the number of the lane's maze in `mazes`"""
    given: Any
    """whether it was given to `reset`, and no level is drawn any more"""
    cell: Any
    carried: Any
    steps: Any
    """since the episode began"""
    key: Any
    episode: Any
    ended: tuple[int, ...] = ()
    """lanes whose episode is over and that were not reset yet"""
    trails: tuple[bytes, ...] | None = None
    """what was crossed, where it is drawn"""
    earlier: Any = 0
    """steps of the episodes before since the lane was seeded; counted where the world changes (`after=`)"""
    heading: Any = 0
    """the direction that is faced, where actions turn"""

    def to_json(self) -> str:
        """Return the record as one line of JSON; see `from_json`."""
        fields = {**self._asdict(), "mazes": [maze.to_text() for maze in self.mazes]}
        if self.trails is not None:
            fields["trails"] = [trail.hex() for trail in self.trails]
        return json.dumps({"format": FORMAT, **fields})

    @classmethod
    def from_json(cls, text: str) -> "SavedState":
        """Return the record that `to_json` wrote.

        Raises:
            ValueError: the text is not such a record.
        """
        return record_from_json(text, FORMAT, cls._of)

    @classmethod
    def _of(cls, *, mazes: Sequence[str], trails: Sequence[str] | None, **others: Any) -> "SavedState":
        crossed = None if trails is None else tuple(bytes.fromhex(trail) for trail in trails)
        return cls(mazes=tuple(Maze.from_text(maze) for maze in mazes), trails=crossed, **others)


def record_from_json(text: str, format: str, make: Callable[..., Record]) -> Record:
    """Return a record that was written as JSON with this "format".

    Args:
        text: what was written; its lists were tuples.
        format: the name of the format.
        make: makes the record of its fields, by name.

    Raises:
        ValueError: the text is not such a record.
    """
    try:
        fields = json.loads(text)
        if not isinstance(fields, dict) or fields.pop("format", None) != format:
            raise ValueError(f'it has no "format": "{format}"')
        return make(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"this is not a saved state as JSON: {error}") from None


def checked_number(name: str, value: Any, below: int) -> int:
    """Return an integer of a saved state.

    Raises:
        TypeError, ValueError: it is not an integer from 0 to below - 1.
    """
    number = operator.index(value)
    if not 0 <= number < below:
        raise ValueError(f"{name} is out of range: {number}")
    return number


def columns_of(state: SavedState, lanes: int) -> tuple[Places, NDArray[np.int64], Streams]:
    """Return the places, steps and streams of a saved state, as arrays with an entry for each lane.

    Raises:
        ValueError, TypeError, OverflowError: a column that does not have one number in its range for each lane.
    """
    names = ("maze", "cell", "carried", "steps", "episode")
    maze, cell, carried, steps, episode = (np.array(getattr(state, name), dtype=np.int64) for name in names)
    key = np.array(state.key, dtype=np.uint64)
    heading = np.broadcast_to(np.array(state.heading, dtype=np.int64), (lanes,))
    if {column.shape for column in (maze, cell, carried, steps, episode, key, np.array(state.given))} != {(lanes,)}:
        raise ValueError("its numbers are not one for each lane")
    if min(column.min() for column in (maze, cell, carried, heading, steps, episode)) < 0 or maze.max() >= len(
        state.mazes
    ):
        raise ValueError("its numbers are out of range")
    return Places(maze, cell, carried, heading), steps, Streams(key, episode)
