"""A recurrent net keeps a counter or a stack in the digits of one number: exact with fractions, limited with floats.

Siegelmann & Sontag, "On the computational power of neural nets" (1995): with rational weights and the saturated-linear
activation s(z) = min(max(z, 0), 1), a net of fixed size computes what any computer does, because one hidden number can
hold a whole stack in its digits. Three such nets, h' = s(W x + U h + b), one step a letter:

    counter   c = 1 - 2^-n               push c/2 + 1/2    pop 2c - 1    empty if c = 0    accepts a^n b^n
    counter   c = 2^-n                   push c/2          pop 2c        empty if c = 1    accepts a^n b^n
    stack     digits 1, 3 in base 4      push q/4 + d/4    pop 4q - d    top from q        accepts ([]()) and the like

An "if" is a large weight: without its letter a unit falls below 0 and is clipped. The theorem needs exact numbers. A
float has 24 or 53 binary digits, which makes the net a finite automaton; the table shows at which depth it fails. Units
that are not squashed do better in finite precision: an LSTM's cell counts by adding ones (Weiss, Goldberg & Yahav, "On
the practical computational power of finite precision RNNs for language recognition", 2018), up to 2^24 or 2^53, where
adding 1 has no effect.
"""

import argparse
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mazegrad.extras import require
from mazegrad.pictures import style
from mazegrad.script import count, start

Array = np.ndarray[Any, np.dtype[Any]]
Sum = Mapping[str, Fraction | int]
"""a sum of letters, units and "1", with coefficients"""


class SaturatedRNN:
    """h' = s(W x + U h + b), s(z) = min(max(z, 0), 1); a word is accepted if w . h + v > 0 after its last letter.

    Args:
        letters: the inputs, one-hot.
        units: name of each unit -> the sum that it saturates.
        accept: w and v, as such a sum.
        h0: the units that are 1 before the first letter; all others are 0.
    """

    def __init__(self, letters: str, units: Mapping[str, Sum], accept: Sum, h0: Sequence[str] = ()) -> None:
        def matrix(rows: Sequence[Sum], columns: Sequence[str]) -> Array:
            return np.array([[Fraction(row.get(name, 0)) for name in columns] for row in rows], dtype=object)

        rows = list(units.values())
        self.letters, self.names = letters, list(units)
        self.W, self.U, self.b = matrix(rows, letters), matrix(rows, self.names), matrix(rows, "1")[:, 0]
        self.w, self.v = matrix([accept], self.names)[0], Fraction(accept["1"])
        self.h0 = np.array([Fraction(name in h0) for name in self.names], dtype=object)

    def run(self, words: Sequence[str], dtype: Any, late_b: bool = False) -> tuple[Array, Array]:
        """Read words side by side; dtype `object` is exact, np.float32 and np.float64 round after every operation.

        Args:
            words: of any lengths.
            dtype: the arithmetic.
            late_b: add b last. By default W x + b is computed first: its large terms cancel exactly, so that no digit
                of h is lost to them.

        Returns:
            Whether each word is accepted, (words,), and the hidden states, (longest + 1, words, units).
        """
        W, U, b, w, h0 = (numbers.astype(dtype) for numbers in (self.W, self.U, self.b, self.w, self.h0))
        none, one, v = np.array([0, 1, self.v], dtype=object).astype(dtype)
        lengths = np.array([len(word) for word in words])
        letters = np.array([[self.letters.find(a) for a in word.ljust(lengths.max())] for word in words])
        letters = letters.reshape(len(words), -1)
        h, states = np.tile(h0, (len(words), 1)), []
        for letter in letters.T:
            states.append(h)
            x = (letter[:, None] == np.arange(len(self.letters))).astype(int).astype(dtype)
            z = (x @ W.T + h @ U.T) + b if late_b else (x @ W.T + b) + h @ U.T
            h = np.minimum(np.maximum(z, none), one)
        states.append(h)
        path = np.stack(states)
        last = path[lengths, np.arange(len(words))]
        return np.asarray((last * w).sum(axis=1) + v > 0, dtype=bool), path


def times(factor: Fraction | int, *units: str) -> Sum:
    return dict.fromkeys(units, factor)


C, Q = ("push", "pop"), ("push (", "push [", "pop (", "pop [")  # at most one of each is above 0: c and q are their sums
HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
ORDER: Mapping[str, Sum] = {
    "b was": {"b": 1, "b was": 1},
    "a after b": {"a": 1, "b was": 1, "1": -1, "a after b": 2},
}

COUNTER = SaturatedRNN(
    "ab",
    {
        "push": {**times(HALF, *C), "a": 1, "1": -HALF},
        "pop": {**times(2, *C), "b": 2, "1": -3},
        "b at 0": {"b": 1, **times(-2, *C), "b at 0": 4},
        **ORDER,
    },
    accept={**times(-2, *C), **times(-1, "b at 0", "a after b"), "1": HALF},
)
SMALL_COUNTER = SaturatedRNN(
    "ab",
    {
        "push": {**times(HALF, *C), "a": 1, "1": -1},
        "pop": {**times(2, *C), "b": 2, "1": -2},
        "b at 0": {"b": 1, **times(2, *C), "1": -2, "b at 0": 4},
        **ORDER,
    },
    accept={**times(2, *C), **times(-1, "b at 0", "a after b"), "1": Fraction(-3, 2)},
    h0=["push"],
)
STACK = SaturatedRNN(
    "([)]",
    {
        "push (": {**times(QUARTER, *Q), "(": 1, "1": QUARTER - 1},
        "push [": {**times(QUARTER, *Q), "[": 1, "1": 3 * QUARTER - 1},
        "pop (": {**times(4, *Q), ")": 4, "1": -5},
        "pop [": {**times(4, *Q), "]": 4, "1": -7},
        ") on [": {**times(4, *Q), ")": 4, "1": -6, ") on [": 8},
        ") on nothing": {**times(-4, *Q), ")": 1, ") on nothing": 8},
        "] on ( or nothing": {**times(-4, *Q), "]": 3, "] on ( or nothing": 8},
    },
    accept={**times(-4, *Q), **times(-1, ") on [", ") on nothing", "] on ( or nothing"), "1": HALF},
)


def counted(n: int) -> dict[str, bool]:
    """Return a^n b^n and words close to it, and whether each is of that form."""
    return {"a" * n + "b" * n: True, "a" * n + "b" * (n - 1): False, "a" * n + "b" * (n + 1): False}


def nested(n: int) -> dict[str, bool]:
    """Return words of n nested brackets, correct ones and some with a mistake at the outermost pair."""
    rng = np.random.default_rng(n)
    closing = str.maketrans("([)]", ")]([")
    words = {}
    for kinds in ("(" * n, "[" * n, ("([" * n)[:n], *("".join(rng.choice(list("(["), size=n)) for _ in range(2))):
        word = kinds + kinds[::-1].translate(closing)
        wrong = {")": "]", "]": ")"}[word[-1]]
        words |= {word: True, word[:-1]: False, word + ")": False, word[:-1] + wrong: False}
    return words


def depth(net: SaturatedRNN, words: Callable[[int], dict[str, bool]], dtype: Any, most: int, late_b: bool) -> int:
    """Return the largest n for which all words of depths 1 to n are classified correctly, at most `most`."""
    first = 1
    while first <= most:
        tried = [(n, word, truth) for n in range(first, min(2 * first, most + 1)) for word, truth in words(n).items()]
        said, _ = net.run([word for _, word, _ in tried], dtype, late_b)
        wrong = [n for (n, _, truth), accepts in zip(tried, said, strict=True) if truth != accepts]
        if wrong:
            return min(wrong) - 1
        first *= 2
    return most


def ones(dtype: Any) -> int:
    """Return the number at which c' = c + x stops counting; it is tried from 3 below each power of 2."""
    for power in range(1, 60):
        c = dtype(2**power - 3)
        for n in range(2**power - 2, 2**power + 2):
            c = dtype(c + dtype(1))
            if int(c) != n:
                return n - 1
    return 2**60


def figure(path: Path, rows: Sequence[tuple[str, Sequence[int]]]) -> None:
    """Draw the count read from c along a^70 b^70, and the depths."""
    drawn, (left, right) = style.figure(1, 2, height=3.0, width_ratios=[1, 1])
    for dtype, name in ((object, "fractions"), (np.float64, "float64"), (np.float32, "float32")):
        c = COUNTER.run(["a" * 70 + "b" * 70], dtype)[1][:, 0, :2].sum(axis=1)
        count = [float(-np.log2(float(1 - x))) if x < 1 else np.nan for x in c]
        style.draw_line(left, range(len(count)), count, name)
        if np.isnan(count).any():
            first = int(np.flatnonzero(np.isnan(count))[0]) - 1
            colour, _, marker = style.line(name)
            left.plot(first, count[first], marker, color=colour, label="_")
            above = name == "float64"  # where no line is
            place = {"xytext": (-6, 0), "ha": "right"} if above else {"xytext": (8, -4), "va": "top"}
            text = f"{name}:\nthen c is 1"
            left.annotate(text, (first, count[first]), textcoords="offset points", color=colour, fontsize=8, **place)
    left.set(title="n, read from c = 1 - 2^-n along a^70 b^70", xlabel="letters read", ylabel="n", xlim=(0, 141))
    places = np.arange(len(rows))
    for column, name, shift in ((1, "float64", -0.12), (2, "float32", 0.12)):
        depths = [row[1][column] for row in rows]
        colour, _, marker = style.line(name)
        right.plot(depths, places + shift, marker, color=colour, label=name, ms=5)
        texts = [f"{depth}" if place else f"{depth} in {name}" for place, depth in enumerate(depths)]
        for text, depth, place in zip(texts, depths, places + shift, strict=True):
            right.annotate(
                text, (depth, place), (6, 0), textcoords="offset points", va="center", fontsize=8, color=colour
            )
    right.set(title="depth up to which floats are correct", xscale="log", xlim=(1, 5000), ylim=(len(rows) - 0.5, -0.5))
    right.set_yticks(places, [textwrap.fill(row[0], 16) for row in rows], fontsize=8)
    right.grid(axis="y", alpha=0.3)
    style.save(drawn, path)


def main() -> None:
    first, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=first, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--depth", type=count, default=100, metavar="N", help="greatest depth for fractions (default: 100)"
    )
    parser.add_argument("--quick", action="store_true", help="fractions to 40, floats to 200: seconds")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="save a picture to this file (extra: plot)")
    arguments = parser.parse_args()
    if arguments.figure is not None:
        require("matplotlib", "plot")  # before the table is computed
    exact, most = (40, 200) if arguments.quick else (arguments.depth, 1200)

    rows: list[tuple[str, list[int]]] = []
    print(f"{'correct up to depth':44} {'fractions':>10} {'float64':>10} {'float32':>10}")
    for name, net, words, late_b in (
        ("counter 1 - 2^-n, a^n b^n", COUNTER, counted, False),
        ("counter 2^-n, a^n b^n", SMALL_COUNTER, counted, False),
        ("counter 2^-n, b added last", SMALL_COUNTER, counted, True),
        ("stack in base 4, two kinds of brackets", STACK, nested, False),
    ):
        start = time.perf_counter()
        tried = {word: truth for n in {1, 2, 3, exact // 2, exact} if n for word, truth in words(n).items()}
        said, _ = net.run(list(tried), object, late_b)
        assert said.tolist() == list(tried.values()), "fractions are exact"
        found = [depth(net, words, dtype, most, late_b) for dtype in (np.float64, np.float32)]
        rows.append((name, [exact, *found]))
        cells = [f"{n:,}{'+' if n == limit else ''}" for n, limit in zip(rows[-1][1], (exact, most, most), strict=True)]
        print(
            f"{name:44} {cells[0]:>10} {cells[1]:>10} {cells[2]:>10}   {time.perf_counter() - start:.1f} s", flush=True
        )
    limits = [ones(np.float64), ones(np.float32)]
    print(f"{'not squashed, c + 1 (not one of their nets)':44} {'':10} {limits[0]:10.3g} {limits[1]:10.3g}")
    print("+ : correct at every depth that was tried")
    if arguments.figure is not None:
        figure(arguments.figure, rows)


if __name__ == "__main__":
    start(main)
