"""Optional dependencies: imported where they are used, and if missing, reported with the command to install them."""

import importlib
from importlib import metadata
from types import ModuleType
from typing import Any


class MissingExtra(ImportError):
    """An optional dependency is not installed."""


def require(module: str, extra: str) -> ModuleType | Any:
    """Import a module of an optional dependency.

    Args:
        module: its import name, such as "PIL.Image".
        extra: the extra of this package that brings it, such as "video".

    Raises:
        MissingExtra: it is not installed; the message has the command that installs all packages of the extra.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        name = module.partition(".")[0]
        raise MissingExtra(
            f"{name} is not installed; install it with: python -m pip install {packages(extra)}"
        ) from None


def packages(extra: str) -> str:
    """Return the packages of an extra of this package, as words for pip: they need no index that has mazegrad."""
    found = [text.partition(";") for text in metadata.requires("mazegrad") or []]
    wanted = [name.strip() for name, _, condition in found if f'extra == "{extra}"' in condition.replace("'", '"')]
    return " ".join(f'"{name}"' for name in wanted)
