"""Encodings number observations: an automaton looks up its tables by these numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...envs.maps.arguments import whole

MAX_BITS: Final = 20
"""of an observation: the tables of an automaton have a column for each of the 2**20 numbers"""


@dataclass(frozen=True)
class Bits:
    """Observations of `count` bits, numbered sum(x[d] << d): 16 of them for `dots`.

    Args:
        count: 1 to 20.

    Raises:
        TypeError: count is not an integer.
        ValueError: count is out of range.

    Example:
        >>> from mazegrad.agents import Bits
        >>> encode = Bits()
        >>> encode([0, 1, 0, 1])  # dots at the right and below: 2 + 8
        10
        >>> encode.decode(10)
        array([0, 1, 0, 1], dtype=int8)
    """

    count: int = 4

    def __post_init__(self) -> None:
        whole("count", self.count, 1, MAX_BITS)

    @property
    def observations(self) -> int:
        """The number of observations."""
        return 1 << self.count

    def __call__(self, observation: Any) -> Any:
        """Return the number of one observation (count,), or the (batch,) numbers of a batch (batch, count).

        Raises:
            ValueError: another shape, or an entry that is not 0 or 1.
        """
        x = np.asarray(observation)
        if x.ndim not in (1, 2) or x.shape[-1] != self.count or not ((x == 0) | (x == 1)).all():
            shape = f"({self.count},) or (batch, {self.count})"
            raise ValueError(f"an observation must be an array {shape} of 0 and 1, not {observation!r}")
        numbers = x.astype(np.int64) @ (1 << np.arange(self.count))
        return int(numbers) if x.ndim == 1 else numbers

    def decode(self, number: Any) -> NDArray[np.int8]:
        """Return the observation of a number, (count,), or those of (batch,) numbers, (batch, count)."""
        return (np.asarray(number)[..., None] >> np.arange(self.count) & 1).astype(np.int8)

    def to_dict(self) -> dict[str, Any]:
        """Return a dict for JSON that `encoding_from_dict` reads."""
        return {"kind": "bits", "count": self.count}


@dataclass(frozen=True)
class Number:
    """Observations that are integers already, 0 to observations - 1, as with `index`.

    Args:
        observations: how many there are, 1 or more.

    Raises:
        TypeError: not an integer.
        ValueError: less than 1.

    Example:
        >>> from mazegrad.agents import Number
        >>> encode = Number(169)  # "index" in a maze of 13 x 13 tiles
        >>> encode(14), encode.observations
        (14, 169)
    """

    observations: int

    def __post_init__(self) -> None:
        whole("observations", self.observations, 1)

    def __call__(self, observation: Any) -> Any:
        """Return the observation itself, an int or a (batch,) array.

        Raises:
            ValueError: not an integer, or out of range.
        """
        x = np.asarray(observation)
        if x.ndim > 1 or x.dtype.kind not in "iu" or not ((x >= 0) & (x < self.observations)).all():
            raise ValueError(
                f"an observation must be an integer from 0 to {self.observations - 1}, or an array of them, "
                f"not {observation!r}"
            )
        return int(x) if x.ndim == 0 else x.astype(np.int64)

    def decode(self, number: Any) -> Any:
        """Return the number itself."""
        return number

    def to_dict(self) -> dict[str, Any]:
        """Return a dict for JSON that `encoding_from_dict` reads."""
        return {"kind": "number", "observations": self.observations}


class Codebook:
    """Observations of any shape (`view`, `position`), each with its index in a list.

    Args:
        rows: (observations, ...) integers, no two rows equal.

    Raises:
        ValueError: no rows, two equal rows, or entries that are not integers.

    Example:
        >>> from mazegrad.agents import Codebook
        >>> encode = Codebook([(0, 0), (0, 2), (4, 2)])  # positions
        >>> encode([0, 2]), encode.observations
        (1, 3)
    """

    rows: NDArray[np.int64]
    """(observations, ...), read-only"""

    def __init__(self, rows: ArrayLike) -> None:
        given = np.asarray(rows)
        if given.ndim < 2 or not given.size or given.dtype.kind not in "biu":
            raise ValueError("the rows of a codebook must be arrays of integers, all of the same shape")
        self.rows = given.astype(np.int64)
        self.rows.setflags(write=False)
        self._number = {row.tobytes(): number for number, row in enumerate(self.rows)}
        if len(self._number) < len(self.rows):
            raise ValueError("the rows of a codebook must all be different")

    @property
    def observations(self) -> int:
        """The number of observations."""
        return len(self.rows)

    def __call__(self, observation: Any) -> Any:
        """Return the number of one observation, or the (batch,) numbers of a batch.

        Raises:
            ValueError: another shape, or an observation that is not in the codebook.
        """
        x = np.asarray(observation).astype(np.int64)
        shape = self.rows.shape[1:]
        if x.shape[-len(shape) :] != shape or x.ndim - len(shape) not in (0, 1):
            raise ValueError(f"an observation must have the shape {shape} or (batch, *{shape}), not {x.shape}")
        try:
            if x.ndim == len(shape):
                return self._number[x.tobytes()]
            return np.array([self._number[row.tobytes()] for row in x], dtype=np.int64)
        except KeyError:
            raise ValueError(f"an observation must be one of the {self.observations} in the codebook") from None

    def decode(self, number: Any) -> NDArray[np.int64]:
        """Return the observation of a number, or those of (batch,) numbers."""
        return self.rows[number]

    def to_dict(self) -> dict[str, Any]:
        """Return a dict for JSON that `encoding_from_dict` reads."""
        return {"kind": "codebook", "rows": self.rows.tolist()}

    def __eq__(self, other: object) -> bool:
        return np.array_equal(self.rows, other.rows) if isinstance(other, Codebook) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.rows.tobytes())

    def __repr__(self) -> str:
        return f"<Codebook of {self.observations} observations of shape {self.rows.shape[1:]}>"


Encoding = Bits | Number | Codebook


def encoding_from_dict(data: Any) -> Encoding:
    """Return the encoding that `to_dict` of an encoding describes.

    Raises:
        ValueError: not such a dict; the message says what is wrong.
    """
    kinds = {"bits": ("count", Bits), "number": ("observations", Number), "codebook": ("rows", Codebook)}
    if not isinstance(data, Mapping) or data.get("kind") not in list(kinds):
        raise ValueError(f"an encoding must be a dict whose 'kind' is one of {', '.join(kinds)}")
    field, make = kinds[data["kind"]]
    if set(data) != {"kind", field}:
        raise ValueError(f"an encoding of kind {data['kind']!r} must have the field {field!r} and no other")
    try:
        return make(data[field])
    except TypeError as error:
        raise ValueError(str(error)) from None
