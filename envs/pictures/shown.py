"""Frames and texts that a notebook shows as pictures; everywhere else they are ordinary arrays and strings."""

from typing import Any

import numpy as np

from .png import png


class ShownFrame(np.ndarray[Any, np.dtype[np.uint8]]):
    """A frame, (height, width, 3) uint8; what is computed from it is an ordinary array."""

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return array[()] if return_scalar else array

    def _repr_png_(self) -> bytes | None:
        is_frame = self.dtype == np.uint8 and self.ndim == 3 and self.shape[2] == 3 and self.size > 0
        return png(np.asarray(self)) if is_frame else None  # not of a sum of frames, say


class ShownText(str):
    """A drawing as text, a line for each row."""

    __slots__ = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))
