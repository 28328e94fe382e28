"""A journal: a file to which each finished piece is added, so that a run that was stopped goes on from there.

Its lines are JSON: the first says what was asked, each other one holds a piece and its result. A last line that was cut
off is left out. Reading a journal executes nothing.
"""

import base64
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

FORMAT: Final = "mazegrad journal 1"


class Journal:
    """The finished pieces of a run, in a file.

    Args:
        path: the file; a new one is begun, one that exists is read.
        question: what is computed, as JSON has it; another question is refused.

    Raises:
        ValueError: the file is no journal, or of another question.
        OSError: it cannot be read or written.
    """

    def __init__(self, path: str | os.PathLike[str], question: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self._results: dict[int, Any] = {}
        first = json.dumps({"format": FORMAT, "question": question}, sort_keys=True) + "\n"
        if self.path.exists() and self.path.stat().st_size:
            whole = self._read(first)
            os.truncate(self.path, whole)
            self._file = self.path.open("ab")
        else:
            self._file = self.path.open("ab")
            self._file.write(first.encode())
            self._file.flush()

    def _read(self, first: str) -> int:
        """Read the results; return the length of the whole lines, in bytes."""
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        lines = content[:whole].splitlines()
        try:
            head = json.loads(lines[0])
            if head.get("format") != FORMAT:
                raise ValueError
        except (ValueError, IndexError, AttributeError):
            raise ValueError(f"{self.path} is not a journal of mazegrad: name a new file") from None
        if head != json.loads(first):
            wanted, found = json.loads(first)["question"], head.get("question", {})
            names = [name for name in sorted({*wanted, *found}) if wanted.get(name) != found.get(name)]
            other = ", ".join(f"{name} {found.get(name)!r} instead of {wanted.get(name)!r}" for name in names)
            raise ValueError(f"{self.path} is the journal of another run, with {other}: name another file")
        for number, line in enumerate(lines[1:], 2):
            try:
                piece, result = json.loads(line)
                self._results[int(piece)] = decoded(result)
            except (ValueError, TypeError, KeyError, zlib.error) as error:
                raise ValueError(f"{self.path}, line {number}: not a result of a journal ({error})") from None
        return whole

    def finished(self) -> set[int]:
        """Return the numbers of the pieces that it holds."""
        return set(self._results)

    def read(self, number: int) -> Any:
        """Return the result of a piece that it holds."""
        return self._results[number]

    def write(self, number: int, result: Any) -> None:
        """Add the result of a piece; it is in the file when this returns."""
        self._file.write(json.dumps([number, encoded(result)]).encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def encoded(tree: Any) -> Any:
    """Return arrays, numbers, texts, None, and lists, tuples and dicts of these as JSON has them.

    Raises:
        TypeError: something else is in it.
    """
    if tree is None or (isinstance(tree, bool | int | float | str) and not isinstance(tree, np.generic)):
        return tree
    if isinstance(tree, list):
        return [encoded(part) for part in tree]
    if isinstance(tree, tuple):
        return {"tuple": [encoded(part) for part in tree]}
    if isinstance(tree, Mapping):
        return {"dict": [[encoded(name), encoded(part)] for name, part in tree.items()]}
    if isinstance(tree, np.ndarray | np.generic) and tree.dtype.kind in "biuf":
        array = np.ascontiguousarray(tree)
        content = base64.b64encode(zlib.compress(array.tobytes(), 1)).decode()
        return {"array": content, "dtype": array.dtype.str, "shape": np.shape(tree)}
    raise TypeError(f"a journal cannot hold a {type(tree).__name__}: leave out journal=")


def decoded(tree: Any) -> Any:
    """Return what `encoded` was given; arrays can be written to.

    Raises:
        ValueError, TypeError, KeyError, zlib.error: something else.
    """
    if isinstance(tree, list):
        return [decoded(part) for part in tree]
    if not isinstance(tree, dict):
        return tree
    if "tuple" in tree:
        return tuple(decoded(part) for part in tree["tuple"])
    if "dict" in tree:
        return {decoded(name): decoded(part) for name, part in tree["dict"]}
    dtype = np.dtype(tree["dtype"])
    if dtype.kind not in "biuf":
        raise ValueError(f"arrays of {dtype} are not allowed")
    content = zlib.decompress(base64.b64decode(tree["array"]))
    return np.frombuffer(content, dtype).reshape(tree["shape"]).copy()[()]
