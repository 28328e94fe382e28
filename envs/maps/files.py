"""A file is written beside its place and then renamed, so that nobody ever finds half of one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes `path`'s place when all went well, and is removed when not.

    Raises:
        OSError: the file cannot be written.
    """
    path = Path(path)
    beside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield beside
        os.replace(beside, path)
    except OSError as error:
        if str(error.filename) != str(beside):
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from None  # that which was asked for
    finally:
        with suppress(OSError):
            beside.unlink()


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file; if that fails, what was there before is still there.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as beside:
        beside.write_bytes(content)
