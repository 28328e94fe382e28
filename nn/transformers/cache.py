"""While a text is written, the keys and values of earlier positions stay the same: they are kept, not recomputed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Array, recording


class KeyValueCache:
    """The keys and values that one attention has seen so far; each call appends those of the new positions.

    It holds plain arrays, so it is for writing, not for training: use it within `no_grad()`. `length` is how many
    positions it holds, `position` how many it has ever seen, which is the number of the next one.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> layer = nn.MultiheadAttention(8, 2, batch_first=True, rng=np.random.default_rng(0))
        >>> cache = nn.KeyValueCache()
        >>> with nn.no_grad():
        ...     for token in np.ones((5, 1, 1, 8), np.float32):  # one at a time
        ...         y, _ = layer(token, token, token, cache=cache)
        >>> y.shape, cache.length
        ((1, 1, 8), 5)
    """

    def __init__(self) -> None:
        self.length = self.position = 0
        self._held: list[Array] = []  # keys and values, with room for more: (..., room, size)

    def append(self, key: Any, value: Any) -> list[Array]:
        """Append keys and values, (..., new, size) each; return all that it holds, (..., length, size) each.

        Raises:
            RuntimeError: called while operations are recorded for `backward()`.
            ValueError: their shapes do not fit those that it holds.
        """
        if recording() and (getattr(key, "requires_grad", False) or getattr(value, "requires_grad", False)):
            raise RuntimeError("a KeyValueCache passes no gradient on: use it within no_grad()")
        new = [np.asarray(key), np.asarray(value)]
        end = self.length + new[0].shape[-2]
        if not self._held:
            self._held = [np.empty((*x.shape[:-2], 0, x.shape[-1]), x.dtype) for x in new]
        for x, held in zip(new, self._held, strict=True):
            if x.shape[:-2] != held.shape[:-2] or x.shape[-1] != held.shape[-1]:
                expected = ", ".join(map(str, (*held.shape[:-2], "new", held.shape[-1])))
                raise ValueError(f"this cache takes ({expected}), not {x.shape}; for another batch make a new cache")
        if end > self._held[0].shape[-2]:  # twice the room, so that a text of n letters is copied log2 n times only
            self._held = [
                np.concatenate([x, np.empty_like(x), new], -2) for x, new in zip(self._held, new, strict=True)
            ]
        for x, held in zip(new, self._held, strict=True):
            held[..., self.length : end, :] = x
        self.position += end - self.length
        self.length = end
        return [held[..., :end, :] for held in self._held]

    def select(self, index: Any) -> None:
        """Keep these entries of the batch, the first axis, in this order: the beams that go on, say."""
        self._held = [held[index] for held in self._held]

    def keep(self, last: int) -> None:
        """Forget all but the last positions: attention then reaches back no further. `position` stays."""
        if self.length > last:
            self._held = [held[..., self.length - last : self.length, :].copy() for held in self._held]
            self.length = last
