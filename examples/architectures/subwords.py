"""Text as numbers: a vocabulary of pieces, longer where they are common, learned from the text itself.

Byte-pair encoding (Sennrich, Haddow & Birch 2016): start with single characters, and repeatedly join the most common
pair of neighbours into a new piece. Common words become one piece, rare ones several, and only characters that were
never seen are unknown. A word is encoded by the same joins in the same order; leaving some of them out at random
(BPE-dropout, Provilkov, Emelianenko & Voita 2020) shows a net the same word in different pieces, so that it learns what
the parts mean.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

Pair = tuple[str, str]
WORD = re.compile(r" ?\w+| ?[^\w\s]")  # a word, or one other character, with the space before it


def words(text: str) -> list[str]:
    """Return the words of a text, each with the space before it (also the first); joined, they are the text again."""
    return WORD.findall(" " + text)


def joined(parts: Sequence[str], pair: Pair) -> list[str]:
    """Return the parts of a word after joining each occurrence of a pair."""
    result: list[str] = []
    for part in parts:
        if result and (result[-1], part) == pair:
            result[-1] += part
        else:
            result.append(part)
    return result


def learn(counts: Mapping[str, int], joins: int) -> list[Pair]:
    """Return the pairs that byte-pair encoding joins, from counts of words; ties in alphabetical order."""
    parts = {word: list(word) for word in counts}
    total: Counter[Pair] = Counter()
    within: defaultdict[Pair, set[str]] = defaultdict(set)  # the words that contain a pair, or did once

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
    """Pieces learned from `texts`, numbered after the `specials`; unknown characters are `specials.index("?")`.

    With `cuts` > 1 each learned word has that many encodings: the usual one, and others, drawn from `rng` when the
    object is made, in which each join is left out with probability `dropout`.
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
        """Return the numbers of a word's pieces; each join is left out with probability `dropout`."""
        parts = list(word)
        while True:
            ranks = [self.rank[pair] for pair in pairwise(parts) if pair in self.rank]
            if rng and ranks:
                ranks = [rank for rank, drawn in zip(ranks, rng.random(len(ranks)), strict=True) if drawn >= dropout]
            if not ranks:
                return [self.number.get(part, self.unknown) for part in parts]
            parts = joined(parts, self.pairs[min(ranks)])

    def encode(self, text: str, rng: np.random.Generator | None = None) -> list[int]:
        """Return a text's numbers; with `rng`, each learned word in one of its encodings, else in the usual one."""
        result: list[int] = []
        for word in words(text):
            ways = self.ways.get(word) or [self.cut(word)]
            result += ways[int(rng.integers(len(ways)))] if rng else ways[0]
        return result

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the text of numbers."""
        return "".join(self.tokens[number] for number in numbers).strip()
