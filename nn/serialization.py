"""Save modules, optimisers, schedulers and generators together in one npz file, and read it back; nothing is executed.

Arrays are stored under the path of their keys ("model/0.weight"; in a list, of their places), whatever else under
`JSON` as one text, in which a list has null in an array's place. The file is written beside and renamed, so it is never
half written.
"""

from __future__ import annotations

import json
import os
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .graph import Array
from .tensor import Tensor

JSON = "mazegrad.json"


def save(path: str | os.PathLike[str], **objects: Any) -> None:
    """Write objects under their names to an npz file, at once or not at all.

    Args:
        path: the file.
        objects: anything with `state_dict()`, a numpy Generator, a Tensor, an array, a number, a text, or a list or
            dictionary of these.

    Raises:
        TypeError: an object cannot be saved; names it. No file was changed.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> net = nn.Linear(2, 1, rng=np.random.default_rng(0))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     nn.save(Path(folder) / "net.npz", net=net, note="a first try")
        ...     read = nn.load(Path(folder) / "net.npz")
        >>> read["note"], sorted(read["net"])
        ('a first try', ['bias', 'weight'])
    """
    arrays: dict[str, Array] = {}
    plain = _split(objects, "", arrays)
    if JSON in objects:
        raise TypeError(f"an object cannot be called {JSON!r}, the name of the texts and numbers; choose another name")
    arrays[JSON] = np.array(json.dumps(plain))
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with zipfile.ZipFile(beside, "x") as file:  # not np.savez, which takes some names for its own arguments
            for name, array in arrays.items():
                with file.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        if error.filename is None:
            raise
        raise type(error)(error.errno, error.strerror, str(target)) from None  # name the file that was asked for
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a file that `save` wrote; nothing in it is executed.

    Returns:
        {name: state}, each for `load_state_dict`, or for `rng.bit_generator.state`. Of a plain npz, such as a PyTorch
        state_dict, {name: array}.

    Raises:
        ValueError: the file is not a complete npz file, or holds pickled objects; names the file.
        OSError: it cannot be opened.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.savez(Path(folder) / "theirs.npz", weight=np.ones((2, 3)), bias=np.zeros(2))
        ...     state = nn.load(Path(folder) / "theirs.npz")
        >>> net = nn.Linear(3, 2, rng=np.random.default_rng(0))
        >>> net.load_state_dict(state)
        >>> net.weight.data
        array([[1., 1., 1.],
               [1., 1., 1.]], dtype=float32)
    """
    with Path(path).open("rb") as stream:
        try:
            with zipfile.ZipFile(stream) as file:
                arrays = {name.removesuffix(".npy"): _read(file, name) for name in file.namelist()}
            return _joined(arrays) if JSON in arrays else arrays
        except Exception as error:  # a damaged zip, head or text raises nearly anything
            raise ValueError(f"{os.fspath(path)} is not a whole npz file of plain arrays: {error}") from error


def _read(file: zipfile.ZipFile, name: str) -> Array:
    with file.open(name) as entry:
        array: Array = np.lib.format.read_array(entry, allow_pickle=False)
        if entry.read(1):  # which also has the checksum looked at
            raise ValueError(f"{name} goes on after its array")
        return array


def _joined(arrays: dict[str, Array]) -> dict[str, Any]:
    """Put the arrays back into what is written under JSON, each at the end of its path."""
    plain = json.loads(str(arrays.pop(JSON)))
    if not isinstance(plain, dict):
        raise ValueError(f"{JSON} holds a {type(plain).__name__}, not a dictionary")
    for name, array in arrays.items():
        place: Any = plain
        *folders, last = name.split("/")
        for folder in folders:
            place = place[int(folder) if isinstance(place, list) else folder]
        place[int(last) if isinstance(place, list) else last] = array
    return plain


def _split(value: Any, path: str, arrays: dict[str, Array]) -> Any:
    """Put arrays aside under their path, and return the rest as JSON can hold it; `_ASIDE` for an array."""
    if hasattr(value, "state_dict"):
        value = value.state_dict()
    elif isinstance(value, np.random.Generator):
        value = value.bit_generator.state
    if isinstance(value, Mapping):
        result = {}
        for key, item in value.items():
            if not isinstance(key, str) or "/" in key:
                raise TypeError(f"{path}: the key {key!r} must be a text without '/'")
            result[key] = _split(item, f"{path}/{key}" if path else key, arrays)
        return {key: item for key, item in result.items() if item is not _ASIDE}
    if isinstance(value, Tensor):
        value = value.data
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError(f"{path}: an array of Python objects cannot be saved without pickle")
        arrays[path] = value
        return _ASIDE
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        items = [_split(item, f"{path}/{i}", arrays) for i, item in enumerate(value)]
        return [None if item is _ASIDE else item for item in items]
    raise TypeError(f"{path}: a {type(value).__name__} cannot be saved; give it a state_dict(), or make it an array")


_ASIDE = object()
