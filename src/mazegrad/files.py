"""Files are written beside and then renamed, so that none is half-written; extras are imported where they are used."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes `path`'s place when all went well, and is removed when not."""
    beside = path.with_name(f".{path.name}.{os.getpid()}{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


class MissingExtra(ImportError):
    """A package is not installed that an extra of mazegrad would bring."""


def require(module: str, extra: str) -> ModuleType | Any:
    """Import a module that belongs to an extra.

    Raises:
        MissingExtra: with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        message = (
            f"{module.partition('.')[0]} is not installed; it comes with: python -m pip install 'mazegrad[{extra}]'"
        )
        raise MissingExtra(message) from None
