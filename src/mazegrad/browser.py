"""In a browser (Pyodide) there are no processes; Gymnasium asks for them when it is imported, and gets a stand-in."""

import importlib
import sys
from types import ModuleType
from typing import Any, NoReturn


def _refused(*_: Any, **__: Any) -> NoReturn:
    raise OSError("there are no processes in a browser, such as AsyncVectorEnv starts")


class SemLock:
    """What `multiprocessing` asks for when it is imported; making one is refused."""

    SEM_VALUE_MAX = 1

    def __init__(self, *_: Any, **__: Any) -> None:
        _refused()


def stand_in() -> None:
    """Put a stand-in where Python's `_multiprocessing` is missing, so that `import gymnasium` works."""
    try:
        importlib.import_module("_multiprocessing")
    except ModuleNotFoundError:
        module = ModuleType("_multiprocessing", __doc__)
        vars(module).update(SemLock=SemLock, sem_unlink=_refused)
        sys.modules["_multiprocessing"] = module
