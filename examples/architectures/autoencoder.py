"""Autoencoders: digits compressed to a few numbers, and code words with flipped bits repaired (exercise 40, part 5).

    python examples/architectures/autoencoder.py               # everything, five minutes on one core
    python examples/architectures/autoencoder.py --load autoencoder.npz        # show the results again

An autoencoder is two nets: the encoder compresses its input to a few numbers, the decoder rebuilds the input.

Digits: pictures of 784 grey values are compressed to 2, 4, 8, 16 or 32 numbers, and compared with the best linear map
(PCA). The error is the mean squared difference on test pictures, whose values are from 0 to 1.

Code words: a message of 6 bits is sent as one of 64 words of 32 bits that differ in at least 16 places, the
Reed-Muller code of Mariner 9's pictures of Mars (1971). Some bits are flipped on the way. The net receives the flipped
word, compresses it to 6 numbers, and rebuilds the word that was sent. The reference, the nearest code word, is the best
possible receiver, and repairs any 7 flipped bits.
"""

from collections.abc import Iterator
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from course import Course, arguments, page, start

from mazegrad import nn
from mazegrad.pictures import style

SIZES = (2, 4, 8, 16, 32)  # numbers in the bottleneck
MAIN = 16  # the size that gets most of the training
TURNS = (16, "words", 2, 16, "words", 4, 16, "words", 8, 16, "words", 32)  # which net learns from the next batch

# Reed-Muller (1, 5): the bits of a word are a + b.p for the 32 points p of {0, 1}^5; (a, b) is the message
POINTS = np.arange(32)[:, None] >> np.arange(6) & 1 | (np.arange(6) == 5)  # (32, 6), with a column of ones for a
WORDS = (np.arange(64)[:, None] >> np.arange(6) & 1) @ POINTS.T % 2  # (64, 32)
SIGNS = (2 * WORDS - 1).astype(np.float32)  # bits as signs: -1, 1
MOST_FLIPS = 8  # in training: one more than can always be repaired


# ---------------------------------------------------------------------------------------------------------------- nets
def narrowing(widths: tuple[int, ...], rng: np.random.Generator) -> nn.Sequential:
    """Return linear layers of these widths with ReLU between them."""
    layers: list[nn.Module] = []
    for width, following in pairwise(widths):
        layers += [nn.Linear(width, following, rng=rng), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Autoencoder(nn.Module):
    """x (batch, widths[0]) -> (batch, widths[-1]) numbers -> logits of x, each between 0 and 1."""

    def __init__(self, *widths: int, rng: np.random.Generator) -> None:
        self.encoder = narrowing(widths, rng)
        self.decoder = narrowing(widths[::-1], rng)

    def forward(self, x: Any) -> nn.Tensor:
        """Encode and decode."""
        return self.decoder(self.encoder(x))


class Autoencoders(nn.Module):
    """All nets of this program: one for each size of the digits' bottleneck, and one for the code words."""

    def __init__(self, *hidden: int, rng: np.random.Generator) -> None:
        self.digits = nn.ModuleList([Autoencoder(784, *hidden, size, rng=rng) for size in SIZES])
        self.words = Autoencoder(32, 256, 64, 6, rng=rng)

    def of(self, size: int) -> Autoencoder:
        """Return the net with `size` numbers in its bottleneck."""
        return self.digits[SIZES.index(size)]


def sigmoid(logits: Any) -> Any:
    """Return the logistic function of numbers."""
    return (logits * 0.5).tanh() * 0.5 + 0.5


def rebuilt(net: Autoencoder, images: np.ndarray) -> np.ndarray:
    """Return images (n, 784) as the net rebuilds them."""
    parts = nn.data.batches(images, batch_size=1000)
    with nn.no_grad():
        return np.concatenate([sigmoid(net(part)).data for (part,) in parts])


def error(images: np.ndarray, copies: np.ndarray) -> float:
    """Return the mean squared difference."""
    return float(np.square(images - copies, dtype=np.float64).mean())


# ---------------------------------------------------------------------------------------------------------- references
class PCA:
    """The linear autoencoder with the least squared error (Eckart & Young 1936): mean, and axes of largest variance."""

    def __init__(self, images: np.ndarray) -> None:
        self.mean = images.mean(0)
        centred = images - self.mean
        self.axes = np.linalg.svd(centred.T @ centred)[2]  # (784, 784), a row for each axis, largest variance first

    def rebuilt(self, images: np.ndarray, size: int) -> np.ndarray:
        """Return images (n, 784) rebuilt from their coordinates on the first `size` axes."""
        axes = self.axes[:size]
        return np.clip((images - self.mean) @ axes.T @ axes + self.mean, 0, 1)


def flipped(sent: np.ndarray, flips: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the words `sent` (n,) as signs (n, 32), with `flips` (n,) different random bits flipped."""
    rank = rng.random((len(sent), 32)).argsort(1).argsort(1)
    return np.where(rank < flips[:, None], -SIGNS[sent], SIGNS[sent])


def nearest(received: np.ndarray) -> np.ndarray:
    """Return for each received word (n, 32) the number of the code word that differs in the fewest bits, (n,)."""
    return (received @ SIGNS.T).argmax(1)


def repaired(net: Autoencoder, flips: int, trials: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return the fractions of words with `count` flipped bits that the net and the nearest word repair completely."""
    sent = rng.integers(64, size=trials)
    received = flipped(sent, np.full(trials, flips), rng)
    with nn.no_grad():
        bits = net(received).data > 0
    return float((bits == WORDS[sent]).all(1).mean()), float((nearest(received) == sent).mean())


# ------------------------------------------------------------------------------------------------------------- results
def report(net: Autoencoders, pca: PCA, images: np.ndarray, labels: np.ndarray, folder: Path) -> float:
    """Print and draw the results on test images (n, 784); return the error at 16 numbers as a fraction of PCA's."""
    copies = {size: (rebuilt(net.of(size), images), pca.rebuilt(images, size)) for size in SIZES}
    errors = {size: tuple(error(images, copy) for copy in both) for size, both in copies.items()}
    print("\nnumbers   autoencoder        PCA    ratio")
    for size, (ours, linear) in errors.items():
        print(f"{size:7} {ours:13.5f} {linear:10.5f} {ours / linear:8.1%}")
    rng = np.random.default_rng(0)  # the same words for every seed
    flips = range(13)
    shares = [repaired(net.words, count, 10_000, rng) for count in flips]
    print("\nflipped bits   repaired by the net   by the nearest word")
    for count, (ours, best) in zip(flips, shares, strict=True):
        print(f"{count:12} {ours:21.1%} {best:21.1%}")

    draw_errors(errors, folder)
    draw_digits(images, labels, copies, folder)
    draw_plane(net, images, labels, folder)
    draw_repairs(shares, folder)
    return errors[MAIN][0] / errors[MAIN][1]


def draw_errors(errors: dict[int, tuple[float, ...]], folder: Path) -> None:
    """Draw the error against the size of the bottleneck."""
    if (made := page()) is None:
        return
    figure, axis = made
    names = "autoencoder", "PCA"
    for name, values in zip(names, zip(*errors.values(), strict=True), strict=True):
        style.draw_line(axis, list(errors), values, name, names, marked=True)
    axis.set_xscale("log", base=2)
    axis.set_xticks(SIZES, [str(size) for size in SIZES])
    axis.set(xlabel="numbers in the bottleneck", ylabel="mean squared error", title="test digits", ylim=(0, None))
    style.finish(axis)
    style.save(figure, folder / "errors.png")


def draw_digits(images: np.ndarray, labels: np.ndarray, copies: dict[int, Any], folder: Path) -> None:
    """Draw one digit of each kind, and its reconstructions."""
    rows = [("original", images)]
    for size, both in copies.items():
        rows += [(f"{size} numbers", both[0]), ("PCA", both[1])]
    if (made := page(len(rows), 10, height=0.62, frame=False)) is None:
        return
    figure, axes = made
    chosen = [int(np.flatnonzero(labels == digit)[0]) for digit in range(10)]
    for line, (name, pictures) in zip(axes, rows, strict=True):
        for axis, i in zip(line, chosen, strict=True):
            axis.imshow(pictures[i].reshape(28, 28), cmap=style.shades("ink"), vmin=0, vmax=1)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    style.save(figure, folder / "digits.png")


def draw_plane(net: Autoencoders, images: np.ndarray, labels: np.ndarray, folder: Path) -> None:
    """Draw the digits at their two numbers; the encoder has never seen a label."""
    if (made := page(height=5)) is None:
        return
    figure, axis = made
    with nn.no_grad():
        places = net.of(2).encoder(images[:5000]).data
    low, high = np.percentile(places, [0.5, 99.5], axis=0)
    inside = ((low <= places) & (places <= high)).all(axis=1)
    digits = [str(digit) for digit in range(10)]
    for (x, y), label in zip(places[inside], labels[:5000][inside], strict=True):  # digits are read without colours
        colour = style.line(digits[label], digits).colour
        axis.text(x, y, digits[label], color=colour, fontsize=5, ha="center", va="center")
    axis.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), title="test digits as two numbers")
    axis.set(xlabel="first number", ylabel="second number")
    style.save(figure, folder / "plane.png")


def draw_repairs(shares: list[tuple[float, float]], folder: Path) -> None:
    """Draw the fraction of repaired words against the number of flipped bits."""
    if (made := page()) is None:
        return
    figure, axis = made
    names = "autoencoder, 6 numbers", "nearest code word"
    for name, values in zip(names, zip(*shares, strict=True), strict=True):
        style.draw_line(axis, range(len(values)), values, name, names, marked=True)
    axis.xaxis.get_major_locator().set_params(integer=True)
    style.finish(axis, xlabel="flipped bits of 32", ylabel="words repaired", title="Reed-Muller code")
    style.save(figure, folder / "repaired.png")


def main(words: list[str] | None = None) -> float:
    """Train all nets, compare them with the references; return the error at 16 numbers as a fraction of PCA's."""
    options = arguments(__file__, __doc__, epochs=6).parse_args(words)
    images = nn.data.scaled(nn.data.mnist("train")[0]).reshape(-1, 784)
    images, held_out = images[:-5000], images[-5000:]  # the last ones were used to choose the recipe
    if options.quick:
        images, held_out = images[:5000], held_out[:1000]
    pca = PCA(images)
    linear, variance = error(held_out, pca.rebuilt(held_out, MAIN)), float(images.var(0).mean())

    rng = np.random.default_rng(options.seed)
    net = Autoencoders(128, rng=rng) if options.quick else Autoencoders(512, 256, rng=rng)
    rounds = 120 if options.quick else len(images) // 128  # an epoch shows each image four times to the main net
    steps = rounds * len(TURNS)
    optimizer = nn.Adam(net.named_parameters())
    scheduler = nn.schedulers.OneCycleLR(optimizer, 5e-3, options.epochs * steps, pct_start=0.1)
    course = Course(options, net, optimizer, scheduler, rng)
    print(net.of(MAIN))

    def endless() -> Iterator[np.ndarray]:
        while True:
            yield from (batch for (batch,) in nn.data.batches(images, batch_size=128, rng=rng, drop_last=True))

    def deal(epoch: int) -> Iterator[tuple[int | str, np.ndarray]]:
        streams = {size: endless() for size in SIZES}
        for turn in cycle(TURNS):
            yield turn, rng.integers(64, size=128) if turn == "words" else next(streams[turn])

    def loss_of(turn_and_batch: tuple[Any, np.ndarray]) -> nn.Tensor:
        turn, batch = turn_and_batch
        if turn == "words":
            received = flipped(batch, rng.integers(MOST_FLIPS + 1, size=len(batch)), rng)
            return nn.binary_cross_entropy_with_logits(net.words(received), WORDS[batch])
        return nn.mse_loss(sigmoid(net.of(turn)(batch)), batch) / variance  # 1: as good as the mean

    def after_epoch() -> dict[str, float]:
        share = error(held_out, rebuilt(net.of(MAIN), held_out)) / linear
        return {
            "fraction of PCA's error": share,
            "7 flips repaired": repaired(net.words, 7, 2000, np.random.default_rng(1))[0],
        }

    course.run(deal, steps, loss_of, after_epoch)
    test_images, test_labels = nn.data.mnist("test")
    if options.quick:
        test_images, test_labels = test_images[:1000], test_labels[:1000]
    test_images = nn.data.scaled(test_images).reshape(-1, 784)
    return report(net, pca, test_images, test_labels, options.pictures)


if __name__ == "__main__":
    start(main)
