"""A file is written beside its target and then renamed, so that nobody ever finds half of one."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path to write to; afterwards its file takes the place of `path`.

    The file that a symbolic link points to is replaced, not the link, and keeps its permissions. A pipe or a device is
    not replaced: the content is written to it. If the writing fails, `path` is left as it was.

    Args:
        path: a file, which may exist, or a pipe or a device.

    Yields:
        A path with the same suffix, which does not exist yet.

    Raises:
        OSError: the file cannot be written.
    """
    try:
        kept = os.stat(path)
    except OSError:
        kept = None  # a new file; what else is wrong shows when it is written
    if kept is not None and not stat.S_ISREG(kept.st_mode) and not stat.S_ISDIR(kept.st_mode):
        with tempfile.TemporaryDirectory() as folder:
            draft = Path(folder) / Path(path).name
            yield draft
            try:
                with open(draft, "rb") as content, open(path, "wb") as target:
                    shutil.copyfileobj(content, target)
            except OSError as error:  # such as a full device, which does not name itself
                raise type(error)(error.errno, error.strerror, str(path)) from None
        return
    target_path = Path(os.path.realpath(path))
    draft = target_path.with_name(f".{target_path.stem}.{os.getpid()}{Path(path).suffix}")
    try:
        yield draft
        if kept is not None:
            os.chmod(draft, stat.S_IMODE(kept.st_mode))
        os.replace(draft, target_path)
    except OSError as error:
        if str(error.filename) != str(draft):
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from None  # name the file that was asked for
    finally:
        with suppress(OSError):
            draft.unlink()


def write_file(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file as `replacing` does: whole, or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as draft:
        draft.write_bytes(content)
