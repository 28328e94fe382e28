"""Text as numbers: a vocabulary of pieces that are longer the more common they are, learned from the text itself.

Byte-pair encoding (Sennrich, Haddow & Birch 2016): begin with single characters, and join the commonest pair of
neighbours into a new piece, again and again. Common words end up whole, rare ones in parts, and nothing is unknown but
characters that were never seen. A word is cut by the joins that it was learned with, in the same order; leaving some of
them out at random (BPE-dropout, Provilkov, Emelianenko & Voita 2020) shows a net the same word in many cuts, so that it
learns what the parts mean.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

Pair = tuple[str, str]
WORD = re.compile(r" ?\w+| ?[^\w\s]")  # a word, or one other sign, with the space before it


def words(text: str) -> list[str]:
    """Cut a text into words that keep the space before them, the first one too: they joined are the text again."""
    return WORD.findall(" " + text)


def joined(parts: Sequence[str], pair: Pair) -> list[str]:
    """The parts of a word with each such pair of neighbours made one."""
    result: list[str] = []
    for part in parts:
        if result and (result[-1], part) == pair:
            result[-1] += part
        else:
            result.append(part)
    return result


def learn(counts: Mapping[str, int], joins: int) -> list[Pair]:
    """The first `joins` pairs that byte-pair encoding joins in words that occur so often; ties by alphabet."""
    parts = {word: list(word) for word in counts}
    total: Counter[Pair] = Counter()
    within: defaultdict[Pair, set[str]] = defaultdict(set)  # the words in which a pair is, or once was

    def count(word: str, sign: int) -> None:
        for pair in pairwise(parts[word]):
            total[pair] += sign * counts[word]
            within[pair].add(word)

    for word in parts:
        count(word, 1)
    pairs: list[Pair] = []
    while len(pairs) < joins and total:
        most = max(total.values())
        if most < 2:
            break
        best = max(pair for pair, often in total.items() if often == most)
        for word in within.pop(best):
            count(word, -1)
            parts[word] = joined(parts[word], best)
            count(word, 1)
        del total[best]
        pairs.append(best)
    return pairs


class Subwords:
    """Pieces learned from `texts`, numbered after the `specials`; what was never seen is `specials.index("?")`.

    cuts: the number of ways in which a learned word may be cut. The first is the usual one; for the others, drawn from
    `rng` here and now, each join is left out with probability `dropout`.
    """

    def __init__(
        self,
        texts: Iterable[str],
        joins: int,
        specials: Sequence[str],
        cuts: int = 1,
        dropout: float = 0.1,
        *,
        rng: np.random.Generator,
    ) -> None:
        counts = Counter(word for text in texts for word in words(text))
        self.pairs = learn(counts, joins)
        self.rank = {pair: rank for rank, pair in enumerate(self.pairs)}
        self.tokens = [*specials, *sorted(set().union(*counts)), *dict.fromkeys(map("".join, self.pairs))]
        self.number = {token: number for number, token in enumerate(self.tokens) if number >= len(specials)}
        self.unknown = specials.index("?")
        self.ways = {
            word: [self.cut(word)] + [self.cut(word, dropout, rng) for _ in range(cuts - 1)] for word in counts
        }

    def __len__(self) -> int:
        return len(self.tokens)

    def cut(self, word: str, dropout: float = 0.0, rng: np.random.Generator | None = None) -> list[int]:
        """Cut a word into pieces, as numbers; `dropout`: the probability that a join is left out, each time anew."""
        parts = list(word)
        while True:
            ranks = [self.rank[pair] for pair in pairwise(parts) if pair in self.rank]
            if rng and ranks:
                ranks = [rank for rank, drawn in zip(ranks, rng.random(len(ranks)), strict=True) if drawn >= dropout]
            if not ranks:
                return [self.number.get(part, self.unknown) for part in parts]
            parts = joined(parts, self.pairs[min(ranks)])

    def encode(self, text: str, rng: np.random.Generator | None = None) -> list[int]:
        """A text's numbers; with `rng` each learned word is cut in one of its ways, else in the usual one."""
        result: list[int] = []
        for word in words(text):
            ways = self.ways.get(word) or [self.cut(word)]
            result += ways[int(rng.integers(len(ways)))] if rng else ways[0]
        return result

    def decode(self, numbers: Iterable[int]) -> str:
        """The text of numbers."""
        return "".join(self.tokens[number] for number in numbers).strip()
