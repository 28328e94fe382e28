"""How well can one explore a maze that one has never seen? Success within three times the shortest way.

    python benchmarks/exploration.py                      # some five minutes
    python benchmarks/exploration.py --rounds 2           # the figures without training, and a first guess

The mazes are those of `mazegrad/Maze-v0`: 8 x 8 rooms, from the top left room to the bottom right one. With "dots" one
sees in each room which ways are open, and by counting steps one knows where one is; so a perfect explorer has a map of
all rooms where it was. At each new room it chooses an open passage, anywhere on the map, and walks there:

    depth-first, at random       the passages of the newest room first, in any order
    depth-first, to the goal     those that lead down or right first
    learned                      a convolutional net reads the map and says for each passage how likely the goal lies
                                 behind it; the passage of the largest log(likelihood) - way / patience is taken

What the last one reaches says how much is possible for a recurrent net, which sees the same bits.
"""

import argparse
import os
import time
from collections.abc import Callable

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy is imported

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from mazegrad import nn  # noqa: E402
from mazegrad.envs.maps.generators import generate_batch  # noqa: E402
from mazegrad.progress import progress  # noqa: E402

SIDE, GOAL = 8, 63
ROOMS = SIDE * SIDE
OFFSETS = (-SIDE, 1, -1, SIDE)  # up, right, left, down
WITHIN = 3.0
PATIENCE = (3.0, 6.0)

Bools, Floats = NDArray[np.bool_], NDArray[np.float64]
Choose = Callable[[Bools, Bools, Bools, NDArray[np.int64], Floats], Floats]
"""from exits, visited rooms, passages (mazes, 64), places and ways (mazes, 64) to the value of each passage"""


def draw(count: int, rng: np.random.Generator) -> tuple[Bools, NDArray[np.int16]]:
    """Return the exits of each room, (mazes, 64, 4), and the rooms between each two, (mazes, 64, 64)."""
    tiles = generate_batch("backtracker", SIDE, SIDE, rng.integers(0, 2**63, count, dtype=np.uint64))
    free = tiles != tiles[0, 0, 0]
    rooms = np.arange(SIDE) * 2 + 1
    ways = (free[:, rooms - 1][..., rooms], free[:, rooms][..., rooms + 1], free[:, rooms][..., rooms - 1],
            free[:, rooms + 1][..., rooms])  # fmt: skip
    exits = np.stack(ways, -1).reshape(count, ROOMS, 4)
    apart = np.full((count, ROOMS, ROOMS), 99, np.int16)
    apart[:, range(ROOMS), range(ROOMS)] = 0
    seen, every = np.zeros((count, ROOMS), bool), np.arange(count)
    seen[:, 0] = True
    for _ in range(ROOMS - 1):  # a tree: each next room is as far as its neighbour that was there before, and one more
        room = passages(exits, seen).argmax(1)
        before = np.zeros(count, int)
        for way, offset in enumerate(OFFSETS):
            there = room - offset
            on_the_map = (there >= 0) & (there < ROOMS)
            there = np.where(on_the_map, there, 0)
            joined = on_the_map & exits[every, there, way] & seen[every, there]
            before = np.where(joined, there, before)
        row = np.where(seen, apart[every, before] + 1, 99).astype(np.int16)
        row[every, room] = 0
        apart[every, room], apart[every, :, room] = row, row
        seen[every, room] = True
    return exits, apart


def passages(exits: Bools, seen: Bools) -> Bools:
    """Return the rooms next door to those that were seen, (mazes, 64)."""
    found = np.zeros_like(seen)
    for way, offset in enumerate(OFFSETS):
        maze, room = np.nonzero(seen & exits[:, :, way])
        found[maze, room + offset] = True
    return found & ~seen


def pictures(exits: Bools, seen: Bools, ahead: Bools, place: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return what the net reads, (mazes, 9, 8, 8): rooms seen, their exits, passages, row, column, and the place."""
    planes = np.zeros((len(exits), 9, ROOMS), np.float32)
    planes[:, 0], planes[:, 5] = seen, ahead
    planes[:, 1:5] = np.swapaxes(exits & seen[..., None], 1, 2)
    planes[:, 6], planes[:, 7] = np.divmod(np.arange(ROOMS), SIDE) / np.float32(SIDE - 1)
    planes[np.arange(len(exits)), 8, place] = 1
    return planes.reshape(-1, 9, SIDE, SIDE)


class Reader(nn.Module):
    """From pictures to a logit for each room: is the goal behind it?"""

    def __init__(self, channels: int, depth: int, rng: np.random.Generator) -> None:
        self.first, self.last = nn.Conv2D(9, channels, 3, padding=1, rng=rng), nn.Conv2D(channels, 1, 1, rng=rng)
        self.near = nn.ModuleList([nn.Conv2D(channels, channels, 3, padding=1, rng=rng) for _ in range(depth)])
        self.far = nn.ModuleList([nn.Linear(channels, channels, rng=rng) for _ in range(depth)])

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """Return a logit for each room, (mazes, 64), for pictures (mazes, 9, 8, 8)."""
        h = nn.relu(self.first(x))
        for near, far in zip(self.near, self.far, strict=True):
            h = h + nn.relu(near(h) + far(h.mean((2, 3)))[:, :, None, None])
        return self.last(h).reshape(-1, ROOMS)

    def log_likelihood(self, x: NDArray[np.float32]) -> Floats:
        """Return (mazes, 64), -inf where no passage is."""
        with nn.no_grad():
            logits = np.concatenate([self(nn.Tensor(part)).data for part in np.array_split(x, len(x) // 256 + 1)])
        logits = np.where(x[:, 5].reshape(-1, ROOMS) > 0, logits.astype(float), -np.inf)
        logits -= logits.max(1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def at_random(rng: np.random.Generator) -> Choose:
    """Depth-first: the nearest passage, the first of equals by chance."""
    return lambda exits, seen, ahead, place, way: rng.random(way.shape) - way


def to_the_goal(rng: np.random.Generator) -> Choose:
    """Depth-first: the nearest passage, of these the one nearest to the corner where the goal is."""
    nearness = np.add(*np.divmod(np.arange(ROOMS), SIDE)) / 100
    return lambda exits, seen, ahead, place, way: nearness + rng.random(way.shape) / 1000 - way


def learned(reader: Reader, patience: float) -> Choose:
    """The likelihood that the goal is behind it, against the way there."""
    return lambda exits, seen, ahead, place, way: (
        reader.log_likelihood(pictures(exits, seen, ahead, place)) - way / patience
    )


def explore(exits: Bools, apart: NDArray[np.int16], choose: Choose, keep: list | None = None) -> Floats:
    """Return how many times the shortest way each maze takes, (mazes,); `keep` gets pictures and right passages."""
    count = len(exits)
    seen, place, walked = np.zeros((count, ROOMS), bool), np.zeros(count, int), np.zeros(count)
    seen[:, 0] = True
    left = np.arange(count)
    while len(left):
        ahead, way = passages(exits[left], seen[left]), apart[left, place[left]].astype(float)
        if keep is not None:
            from_start, to_goal = apart[left, 0], apart[left, :, GOAL]
            right = ahead & (from_start + to_goal == to_goal[:, :1])
            keep.append((pictures(exits[left], seen[left], ahead, place[left]), right.argmax(1)))
        values = np.where(ahead, choose(exits[left], seen[left], ahead, place[left], way), -np.inf)
        room = values.argmax(1)
        walked[left] += way[np.arange(len(left)), room]
        place[left], seen[left, room] = room, True
        left = left[room != GOAL]
    return walked / apart[:, 0, GOAL]


def say(name: str, ratio: Floats) -> None:
    print(f"  {name:34}{(ratio <= WITHIN).mean():>12.1%}{(ratio <= 2).mean():>12.1%}{ratio.mean():>14.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=24, help="of 1,000 mazes for training (default: %(default)s)")
    parser.add_argument("--mazes", type=int, default=2048, help="for the figures (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    reader = Reader(32, 4, rng)
    optimizer = nn.Adam(reader.parameters(), 1e-3)
    begin, losses, maps = time.process_time(), [], 0
    for round_ in progress(range(options.rounds), options.rounds, "training"):
        optimizer.lr = 1e-3 * (1 - round_ / options.rounds) + 3e-5
        kept: list = []
        explorer = learned(reader, 5.0) if round_ else at_random(rng)

        def with_detours(*about, explorer: Choose = explorer) -> Floats:
            """One passage in five is the nearest, by chance."""
            by_chance = rng.random((len(about[0]), 1)) < 0.2
            return np.where(by_chance, at_random(rng)(*about), explorer(*about))

        explore(*draw(1000, rng), with_detours, kept)
        x, right = (np.concatenate(parts) for parts in zip(*kept, strict=True))
        maps += len(x)
        losses.append([])
        for part in np.array_split(rng.permutation(len(x)), len(x) // 256 + 1):
            hidden = np.where(x[part, 5].reshape(-1, ROOMS) > 0, 0, -1e9).astype(np.float32)
            loss = nn.cross_entropy(reader(nn.Tensor(x[part])) + hidden, right[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
    if options.rounds:
        last = np.mean(np.concatenate(losses[-5:]))
        print(f"trained on {maps:,} maps in {time.process_time() - begin:.0f} s, cross entropy {last:.3f}")
    exits, apart = draw(options.mazes, np.random.default_rng(options.seed + 1_000_000))
    print(f"\n{options.mazes:,} mazes of 8 x 8 rooms{'within 3 x':>20}{'within 2 x':>12}{'mean ratio':>14}")
    say("depth-first, at random", explore(exits, apart, at_random(rng)))
    say("depth-first, to the goal", explore(exits, apart, to_the_goal(rng)))
    for patience in PATIENCE if options.rounds else ():
        say(f"learned, patience {patience:g}", explore(exits, apart, learned(reader, patience)))


if __name__ == "__main__":
    main()
