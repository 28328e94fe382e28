"""Observations become numbers that a net can read: one function for each kind of observation.

| observation | space | inputs |
| --- | --- | --- |
| dots | MultiBinary | the bits |
| index, state | Discrete | one-hot |
| position | MultiDiscrete | each number scaled to -1 ... 1 |
| view, map | Box of uint8, two axes | one-hot: a plane for each tile code, flattened |
| pixels, planes | Box of uint8, three axes | scaled to 0 ... 1, flattened |
| numbers | Box of floats | as they are, flattened |
| several | Dict | those of all parts, side by side, in the order of their names |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

Floats = NDArray[np.float32]
MANY: Final = 512
"""one-hot inputs from which on only those columns are made that are not 0"""


class Narrow(NamedTuple):
    """Inputs of a net, all of which are 0 but for some columns.

    A maze of 441 tiles has 16,317 one-hot inputs, of which some 450 are ever 1: to multiply the others by their weights
    would be nearly all of a net's work.
    """

    values: NDArray[Any]
    """(..., n)"""
    columns: NDArray[Any]
    """(n,): which of all the inputs these are"""


@dataclass(frozen=True)
class Encoder:
    """A function from observations, whatever their leading axes, to float32 inputs (..., size).

    `encoder(space)` makes the right one; `Encoder(**settings)` makes it again.
    """

    kind: str
    """a name in `ENCODINGS`, or "parts" """
    shape: tuple[int, ...] = ()
    """of one observation"""
    counts: tuple[float, ...] = ()
    """how many values each number of it may have"""
    parts: Mapping[str, "Encoder"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in (*ENCODINGS, "parts"):
            raise ValueError(f"unknown encoding {self.kind!r}; known: {', '.join(ENCODINGS)}, parts")

    @property
    def size(self) -> int:
        """The number of inputs that one observation makes."""
        if self.kind == "parts":
            return sum(part.size for part in self.parts.values())
        return prod(self.shape) * (int(self.counts[0]) if self.kind == "one_hot" else 1)

    def __call__(self, observations: Any) -> Floats:
        """Return (..., size) float32 for observations (..., *shape).

        Raises:
            ValueError: the observations are of another shape, or a code is out of its range.
        """
        if self.kind == "parts":
            return np.concatenate([part(observations[name]) for name, part in self.parts.items()], axis=-1)
        seen = self._rows(observations)
        lead = seen.shape[: seen.ndim - len(self.shape)]
        return ENCODINGS[self.kind](seen.reshape(-1, prod(self.shape)), self.counts).reshape(*lead, -1)

    def narrow(self, observations: Any) -> Floats | Narrow:
        """The same, without the columns that are 0 for all of these observations, where there are many of them."""
        if self.kind != "one_hot" or self.size < MANY:
            return self(observations)
        seen = self._rows(observations)
        hot = _hot(seen.reshape(-1, prod(self.shape)), int(self.counts[0]))
        some = np.zeros(self.size, dtype=np.bool_)
        some[hot] = True
        columns = np.flatnonzero(some)
        values = _ones(len(columns), (some.cumsum() - 1)[hot])
        return Narrow(values.reshape(*seen.shape[: seen.ndim - len(self.shape)], -1), columns)

    def _rows(self, observations: Any) -> NDArray[Any]:
        """Return observations as an array (..., *shape)."""
        seen = np.asarray(observations)
        lead = seen.ndim - len(self.shape)
        if lead < 0 or seen.shape[lead:] != self.shape:
            raise ValueError(f"the observation has shape {seen.shape}, expected (..., {str(self.shape)[1:-1]})")
        return seen

    def stored(self, observations: Any) -> NDArray[Any]:
        """Return observations as one array that may be kept, cut and encoded later; parts are encoded at once."""
        return self(observations) if self.kind == "parts" else np.asarray(observations)

    @property
    def stored_axes(self) -> int:
        """The number of axes of one observation, as `stored` keeps it."""
        return 1 if self.kind == "parts" else len(self.shape)

    def restored(self, stored: NDArray[Any]) -> Floats | Narrow:
        """Return the inputs for what `stored` returned; see `narrow`."""
        return stored if self.kind == "parts" else self.narrow(stored)

    def settings(self) -> dict[str, Any]:
        """Return texts, numbers and lists (JSON) from which `Encoder.from_settings` makes an equal one."""
        parts = {name: part.settings() for name, part in self.parts.items()}
        return {"kind": self.kind, "shape": list(self.shape), "counts": list(self.counts), "parts": parts}

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "Encoder":
        """Make the encoder that `settings` describes.

        Raises:
            ValueError: they describe none.
        """
        try:
            shape, counts = (tuple(settings[name]) for name in ("shape", "counts"))
            if not all(isinstance(n, int) and n > 0 for n in shape) or not all(n > 0 for n in counts):
                raise ValueError(f"shape {shape} and counts {counts} are positive numbers")
            parts = {name: cls.from_settings(part) for name, part in settings["parts"].items()}
            return cls(settings["kind"], shape, counts, parts)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"these are not the settings of an encoder: {type(error).__name__}: {error}") from None


def encoder(space: gymnasium.Space[Any]) -> Encoder:
    """Return the encoder for a space of observations; see the table above.

    Raises:
        ValueError: a space that is not in the table.
    """
    shape = tuple(space.shape or ())
    if isinstance(space, spaces.Dict):
        return Encoder("parts", parts={name: encoder(part) for name, part in sorted(space.items())})
    if isinstance(space, spaces.MultiBinary):
        return Encoder("numbers", shape, (1.0,))
    if isinstance(space, spaces.Discrete) and space.start == 0:
        return Encoder("one_hot", (), (int(space.n),))
    if isinstance(space, spaces.MultiDiscrete) and len(shape) == 1 and not space.start.any():
        return Encoder("scaled", shape, tuple(space.nvec.tolist()))
    if isinstance(space, spaces.Box):
        highest = float(space.high.max())
        if space.dtype == np.uint8 and len(shape) == 2 and highest < 255:
            return Encoder("one_hot", shape, (int(highest) + 1,))
        return Encoder("numbers", shape, (highest if space.dtype == np.uint8 else 1.0,))
    known = "MultiBinary, Discrete, MultiDiscrete, Box and a Dict of them"
    raise ValueError(f"there is no encoding for observations of {space}; known spaces: {known}")


# each takes (n, k) numbers and `counts`, and returns (n, size) float32
def numbers(seen: NDArray[Any], counts: tuple[float, ...]) -> Floats:
    """Bits, pixels and measurements: divided by the largest that there may be."""
    return seen.astype(np.float32) if counts[0] == 1 else seen.astype(np.float32) / np.float32(counts[0])


def scaled(seen: NDArray[Any], counts: tuple[float, ...]) -> Floats:
    """Rows and columns: 0 becomes -1, the last becomes 1."""
    last = np.maximum(np.array(counts, dtype=np.float32) - 1, 1)
    return (2 * seen / last - 1).astype(np.float32)


def one_hot(seen: NDArray[Any], counts: tuple[float, ...]) -> Floats:
    """Names, of places and of tiles: a plane for each, 1 where it is."""
    count = int(counts[0])
    return _ones(seen.shape[1] * count, _hot(seen, count))


def _hot(seen: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Return which inputs are 1, (n, k), for names (n, k) from 0 to count - 1."""
    if seen.size and not 0 <= seen.min() <= seen.max() < count:
        raise ValueError(f"observations are whole numbers from 0 to {count - 1}, not {seen.min()} ... {seen.max()}")
    hot: NDArray[np.int64] = seen + count * np.arange(seen.shape[1])
    return hot


def _ones(size: int, hot: NDArray[np.int64]) -> Floats:
    """Return (n, size) zeros, with 1 in the columns `hot`, (n, k)."""
    planes = np.zeros((len(hot), size), dtype=np.float32)
    planes[np.arange(len(hot))[:, None], hot] = 1
    return planes


ENCODINGS = {"numbers": numbers, "scaled": scaled, "one_hot": one_hot}
