"""Cats against dogs: a convolutional network classifies pictures of 32 x 32 pixels (exercise 40, part 2).

    python examples/architectures/cats_and_dogs.py              # trains on CIFAR-10's 10,000 cats and dogs
    python examples/architectures/cats_and_dogs.py --quick      # a short demonstration, in seconds

Prints the accuracy on held-out training pictures after each epoch, and at the end, once, on the 2,000 test pictures.
Draws the learning curves, and a sheet of correctly and wrongly classified pictures, into `--pictures FOLDER`.
"""

from pathlib import Path
from typing import Any

import corpora
import numpy as np
from course import Course, arguments, page, start
from numpy.lib.stride_tricks import sliding_window_view

from mazegrad import nn
from mazegrad.pictures import style
from mazegrad.script import count, positive

NAMES = ("cat", "dog")
BATCH = 64
HELD_OUT = 1000  # training pictures that are held out


def make_net(width: int, rng: np.random.Generator) -> nn.Sequential:
    """Return a net from pictures (batch, 3, 32, 32) to two logits, with `width` channels growing to 4 * `width`.

    Pooling comes before batch norm and ReLU, which leaves them a quarter of the work.
    """

    def convolution(channels: int, out_channels: int, *pool: nn.Module) -> list[nn.Module]:
        layer = nn.Conv2D(channels, out_channels, 3, padding=1, bias=False, rng=rng)
        return [layer, *pool, nn.BatchNorm2D(out_channels), nn.ReLU()]

    return nn.Sequential(
        *convolution(3, width, nn.MaxPool2D(2)),  # 32 -> 16
        *convolution(width, 2 * width),
        *convolution(2 * width, 2 * width, nn.MaxPool2D(2)),  # 16 -> 8
        *convolution(2 * width, 4 * width),
        *convolution(4 * width, 4 * width, nn.MaxPool2D(2)),  # 8 -> 4
        *(nn.MaxPool2D(4), nn.Flatten(), nn.Dropout(0.2, rng=rng), nn.Linear(4 * width, 2, rng=rng)),
    )


def make_perceptron(rng: np.random.Generator) -> nn.Sequential:
    """Return a multilayer perceptron with six times the weights, for comparison."""
    return nn.Sequential(
        *(nn.Flatten(), nn.Linear(3072, 512, rng=rng), nn.ReLU(), nn.Dropout(0.2, rng=rng)),
        *(nn.Linear(512, 512, rng=rng), nn.ReLU(), nn.Linear(512, 2, rng=rng)),
    )


def varied(pictures: np.ndarray, rng: np.random.Generator, shift: int = 4) -> np.ndarray:
    """Return pictures (batch, 3, height, width), randomly shifted by up to `shift` pixels, half of them mirrored.

    The border is filled by reflection.
    """
    size = pictures.shape[2:]
    border = np.pad(pictures, [(0, 0), (0, 0), (shift, shift), (shift, shift)], mode="reflect")
    crops = sliding_window_view(border, size, axis=(2, 3))  # (batch, 3, 2 shift + 1, 2 shift + 1, height, width)
    each = np.arange(len(pictures))
    down, right = rng.integers(0, 2 * shift + 1, (2, len(pictures)))
    moved = crops[each, :, down, right]
    mirrored = rng.random(len(pictures)) < 0.5
    moved[mirrored] = moved[mirrored, ..., ::-1]
    return moved


def chance_of_dog(net: nn.Module, pictures: np.ndarray) -> np.ndarray:
    """Return the probability that each picture shows a dog, (n,): the mean over the picture and its mirror image.

    The net's first two logits are those of a cat and a dog; if it has others, they are ignored.
    """
    parts = []
    with nn.no_grad():
        for (batch,) in nn.data.batches(pictures, batch_size=250):
            views = batch, batch[..., ::-1].copy()
            parts.append(np.mean([nn.softmax(net(view).data[:, :2])[:, 1] for view in views], axis=0))
    return np.concatenate(parts)


def main(words: list[str] | None = None) -> None:
    """Train, test and draw."""
    parser = arguments(__file__, __doc__, epochs=30)
    parser.add_argument("--width", type=count, default=32, help="channels after the first layer; default: %(default)s")
    parser.add_argument(
        "--lr", type=positive, default=0.005, help="highest learning rate of the cycle; default: %(default)s"
    )
    parser.add_argument("--perceptron", action="store_true", help="a net without convolutions; use it with --lr 0.001")
    parser.add_argument("--as-is", action="store_true", help="train without flips and shifts")
    options = parser.parse_args(words)

    images, labels = corpora.cats_and_dogs("train")
    order = np.random.default_rng(0).permutation(len(images))  # the same held-out pictures for every seed
    held, trained = order[:HELD_OUT], order[HELD_OUT:]
    if options.quick:
        held, trained = held[:200], trained[: 24 * BATCH]
    mean, spread = images[trained].mean((0, 2, 3)), images[trained].std((0, 2, 3))

    def scaled(pictures: np.ndarray) -> np.ndarray:
        return ((pictures - mean[:, None, None]) / spread[:, None, None]).astype(np.float32)

    rng = np.random.default_rng(options.seed)
    net = make_perceptron(rng) if options.perceptron else make_net(options.width, rng)
    print(net)
    steps = len(trained) // BATCH
    optimizer = nn.AdamW(net.named_parameters(), weight_decay=0.05)
    lr = options.lr / 5 if options.quick else options.lr  # too few steps for a high rate at the start
    scheduler = nn.schedulers.OneCycleLR(optimizer, lr, options.epochs * steps, pct_start=0.2)
    course = Course(options, net, optimizer, scheduler, rng, average=0.99)
    train_set = scaled(images[trained]), labels[trained]
    held_out = scaled(images[held])

    def deal(epoch: int) -> Any:
        return nn.data.batches(*train_set, batch_size=BATCH, rng=rng, drop_last=True)

    def loss_of(batch: tuple[np.ndarray, np.ndarray]) -> nn.Tensor:
        pictures, answers = batch
        seen = pictures if options.as_is else varied(pictures, rng)
        return nn.cross_entropy(net(seen), answers, label_smoothing=0.1)

    def after_epoch() -> dict[str, float]:
        return {"accuracy": np.mean((chance_of_dog(net, held_out) > 0.5) == labels[held])}

    course.run(deal, steps, loss_of, after_epoch)

    images, labels = corpora.cats_and_dogs("test")  # used here for the first time
    if options.quick:
        images, labels = images[:200], labels[:200]
    dog = chance_of_dog(net, scaled(images))
    right = (dog > 0.5) == labels
    each = ", ".join(f"{right[labels == label].mean():.1%} of the {name}s" for label, name in enumerate(NAMES))
    print(f"{right.mean():.2%} of {len(labels)} test pictures are correct: {each}")
    draw_sheet(images, labels, dog, options.pictures / "right_and_wrong.png")


def draw_sheet(images: np.ndarray, labels: np.ndarray, dog: np.ndarray, path: Path) -> None:
    """Draw the most certain correct, the least certain and the most certain wrong answers, ten of each animal."""
    sure = np.where(labels == 1, dog, 1 - dog)  # probability of the true class
    ranked = np.argsort(-sure)
    kinds = {
        "certain and correct": ranked[: (sure > 0.5).sum()],
        "uncertain": np.argsort(abs(sure - 0.5)),
        "certain and wrong": ranked[::-1][: (sure < 0.5).sum()],
    }
    rows = [
        (f"{name}s, {kind}", those[labels[those] == label][:10])
        for kind, those in kinds.items()
        for label, name in enumerate(NAMES)
    ]
    made = page(len(rows), 10, height=0.8, frame=False)
    if made is None:
        for title, chosen in rows:
            print(f"{title:>22}: test pictures", *chosen)
        return
    figure, lines = made
    for axes, (title, chosen) in zip(lines, rows, strict=True):
        for axis, i in zip(axes, chosen, strict=False):
            axis.imshow(images[i].transpose(1, 2, 0))
            axis.set_title(f"{NAMES[int(dog[i] > 0.5)]} {max(dog[i], 1 - dog[i]):.0%}", fontsize=7)
        axes[0].set_ylabel(title.replace(", ", ",\n"), rotation=0, ha="right", va="center")
    style.save(figure, path)


if __name__ == "__main__":
    start(main)
