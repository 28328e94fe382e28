"""Exercise 41: a convolutional net learns to read the MNIST digits, in numpy.

    python examples/mnist_cnn.py                       # the small net, 5 epochs: about 99 %
    python examples/mnist_cnn.py --recipe best         # a larger net, warped digits, averaged weights: more than 99.4 %
    python examples/mnist_cnn.py --quick               # a short demonstration, in seconds

Prints the accuracy on the test images after each epoch. `--save net.npz` keeps the net for `mnist_predict.py`.
Pictures (learning curves, first kernels, confusion matrix, worst mistakes) go to `--pictures FOLDER` if matplotlib is
installed (python -m pip install matplotlib); otherwise they are printed as text.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from mazegrad import nn
from mazegrad.extras import MissingExtra
from mazegrad.pictures import style
from mazegrad.progress import progress
from mazegrad.script import count, natural, positive, start

RECIPES: dict[str, dict[str, Any]] = {
    "small": {"epochs": 5, "batch_size": 64, "max_lr": 8e-3, "warp": 0.0, "average": 0.0},
    "best": {"epochs": 14, "batch_size": 64, "max_lr": 3e-3, "warp": 1.0, "average": 0.999},
}


def make_net(recipe: str, rng: np.random.Generator) -> nn.Sequential:
    """Return the net of a recipe: images (batch, 1, 28, 28) -> logits (batch, 10)."""
    if recipe == "small":
        return nn.Sequential(
            *(nn.Conv2D(1, 8, 3, rng=rng), nn.ReLU(), nn.MaxPool2D(2)),  # 28 -> 26 -> 13
            *(nn.Conv2D(8, 16, 3, rng=rng), nn.ReLU(), nn.MaxPool2D(2)),  # 13 -> 11 -> 5
            *(nn.Flatten(), nn.Linear(400, 64, rng=rng), nn.ReLU(), nn.Linear(64, 10, rng=rng)),
        )
    return nn.Sequential(
        *(nn.Conv2D(1, 16, 5, rng=rng), nn.ReLU(), nn.MaxPool2D(2)),  # 28 -> 24 -> 12
        *(nn.Conv2D(16, 48, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2D(2)),  # 12 -> 6
        *(nn.Conv2D(48, 96, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2D(2)),  # 6 -> 3
        *(nn.Flatten(), nn.Dropout(0.2, rng=rng), nn.Linear(864, 128, rng=rng), nn.ReLU()),
        *(nn.Dropout(0.2, rng=rng), nn.Linear(128, 10, rng=rng)),
    )


def warped(images: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Return images (batch, 1, 28, 28), each randomly rotated, stretched and shifted.

    Each pixel of the result is interpolated between the four pixels of the original that it comes from; outside is
    black. With `amount` 1 the rotation is up to 0.2 rad, the stretch up to 15 %, the shift up to 2 pixels.
    """
    if not amount:
        return images
    count, _, height, width = images.shape
    matrix = np.eye(2) + amount * rng.uniform(-1, 1, (count, 2, 2)) * [[0.15, 0.2], [0.2, 0.15]]
    grid = np.indices((height, width)).reshape(2, -1) - [[(height - 1) / 2], [(width - 1) / 2]]
    source = matrix @ grid + [[(height - 1) / 2], [(width - 1) / 2]] + amount * rng.uniform(-2, 2, (count, 2, 1))
    source = np.clip(source + 1, 0, [[height + 0.999], [width + 0.999]])  # in the picture with a black border
    corner = source.astype(int)
    down, right = (source - corner).astype(images.dtype).swapaxes(0, 1)
    border = np.pad(images[:, 0], ((0, 0), (1, 2), (1, 2))).reshape(count, -1)
    first = corner[:, 0] * (width + 3) + corner[:, 1]

    def pixels(step: int) -> np.ndarray:
        return np.take_along_axis(border, first + step, 1)

    upper = pixels(0) * (1 - right) + pixels(1) * right
    lower = pixels(width + 3) * (1 - right) + pixels(width + 4) * right
    return (upper * (1 - down) + lower * down).reshape(images.shape)


def logits_of(net: nn.Module, images: np.ndarray) -> np.ndarray:
    """Return the net's logits (n, 10), in evaluation mode."""
    net.eval()
    with nn.no_grad():
        parts = [net(batch).data for (batch,) in nn.data.batches(images, batch_size=500)]
    net.train()
    return np.concatenate(parts)


def accuracy(net: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the fraction of images that the net reads correctly."""
    return float((logits_of(net, images).argmax(1) == labels).mean())


def train(
    net: nn.Module,
    train_set: tuple[Any, Any],
    test_set: tuple[Any, Any],
    settings: dict[str, Any],
    rng: np.random.Generator,
) -> dict[str, list[float]]:
    """Train with Adam and one cycle of the learning rate; return the curves. The net ends with the averaged weights."""
    images, labels = train_set
    size, epochs = settings["batch_size"], settings["epochs"]
    count = len(images) // size
    optimizer = nn.Adam(net.named_parameters())
    scheduler = nn.schedulers.OneCycleLR(optimizer, settings["max_lr"], epochs * count, pct_start=0.2)
    average = nn.Averaged(net, settings["average"]) if settings["average"] else None
    curves: dict[str, list[float]] = {"loss": [], "accuracy": []}
    for epoch in range(1, epochs + 1):
        start, losses = time.perf_counter(), []
        dealt = nn.data.batches(images, labels, batch_size=size, rng=rng, drop_last=True)
        for batch, target in progress(dealt, count, f"epoch {epoch}/{epochs}", (epochs - epoch) * count):
            optimizer.zero_grad()
            loss = nn.cross_entropy(net(warped(batch, settings["warp"], rng)), target)
            loss.backward()
            optimizer.step()
            scheduler.step()
            if average:
                average.update()
            losses.append(loss.item())
        seconds = time.perf_counter() - start
        if average:
            average.swap()
        curves["loss"].append(float(np.mean(losses)))
        curves["accuracy"].append(accuracy(net, *test_set))
        print(
            f"epoch {epoch}: loss {curves['loss'][-1]:.4f}, accuracy {curves['accuracy'][-1]:.2%}, {seconds:.1f} s",
            flush=True,
        )
        if average and epoch < epochs:
            average.swap()
    return curves


# -------------------------------------------------------------------------------------------------------------- results
def confusion(labels: np.ndarray, guesses: np.ndarray) -> np.ndarray:
    """Return how often a digit (row) was read as each digit (column), (10, 10)."""
    table = np.zeros((10, 10), int)
    np.add.at(table, (labels, guesses), 1)
    return table


def digit_text(image: np.ndarray) -> str:
    """Return a digit (28, 28) as text, two rows of pixels a line."""
    rows = (image[0::2] + image[1::2]) / 2
    return "\n".join("".join(" .:-=+*#%@"[min(9, int(pixel * 10))] for pixel in row) for row in rows)


def report(net: nn.Sequential, test_set: tuple[Any, Any], curves: dict[str, list[float]], folder: Path) -> None:
    """Draw the pictures into `folder`, or print them as text."""
    images, labels = test_set
    logits = logits_of(net, images)
    guesses = logits.argmax(1)
    margin = logits.max(1) - logits[np.arange(len(labels)), labels]  # the probability it gave to each wrong answer
    worst = [i for i in np.argsort(-margin)[:25] if guesses[i] != labels[i]]
    table = confusion(labels, guesses)
    first = net[0]
    assert isinstance(first, nn.Conv2D)
    try:
        figure, axes = style.figure(1, 2)
    except MissingExtra:
        print("\nrows: the digit; columns: what was read")
        print("\n".join(f"{digit}: " + " ".join(f"{n:5d}" for n in row) for digit, row in enumerate(table)))
        for i in worst[:3]:
            print(f"\na {labels[i]} read as {guesses[i]}:\n{digit_text(images[i, 0])}")
        print("\n(for pictures: python -m pip install matplotlib)")
        return
    epochs = range(1, len(curves["loss"]) + 1)
    for axis, (name, values) in zip(axes, curves.items(), strict=True):
        style.draw_line(axis, epochs, values, name, list(curves), marked=True, label="_")
        axis.set(xlabel="epoch", title="training loss" if name == "loss" else "test accuracy")
        axis.xaxis.get_major_locator().set_params(integer=True)
    style.save(figure, folder / "learning_curves.png")

    kernels = first.weight.data[:, 0]
    figure, axes = style.figure(2, len(kernels) // 2, height=6 / len(kernels) + 0.2, frame=False, squeeze=False)
    for axis, kernel in zip(axes.flat, kernels, strict=True):
        drawn = axis.imshow(kernel, cmap=style.shades("signs"), vmin=-abs(kernels).max(), vmax=abs(kernels).max())
    figure.colorbar(drawn, ax=axes, fraction=0.05, label="weight")
    style.save(figure, folder / "first_kernels.png")

    figure, axis = style.figure(height=5.6)
    shades = style.shades("values")
    shown = np.log1p(table)
    axis.imshow(shown, cmap=shades)
    for row, column in np.argwhere(table):
        ink = style.ink_at(shades(shown[row, column] / shown.max()))
        axis.text(column, row, str(table[row, column]), ha="center", va="center", fontsize=8, color=ink)
    axis.set(xticks=range(10), yticks=range(10), xlabel="read as", ylabel="digit", title="test pictures")
    axis.spines[:].set_visible(False)
    style.save(figure, folder / "confusion.png")

    figure, axes = style.figure(5, 5, height=1.3, frame=False)
    for axis, i in zip(axes.flat, worst, strict=False):
        axis.imshow(images[i, 0], cmap=style.shades("ink"), vmin=0, vmax=1)
        axis.set_title(f"{labels[i]} as {guesses[i]}")
    style.save(figure, folder / "worst_mistakes.png")


def main(arguments: list[str] | None = None) -> float:
    """Train, test, draw and save; return the final accuracy."""
    parser = argparse.ArgumentParser(description="A convolutional net learns to read the MNIST digits.")
    parser.add_argument("--recipe", choices=RECIPES, default="small")
    parser.add_argument("--epochs", type=count, help="number of epochs; default: the recipe's")
    parser.add_argument("--max-lr", type=positive, help="highest learning rate of the cycle; default: the recipe's")
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the trained net to FILE, as npz")
    parser.add_argument("--pictures", type=Path, default=Path("mnist"), metavar="FOLDER", help="default: %(default)s")
    parser.add_argument("--hold-out", action="store_true", help="test on 5,000 training images, to compare recipes")
    parser.add_argument("--quick", action="store_true", help="2,000 images, 2 epochs, 1,000 test images")
    options = parser.parse_args(arguments)

    settings = dict(RECIPES[options.recipe])
    if options.quick:
        settings["epochs"] = 2
    settings |= {name: given for name in ("epochs", "max_lr") if (given := getattr(options, name)) is not None}
    if options.save:
        options.save.parent.mkdir(parents=True, exist_ok=True)
    images, labels = nn.data.mnist("train")
    if options.hold_out:
        test_images, test_labels = images[-5000:], labels[-5000:]
        images, labels = images[:-5000], labels[:-5000]
    else:
        test_images, test_labels = nn.data.mnist("test")
    if options.quick:
        images, labels, test_images, test_labels = images[:2000], labels[:2000], test_images[:1000], test_labels[:1000]
    train_set, test_set = (nn.data.scaled(images), labels), (nn.data.scaled(test_images), test_labels)

    rng = np.random.default_rng(options.seed)
    net = make_net(options.recipe, rng)
    print(net)
    start = time.perf_counter()
    curves = train(net, train_set, test_set, settings, rng)
    print(f"{curves['accuracy'][-1]:.2%} after {time.perf_counter() - start:.0f} s")
    if options.save:
        nn.save(options.save, net=net, recipe=options.recipe)
        print(f"saved {options.save}; read digits with it: python examples/mnist_predict.py {options.save}")
    report(net, test_set, curves, options.pictures)
    return curves["accuracy"][-1]


if __name__ == "__main__":
    start(main)
