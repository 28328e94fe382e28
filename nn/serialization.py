"""Save modules, optimisers, schedulers and generators together in one npz file, and read it back; nothing is executed.

Arrays are stored under the path of their keys ("model/0.weight"), whatever else under `JSON` as one text. The file is
written beside and renamed, so it is never half there.
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
    """Write objects under their names to `path`, as npz, at once or not at all.

    An object is anything with `state_dict()`, a numpy Generator, a Tensor, an array, or numbers, texts, lists and
    dictionaries of such. TypeError names what cannot be saved, and then no file is touched.
    """
    arrays: dict[str, Array] = {}
    plain = _split(objects, "", arrays)
    arrays[JSON] = np.array(json.dumps(plain))
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with beside.open("xb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what `save` wrote, as {name: state}; each is for `load_state_dict`, or for `rng.bit_generator.state`.

    A plain npz, such as a PyTorch state_dict, comes back as {name: array}. ValueError if the file is not an npz file,
    or holds pickled objects.
    """
    try:
        with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        raise ValueError(f"{os.fspath(path)} is not a whole npz file of plain arrays") from error
    if JSON not in arrays:
        return arrays
    try:
        plain: dict[str, Any] = json.loads(str(arrays.pop(JSON)))
    except json.JSONDecodeError as error:
        raise ValueError(f"{os.fspath(path)}: its text {JSON!r} is not JSON: {error}") from error
    for name, array in arrays.items():
        *folders, last = name.split("/")
        place = plain
        for folder in folders:
            if not isinstance(place.setdefault(folder, {}), dict):
                raise ValueError(f"{os.fspath(path)}: {name!r} is an array below something that is not a dictionary")
            place = place[folder]
        place[last] = array
    return plain


def _split(value: Any, path: str, arrays: dict[str, Array]) -> Any:
    """Put arrays aside under their path, and return the rest as JSON can hold it."""
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
    if isinstance(value, list | tuple) and not any(isinstance(item, np.ndarray | Tensor | Mapping) for item in value):
        return [_split(item, f"{path}/{i}", arrays) for i, item in enumerate(value)]
    raise TypeError(f"{path}: a {type(value).__name__} cannot be saved; give it a state_dict(), or make it an array")


_ASIDE = object()
