"""Cats against dogs with a residual network: the convolutions of exercise 41, deep (exercise 40, part 2).

    python examples/resnet.py              # trains on CIFAR-10's 10,000 cats and dogs
    python examples/resnet.py --quick      # a short demonstration, in seconds

The net is that of He, Zhang, Ren & Sun (2016) for pictures of 32 x 32 pixels: three groups of blocks, each with twice
the channels at half the size. Around each block there is a shortcut, on which the gradient comes back undiminished, as
it does through time in an LSTM whose forget gate is open. Data, augmentation and pictures are those of
architectures/cats_and_dogs.py; so are --save and --load, which resume a training exactly.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from mazegrad import nn
from mazegrad.script import count, positive

sys.path.insert(0, str(Path(__file__).parent / "architectures"))
import cats_and_dogs
import corpora
from cats_and_dogs import BATCH, HELD_OUT, NAMES, chance_of_dog, varied
from course import Course, arguments, start


class Block(nn.Module):
    """relu(x + f(x)): two convolutions f and a shortcut around them, which is 1 x 1 where the size changes."""

    def __init__(self, channels: int, out_channels: int, stride: int, rng: np.random.Generator) -> None:
        def convolution(channels: int, size: int, stride: int) -> nn.Conv2D:
            layer = nn.Conv2D(channels, out_channels, size, stride, padding=size // 2, bias=False, rng=rng)
            layer.weight.assign(nn.init.he_normal(layer.weight.shape, rng=rng))
            return layer

        self.first, self.norm_1 = convolution(channels, 3, stride), nn.BatchNorm2D(out_channels)
        self.second, self.norm_2 = convolution(out_channels, 3, 1), nn.BatchNorm2D(out_channels)
        self.norm_2.weight.assign(np.zeros(out_channels))  # at first every block is its shortcut (Goyal et al. 2017)
        self.shortcut = nn.Sequential()
        if stride > 1 or channels != out_channels:
            self.shortcut = nn.Sequential(convolution(channels, 1, stride), nn.BatchNorm2D(out_channels))

    def forward(self, x: Any) -> Any:
        """(batch, channels, height, width) -> (batch, out_channels, height / stride, width / stride)."""
        inner = self.norm_2(self.second(nn.relu(self.norm_1(self.first(x)))))
        return nn.relu(inner + self.shortcut(x))


def make_net(width: int, blocks: int, rng: np.random.Generator) -> nn.Sequential:
    """Return a net from pictures (batch, 3, 32, 32) to two logits: 6 * blocks + 2 layers, `width` channels at first."""
    layers: list[nn.Module] = [
        nn.Conv2D(3, width, 3, padding=1, bias=False, rng=rng),
        nn.BatchNorm2D(width),
        nn.ReLU(),
    ]
    channels = width
    for group in range(3):  # 32 x 32, 16 x 16, 8 x 8
        for block in range(blocks):
            layers.append(Block(channels, width << group, 2 if group and not block else 1, rng))
            channels = width << group
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2D(1), nn.Flatten(), nn.Linear(channels, 2, rng=rng))


def main(words: list[str] | None = None) -> None:
    """Train, test, draw."""
    parser = arguments(__file__, __doc__, epochs=40)
    parser.add_argument("--width", type=count, default=32, help="channels after the first layer; default: %(default)s")
    parser.add_argument("--blocks", type=count, default=1, help="blocks of each size; default: %(default)s")
    parser.add_argument("--lr", type=positive, default=0.1, help="highest learning rate; default: %(default)s")
    options = parser.parse_args(words)

    images, labels = corpora.cats_and_dogs("train")
    order = np.random.default_rng(0).permutation(len(images))  # the same held-out pictures whatever the seed
    held, trained = order[:HELD_OUT], order[HELD_OUT:]
    if options.quick:
        held, trained, options.width = held[:100], trained[: 16 * BATCH], min(options.width, 8)
    mean, spread = images[trained].mean((0, 2, 3)), images[trained].std((0, 2, 3))

    def scaled(pictures: np.ndarray) -> np.ndarray:
        return ((pictures - mean[:, None, None]) / spread[:, None, None]).astype(np.float32)

    rng = np.random.default_rng(options.seed)
    net = make_net(options.width, options.blocks, rng)
    print(net)
    steps = len(trained) // BATCH
    optimizer = nn.SGD(net.named_parameters(), lr=options.lr, momentum=0.9, nesterov=True, weight_decay=5e-4)
    scheduler = nn.schedulers.OneCycleLR(optimizer, options.lr, options.epochs * steps, pct_start=0.2)
    course = Course(options, net, optimizer, scheduler, rng, average=0.99)
    train_set, held_out = (scaled(images[trained]), labels[trained]), scaled(images[held])

    def deal(epoch: int) -> Any:
        return nn.data.batches(*train_set, batch_size=BATCH, rng=rng, drop_last=True)

    def loss_of(batch: tuple[np.ndarray, np.ndarray]) -> nn.Tensor:
        pictures, answers = batch
        return nn.cross_entropy(net(varied(pictures, rng)), answers, label_smoothing=0.1)

    def after_epoch() -> dict[str, float]:
        return {"accuracy": np.mean((chance_of_dog(net, held_out) > 0.5) == labels[held])}

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
