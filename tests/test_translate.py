"""The translator's parts: subwords that lose nothing, a split that cannot leak, a search that finds the best."""

import argparse
import itertools
import sys
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from mazegrad import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "architectures"))

import subwords
import translate
from translate import END, AttentiveTranslator, Corpus, Nearest, Pair, Translator

PHRASES = ["open file", "open files", "close the file", "delete rows", "insert rows", "insert the column"]


BOTH = pytest.mark.parametrize("kind", [Translator, AttentiveTranslator])


def toy(kind: Any = Translator, cuts: int = 1, size: int = 0) -> tuple[Corpus, Any]:
    """A corpus of two made-up languages (capitals; backwards) and an untrained net for it."""
    pairs = [Pair(text, text.upper(), "up") for text in PHRASES] + [Pair(text, text[::-1], "back") for text in PHRASES]
    corpus = Corpus(pairs, 20, cuts, np.random.default_rng(0))
    size = size or (12 if kind is Translator else 32)
    settings = argparse.Namespace(embedding=size, hidden=size, dropout=0.1, layers=2)
    net = kind(len(corpus.source), len(corpus.target), settings, np.random.default_rng(1))
    net.eval()
    return corpus, net


# ------------------------------------------------------------------------------------------------------------- subwords
def test_the_commonest_pair_is_joined_first() -> None:
    assert subwords.learn({"abab": 2, "abc": 1, "cc": 1}, 2) == [("a", "b"), ("ab", "ab")]
    assert subwords.learn({"aaaa": 3}, 5) == [("a", "a"), ("aa", "aa")]
    assert subwords.learn({"ab": 1}, 5) == []  # once is no habit


def test_learning_agrees_with_counting_anew_each_time() -> None:
    counts = {"".join(w): 1 + i % 3 for i, w in enumerate(itertools.product("abc", repeat=4)) if i % 2}
    parts, expected = {word: list(word) for word in counts}, []
    for _ in range(12):
        total: dict[tuple[str, str], int] = {}
        for word, cut in parts.items():
            for pair in itertools.pairwise(cut):
                total[pair] = total.get(pair, 0) + counts[word]
        expected.append(max(total, key=lambda pair: (total[pair], pair)))
        parts = {word: subwords.joined(cut, expected[-1]) for word, cut in parts.items()}
    assert subwords.learn(counts, 12) == expected


@hypothesis.settings(max_examples=50, deadline=None, derandomize=True)
@hypothesis.given(
    st.lists(st.text("abcЖß -.…", min_size=1, max_size=12), min_size=1, max_size=8),
    st.integers(0, 20),
    st.integers(1, 4),
)
def test_every_cut_of_a_text_is_the_text_again(texts: list[str], joins: int, cuts: int) -> None:
    rng = np.random.default_rng(0)
    texts = [translate.clean(text) for text in texts]
    found = subwords.Subwords(texts, joins, ["", "", "?"], cuts, 0.5, rng=rng)
    for text in texts:
        assert found.decode(found.encode(text)) == text
        assert found.decode(found.encode(text, rng)) == text
        assert found.encode(text) == [n for word in subwords.words(text) for n in found.cut(word)]


def test_words_are_cut_in_several_ways_and_strange_signs_are_unknown() -> None:
    found = subwords.Subwords(["insert rows"] * 9, 50, ["", "", "?"], 8, 0.3, rng=np.random.default_rng(0))
    assert found.encode("insert rows") == [found.number[" insert"], found.number[" rows"]]
    assert len({tuple(way) for way in found.ways[" insert"]}) > 2
    assert found.encode("é")[-1] == 2
    assert len(found) == len(set(found.tokens[2:])) + 2


# ---------------------------------------------------------------------------------------------------- phrases and split
def test_what_differs_in_case_marks_and_punctuation_only_stays_together() -> None:
    same = ["Insert ~Rows...", "insert  rows", "_Insert rows:", "INSERT ROWS…", "'Insert' (rows)"]
    assert {translate.key(text) for text in same} == {"insert rows"}
    assert len({translate.split_of(text) for text in same}) == 1
    assert translate.key("Insert row") != translate.key("Insert rows")
    assert translate.clean("  Save ~As...\t") == "Save As…"


def test_no_key_is_in_two_splits_of_any_language(tmp_path: Path) -> None:
    for language, sign in ("xx", "x"), ("yy", "y"):
        rows = [
            f"{verb} {noun}{end}\t{sign} {verb} {noun}{end}"
            for verb in ("Open", "open", "Close", "Cut", "Print")
            for noun in map(str.lower, "ABCDEFGHIJKLMNOPQRST")
            for end in ("", "...", ":")
        ]
        (tmp_path / f"{language}.tsv").write_text("\n".join(rows), "utf-8")
    splits = translate.load_pairs([f"{language}={tmp_path / language}.tsv" for language in ("xx", "yy")])
    keys = {name: {translate.key(pair.english) for pair in pairs} for name, pairs in splits.items()}
    assert all(keys.values())
    assert not keys["train"] & keys["test"] and not keys["train"] & keys["valid"] and not keys["valid"] & keys["test"]
    for name, pairs in splits.items():
        of = [{translate.key(pair.english) for pair in pairs if pair.language == language} for language in ("xx", "yy")]
        assert of[0] == of[1] == keys[name]


def test_long_phrases_are_trained_with_but_not_held_out(tmp_path: Path) -> None:
    rows = [f"{'very ' * n}{noun} word\t{noun}" for n in (0, 12) for noun in "abcdefghijklmnopqrstuvwxyz"]
    (tmp_path / "xx.tsv").write_text("\n".join(rows), "utf-8")
    short, both = (translate.load_pairs([f"xx={tmp_path / 'xx.tsv'}"], *longest) for longest in ((), (120,)))
    assert both["test"] == short["test"] != [] and both["valid"] == short["valid"]
    assert len(short["train"]) < len(both["train"]) < len(short["train"]) + 26


def test_how_a_phrase_is_written_is_read_before_its_words() -> None:
    written = {"copy": 0, "Copy": 1, "Copy all, now": 1, "Copy All (Now)": 2, "COPY": 3, "COPY ALL": 3, "X": 1, "…": 0}
    assert {text: translate.CASES.index(translate.case_of(text)) for text in written} == written
    corpus, _ = toy()
    lower, capital = corpus.read("open file"), corpus.read("Open file")
    assert corpus.source.tokens[lower[0]] == "<lower>" and corpus.source.tokens[capital[0]] == "<Capital>"
    assert lower[1:] == capital[1:] == [*corpus.source.encode("open file"), END]


def test_batches_deal_every_pair_once_a_pass_and_pad() -> None:
    corpus, _ = toy(cuts=3)
    dealt = list(corpus.batches(3, np.random.default_rng(0)))
    assert len(dealt) == corpus.count(3) == 4
    texts = []
    for source, lengths, target in dealt:
        for column in range(3):
            read = source[: lengths[column], column]
            assert read[-1] == END and (source[lengths[column] :, column] == 0).all()
            written = [n for n in target[1:, column] if n > END]
            texts.append((corpus.source.decode(read[1:-1]), corpus.target.decode(written), target[0, column]))
    expected = [(p.english, p.other, corpus.first(p.language)) for p in corpus.pairs]
    assert sorted(texts) == sorted(expected)


# ----------------------------------------------------------------------------------------------------------- the search
def log_probability(net: Any, source: list[int], first: int, written: list[int]) -> float:
    """Of a whole translation, its END included, by teacher forcing."""
    with nn.no_grad():
        logits, _ = net.decode(np.array([first, *written])[:, None], *net.encode(*translate.padded([source])))
    each = nn.log_softmax(logits.data[0])
    return float(sum(each[t, n] for t, n in enumerate([*written, END])))


@BOTH
def test_a_beam_of_one_takes_the_likeliest_token_each_time(kind: Any) -> None:
    corpus, net = toy(kind)
    sources = [[*corpus.source.encode(text), END] for text in PHRASES]
    with nn.no_grad():
        found = translate.search(net, sources, [3] * len(sources), 1)
        for source, numbers in zip(sources, found, strict=True):
            written: list[int] = []
            while len(written) < len(numbers) or not numbers:
                logits, _ = net.decode(np.array([3, *written])[:, None], *net.encode(*translate.padded([source])))
                best = logits.data[0, -1].copy()
                best[translate.PAD] = -np.inf
                if best.argmax() == END:
                    break
                written.append(int(best.argmax()))
            assert written == numbers


@BOTH
def test_a_beam_as_wide_as_everything_finds_the_best_of_all(kind: Any) -> None:
    """Against brute force over all translations of up to three tokens, with a vocabulary of two."""
    corpus, net = toy(kind)
    size = len(corpus.target)
    level = np.full(size, -1e4, np.float32)
    allowed = [END, size - 1, size - 2]
    level[allowed] = [2.0, 0.1, 0.0]
    net.level.assign(level)
    source = [*corpus.source.encode("insert the column"), END]
    with nn.no_grad():
        (found,) = translate.search(net, [source], [4], 40)
    every = [list(w) for n in range(4) for w in itertools.product(allowed[1:], repeat=n)]
    best = max(every, key=lambda written: log_probability(net, source, 4, written) / (len(written) + 1))
    means = [log_probability(net, source, 4, written) / (len(written) + 1) for written in (found, best)]
    assert means[0] >= means[1] - 1e-5


@BOTH
def test_neighbours_in_the_batch_change_nothing(kind: Any) -> None:
    corpus, net = toy(kind)
    asked = [(text, language) for text in PHRASES for language in corpus.languages]
    for width in (1, 3):
        together = translate.translate(net, corpus, asked, width)
        assert together == [translate.translate(net, corpus, [one], width)[0] for one in asked]


@BOTH
def test_the_language_token_chooses_the_language_and_the_net_learns(kind: Any) -> None:
    """Six phrases by heart, in both languages."""
    corpus, net = toy(kind, size=32)
    optimizer = nn.Adam(net.named_parameters(), 1e-2)
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    rng = np.random.default_rng(0)
    net.train()
    for _ in range(60):
        for batch in corpus.batches(6, rng):
            optimizer.zero_grad()
            net.loss(batch, 0.0).backward()
            nn.clip_grad_norm(optimizer.parameters.items(), 1.0)
            optimizer.step()
    net.eval()
    asked = [(pair.english, pair.language) for pair in corpus.pairs]
    for width in (1, 4):
        assert translate.translate(net, corpus, asked, width) == [pair.other for pair in corpus.pairs]


@BOTH
def test_what_is_written_step_by_step_is_what_is_computed_at_once(kind: Any) -> None:
    """And the weights of each step are those of the sources alone, padding left out."""
    corpus, net = toy(kind)
    sources = translate.padded([[*corpus.source.encode(text), END] for text in PHRASES])
    target = np.random.default_rng(0).integers(3, len(corpus.target), (5, len(PHRASES)))
    with nn.no_grad():
        whole, _ = net.decode(target, *net.encode(*sources))
        memory, state = net.encode(*sources)
        for t, row in enumerate(target):
            logits, state = net.decode(row[None], memory, state)
            np.testing.assert_allclose(logits.data[:, 0], whole.data[:, t], rtol=1e-3, atol=1e-4)
        rows = np.array([3, 1, 1])
        logits, _ = net.decode(target[:1, rows], memory.taken(rows), net.encode(*sources)[1].taken(rows))
        np.testing.assert_allclose(logits.data[:, 0], whole.data[rows, 0], rtol=1e-3, atol=1e-4)
        weights = net.attended(target, *sources)
    table, lengths = sources
    assert weights.shape == (len(PHRASES), 5, len(table))
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    assert not weights[np.arange(len(table)) >= np.broadcast_to(lengths[:, None, None], (*weights.shape[:2], 1))].any()


# ------------------------------------------------------------------------------------------ baseline, figures, errors
def test_the_nearest_phrase() -> None:
    nearest = Nearest([Pair(text, text.upper(), "up") for text in PHRASES])
    assert [nearest.translate(text) for text in PHRASES] == [text.upper() for text in PHRASES]
    assert nearest.translate("Close this file") == "CLOSE THE FILE"
    assert nearest.translate("columns") == "INSERT THE COLUMN"
    assert nearest.translate("xyz") in [text.upper() for text in PHRASES]


def test_right_means_letter_for_letter_one_of_the_references() -> None:
    assert translate.right(["a", "b", "C"], [["x", "a"], ["b"], ["c"]]) == pytest.approx(2 / 3)


def test_chrf_is_sacrebleus_or_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    assert translate.chrf(["a"], [["a"]]) is None
    monkeypatch.undo()
    pytest.importorskip("sacrebleu", reason='chrF needs pip install "mazegrad[translate]"')
    assert translate.chrf(["Zeile", "Spalte löschen"], [["Zeile"], ["x", "Spalte löschen"]]) == pytest.approx(100)
    low = translate.chrf(["Zeilen", "Spalte"], [["Zeile"], ["Spalte löschen"]])
    assert low is not None and 30 < low < 90


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--hidden", "7"], "even"),
        (["--transformer", "--hidden", "48"], "multiple of 32"),
        (["--beam", "0"], "--beam"),
        (["--say", "open"], "--load"),
        (["--pairs", "de=/no/such.tsv"], "/no/such.tsv"),
        (["--pairs", "de", "de"], "twice"),
    ],
)
def test_bad_options(words: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        translate.main([*words, "--save", str(tmp_path / "a.npz")])
    assert told in capsys.readouterr().err + str(caught.value.code)


def test_any_table_of_pairs_will_do(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    """A tiny language of one's own: trained, reported on, and asked by --say."""
    things = ["red", "green", "blue", "old", "new", "big", "small", "round"], ["box", "hat", "cup", "pen", "bag", "key"]
    rows = [f"{a} {b}\t{b[::-1]} {a[::-1]}\tfrom nobody" for a, b in itertools.product(*things)]
    (tmp_path / "own.tsv").write_text("\n".join(rows), "utf-8")
    monkeypatch.chdir(tmp_path)
    words = ["--pairs", "own=own.tsv", "--hidden", "16", "--embedding", "8", "--batch-size", "8", "--epochs", "1"]
    translate.main([*words, "--joins", "20"])
    shown = capsys.readouterr().out
    assert "own       nearest phrase" in shown and "own       beam of 5" in shown
    translate.main(["--load", "translate.npz", "--say", "red hat"])
    assert capsys.readouterr().out.startswith("own: ")
    words[3] = "32"
    translate.main([*words, "--joins", "20", "--transformer", "--layers", "1", "--save", "attentive.npz"])
    assert "own       beam of 5" in capsys.readouterr().out
    translate.main(["--load", "attentive.npz", "--say", "red hat"])
    assert capsys.readouterr().out.startswith("own: ")
