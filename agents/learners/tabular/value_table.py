"""A value table: for each observation a row, what each action is worth there; as an agent it is greedy."""

import io
import os
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ....envs.maps.arguments import whole
from ....envs.maps.files import write_file

FORMAT: Final = "mazegrad table 1"


class Row:
    """What is known about one observation; lists with an entry for each action, None where a learner has no use."""

    __slots__ = ("before", "first", "model", "number", "q", "second", "signs", "taken", "turns")

    def __init__(self, actions: int, initial: float) -> None:
        self.q = [initial] * actions
        """the estimated returns"""
        self.turns = [0] * actions
        """how many times the error of an update had another sign than the one before, or was updated; see `rates`"""
        self.signs = [0.0] * actions
        """the last error that was not 0"""
        self.first: list[float] | None = None
        self.second: list[float] | None = None
        """two independent estimates, of which `q` is the mean (double learning)"""
        self.model: list[Any] | None = None
        """outcomes so far"""
        self.taken: list[int] | None = None
        """the time of the last try"""
        self.number = -1
        """among the rows that have a model"""
        self.before: dict[Any, None] | None = None
        """pairs (row, action) that have led here"""


class Rows(dict[Any, Row]):
    """Observation -> its row, made when it is first asked for."""

    def __init__(self, make: Callable[[], Row]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: Any) -> Row:
        row = self[key] = self._make()
        return row


class ValueTable:
    """What each action is worth, by observation. As an agent it takes the best one, and remembers nothing.

    Args:
        actions: how many there are.
        axes: the number of axes of one observation; 0 for a number.
        initial: the value of an action that was never taken.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> import numpy as np
        >>> from mazegrad.agents import QLearning, ValueTable
        >>> from mazegrad.envs import Maze, MazeEnv
        >>> env = MazeEnv(Maze.from_text("S.G"), observation="index")
        >>> learner = QLearning(env, discount=0.9, rng=np.random.default_rng(0))
        >>> _ = learner.train(episodes=100, seed=0)
        >>> with TemporaryDirectory() as folder:
        ...     learner.save(Path(folder) / "table.npz")
        ...     table = ValueTable.load(Path(folder) / "table.npz")
        >>> table.action_values(1)  # in the middle
        array([0.9 , 1.  , 0.81, 0.9 ])
        >>> table.act(1, table.initial_state())
        (1, None)
    """

    def __init__(self, actions: int, axes: int, initial: float = 0.0) -> None:
        self.actions, self.axes, self.initial = whole("actions", actions, 1), whole("axes", axes, 0), float(initial)
        self.rows = Rows(lambda: Row(self.actions, self.initial))
        self.about = ""
        """a text that its file has beside it, such as where it was trained"""

    def __len__(self) -> int:
        """Return the number of observations that were met."""
        return len(self.rows)

    def key(self, observation: Any) -> Any:
        """Return under which key an observation has its row: an int, or the bytes of an array."""
        return np.asarray(observation).tobytes() if self.axes else int(observation)

    def action_values(self, observations: Any) -> NDArray[np.float64]:
        """Return what each action is worth: (actions,) for one observation, (n, actions) for a batch of them."""
        seen, new = np.asarray(observations), [self.initial] * self.actions
        if seen.ndim == self.axes:
            return np.array(self.rows[self.key(seen)].q if self.key(seen) in self.rows else new)
        keys = [self.key(row) for row in seen]
        values = [self.rows[key].q if key in self.rows else new for key in keys]
        return np.array(values, dtype=np.float64).reshape(len(keys), self.actions)

    def initial_state(self, batch_size: int | None = None) -> None:
        """Return None: it remembers nothing."""

    def act(self, observation: Any, state: None) -> tuple[Any, None]:
        """Return the action of the highest value, the first of equals, for one observation or a batch of them."""
        best = self.action_values(observation).argmax(axis=-1)
        return (int(best) if best.ndim == 0 else best), None

    def save(self, path: str | os.PathLike[str], about: str = "") -> None:
        """Write the table as npz, and a text about it; see `load`."""
        keys = [*self.rows]
        if self.axes:
            keys = [np.frombuffer(key, dtype=np.uint8) for key in keys]
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            format=FORMAT,
            about=about,
            axes=self.axes,
            initial=self.initial,
            keys=np.array(keys, dtype=np.uint8 if self.axes else np.int64),
            values=np.array([row.q for row in self.rows.values()], dtype=np.float64).reshape(-1, self.actions),
        )
        write_file(path, buffer.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "ValueTable":
        """Read what `save` wrote, to act by it.

        Raises:
            ValueError: the file is not a saved table.
            OSError: it cannot be opened.
        """
        with open(path, "rb") as file:
            try:
                with np.load(file, allow_pickle=False) as saved:
                    if str(saved["format"]) != FORMAT:
                        raise ValueError(f"its format is {saved['format']!s:.40}")
                    keys, values = saved["keys"], saved["values"]
                    table = ValueTable(values.shape[1], int(saved["axes"]), float(saved["initial"]))
                    table.about = str(saved["about"])
            except Exception as error:  # a damaged zip or header raises nearly anything
                raise ValueError(f"{os.fspath(path)!s} is not a saved table of values: {error}") from None
        for key, row in zip(keys, values.tolist(), strict=True):
            table.rows[key.tobytes() if table.axes else int(key)].q = row
        return table
