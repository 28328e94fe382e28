"""A net in an npz file: W, U, b of exercise 38, read without executing anything."""

import zipfile
import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np

from .agents import LinearRNN, RNNAgent
from .envs.maps.arguments import nearest
from .files import ARCHIVE, kind_of

MAX_BYTES: Final = 2**20  # of an unpacked file: W, U, b and h0 of four units take half a kilobyte each
_NAMES: Final = ("W", "U", "b", "h0", "feedback")
_UNREADABLE: Final = (
    ValueError, OSError, EOFError, KeyError, TypeError, RuntimeError, MemoryError, SyntaxError, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip


def read_net(file: Path) -> RNNAgent:
    """Return the net in an npz file. Nothing in the file is executed.

    Args:
        file: holds W (4, 4), U (4, 4) and b (4,); optionally h0 (4,), (1, 0, 0, 0) by default, and feedback, "raw"
            (the default) or "one_hot".

    Raises:
        ValueError: the file does not hold such a net; the message names the file and what is wrong.
    """
    try:
        arrays = read_arrays(file)
        for name in ("W", "U", "b"):
            if name not in arrays:
                raise ValueError(f"{name} is missing; the file has {', '.join(arrays) or 'no arrays'}")
        feedback = arrays.pop("feedback", np.array("raw"))
        if feedback.shape != () or feedback.dtype.kind != "U":
            raise ValueError('feedback must be the text "raw" or "one_hot"')
        for name, array in arrays.items():
            if array.dtype.kind not in "biuf":
                raise ValueError(f"{name} must hold real numbers, not {array.dtype}")
        if arrays["W"].shape != (4, 4) or arrays["b"].shape != (4,):
            shapes = f"W has shape {arrays['W'].shape} and b {arrays['b'].shape}"
            raise ValueError(f"{shapes}; expected (4, 4) and (4,): four observed bits, one hidden unit a direction")
        rnn = LinearRNN(arrays["W"], arrays["U"], arrays["b"], arrays.get("h0", np.array([1, 0, 0, 0])))
        return RNNAgent(rnn, feedback.item())
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def read_arrays(file: Path, known: Sequence[str] = _NAMES) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays of an npz by name; sizes are checked first, so that no file takes more than `MAX_BYTES`."""
    if not file.is_file():
        raise ValueError("no such file")
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            members = members if size <= MAX_BYTES else []
            data = {member.filename.removesuffix(".npy"): archive.read(member) for member in members}
    except _UNREADABLE as error:
        if (kind := kind_of(file)) != ARCHIVE:
            raise ValueError(f"this is {kind}, not an npz file") from None
        raise ValueError(f"the npz file is damaged: {error}") from None
    if size > MAX_BYTES:
        raise ValueError(f"the arrays take {size:,} bytes, more than {MAX_BYTES:,}")
    for name in data:
        if name not in known:
            raise ValueError(f"unknown array {name!r}{nearest(name, known)}")
    arrays = {}
    for name, content in data.items():
        try:
            arrays[name] = np.lib.format.read_array(BytesIO(content), allow_pickle=False)
        except _UNREADABLE as error:
            raise ValueError(f"{name} is not an array of numbers: {error}") from None
    return arrays
