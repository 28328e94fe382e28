"""`.ci/fetch_data`, as far as it works offline: PNG rows by hand, texts joined, pairs counted, failures told."""

import importlib.util
import io
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parent.parent / ".ci" / "fetch_data"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = SourceFileLoader("fetch_data", str(SCRIPT))
    spec = importlib.util.spec_from_loader("fetch_data", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_png_rows_are_those_of_pillow(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    waves = np.add.outer(np.linspace(0, 9, 60), np.linspace(0, 7, 40))[..., None] + rng.random((60, 40, 3))
    pixels = (100 + 99 * np.sin(waves)).astype(np.uint8)
    pixels[20:30] = rng.integers(256, size=(10, 40, 3))
    pixels[40] = pixels[39]
    Image.fromarray(pixels).save(buffer := io.BytesIO(), "png")
    seen = []
    unfiltered = script.unfiltered
    monkeypatch.setattr(script, "unfiltered", lambda method, *rows: seen.append(method) or unfiltered(method, *rows))
    for wanted in (range(60), [0, 7, 25, 41, 59], []):
        found = list(script.png_rows(buffer.getvalue(), set(wanted)))
        assert found == [pixels[i].tobytes() for i in wanted]
    assert len(set(seen)) >= 3, "the picture should use several filters"


@pytest.mark.parametrize("method", range(5))
def test_each_filter_undoes_what_it_says(script: Any, method: int) -> None:
    rng = np.random.default_rng(method)
    above, row = rng.integers(256, size=(2, 30)).tolist()
    guesses = []
    for i in range(30):
        left, up, corner = (row[i - 3] if i > 2 else 0), above[i], (above[i - 3] if i > 2 else 0)
        distances = [abs(left + up - corner - guess) for guess in (left, up, corner)]
        paeth = (left, up, corner)[distances.index(min(distances))]
        guesses.append((0, left, up, (left + up) // 2, paeth)[method])
    filtered = bytes((value - guess) & 255 for value, guess in zip(row, guesses, strict=True))
    assert script.unfiltered(method, filtered, bytes(above)) == bytes(row)


def test_works_together_and_tables(script: Any) -> None:
    assert script.together({"b": b"two\n", "a": b"one"}) == b"\fa\none\fb\ntwo\n"
    with pytest.raises(AssertionError):
        script.together({"a": b"one\fmore"})
    with pytest.raises(AssertionError, match="only 1 pairs"):
        script.table({("Open", "Öffnen"): None})
    pairs = {(f"{i}", "ö"): None for i in range(20_000)}
    assert script.table(pairs) == script.table(dict(reversed(pairs.items())))


def test_what_cannot_be_fetched_is_told_and_left_out(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> dict[str, bytes]:
        raise subprocess.TimeoutExpired("npm", 900)

    packages = [("good", ["a.txt"], lambda _: {"a.txt": b"a"}), ("bad", ["b.txt"], broken)]
    monkeypatch.setattr(script, "PACKAGES", packages)
    monkeypatch.setattr(sys, "argv", ["fetch_data", str(tmp_path / "new" / "data")])
    assert script.main() == 1
    assert [path.name for path in (tmp_path / "new" / "data").iterdir()] == ["a.txt"]
    monkeypatch.setattr(script, "PACKAGES", packages[:1])
    assert script.main() == 0
    archive = tmp_path / "x.tar.gz"
    archive.write_bytes(b"something else")
    with pytest.raises(ValueError, match="SHA-256 is"):
        script.checked(archive, "0" * 64)
