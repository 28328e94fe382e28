"""Which letters of a text are direct speech? A tagger that reads the text in both directions (exercise 40, part 3).

    python examples/architectures/direct_speech.py             # about 15 minutes on one core
    python examples/architectures/direct_speech.py --load direct_speech.npz --text my_story.txt

Three recurrent nets are trained side by side on the same windows of seven books, letter by letter, and tested on a
book that none of them has seen:

    marks    reads the quotation marks, in both directions: it has to remember one bit, inside or outside
    both     the marks are removed from the text: only the language distinguishes speech from narration
    forward  the same with about as many weights, but reads in one direction only
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import corpora
import numpy as np
from course import Course, arguments, page, start
from pages import coloured, draw_page

from mazegrad import nn, script
from mazegrad.pictures import style

MARK = ord('"')
TEST, VALID = "chesterton-thursday", "austen-persuasion"  # the held-out books: for the results, and for choices
NETS: dict[str, dict[str, Any]] = {
    "marks": {"marks": True, "hidden": 48, "layers": 1, "bidirectional": True},
    "both": {"marks": False, "hidden": 128, "layers": 2, "bidirectional": True},
    "forward": {"marks": False, "hidden": 208, "layers": 2, "bidirectional": False},
}


# ---------------------------------------------------------------------------------------------------------------- data
def straight(text: str) -> str:
    """Return the text in ASCII: straight quotation marks for curly ones, a question mark for what has no equivalent."""
    text = text.replace("\r\n", "\n").translate(str.maketrans("“”‘’–—", "\"\"''--"))
    return text.encode("ascii", "replace").decode("ascii")


def codes_of(text: str) -> np.ndarray:
    """Return the ASCII codes of a straight text, (n,)."""
    return np.frombuffer(text.encode("ascii"), np.uint8)


def tagged(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a text's characters as ASCII codes, (n,), and whether each is direct speech, (n,).

    A character is inside speech if the number of quotation marks before it is odd. Paragraphs with an odd number of
    marks (a speech that continues in the next one, or a typo) are left out.
    """
    paragraphs = re.split(r"\n\s*\n", straight(text))
    codes = codes_of("\n\n".join(paragraph for paragraph in paragraphs if paragraph.count('"') % 2 == 0))
    return codes, np.cumsum(codes == MARK) % 2 == 1


def unmarked(codes: np.ndarray, speech: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the same without the quotation marks."""
    return codes[codes != MARK], speech[codes != MARK]


def is_letter(codes: np.ndarray) -> np.ndarray:
    """Return whether each ASCII code is a letter; only letters count in the loss and in F1."""
    return (codes | 32 >= ord("a")) & (codes | 32 <= ord("z"))


# ----------------------------------------------------------------------------------------------------------------- net
class Tagger(nn.Module):
    """Embedding, LSTM, linear read-out: ASCII codes (T, B) -> logits of direct speech (T, B)."""

    def __init__(self, hidden: int, layers: int, bidirectional: bool, *, rng: np.random.Generator) -> None:
        self.embedding = nn.Embedding(128, 32, rng=rng)
        self.lstm = nn.LSTM(32, hidden, layers, bidirectional=bidirectional, rng=rng)
        self.output = nn.Linear(hidden * (1 + bidirectional), 1, rng=rng)

    def forward(self, codes: np.ndarray) -> nn.Tensor:
        """Return the logits."""
        return self.output(self.lstm(self.embedding(codes))[0])[..., 0]


@nn.no_grad()
def probability(net: Tagger, codes: np.ndarray, inner: int = 8192, margin: int = 512) -> np.ndarray:
    """Return the probability of direct speech for each character, (n,).

    The text is read in windows of `inner` characters, with a margin on both sides whose tags are not used. They are
    long, since the net cannot know whether the first letters of a window are inside or outside.
    """
    count = -(-len(codes) // inner)
    padded = np.full(count * inner + 2 * margin, ord("\n"))
    padded[margin : margin + len(codes)] = codes
    columns = [padded[i * inner : (i + 1) * inner + 2 * margin] for i in range(count)]
    tags = []
    for first in range(0, count, 32):
        logits = net(np.stack(columns[first : first + 32], axis=1))
        tags.append(nn.sigmoid(logits).data[margin : margin + inner].T)
    return np.concatenate(tags).ravel()[: len(codes)]


def scores(speech: np.ndarray, guess: np.ndarray) -> tuple[float, float, float]:
    """Return precision, recall, and F1, their harmonic mean."""
    right = float((speech & guess).sum())
    precision, recall = right / max(guess.sum(), 1), right / max(speech.sum(), 1)
    return precision, recall, 2 * right / max(guess.sum() + speech.sum(), 1)


def best_threshold(speech: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the threshold on probabilities with the largest F1."""
    return max(np.arange(0.05, 0.96, 0.05), key=lambda threshold: scores(speech, probabilities >= threshold)[2])


# ------------------------------------------------------------------------------------------------------------- results
def since_change(speech: np.ndarray) -> np.ndarray:
    """Return for each character the number of characters since speech last began or ended, itself included, (n,)."""
    places = np.arange(len(speech))
    change = np.flatnonzero(np.diff(speech, prepend=not speech[0]))
    return places - change[np.searchsorted(change, places, side="right") - 1] + 1


def draw_delay(speech: np.ndarray, guesses: dict[str, np.ndarray], letters: np.ndarray, path: Path) -> None:
    """Draw the error of each net by the distance from where speech began or ended: why both directions help."""
    distance, edges = since_change(speech), np.array([1, 3, 6, 11, 21, 41, 81, 161])
    rates = {}
    for name, guess in guesses.items():
        bins = [letters & (distance >= low) & (distance < high) for low, high in pairwise(edges)]
        rates[name] = [float((guess != speech)[chosen].mean()) if chosen.any() else 0.0 for chosen in bins]
    print("\nwrong letters, by the number of characters since speech began or ended:")
    print(" " * 10 + "".join(f"{f'{low}-{high - 1}':>9}" for low, high in pairwise(edges)))
    for name, rate in rates.items():
        print(f"{name:<10}" + "".join(f"{r:9.1%}" for r in rate))
    if (made := page()) is None:
        return
    figure, axis = made
    axis.set(xscale="log", xlabel="characters since speech began or ended", ylabel="fraction of letters wrong")
    for name, rate in rates.items():
        middle = np.sqrt(edges[:-1] * (edges[1:] - 1))
        style.draw_line(axis, middle, rate, name, list(rates), marked=True)
    axis.set(ylim=(0, None))
    style.finish(axis)
    style.save(figure, path)


def with_marks(codes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities for a text with quotation marks, (n,), from those without; 0 at the marks."""
    whole = np.zeros(len(codes))
    whole[codes != MARK] = probabilities
    return whole


def show(codes: np.ndarray, shades: np.ndarray, first: int, name: str, path: Path) -> None:
    """Print and draw a page from the first paragraph after `first`, with the marks that the net has not seen."""
    first = codes.tobytes().find(b"\n\n", first) + 2 if first else 0
    excerpt, shades = codes[first:][:2000].tobytes().decode("ascii"), shades[first:][:2000]
    print(f"\n{coloured(excerpt, shades)}\n")
    draw_page(excerpt, shades, path, f"{name}: orange is classified as speech; the net did not see the quotation marks")


# ---------------------------------------------------------------------------------------------------------------- main
def main(words: list[str] | None = None) -> dict[str, float]:
    """Train, test and draw; return the F1 of each net on the test book."""
    parser = arguments(__file__, __doc__, epochs=16)
    parser.add_argument("--text", type=Path, metavar="FILE", help="tag the first page of this text")
    options = parser.parse_args(words)
    own = None
    if options.text:
        try:
            own = codes_of(straight(options.text.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            parser.error(f"--text: {script.in_words(error)}")
        if not is_letter(own).any():
            parser.error(f"--text: {options.text} has no letters")
    quick = options.quick
    windows, length, steps, lr = (16, 128, 25, 2e-2) if quick else (32, 256, 60, 2e-3)

    books = {name: tagged(text) for name, text in corpora.novels().items()}
    learnt = [book for name, book in books.items() if name not in (TEST, VALID)]
    codes, speech = (np.concatenate(parts) for parts in zip(*learnt, strict=True))
    train = {True: (codes, speech), False: unmarked(codes, speech)}
    size = 20_000 if quick else None
    held_out = ([part[:size] for part in books[name]] for name in (VALID, TEST))
    valid, test = ({True: book, False: unmarked(*book)} for book in held_out)

    rng = np.random.default_rng(options.seed)
    nets = nn.ModuleList()
    for how in NETS.values():
        nets.append(
            Tagger(how["hidden"] // 4 if quick else how["hidden"], how["layers"], how["bidirectional"], rng=rng)
        )
    taggers: dict[str, Any] = dict(zip(NETS, nets, strict=True))
    optimizer, total = nn.Adam(nets.named_parameters(), lr), options.epochs * steps
    # the learning rate rises for 20 steps, stays, and falls to 0 in the last 40 %
    scheduler = nn.schedulers.LambdaLR(optimizer, lambda step: min(1, (step + 1) / 20, (1 - step / total) / 0.4))
    course = Course(options, nets, optimizer, scheduler, rng, clip=1.0)
    print(f"{len(codes):,} characters for training, {len(books[TEST][0]):,} for testing\n{nets}")

    def deal(epoch: int) -> Iterator[dict[bool, tuple[np.ndarray, np.ndarray]]]:
        while True:
            batch = {}
            for marks, (codes, speech) in train.items():
                places = rng.integers(len(codes) - length, size=windows) + np.arange(length)[:, None]
                batch[marks] = codes[places], speech[places]
            yield batch

    def loss_of(batch: dict[bool, tuple[np.ndarray, np.ndarray]]) -> nn.Tensor:
        """Return the sum of the losses; the nets share no weights, so each gets its own gradient."""
        return sum(loss_of_one(taggers[name], *batch[how["marks"]]) for name, how in NETS.items())

    def loss_of_one(net: Tagger, codes: np.ndarray, speech: np.ndarray) -> nn.Tensor:
        losses = nn.binary_cross_entropy_with_logits(net(codes), speech, reduction="none")
        return (losses * is_letter(codes)).sum() / is_letter(codes).sum()

    def judged(name: str, book: dict[bool, tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return, for the characters that a net reads, its probabilities, the truth, and whether they are letters."""
        codes, speech = book[NETS[name]["marks"]]
        return probability(taggers[name], codes), speech, is_letter(codes)

    def after_epoch() -> dict[str, float]:
        part, figures = {marks: (codes[:40_000], speech[:40_000]) for marks, (codes, speech) in valid.items()}, {}
        for name in NETS:
            probabilities, speech, letters = judged(name, part)
            figures[f"F1 {name}"] = scores(speech[letters], probabilities[letters] > 0.5)[2]
        return figures

    course.run(deal, steps, loss_of, after_epoch)

    thresholds, sure, f1 = {}, {}, {}
    for name in NETS:
        probabilities, speech, letters = judged(name, valid)
        thresholds[name] = best_threshold(speech[letters], probabilities[letters])
    print(f"\n{TEST}, which no net has seen; only letters count:\n{'':<10}{'precision':>10}{'recall':>10}{'F1':>10}")
    for name in NETS:
        sure[name], speech, letters = judged(name, test)
        result = scores(speech[letters], sure[name][letters] >= thresholds[name])
        print(f"{name:<10}" + "".join(f"{figure:10.4f}" for figure in result))
        f1[name] = result[2]
    everything = scores(speech[letters], speech[letters] | True)
    print(f"{'all speech':<10}" + "".join(f"{figure:10.4f}" for figure in everything))
    guesses = {name: sure[name] >= thresholds[name] for name in ("both", "forward")}
    draw_delay(speech, guesses, letters, options.pictures / "delay.png")

    codes = test[True][0]
    show(codes, with_marks(codes, sure["both"]), len(codes) // 3, TEST, options.pictures / "page.png")
    if own is not None:
        shades = with_marks(own, probability(taggers["both"], own[own != MARK]))
        show(own, shades, 0, options.text.name, options.pictures / f"{options.text.stem}.png")
    return f1


if __name__ == "__main__":
    start(main)
