"""Extras are imported where they are used, and one that is missing is told with the command that installs it."""

import importlib
from types import ModuleType
from typing import Any


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
