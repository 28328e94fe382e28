"""English into German and Russian, by one encoder-decoder with attention (exercise 40, part 4).

    python examples/architectures/translate.py                              # trains, then translates held-out phrases
    python examples/architectures/translate.py --quick                      # a short demonstration, in seconds
    python examples/architectures/translate.py --load translate.npz --say "Delete the selected rows"
    python examples/architectures/translate.py --pairs de=deu.txt fr=fra.txt
    python examples/architectures/translate.py --transformer --epochs 23 --save attentive.npz    # in equal time

A bidirectional LSTM reads the English phrase; a second LSTM writes the translation, starting from a token for the
language, and attends to the encoder's states. `--transformer` trains a transformer instead (`translators.py` has both).
The phrases are those of a user interface; files with lines `english<TAB>other` can be used instead. Phrases are held
out by their English side without case, punctuation and spacing, the same for all languages. Results: the fraction of
exact translations, and chrF (python -m pip install sacrebleu), compared with the translation of the nearest training
phrase. Pictures: curves and attention maps.
"""

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import corpora
import numpy as np
from course import Course, arguments, page, start
from subwords import Subwords
from translators import END, HEAD, PAD, AttentiveTranslator, Net, Translator

from mazegrad import nn, script
from mazegrad.pictures import style

CASES = (
    "<lower>",
    "<Capital>",
    "<Each Word>",
    "<CAPITALS>",
)  # capitalisation of a phrase
SHORT = 3  # words of what the results call a short phrase, at most
HELD_OUT = 60  # letters of a held-out English phrase, at most; training phrases may be longer
NEAR = 50  # batches that are sorted by length together
QUICK = {"train": 2000, "valid": 150, "test": 200}  # pairs, with --quick


# ---------------------------------------------------------------------------------------------------------- the phrases
class Pair(NamedTuple):
    """A phrase and its translation."""

    english: str
    other: str
    language: str


def clean(text: str) -> str:
    """Return a text without accelerator marks, with single spaces and … for three dots."""
    return " ".join(re.sub("[_~]", "", text).replace("...", "…").split())


def key(english: str) -> str:
    """Return the words of a phrase without case and punctuation; equal keys are on the same side of the split."""
    return " ".join(re.findall(r"\w+", clean(english).casefold()))


def split_of(english: str) -> str:
    """Return the split of a key, by a hash: 10 % are "test", 5 % "valid", the same for all languages and runs."""
    place = zlib.crc32(key(english).encode()) % 20
    return "test" if place < 2 else "valid" if place == 2 else "train"


def load_pairs(sources: Sequence[str], longest: int = HELD_OUT) -> dict[str, list[Pair]]:
    """Return the pairs of each split, without duplicates.

    Args:
        sources: "language=file", or one word for both.
        longest: letters of an English training phrase, at most; held-out phrases have at most HELD_OUT.
    """
    splits: dict[str, dict[Pair, None]] = {"train": {}, "valid": {}, "test": {}}
    for source in sources:
        language, _, file = source.partition("=")
        for english, other in corpora.sentence_pairs(file or language, max_length=longest):
            pair, split = Pair(clean(english), clean(other), language), split_of(english)
            if key(english) and pair.other and (split == "train" or len(english) <= HELD_OUT):
                splits[split][pair] = None
    return {name: list(pairs) for name, pairs in splits.items()}


def case_of(english: str) -> str:
    """Return the capitalisation of a phrase, one of CASES ("copy", "Copy", "Copy All", "COPY")."""
    words = [word for word in re.findall(r"\w+", english) if word[0].isalpha()]
    if not words or words[0][0].islower():
        return CASES[0]
    if english.isupper() and len(english) > 1:
        return CASES[3]
    return CASES[2 if len(words) > 1 and all(word[0].isupper() for word in words) else 1]


class Corpus:
    """The training pairs as numbers, in batches of similar length.

    English words get a random one of their `cuts` encodings each time; translations always get the usual one, so that
    the target is unique.
    """

    def __init__(self, pairs: Sequence[Pair], joins: int, cuts: int, rng: np.random.Generator) -> None:
        self.pairs, self.languages = pairs, sorted({pair.language for pair in pairs})
        english, others = [pair.english.lower() for pair in pairs], [pair.other for pair in pairs]
        self.source = Subwords(english, joins, ["", "", "?", *CASES], cuts, rng=rng)
        self.target = Subwords(others, joins, ["", "", "?", *(f"<{name}>" for name in self.languages)], rng=rng)

    def first(self, language: str) -> int:
        """Return the token that starts a translation into a language."""
        return 3 + self.languages.index(language)

    def read(self, english: str, rng: np.random.Generator | None = None) -> list[int]:
        """Return a phrase as the encoder reads it: its capitalisation, then its words in lower case."""
        return [3 + CASES.index(case_of(english)), *self.source.encode(english.lower(), rng), END]

    def numbers(self, pair: Pair, rng: np.random.Generator | None = None) -> tuple[list[int], list[int]]:
        """Return a pair as the input of the encoder and the output of the decoder, with its first token."""
        target = self.target.encode(pair.other, rng)
        return self.read(pair.english, rng), [self.first(pair.language), *target, END]

    def count(self, size: int) -> int:
        """Return the number of batches of an epoch."""
        whole, rest = divmod(len(self.pairs), NEAR * size)
        return whole * NEAR + rest // size

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[tuple[Any, Any, Any]]:
        """Yield all pairs in random batches: sources (S, size), their lengths (size,), targets (T, size)."""
        rows = [self.numbers(pair, rng) for pair in self.pairs]
        order = rng.permutation(len(rows))
        dealt = []
        for some in range(0, len(order), NEAR * size):
            near = sorted(order[some : some + NEAR * size], key=lambda i: (len(rows[i][1]), len(rows[i][0])))
            dealt += [near[at : at + size] for at in range(0, len(near) - size + 1, size)]
        for at in rng.permutation(len(dealt)):
            yield *padded([rows[i][0] for i in dealt[at]]), padded([rows[i][1] for i in dealt[at]])[0]


def padded(rows: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences as the columns of an array (longest, count), padded with PAD, and their lengths."""
    lengths = np.array([len(row) for row in rows])
    table = np.full((lengths.max(), len(rows)), PAD)
    for column, row in enumerate(rows):
        table[: len(row), column] = row
    return table, lengths


# ---------------------------------------------------------------------------------------------------------- translating
def search(net: Net, sources: Sequence[list[int]], firsts: Sequence[int], width: int) -> list[list[int]]:
    """Return the translation of each source, by beam search with `width` beams; 1 is greedy.

    Of the finished translations the one with the largest mean log-probability of a token is returned.
    """
    table, lengths = padded(sources)
    count = len(sources)
    memory, state = net.encode(table, lengths)
    rows = np.repeat(np.arange(count), width)
    limit = 2 * lengths[rows] + 10  # tokens; a translation that is not finished by then is cut off
    memory, state = memory.taken(rows), state.taken(rows)
    written = np.repeat(np.asarray(firsts), width)[None]  # (steps, count * width)
    score = np.where(np.arange(count * width) % width == 0, 0, -np.inf)  # at first all beams are the same
    steps = np.ones(count * width)
    done = np.zeros(count * width, bool)
    while not done.all():
        logits, state = net.decode(written[-1:], memory, state)
        each = nn.log_softmax(logits.data[:, 0])
        each[:, PAD] = -np.inf
        each[done] = -np.inf
        each[done, PAD] = 0  # after the end only PAD follows, at no cost
        total = (score[:, None] + each).reshape(count, -1)
        best = np.argpartition(-total, width - 1, 1)[:, :width]
        tokens = (best % each.shape[1]).ravel()
        parents = (best // each.shape[1] + np.arange(count)[:, None] * width).ravel()
        score = np.take_along_axis(total, best, 1).ravel()
        written = np.vstack([written[:, parents], tokens])
        state, done, steps = state.taken(parents), done[parents], steps[parents]
        steps += ~done
        done = done | (tokens == END) | (len(written) > limit)
    chosen = (score / steps).reshape(count, width).argmax(1) + np.arange(count) * width
    return [[int(n) for n in column[1:] if n not in (PAD, END)] for column in written[:, chosen].T]


def translate(net: Net, corpus: Corpus, asked: Sequence[tuple[str, str]], width: int = 1) -> list[str]:
    """Return the translations of (English, language) pairs; those of similar length are computed together."""
    sources = [corpus.read(english) for english, _ in asked]
    order = sorted(range(len(asked)), key=lambda i: len(sources[i]))
    result = [""] * len(asked)
    size = max(1, 256 // width)
    with nn.no_grad():
        for at in range(0, len(order), size):
            some = order[at : at + size]
            found = search(net, [sources[i] for i in some], [corpus.first(asked[i][1]) for i in some], width)
            for i, numbers in zip(some, found, strict=True):
                result[i] = corpus.target.decode(numbers)
    return result


class Nearest:
    """The baseline: the translation of the most similar training phrase.

    Similarity is the cosine between tf-idf weighted counts of character 2-, 3- and 4-grams.
    """

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs = pairs
        found = [self.grams(pair.english) for pair in pairs]
        often = Counter(gram for grams in found for gram in grams)
        self.weight = {gram: float(np.log(len(pairs) / count)) for gram, count in often.items()}
        where: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for row, grams in enumerate(found):
            values = {gram: count * self.weight[gram] for gram, count in grams.items()}
            norm = float(np.linalg.norm(list(values.values()))) or 1.0
            for gram, value in values.items():
                where[gram].append((row, value / norm))
        self.where = {
            gram: (np.array([row for row, _ in rows]), np.array([value for _, value in rows]))
            for gram, rows in where.items()
        }

    @staticmethod
    def grams(english: str) -> Counter[str]:
        """Return the counts of the 2-, 3- and 4-grams of a phrase; spaces mark where words begin and end."""
        text = f" {english.lower()} "
        return Counter(text[at : at + n] for n in (2, 3, 4) for at in range(len(text) - n + 1))

    def translate(self, english: str) -> str:
        """Return the translation of the nearest phrase; of equal ones, the first."""
        like = np.zeros(len(self.pairs))
        for gram, count in self.grams(english).items():
            if gram in self.where:
                rows, values = self.where[gram]
                like[rows] += count * self.weight[gram] * values
        return self.pairs[int(like.argmax())].other


# -------------------------------------------------------------------------------------------------------------- results
def chrf(guesses: Sequence[str], references: Sequence[Sequence[str]]) -> float | None:
    """Return chrF, 0 to 100 (Popovic 2015), by sacrebleu; None if that is not installed."""
    try:
        from sacrebleu.metrics import CHRF
    except ImportError:
        return None
    most = max(map(len, references))
    streams = [[refs[i] if i < len(refs) else None for refs in references] for i in range(most)]
    return float(CHRF().corpus_score(guesses, streams).score)


def asked_of(pairs: Sequence[Pair]) -> dict[tuple[str, str], list[str]]:
    """Return each (English phrase, language) once, with all translations in the data."""
    asked: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for english, other, language in pairs:
        asked[english, language].append(other)
    return asked


def right(guesses: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the fraction of guesses that equal one of their references."""
    return float(np.mean([guess in refs for guess, refs in zip(guesses, references, strict=True)]))


def is_short(english: str) -> bool:
    """Return whether a phrase has at most SHORT words."""
    return len(key(english).split()) <= SHORT


def report(net: Net, corpus: Corpus, held_out: Sequence[Pair], width: int) -> None:
    """Translate all held-out phrases, and print how many are correct."""
    asked = asked_of(held_out)
    phrases = list(asked)
    short = sum(is_short(english) for english, _ in phrases)
    print(
        f"\n{len(phrases):,} phrases held out, {short / len(phrases):.0%} of them short (at most {SHORT} words)."
        f" Exactly correct, and chrF:\n{'':<10}{'':<24}{'short':>8}{'longer':>8}{'all':>8}{'chrF':>8}"
    )
    examples = []
    for language in corpus.languages:
        mine = [phrase for phrase in phrases if phrase[1] == language]
        nearest = Nearest([pair for pair in corpus.pairs if pair.language == language])
        methods = {
            "nearest phrase": [nearest.translate(english) for english, _ in mine],
            "greedy": translate(net, corpus, mine),
            f"beam of {width}": translate(net, corpus, mine, width),
        }
        for name, guesses in methods.items():
            shares = []
            for wanted in ({True}, {False}, {True, False}):
                rows = [i for i, (english, _) in enumerate(mine) if is_short(english) in wanted]
                shares.append(right([guesses[i] for i in rows], [asked[mine[i]] for i in rows]) if rows else np.nan)
            score = chrf(guesses, [asked[phrase] for phrase in mine])
            cells = "".join(f"{share:>8.1%}" for share in shares) + (
                f"{score:>8.1f}" if score is not None else f"{'-':>8}"
            )
            print(f"{language:<10}{name:<24}{cells}")
        examples += list(zip(mine, guesses, strict=True))[:: max(1, len(mine) // 8)][:8]
    if score is None:
        print("(chrF was skipped: python -m pip install sacrebleu)")
    print()
    for phrase, guess in examples:
        verdict = "right" if guess in asked[phrase] else f"wrong: {asked[phrase][0]}"
        print(f"{phrase[0]} -> {guess}   ({verdict})")


def draw_attention(net: Net, corpus: Corpus, phrases: Sequence[str], width: int, path: Path) -> None:
    """Draw the attention of some translations, a row for each language; without matplotlib as text.

    The row of a token has the weights of the source tokens when it was written.
    """
    made = page(len(corpus.languages), len(phrases), height=3, squeeze=False)
    panels = made[1] if made else None
    for row, column in np.ndindex(len(corpus.languages), len(phrases)):
        first, source = corpus.first(corpus.languages[row]), corpus.read(phrases[column])
        with nn.no_grad():
            (written,) = search(net, [source], [first], width)
            (weights,) = net.attended(np.array([first, *written])[:, None], *padded([source]))
        out, read = (
            [words.tokens[n].replace(" ", "·") for n in numbers] + ["end"]
            for words, numbers in ((corpus.target, written), (corpus.source, source[:-1]))
        )
        if panels is None:
            looked = ", ".join(f"{token} ({read[at]})" for token, at in zip(out, weights.argmax(1), strict=True))
            print(f"{phrases[column]} -> {looked}")
        else:
            axis = panels[row, column]
            axis.imshow(weights, cmap=style.shades("values"), vmin=0, vmax=1, aspect="auto")
            axis.set_xticks(range(len(read)), read, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
            axis.set_yticks(range(len(out)), out, fontsize=8)
            axis.set_title(corpus.target.decode(written), fontsize=9)
    if made:
        style.save(made[0], path)


def main(words: list[str] | None = None) -> None:
    """Train, translate and draw."""
    parser = arguments(__file__, __doc__, epochs=42)
    parser.add_argument("--pairs", nargs="+", default=["de", "ru"], metavar="LANGUAGE=FILE", help="default: de ru")
    parser.add_argument(
        "--longest", type=script.count, default=120, help="maximum letters of a training phrase; default: %(default)s"
    )
    parser.add_argument(
        "--joins", type=script.natural, default=4000, help="joins of letters into pieces; default: %(default)s"
    )
    parser.add_argument("--transformer", action="store_true", help="a transformer instead of the recurrent net")
    parser.add_argument("--layers", type=script.count, default=3, help="blocks of a transformer; default: %(default)s")
    parser.add_argument("--hidden", type=script.count, help="default: 384 (a transformer: 192); 128 with --quick")
    parser.add_argument("--embedding", type=script.count, help="default: 192; 64 with --quick")
    parser.add_argument("--dropout", type=script.fraction, default=0.25, help="default: %(default)s")
    parser.add_argument("--smoothing", type=script.fraction, default=0.1, help="label smoothing; default: %(default)s")
    parser.add_argument("--max-lr", type=script.positive, default=2e-3, help="default: %(default)s")
    parser.add_argument("--batch-size", type=script.count, default=64, help="default: %(default)s")
    parser.add_argument("--beam", type=script.count, default=5, help="width of the beam; default: %(default)s")
    parser.add_argument("--hold-out", action="store_true", help="report on the validation phrases, to compare recipes")
    parser.add_argument("--say", metavar="PHRASE", help="with --load: only translate this")
    options = parser.parse_args(words)
    options.hidden = options.hidden or (128 if options.quick else 192 if options.transformer else 384)
    options.embedding = options.embedding or (64 if options.quick else 192)
    if options.transformer and options.hidden % HEAD:
        parser.error(f"--hidden must be a multiple of {HEAD}, the size of a head, not {options.hidden}")
    if options.hidden % 2:
        parser.error(f"--hidden must be even, since half of the units read backwards, not {options.hidden}")
    if options.say and not options.load:
        parser.error("--say needs a trained net: give --load FILE")

    names = [source.partition("=")[0] for source in options.pairs]
    if len(set(names)) < len(names):
        parser.error(f"--pairs names a language twice: {' '.join(names)}")
    try:
        pairs = load_pairs(options.pairs, options.longest)
    except nn.data.DataNotFound:
        raise
    except (OSError, ValueError) as error:
        parser.error(script.in_words(error))
    if len(pairs["train"]) < options.batch_size:
        parser.error(f"there are {len(pairs['train'])} training pairs, fewer than a batch of {options.batch_size}")
    if options.quick:
        pairs = {name: some[:: max(1, len(some) // QUICK[name])] for name, some in pairs.items()}
    joins, cuts = (200, 2) if options.quick else (options.joins, 10)
    corpus = Corpus(pairs["train"], joins, cuts, np.random.default_rng(options.seed))
    rng = np.random.default_rng(options.seed)
    make = AttentiveTranslator if options.transformer else Translator
    net = make(len(corpus.source), len(corpus.target), options, rng)
    steps = corpus.count(options.batch_size)
    optimizer = nn.Adam(net.named_parameters(), betas=(0.9, 0.98))
    scheduler = nn.schedulers.OneCycleLR(optimizer, options.max_lr, options.epochs * steps, pct_start=0.1)
    vocabulary = zlib.crc32("\n".join([*corpus.source.tokens, *corpus.target.tokens]).encode())
    average = 0.95 if options.quick else 0.999
    course = Course(options, net, optimizer, scheduler, rng, clip=1.0, average=average, vocabulary=vocabulary)
    valid = {phrase: others for phrase, others in asked_of(pairs["valid"]).items() if is_short(phrase[0])}

    def after_epoch() -> dict[str, float]:
        figures = {}
        for language in corpus.languages:
            if mine := [phrase for phrase in valid if phrase[1] == language]:
                figures[f"right, {language}"] = right(translate(net, corpus, mine), [valid[phrase] for phrase in mine])
        return figures

    if options.say:
        with course.average.applied() if course.average else nullcontext():
            net.eval()
            for language in corpus.languages:
                print(f"{language}: {translate(net, corpus, [(clean(options.say), language)], options.beam)[0]}")
        return
    print(net)
    print(", ".join(f"{len(some):,} pairs to {name}" for name, some in pairs.items()))
    course.run(
        lambda epoch: corpus.batches(options.batch_size, rng),
        steps,
        lambda batch: net.loss(batch, options.smoothing),
        after_epoch,
    )
    held_out = pairs["valid" if options.hold_out else "test"]
    if held_out:
        report(net, corpus, held_out, options.beam)
        drawn = [english for english, _ in asked_of(held_out) if 3 <= len(key(english).split()) <= 5]
        drawn = list(dict.fromkeys(drawn))[:: max(1, len(drawn) // 9)][:3]
        if drawn:
            draw_attention(net, corpus, drawn, options.beam, options.pictures / "attention.png")


if __name__ == "__main__":
    start(main)
