"""Cats against dogs with a residual network: the convolutions of exercise 41, deep (exercise 40, part 2).

    python examples/resnet.py              # trains on all 50,000 training pictures of CIFAR-10, ten classes
    python examples/resnet.py --alone      # on its 10,000 cats and dogs alone
    python examples/resnet.py --quick      # a short demonstration, in seconds

The blocks are those of He, Zhang, Ren & Sun (2016): around two convolutions there is a shortcut, on which the gradient
comes back undiminished, as it does through time in an LSTM whose forget gate is open. There are three groups of them,
each with twice the channels at half the size; a convolution and a pool lead from one to the next.

10,000 pictures of cats and dogs are few. So half of each batch are other animals and vehicles: the net learns ten
classes, and its eight other logits are ignored when it is asked for cat or dog. And no picture is shown twice in the
same way: it is mirrored and shifted, at times turned and zoomed, and at times mixed with another one.

Time is saved as by Jordan (2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU"): the first layer is computed, not
trained, convolutions start as the identity, and biases learn faster than weights. And for six tenths of the epochs the
pictures have 24 x 24 pixels, which takes little more than half the time; the net does not depend on the size. --save
and --load resume a training exactly.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mazegrad import nn
from mazegrad.script import count, positive

sys.path.insert(0, str(Path(__file__).parent / "architectures"))
import cats_and_dogs
import corpora
from cats_and_dogs import BATCH, NAMES, varied
from course import Course, arguments, start

CLASSES = 2 + len(corpora.OTHERS)
DECAY = 5e-4  # of the weights
FASTER = 8  # the learning rate of the biases, as a multiple of that of the weights
HELD_OUT = 500  # training pictures that are held out, to watch the training


class Residual(nn.Module):
    """relu(x + f(x)), where f is two convolutions: at first f is 0, and the block passes on what it reads."""

    def __init__(self, channels: int, rng: np.random.Generator) -> None:
        self.first, self.norm_1 = convolution(channels, channels, rng), nn.BatchNorm2D(channels)
        self.second, self.norm_2 = convolution(channels, channels, rng), nn.BatchNorm2D(channels)
        self.norm_2.weight.assign(np.zeros(channels))  # Goyal et al. (2017)

    def forward(self, x: Any) -> Any:
        """(batch, channels, height, width), and the same shape returned."""
        return nn.relu(x + self.norm_2(self.second(nn.relu(self.norm_1(self.first(x))))))


class Whitened(nn.Module):
    """The first layer, which is not trained: a convolution whose outputs are uncorrelated and of equal spread.

    Its kernels are the principal components of small patches of pictures, each divided by its standard deviation; and
    their negatives, because ReLU comes next. With it a training takes half the steps (Jordan 2024).
    """

    def __init__(self, pictures: np.ndarray, channels: int) -> None:
        patches = sliding_window_view(pictures, (3, 3), axis=(2, 3))[:, :, ::3, ::3]  # (n, 3, rows, columns, 3, 3)
        variances, components = np.linalg.eigh(np.cov(patches.transpose(1, 4, 5, 0, 2, 3).reshape(27, -1)))
        kernels = (components / np.sqrt(variances + 0.01)).T[::-1][: channels // 2].reshape(-1, 3, 3, 3)
        self.register_buffer("weight", np.concatenate([kernels, -kernels]).astype(np.float32))

    def forward(self, x: Any) -> Any:
        """(batch, 3, height, width) to (batch, channels, height, width)."""
        return nn.conv2d(x, self.weight, padding=1)


def convolution(channels: int, out_channels: int, rng: np.random.Generator) -> nn.Conv2D:
    """Return a 3 x 3 convolution that keeps the size and, at first, hands its input on as its first channels.

    The weights of the other channels are those of He et al. (2015).
    """
    layer = nn.Conv2D(channels, out_channels, 3, padding=1, bias=False, rng=rng)
    weight = nn.init.he_normal(layer.weight.shape, rng=rng)
    same = range(min(channels, out_channels))
    weight[same] = 0
    weight[same, same, 1, 1] = 1
    layer.weight.assign(weight)
    return layer


def make_net(pictures: np.ndarray, width: int, blocks: int, rng: np.random.Generator) -> nn.Sequential:
    """Return a net from pictures (batch, 3, height, width) to ten logits: cat, dog, corpora.OTHERS.

    Args:
        pictures: of these the first layer is made.
        width: channels of the first group; the next two have twice and four times as many.
        blocks: residual blocks in each group; the net has 6 * blocks + 5 layers.
        rng: for the weights.
    """
    channels = 2 * min(-(-width // 4), 27)
    layers: list[nn.Module] = [Whitened(pictures, channels), nn.ReLU()]
    for group in range(3):  # 16 x 16, 8 x 8, 4 x 4
        wider = width << group
        layers += [convolution(channels, wider, rng), nn.MaxPool2D(2), nn.BatchNorm2D(wider), nn.ReLU()]
        layers += [Residual(wider, rng) for _ in range(blocks)]
        channels = wider
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2D(1), nn.Flatten(), nn.Linear(channels, CLASSES, rng=rng))


# ------------------------------------------------------------------------------------------------------- augmentation
def turned(pictures: np.ndarray, rng: np.random.Generator, angle: float = 15.0, zoom: float = 1.25) -> np.ndarray:
    """Return pictures (batch, 3, height, width), each turned by up to `angle` degrees and enlarged or reduced.

    Points between pixels are interpolated bilinearly, and outside the picture it is mirrored.
    """
    batch, _, height, width = pictures.shape
    turns = np.deg2rad(rng.uniform(-angle, angle, (batch, 1, 1)))
    zooms = zoom ** rng.uniform(-1, 1, (batch, 1, 1))
    middle = np.array([height - 1, width - 1]) / 2
    down, right = np.indices((height, width)) - middle[:, None, None]
    rows = (down * np.cos(turns) - right * np.sin(turns)) / zooms + middle[0]  # (batch, height, width)
    columns = (down * np.sin(turns) + right * np.cos(turns)) / zooms + middle[1]
    pixels = np.ascontiguousarray(pictures.transpose(0, 2, 3, 1)).reshape(-1, 3)
    out = np.zeros((batch, height, width, 3), np.float32)
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    for i, j in np.ndindex(2, 2):
        share = (1 - np.abs(rows - top - i)) * (1 - np.abs(columns - left - j))
        place = (np.arange(batch)[:, None, None] * height + mirrored(top + i, height)) * width
        out += pixels[place + mirrored(left + j, width)] * share[..., None].astype(np.float32)
    return out.transpose(0, 3, 1, 2)


def mirrored(places: np.ndarray, size: int) -> np.ndarray:
    """Return places as places within 0 ... size - 1: -1 is 0, `size` is `size` - 1."""
    return np.minimum(np.maximum(places, -1 - places), 2 * size - 1 - places)


def mixed(pictures: np.ndarray, answers: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Paste into each picture a rectangle of the next one (CutMix, Yun et al. 2019).

    Args:
        pictures: (batch, 3, height, width); written into.
        answers: (batch,) classes.
        rng: for the place and the size of the rectangle, the same for all of them.

    Returns:
        The pictures, and the probability of each class (batch, 10): its share of the area.
    """
    height, width = pictures.shape[2:]
    side = np.sqrt(rng.random())
    (top, left), (tall, wide) = rng.integers(0, (height, width)), (round(side * height), round(side * width))
    rows, columns = slice(max(top - tall // 2, 0), top + tall // 2), slice(max(left - wide // 2, 0), left + wide // 2)
    pictures[:, :, rows, columns] = np.roll(pictures[:, :, rows, columns], 1, axis=0)
    share = pictures[0, 0, rows, columns].size / (height * width)
    classes = np.eye(CLASSES, dtype=np.float32)[answers]
    return pictures, (1 - share) * classes + share * np.roll(classes, 1, axis=0)


def chance_of_dog(net: nn.Module, pictures: np.ndarray) -> np.ndarray:
    """Return the probability that each picture shows a dog, (n,): the mean over it, shifted a pixel, and mirrored."""
    border = np.pad(pictures, [(0, 0), (0, 0), (1, 1), (1, 1)], mode="reflect")
    height, width = pictures.shape[2:]
    shifts = ((1, 1), (0, 0), (0, 2), (2, 0), (2, 2))
    views = [border[..., i : i + height, j : j + width] for i, j in shifts]
    return np.mean([cats_and_dogs.chance_of_dog(net, np.ascontiguousarray(view)) for view in views], axis=0)


def main(words: list[str] | None = None) -> None:
    """Train, test, draw."""
    parser = arguments(__file__, __doc__, epochs=40)
    parser.add_argument("--width", type=count, default=64, help="channels of the first group; default: %(default)s")
    parser.add_argument("--blocks", type=count, default=1, help="residual blocks in each group; default: %(default)s")
    parser.add_argument("--lr", type=positive, default=0.1, help="highest learning rate; default: %(default)s")
    parser.add_argument("--small", type=count, default=24, help="pixels in most epochs; default: %(default)s")
    parser.add_argument("--alone", action="store_true", help="learn from the cats and dogs alone")
    options = parser.parse_args(words)

    images, labels = corpora.cats_and_dogs("train")
    others, kinds = (images[:0], labels[:0]) if options.alone else corpora.other_classes()
    order = np.random.default_rng(0).permutation(len(images))  # the same held-out pictures whatever the seed
    held, trained = order[:HELD_OUT], order[HELD_OUT:]
    if options.quick:
        held, trained, options.width = held[:100], trained[: 12 * BATCH], min(options.width, 16)
        others, kinds = others[: 12 * BATCH], kinds[: 12 * BATCH]
    mean, spread = images[trained].mean((0, 2, 3)), images[trained].std((0, 2, 3))

    def scaled(pictures: np.ndarray) -> np.ndarray:
        return ((pictures - mean[:, None, None]) / spread[:, None, None]).astype(np.float32)

    rng = np.random.default_rng(options.seed)
    net = make_net(scaled(images[trained[:2000]]), options.width, options.blocks, rng)
    print(net)
    sets = [(images[trained], labels[trained])] + [(others, kinds + 2)] * (not options.alone)
    size = BATCH // len(sets)
    steps = len(trained) // size  # an epoch shows every cat and dog once
    lr = options.lr / 5 if options.quick else options.lr  # too few steps for a high rate at the start
    biases = {name: weight for name, weight in net.named_parameters() if name.endswith("bias")}
    weights = {name: weight for name, weight in net.named_parameters() if name not in biases}
    fast = {"params": biases.items(), "lr": FASTER * lr, "weight_decay": DECAY / FASTER}
    optimizer = nn.SGD([{"params": weights.items()}, fast], lr=lr, momentum=0.9, nesterov=True, weight_decay=DECAY)
    scheduler = nn.schedulers.OneCycleLR(optimizer, [lr, FASTER * lr], options.epochs * steps, pct_start=0.2)
    course = Course(options, net, optimizer, scheduler, rng, average=0.995)
    held_out = scaled(images[held])

    def deal(epoch: int) -> Any:
        return zip(*(nn.data.batches(*both, batch_size=size, rng=rng, drop_last=True) for both in sets), strict=False)

    def loss_of(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> nn.Tensor:
        order = rng.permutation(BATCH)
        pictures, answers = (np.concatenate(both)[order] for both in zip(*parts, strict=True))
        pictures = varied(scaled(pictures), rng)
        pictures[::4] = turned(pictures[::4], rng)
        if rng.random() < 1 / 3:
            pictures, answers = mixed(pictures, answers, rng)
        if course.epoch < 0.6 * options.epochs:
            pictures = nn.interpolate(pictures, (options.small, options.small), mode="area")
        return nn.cross_entropy(net(pictures), answers, label_smoothing=0.1)

    def after_epoch() -> dict[str, float]:
        return {"accuracy": np.mean((cats_and_dogs.chance_of_dog(net, held_out) > 0.5) == labels[held])}

    course.run(deal, steps, loss_of, after_epoch)

    images, labels = corpora.cats_and_dogs("test")  # looked at here for the first time
    if options.quick:
        images, labels = images[:100], labels[:100]
    dog = chance_of_dog(net, scaled(images))
    right = (dog > 0.5) == labels
    each = ", ".join(f"{right[labels == label].mean():.1%} of the {name}s" for label, name in enumerate(NAMES))
    print(f"{right.mean():.2%} of {len(labels)} test pictures are classified correctly: {each}")
    cats_and_dogs.draw_sheet(images, labels, dog, options.pictures / "right_and_wrong.png")


if __name__ == "__main__":
    start(main)
