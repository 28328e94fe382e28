"""The net that learned to play Atari learns a maze from its frames: deep Q-learning, as published.

    python examples/atari_net.py            # about a minute on one core: shortest ways from every start
    python examples/atari_net.py --quick    # a short demonstration, in seconds

The net is that of Mnih et al. (2015): frames of 84 x 84 pixels, three convolutions with strides 4, 2 and 1, 512 units,
a value for each move; so are the replay memory, the target net that is copied now and then, the error that is held
between -1 and 1, and RMSprop (with a smaller eps: so are the gradients). What it does not need here: a frame shows all
there is to know, so none are stacked.

Sixteen lanes walk at once. Once in a while the program prints how long the net's own way to the goal is, from each of
the starts, beside the shortest.
"""

import argparse
import copy
import time

import gymnasium
import numpy as np

import mazegrad  # noqa: F401  (registers the environments)
from mazegrad import nn
from mazegrad.progress import progress
from mazegrad.script import count, natural, start

MAZE = """
#######
#S.S.S#
#.#.#.#
#S..#G#
#.##..#
#S...S#
#######
""".strip()
LANES, BATCH, MEMORY = 16, 32, 4096
DISCOUNT, COPY_EVERY, LIMIT = 0.9, 50, 30  # a walk is at most LIMIT steps long


def make_net(rng: np.random.Generator) -> nn.Sequential:
    """Return the net: frames (batch, 3, 84, 84) from 0 to 1 -> the value of each move (batch, 4)."""
    return nn.Sequential(
        *(nn.Conv2D(3, 32, 8, stride=4, rng=rng), nn.ReLU()),  # 84 -> 20
        *(nn.Conv2D(32, 64, 4, stride=2, rng=rng), nn.ReLU()),  # 20 -> 9
        *(nn.Conv2D(64, 64, 3, rng=rng), nn.ReLU(), nn.Flatten()),  # 9 -> 7
        *(nn.Linear(3136, 512, rng=rng), nn.ReLU(), nn.Linear(512, 4, rng=rng)),
    )


def values(net: nn.Module, frames: np.ndarray) -> nn.Tensor:
    """Return the value of each move, (batch, 4), in frames (batch, 84, 84, 3) of bytes."""
    return net(frames.transpose(0, 3, 1, 2).astype(np.float32) / 255)


def lanes(number: int) -> gymnasium.vector.VectorEnv:
    """Return lanes in the maze, each of which starts at a start drawn at random; a tile has 12 x 12 pixels."""
    return gymnasium.make_vec(
        "mazegrad/GridWorld-v0", num_envs=number, maze=MAZE, observation="pixels", tile=12, time_limit=LIMIT
    )


class Memory:
    """The last steps that were made: frame, move, reward, whether the walk was over, and the next frame."""

    def __init__(self, size: int) -> None:
        self.frames, self.later = (np.zeros((size, 84, 84, 3), np.uint8) for _ in range(2))
        self.moves, self.rewards, self.over = np.zeros(size, int), np.zeros(size, np.float32), np.zeros(size, bool)
        self.made = 0

    def add(self, *step: np.ndarray) -> None:
        """Take what all lanes did in one step; the oldest is forgotten."""
        at = (self.made + np.arange(len(step[0]))) % len(self.moves)
        for kept, new in zip((self.frames, self.moves, self.rewards, self.over, self.later), step, strict=True):
            kept[at] = new
        self.made += len(step[0])

    def draw(self, number: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Return steps drawn at random, in the order in which they are added."""
        at = rng.integers(0, min(self.made, len(self.moves)), number)
        return self.frames[at], self.moves[at], self.rewards[at], self.over[at], self.later[at]


def learn(net: nn.Module, target: nn.Module, optimizer: nn.RMSprop, steps: tuple[np.ndarray, ...]) -> float:
    """Move the values towards reward + discount * the best value afterwards; return the loss."""
    frames, moves, rewards, over, later = steps
    with nn.no_grad():
        best = values(target, later).data.max(1)
    aims = rewards + np.float32(DISCOUNT) * best * ~over
    loss = nn.smooth_l1_loss(values(net, frames)[np.arange(len(moves)), moves], aims)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def walks(net: nn.Module) -> dict[tuple[int, int], tuple[int, int]]:
    """Return the length of the net's way (LIMIT if it does not arrive) and of the shortest, for each start."""
    env = gymnasium.make("mazegrad/GridWorld-v0", maze=MAZE, observation="pixels", tile=12, info=("distance",))
    found = {}
    for row, line in enumerate(MAZE.splitlines()):
        for column in (at for at, tile in enumerate(line) if tile == "S"):
            frame, info = env.reset(options={"start": (row, column)})
            shortest, over, length = int(info["distance"]), False, 0
            while not over and length < LIMIT:
                with nn.no_grad():
                    move = int(values(net, frame[None]).data.argmax())
                frame, _, over, _, _ = env.step(move)
                length += 1
            found[row, column] = (length, shortest)
    env.close()
    return found


def main(words: list[str] | None = None) -> None:
    """Train, and print the ways."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--steps", type=count, default=1000, help="steps of all lanes, each with an update; default: 1000"
    )
    parser.add_argument("--seed", type=natural, default=0, help="for everything that is drawn; default: 0")
    parser.add_argument("--quick", action="store_true", help="a short demonstration, in seconds")
    options = parser.parse_args(words)
    steps = 30 if options.quick else options.steps
    rng = np.random.default_rng(options.seed)
    net, envs, memory = make_net(rng), lanes(LANES), Memory(MEMORY)
    target = copy.deepcopy(net)
    optimizer = nn.RMSprop(net.named_parameters(), lr=2.5e-4, alpha=0.95, eps=1e-5, centered=True)
    frames, _ = envs.reset(seed=options.seed)
    begun, fresh = time.perf_counter(), np.zeros(LANES, bool)
    for step in progress(range(steps), steps, "training"):
        with nn.no_grad():
            moves = values(net, frames).data.argmax(1)
        chance = max(0.1, 1 - 2 * step / steps)  # of a move at random
        moves = np.where(rng.random(LANES) < chance, rng.integers(0, 4, LANES), moves)
        later, rewards, terminated, truncated, _ = envs.step(moves)
        memory.add(*(array[~fresh] for array in (frames, moves, rewards, terminated, later)))
        frames, fresh = later, terminated | truncated  # the step after the last one only puts a lane at a start
        loss = learn(net, target, optimizer, memory.draw(BATCH, rng))
        if step % COPY_EVERY == COPY_EVERY - 1:
            target.load_state_dict(net.state_dict())
            arrived = sum(length < LIMIT for length, _ in walks(net).values())
            print(f"step {step + 1}: loss {loss:.4f}, the goal is reached from {arrived} starts")
    envs.close()
    ways = walks(net)
    for (row, column), (length, shortest) in ways.items():
        print(f"from row {row}, column {column}: {length} steps, the shortest way is {shortest}")
    best = sum(length == shortest for length, shortest in ways.values())
    print(f"{best} of {len(ways)} are the shortest, after {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    start(main)
