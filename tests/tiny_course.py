"""The smallest program on `course.py`: a net learns the sine, in a second and without data."""

import numpy as np
from course import Course, arguments, start

from mazegrad import nn


def main(words: list[str] | None = None) -> None:
    parser = arguments(__file__, __doc__, epochs=3)
    parser.add_argument("--hidden", type=int, default=16)
    parser.add_argument("--lr", type=float, default=1e-2)
    options = parser.parse_args(words)
    rng = np.random.default_rng(options.seed)
    net = nn.Sequential(
        *(nn.Linear(1, options.hidden, rng=rng), nn.Tanh(), nn.Dropout(0.01, rng=rng)),
        nn.Linear(options.hidden, 1, rng=rng),
    )
    optimizer = nn.Adam(net.named_parameters())
    steps = 200
    scheduler = nn.schedulers.OneCycleLR(optimizer, options.lr, steps * options.epochs)
    course = Course(options, net, optimizer, scheduler, rng, clip=1.0, average=0.9, pieces=["sin"])
    grid = np.linspace(-3, 3, 50, dtype=np.float32)[:, None]

    def deal(epoch: int):
        while True:
            yield rng.uniform(-3, 3, (16, 1)).astype(np.float32)

    def loss_of(batch: np.ndarray) -> nn.Tensor:
        return nn.mse_loss(net(batch), np.sin(batch))

    def after_epoch() -> dict[str, float]:
        return {"worst": np.abs(net(grid).data - np.sin(grid)).max()}

    course.run(deal, steps, loss_of, after_epoch)


if __name__ == "__main__":
    start(main)
