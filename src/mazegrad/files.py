"""Files at the command line: what a given one holds, and whether an output can be written before the work begins."""

import codecs
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

ARCHIVE: Final = "a zip or npz archive"
_MAGIC: Final = {
    b"\x89PNG": "a PNG picture",
    b"GIF8": "a GIF picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
    b"PK": ARCHIVE,
    b"\x93NUMPY": "a numpy array (.npy)",
    b"\x1f\x8b": "a gzip archive",
}
_OURS: Final = {"mazegrad replay": "a recorded run", "mazegrad memory certificate": "a memory certificate"}
_LOOKED_AT: Final = 4096  # bytes


def kind_of(path: Path) -> str:
    """Return what a file holds, as a noun with its article, such as "a PNG picture" or "text".

    Raises:
        OSError: it does not exist or cannot be read.
    """
    if path.is_dir():
        return "a folder"
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT)
    if not head:
        return "an empty file"
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if head[4:8] == b"ftyp":
        return "an MP4 film"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text"
    try:
        text = head.decode() if len(head) < _LOOKED_AT else head.decode(errors="ignore")
    except UnicodeDecodeError:
        return "binary data"
    if "\0" in text:
        return "binary data"
    if text.lstrip().startswith(("{", "[")):
        return next((kind for name, kind in _OURS.items() if f'"format": "{name}' in text), "") or _json_or_text(path)
    return "text"


def _json_or_text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            json.loads(file.readline() if path.suffix == ".jsonl" else file.read())
    except (ValueError, RecursionError):
        return "text"
    return "JSON"


def check_writable(path: Path, *suffixes: str) -> None:
    """Check that a file can be written there.

    Args:
        path: a file, which may exist; or a pipe or a device.
        suffixes: allowed ones, in lower case; none allows any. A pipe or a device needs none where only one is allowed.

    Raises:
        ValueError: it cannot, or the name ends in another suffix.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = 0
    except OSError as error:
        raise ValueError(f"cannot write {str(path)!r}: {error.strerror}") from None
    if stat.S_ISDIR(mode):
        raise ValueError(f"cannot write {str(path)!r}: it is a folder")
    special = mode != 0 and not stat.S_ISREG(mode)
    if suffixes and path.suffix.lower() not in suffixes and not (special and len(suffixes) == 1):
        raise ValueError(f"the file name must end in {' or '.join(suffixes)}, not {path.name!r}")
    if special:
        if not os.access(path, os.W_OK):
            raise ValueError(f"cannot write {str(path)!r}: permission denied")
        return
    if mode and not (mode & 0o222 and os.access(path, os.W_OK)):  # root may write what is marked read-only
        raise ValueError(f"cannot write {str(path)!r}: it is read-only")
    folder = Path(os.path.realpath(path)).parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = f"there is no folder {str(folder)!r}" if not folder.is_dir() else error.strerror
        raise ValueError(f"cannot write {str(path)!r}: {reason}") from None


def check_folder(path: Path) -> None:
    """Check that files can be written into a folder, which may be new, in folders that may be new.

    Raises:
        ValueError: they cannot.
    """
    existing = path.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise ValueError(f"cannot write into {str(path)!r}: {str(existing)!r} is a file")
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise ValueError(f"cannot write into {str(path)!r}: {error.strerror}") from None
