"""The data loaders of `nn.data` and of exercise 40: real data, every route to it on small data, and damaged files."""

import gzip
import hashlib
import importlib.util
import io
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mazegrad import nn

FILE = Path(__file__).parent.parent / "examples" / "architectures" / "corpora.py"
spec = importlib.util.spec_from_file_location("corpora", FILE)
assert spec and spec.loader
corpora = importlib.util.module_from_spec(spec)
spec.loader.exec_module(corpora)


def real(loader: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return loader(*arguments, download=False)
    except nn.data.DataNotFound as error:
        pytest.skip(str(error))


# ----------------------------------------------------------------------------------------------------------- real data
def test_shakespeare_holds_out_two_plays() -> None:
    splits = {split: real(corpora.shakespeare, split) for split in ("train", "valid", "test")}
    assert [len(works) for works in splits.values()] == [39, 1, 2]
    assert set(splits["test"]) == {"hamlet", "tempest"}
    assert "To be, or not to be,--that is the question" in splits["test"]["hamlet"]
    assert "such stuff\nAs dreams are made on" in splits["test"]["tempest"]
    train = "".join(splits["train"].values())
    assert train.isascii()
    assert "that is the question" not in train
    assert "Gutenberg" not in train
    assert sum(len(text) for works in splits.values() for text in works.values()) == 5_057_198


def test_cats_and_dogs() -> None:
    for split, count in (("train", 10_000), ("test", 2_000)):
        images, labels = real(corpora.cats_and_dogs, split)
        assert images.shape == (count, 3, 32, 32)
        assert np.bincount(labels).tolist() == [count // 2, count // 2]
        assert images.dtype == labels.dtype == np.uint8
        neighbours = np.abs(np.diff(images.astype(int))).mean()
        assert neighbours < 20, "neighbouring pixels are alike, or the planes are not planes"
        images[0] = 0  # a fresh array, to do with what one likes


def test_the_other_classes() -> None:
    images, labels = real(corpora.other_classes)
    assert images.shape == (40_000, 3, 32, 32)
    assert np.bincount(labels).tolist() == [5_000] * len(corpora.OTHERS)
    blue = images[:, 2].mean((1, 2)) - images[:, 0].mean((1, 2))  # sky and sea
    assert {corpora.OTHERS[i] for i in np.argsort([blue[labels == i].mean() for i in range(8)])[-2:]} == {
        "airplane",
        "ship",
    }
    images[0] = 0


def test_novels_have_paired_straight_quotes_and_nothing_of_the_publisher() -> None:
    novels = real(corpora.novels)
    assert list(novels) == sorted(corpora.NOVELS)
    for text in novels.values():
        assert "\r" not in text
        assert "Gutenberg" not in text
        assert not set(text) & set("“”")
        paragraphs = [paragraph.count('"') for paragraph in text.split("\n\n")]
        assert sum(count % 2 for count in paragraphs) < 0.2 * sum(count > 0 for count in paragraphs)
    assert 4.4e6 < sum(map(len, novels.values())) < 4.5e6


@pytest.mark.parametrize(("language", "english", "other"), [("de", "Font", "Schrift"), ("ru", "Font", "Шрифт")])
def test_phrases(language: str, english: str, other: str) -> None:
    pairs = real(corpora.sentence_pairs, language)
    assert len(pairs) > 12_000
    assert any(source == english and target.startswith(other) for source, target in pairs)
    assert max(len(source) for source, _ in pairs) == 60
    assert not any(set("0123456789<>%$_~") & set(source + target) for source, target in pairs)
    assert len(set(pairs)) == len(pairs)


def test_sentences() -> None:
    pairs = real(corpora.sentence_pairs, "de-sentences")
    assert len(pairs) > 14_000
    assert all(source[-1] in ".!?" and target[-1] in ".!?" for source, target in pairs)


# ------------------------------------------------------------------------------------------ small data of the same form
def zipped(members: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return buffer.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    with tarfile.open(fileobj=(buffer := io.BytesIO()), mode="w:gz") as archive:
        for name, raw in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return buffer.getvalue()


def texts(works: dict[str, bytes]) -> bytes:
    return b"".join(b"\f%s\n%s" % (name.encode(), text) for name, text in works.items())


PIXELS = np.arange(3072, dtype=np.uint8).tobytes()
CATS = tarred(
    {f"cifar-10-batches-bin/data_batch_{i}.bin": bytes([i]) + PIXELS + b"\5" + PIXELS for i in range(1, 6)}
    | {"cifar-10-batches-bin/test_batch.bin": b"\3" + PIXELS + b"\5" + PIXELS + b"\7" + PIXELS}
)
NOVELS = {name: f'[{name}]\r\n"Oh!"\r\n\r\nEnd of Project Gutenberg: small print'.encode() for name in corpora.NOVELS}
TINY = b"First Citizen:\nSpeak!\n\nSLY:\nI'll pheeze you, in faith.\n\nMaster:\nBoatswain!\n"
PAIRS = b"".join(b"Open file %s\tDatei %s\xc3\xb6ffnen\tCC-BY\n" % (x, x) for x in (b"a" * i for i in range(1, 40)))
IDX = b"\0\0\x08\1\0\0\0\2ab"

# loader, its file, the file in the loader's form, the public original
CASES = {
    "mnist": (partial(nn.data.mnist, "test"), "t10k-labels-idx1-ubyte", IDX, gzip.compress(IDX)),
    "cats_and_dogs": (
        partial(corpora.cats_and_dogs, "test"),
        "cats-and-dogs-test.bin",
        b"\3" + PIXELS + b"\5" + PIXELS,
        CATS,
    ),
    "other_classes": (
        corpora.other_classes,
        "other-classes-train.bin",
        b"".join(bytes([i]) + PIXELS for i in (1, 2, 4)),
        CATS,
    ),
    "shakespeare": (partial(corpora.shakespeare, "train"), "shakespeare.txt", texts({"others": b"Speak!"}), TINY),
    "novels": (
        corpora.novels,
        "novels.txt",
        texts(NOVELS),
        zipped({f"gutenberg/{n}.txt": t for n, t in NOVELS.items()}),
    ),
    "sentence_pairs": (
        partial(corpora.sentence_pairs, "de"),
        "en-de.tsv",
        PAIRS,
        zipped({"_about.txt": b"Tatoeba", "deu.txt": PAIRS}),
    ),
}
ORIGINALS = {
    "mnist": "t10k-labels-idx1-ubyte.gz",
    "cats_and_dogs": "cifar-10-binary.tar.gz",
    "other_classes": "cifar-10-binary.tar.gz",
    "shakespeare": "tinyshakespeare/input.txt",
    "novels": "gutenberg.zip",
    "sentence_pairs": "deu-eng.zip",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of data and an empty cache; the hashes are those of the small data."""
    monkeypatch.setattr(nn.data, "cache_folder", lambda: tmp_path / "cache")
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("MAZEGRAD_DATA", str(tmp_path / "data"))
    for table in (nn.data.MNIST, corpora.CIFAR, corpora.TEXTS):
        for _, name, raw, _ in CASES.values():
            if name in table:
                monkeypatch.setitem(table, name, hashlib.sha256(raw).hexdigest())
    monkeypatch.setitem(nn.data.MNIST, "t10k-images-idx3-ubyte", hashlib.sha256(IDX).hexdigest())
    monkeypatch.setattr(corpora, "TINY_SHAKESPEARE", hashlib.sha256(TINY).hexdigest())
    monkeypatch.setattr(corpora, "LEAST_PAIRS", 30)
    put(tmp_path / "data" / "t10k-images-idx3-ubyte", IDX)
    return tmp_path / "data"


def put(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)


@pytest.mark.parametrize("case", CASES)
def test_all_forms_are_found_and_damage_is_named(case: str, folder: Path) -> None:
    load, name, raw, original = CASES[case]
    with pytest.raises(nn.data.DataNotFound, match=r"Three ways.*MAZEGRAD_DATA.*package") as caught:
        load(download=False)
    assert name in str(caught.value)
    assert 'pip install "mazegrad[data]"' in str(caught.value)
    assert ORIGINALS[case] in str(caught.value)
    found = []
    for path, contents in (
        (folder / name, raw),
        (folder / f"{name}.gz", gzip.compress(raw)),
        (folder / ORIGINALS[case], original),
    ):
        put(path, contents)
        found.append(repr(load(download=False)))
        for damaged in (contents[: len(contents) // 2], contents[: len(contents) // 200], b"", b"<html>404</html>"):
            put(path, damaged)
            with pytest.raises(
                ValueError, match=r"t10k|cats|other|shakespeare|novels|gutenberg|cifar|de"
            ) as caught_damage:
                load(download=False)
            assert not isinstance(caught_damage.value, FileNotFoundError)
        path.unlink()
    assert found[0] == found[1]
    if case != "shakespeare":  # whose original is another selection
        assert found[0] == found[2]


def test_the_public_shakespeare_is_divided_into_its_plays(folder: Path) -> None:
    put(folder / "tinyshakespeare" / "input.txt", TINY)
    works = {split: corpora.shakespeare(split, download=False) for split in ("train", "valid", "test")}
    assert works == {
        "train": {"others": "First Citizen:\nSpeak!\n\n"},
        "valid": {"taming_of_the_shrew": "SLY:\nI'll pheeze you, in faith.\n\n"},
        "test": {"tempest": "Master:\nBoatswain!\n"},
    }
    for split in ("dev", ""):
        with pytest.raises(ValueError, match="'train', 'valid' or 'test'"):
            corpora.shakespeare(split)


def test_cats_and_dogs_are_picked_from_all_of_cifar(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = (
        b"\5" + PIXELS + b"\5" + PIXELS + b"\3" + PIXELS + (b"\5" + PIXELS) * 4
    )  # batch i holds a class-i and a dog
    monkeypatch.setitem(corpora.CIFAR, "cats-and-dogs-train.bin", hashlib.sha256(records).hexdigest())
    put(folder / "cifar-10-binary.tar.gz", CATS)
    images, labels = corpora.cats_and_dogs("train", download=False)
    assert labels.tolist() == [1, 1, 0, 1, 1, 1, 1]
    assert images[2].tobytes() == PIXELS
    _, labels = corpora.other_classes(download=False)
    assert [corpora.OTHERS[label] for label in labels] == ["automobile", "bird", "deer"]
    with pytest.raises(ValueError, match="'train' or 'test'"):
        corpora.cats_and_dogs("valid")


def test_any_table_of_pairs(tmp_path: Path) -> None:
    path = tmp_path / "mine.tsv"
    lines = [
        "Go.\tGeh.\tCC-BY 2.0",
        "",
        "Go.\tGeh.",
        "Stop!\tHalt!",
        "Room 5\tRaum 5",
        "<b>\tfett",
        "OK\tOK",
        "a" * 61 + "\tb",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    expected = [("Go.", "Geh."), ("Stop!", "Halt!")]
    assert corpora.sentence_pairs(path) == corpora.sentence_pairs(str(path)) == expected
    assert len(corpora.sentence_pairs(path, max_length=61)) == 3
    for raw, words in (
        (b"Go.\tGeh.\nno tab\n", "line 2: expected english<TAB>other, not 'no tab'"),
        (b"5\t6\n", "0 clean pairs in 1 lines"),
        ("Straße\tstreet".encode("latin-1"), "not UTF-8"),
        (b"PK\3\4 and no zip", "not the whole file"),
    ):
        path.write_bytes(raw)
        with pytest.raises(ValueError, match=words):
            corpora.sentence_pairs(path)
    with pytest.raises(FileNotFoundError, match="nor one of de, ru, de-sentences"):
        corpora.sentence_pairs(tmp_path / "none.tsv")


# ---------------------------------------------------------------------------------------------------------- downloading
@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path, list[str]]]:
    """A mirror on this machine: its address, its folder, and what it was asked for."""
    pytest.importorskip("pooch")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            asked.append(self.path)

    (tmp_path / "mirror").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path / "mirror"))) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}/", tmp_path / "mirror", asked
        http.shutdown()


@pytest.mark.parametrize("case", CASES)
def test_downloads_once_from_the_first_good_mirror(
    case: str, folder: Path, server: tuple[str, Path, list[str]], monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    load, name, raw, original = CASES[case]
    address, mirror, asked = server
    paths = [f"{place}/{ORIGINALS[case]}" for place in ("absent", "damaged", "good")]
    mirrors = nn.data.MIRRORS if case == "mnist" else corpora.MIRRORS
    key = "cifar" if original is CATS else case
    monkeypatch.setitem(mirrors, key, tuple(f"{address}{place}/" for place in ("absent", "damaged", "good")))
    put(mirror / paths[1], original[: len(original) // 2])
    put(mirror / paths[2], original)
    found = repr(load())
    assert list(dict.fromkeys(asked)) == [f"/{path}" for path in paths]
    asked.clear()
    assert repr(load()) == found, "the second time it is in the cache"
    assert not asked
    assert capfd.readouterr() == ("", "")
    put(folder / name, raw)
    if case != "shakespeare":
        assert repr(load(download=False)) == found

    (folder / name).unlink()
    (nn.data.cache_folder() / ORIGINALS[case]).unlink()
    (mirror / paths[2]).write_bytes(b"moved")
    with pytest.raises(nn.data.DataNotFound, match=rf"{address}good/: .*Three ways"):
        load()
    assert not (nn.data.cache_folder() / ORIGINALS[case]).exists(), "a damaged download must not stay"


def test_without_pooch_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pooch", None)
    with pytest.raises(nn.data.DataNotFound, match=r'downloading needs pip install "mazegrad\[data\]"'):
        corpora.novels()
