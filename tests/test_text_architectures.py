"""What the programs about text do before and after training: reading, cutting, counting, measuring."""

import importlib
import itertools
import math
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mazegrad import nn

FOLDER = Path(__file__).parent.parent / "examples" / "architectures"


def neighbour(name: str) -> ModuleType:
    """A program of examples/architectures, which finds its neighbours as if it were run by name."""
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))


plays, speech, pages = neighbour("shakespeare"), neighbour("direct_speech"), neighbour("pages")
transformer = neighbour("transformer")


# --------------------------------------------------------------------------------------------------------- shakespeare
def test_encode_numbers_the_alphabet_and_names_what_it_lacks() -> None:
    assert plays.encode(plays.ALPHABET).tolist() == list(range(96))
    assert "".join(plays.ALPHABET[i] for i in plays.encode("Who's there?\nNay ~")) == "Who's there?\nNay ~"
    for strange in ("\t", "é", "\x7f", "\r"):
        with pytest.raises(ValueError, match="the alphabet has no"):
            plays.encode(f"a{strange}")


def test_windows_go_on_where_they_stopped_around_the_ring() -> None:
    text = np.arange(23)
    windows = plays.windows(text, streams=3, length=5, rng=np.random.default_rng(0))
    numbers, read = zip(*(next(windows) for _ in range(7)), strict=True)
    assert numbers == tuple(range(7))
    for before, after in pairwise(read):
        np.testing.assert_array_equal(before[-1], after[0])
        assert before.shape == (6, 3)
    for stream in np.transpose([window[:-1] for window in read], (2, 0, 1)).reshape(3, -1):
        np.testing.assert_array_equal(np.diff(stream) % 23, 1)  # letter by letter, and 0 follows 22
    assert len(set(read[0][0].tolist())) == 3


def small_model() -> nn.Module:
    """An untrained language model of 8 units that reads some strings as one, each with random numbers."""
    rng = np.random.default_rng(0)
    net = plays.LanguageModel(8, plays.common_strings(plays.encode("To be, or not to be. " * 9), 5), rng=rng)
    net.strings.weight.assign(rng.normal(size=net.strings.weight.shape))
    return net


def test_common_strings_are_those_that_occur_often_enough() -> None:
    text = "to be, or not to be, that is the question"
    for least in (1, 2, 3):
        counts = Counter(text[at : at + n] for n in plays.SPANS for at in range(len(text) - n + 1))
        expected = [plays.strings(plays.encode(s), len(s))[0] for s, often in counts.items() if often >= least]
        assert plays.common_strings(plays.encode(text), least).tolist() == [0, *sorted(expected)]
        assert len(set(expected)) == len(expected)


def test_a_string_is_known_at_its_last_letter_also_across_windows() -> None:
    net = small_model()
    letters = plays.encode("\n\n\n\nbe. To B")
    rows = net.rows(letters[4:, None], letters[:4, None])[..., 0]
    for i, span in enumerate(plays.SPANS):
        for at, row in enumerate(rows[i], 4):
            (number,) = plays.strings(letters[at - span + 1 : at + 1], span)
            assert row == (net.common.tolist().index(number) if number in net.common else 0)
    assert (rows > 0).sum(1).tolist() == [6, 5, 4, 3]  # of two letters: be e. .␣ ␣T To o␣


def test_surprise_is_minus_log2_of_what_the_net_expects_letter_by_letter() -> None:
    net = small_model()
    text = "To be, or not to be" * 120  # longer than the windows that it is read in
    letters, state, costs = plays.encode(text), None, []
    with nn.no_grad():
        for now, then in pairwise(letters):
            logits, state = net(np.array([[now]]), state)
            costs.append(-math.log2(nn.softmax(logits.data[0, 0].astype(float))[then]))
    np.testing.assert_allclose(plays.surprise(net, text), costs, rtol=1e-3)
    half = len(text) // 2
    apart = np.concatenate([plays.surprise(net, text[:half]), plays.surprise(net, text[half:])])
    np.testing.assert_allclose(plays.surprise(net, text, pieces=2), apart, rtol=1e-4)


def test_writing_follows_the_net_and_its_temperature() -> None:
    net = small_model()
    certain = np.full(96, -30.0)
    certain[plays.encode("x")] = 30.0
    net.output.bias.assign(certain)
    options = type("Options", (), {"seed": 0, "temperatures": [0.5, 1.0, 1000.0], "prompt": "ab"})
    cold, warm, hot = plays.write(net, options, 50)
    assert cold == warm == "x" * 50
    assert len(set(hot)) > 10
    assert plays.write(net, options, 50) == [cold, warm, hot]


def test_the_compressor_pays_less_for_what_it_has_read() -> None:
    rng = np.random.default_rng(0)
    before, new = ("".join(rng.choice(list("abcdefgh"), size=5000)) for _ in range(2))
    assert plays.compressed(before, before) < 0.2
    assert 2.9 < plays.compressed(before, new) < 3.6  # eight letters by chance: 3 bits


# --------------------------------------------------------------------------------------------------------- transformer
def small_transformer(window: int = 8) -> nn.Module:
    """An untrained transformer of two blocks in evaluation mode, with random numbers for strings."""
    rng = np.random.default_rng(0)
    common = plays.common_strings(plays.encode("To be, or not to be. " * 9), 5)
    net = transformer.Transformer(64, 2, window, common, 0.2, rng=rng)
    net.strings.weight.assign(rng.normal(size=net.strings.weight.shape))
    return net.eval()


@nn.no_grad()
def test_a_letter_sees_those_before_it_in_the_window_and_no_other() -> None:
    net, letters = small_transformer(), np.random.default_rng(1).integers(0, 96, (40, 1))
    whole = net(letters)[0].data
    for changed in (0, 15, 39):
        other = letters.copy()
        other[changed] = (other[changed] + 1) % 96
        differs = (net(other)[0].data != whole).any((1, 2))
        assert differs[changed]
        assert not differs[:changed].any()
        assert not differs[changed + 2 * (8 + 4) :].any()  # two blocks of a window each, and the strings


@nn.no_grad()
def test_a_text_is_read_alike_in_pieces_in_training_and_without_a_cache() -> None:
    net, letters = small_transformer(window=64), np.random.default_rng(1).integers(0, 96, (64, 3))
    whole = net(letters)[0].data
    for cuts in ([1] * 64, [5, 3, 56], [32, 32]):
        parts, state, at = [], None, 0
        for count in cuts:
            logits, state = net(letters[at : at + count], state)
            parts.append(logits.data)
            at += count
        np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-4)
    net.train()
    net.apply(lambda module: setattr(module, "p", 0.0) if isinstance(module, nn.Dropout) else None)
    np.testing.assert_allclose(net(letters)[0].data, whole, atol=1e-4)


def test_a_transformer_writes_and_costs_as_any_language_model() -> None:
    net, text = small_transformer(window=16), "Who's there? Nay, answer me." * 3
    options = type("Options", (), {"seed": 0, "temperatures": [0.5, 1000.0], "prompt": "ab"})
    cold, hot = plays.write(net, options, 40)
    assert len(cold) == len(hot) == 40
    assert plays.write(net, options, 40) == [cold, hot]
    costs = plays.surprise(net, text)
    assert costs.shape == (len(text) - 1,)
    assert 4 < costs.mean() < 12  # untrained: 6.6 bits if all letters were alike


def test_windows_of_the_transformer_are_drawn_anew() -> None:
    text = np.arange(23)
    first, second = itertools.islice(transformer.windows(text, 500, 5, np.random.default_rng(0)), 2)
    assert first.shape == (6, 500)
    assert set(first[0]) == set(range(23))
    np.testing.assert_array_equal(np.diff(first, axis=0) % 23, 1)
    assert (first != second).any()


# ------------------------------------------------------------------------------------------------------- direct speech
TEXT = 'He said, "Go!"\r\nand "now".\r\n\r\n"This one goes on\r\n \r\nShe “went” — é.'


def test_tags_of_a_small_text() -> None:
    codes, tags = speech.tagged(TEXT)
    assert bytes(codes).decode() == 'He said, "Go!"\nand "now".\n\nShe "went" - ?.'
    letters = speech.is_letter(codes)
    assert bytes(codes[tags & letters]).decode() == "Gonowwent"
    assert bytes(codes[letters]).decode() == "HesaidGoandnowShewent"
    plain, plain_tags = speech.unmarked(codes, tags)
    assert bytes(plain).decode() == "He said, Go!\nand now.\n\nShe went - ?."
    assert bytes(plain[plain_tags]).decode() == "Go!nowwent"
    back = speech.with_marks(codes, np.arange(1, len(plain) + 1))
    np.testing.assert_array_equal(back[codes != speech.MARK], np.arange(1, len(plain) + 1))
    assert (back[codes == speech.MARK] == 0).all()


def test_letters_are_the_ascii_letters() -> None:
    codes = np.arange(128, dtype=np.uint8)
    assert speech.is_letter(codes).tolist() == [chr(code).isalpha() for code in codes]


def test_scores_and_the_best_threshold() -> None:
    truth = np.array([True, True, True, False, False, False])
    assert speech.scores(truth, np.array([True, False, False, True, False, False])) == pytest.approx((0.5, 1 / 3, 0.4))
    assert speech.scores(truth, truth) == (1, 1, 1)
    assert speech.scores(truth, ~truth) == (0, 0, 0)
    assert speech.scores(truth, truth | True)[2] == pytest.approx(2 / 3)
    probabilities = np.array([0.9, 0.4, 0.31, 0.27, 0.1, 0.0])
    assert 0.27 < speech.best_threshold(truth, probabilities) <= 0.31


def test_since_change_counts_from_one() -> None:
    tags = np.array([0, 0, 1, 1, 1, 0, 1], bool)
    assert speech.since_change(tags).tolist() == [1, 2, 1, 2, 3, 1, 1]
    assert speech.since_change(~tags).tolist() == [1, 2, 1, 2, 3, 1, 1]


@pytest.mark.parametrize("bidirectional", [True, False])
def test_windows_with_margins_read_the_text_as_a_whole(bidirectional: bool) -> None:
    net = speech.Tagger(6, 1, bidirectional, rng=np.random.default_rng(0))
    codes = np.random.default_rng(1).integers(32, 127, size=300)
    framed = np.concatenate([np.full(128, 10), codes, np.full(128, 10)])
    whole = nn.sigmoid(net(framed[:, None])).data[128:-128, 0]
    np.testing.assert_allclose(speech.probability(net, codes, inner=70), whole, atol=1e-4)


# --------------------------------------------------------------------------------------------------------------- pages
def test_lines_break_and_keep_their_values() -> None:
    rows = pages.lines("ab\ncdefg\n", range(9), columns=3)
    assert rows == [[("a", 0), ("b", 1)], [("c", 3), ("d", 4), ("e", 5)], [("f", 6), ("g", 7)], []]


def test_colours_only_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pages.coloured("ab", [0, 1]) == "ab"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert pages.coloured("abc\nd", [0, 1, 1, 1, 0]) == "a\x1b[30;48;5;208mbc\x1b[0m\nd\x1b[0m"
