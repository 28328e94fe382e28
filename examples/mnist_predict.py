"""Read digits with a net that `mnist_cnn.py --save` wrote.

python examples/mnist_predict.py net.npz             # the first test digits, drawn as text, and the accuracy on all
python examples/mnist_predict.py net.npz --file digits-idx3-ubyte
"""

import argparse

import numpy as np
from mnist_cnn import RECIPES, digit_text, logits_of, make_net

from mazegrad import nn
from mazegrad.script import in_words, natural, start


def main() -> None:
    parser = argparse.ArgumentParser(description="Read digits with a saved net.")
    parser.add_argument("net", help="the file that mnist_cnn.py --save wrote")
    parser.add_argument("--count", type=natural, default=5, help="number of digits to draw (default: %(default)s)")
    parser.add_argument("--file", help="an IDX file of 28x28 pictures, instead of MNIST's test set")
    options = parser.parse_args()

    try:
        saved = nn.load(options.net)
        if saved.get("recipe") not in list(RECIPES):
            parser.error(f"{options.net} was not written by mnist_cnn.py --save")
        net = make_net(saved["recipe"], np.random.default_rng(0))
        net.load_state_dict(saved.get("net", {}))
        mine = nn.data.read_idx(options.file) if options.file else None
    except (OSError, ValueError) as error:
        parser.error(in_words(error))

    pictures, labels = nn.data.mnist("test") if mine is None else (mine, None)
    if pictures.ndim != 3 or pictures.shape[1:] != (28, 28):
        parser.error(f"--file must hold pictures (n, 28, 28), not {pictures.shape}")
    images = nn.data.scaled(pictures)
    probabilities = nn.softmax(logits_of(net, images))
    guesses = probabilities.argmax(1)
    for i in range(min(options.count, len(images))):
        truth = "" if labels is None else f" (it is {labels[i]})"
        print(f"{digit_text(images[i, 0])}\nread as {guesses[i]}, probability {probabilities[i].max():.1%}{truth}\n")
    if labels is not None:
        print(f"{(guesses == labels).mean():.2%} of {len(labels)} correct")


if __name__ == "__main__":
    start(main)
