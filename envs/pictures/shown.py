"""Frames and texts that a notebook shows as pictures; everywhere else they are ordinary arrays and strings."""

from typing import Any, Final

import numpy as np

from .png import png

_LANES: Final = 8  # shown of all
_GAP: Final = 8  # px between them


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


class ShownLanes(tuple[Any, ...]):
    """Frames or drawings of lanes, one each; a notebook shows the first of them side by side."""

    __slots__ = ()

    def _repr_png_(self) -> bytes | None:
        frames = [np.asarray(frame) for frame in self[:_LANES] if isinstance(frame, np.ndarray)]
        if not frames:
            return None
        height = max(len(frame) for frame in frames)
        padded = [np.pad(frame, ((0, height - len(frame)), (0, _GAP), (0, 0)), constant_values=255) for frame in frames]
        return png(np.ascontiguousarray(np.concatenate(padded, axis=1)[:, :-_GAP]))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        if self and isinstance(self[0], str):
            printer.text("\n".join(f"lane {lane}\n{text}" for lane, text in enumerate(self[:_LANES])))
        else:
            printer.text(f"({len(self)} frames{f' of shape {self[0].shape}' if self else ''})")
