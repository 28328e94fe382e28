"""How many steps a second go into a data set of Minari: ours at once, Minari's own way, and what each is limited by."""

import argparse
import os
import tempfile
import time

import numpy as np

from mazegrad.adapters import minari as ours
from mazegrad.extras import require
from mazegrad.offline import Dataset, collect
from mazegrad.script import count, start


def its_own_way(data: Dataset, name: str) -> None:
    """Write by Minari: an `EpisodeBuffer` for each episode."""
    minari = require("minari", "minari")
    buffer = require("minari.data_collector", "minari").EpisodeBuffer
    episodes = [buffer(seed=int(data.seeds[i]), **data.episode(i)) for i in range(data.episodes)]
    spaces = {"observation_space": data.observation_space, "action_space": data.action_space}
    minari.create_dataset_from_buffers(name, episodes, **spaces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=count, default=1_000_000, metavar="N")
    parser.add_argument("--lanes", type=count, default=1024, metavar="N")
    arguments = parser.parse_args()
    require("minari", "minari")
    print(f"{'':<30}{'episodes':>10}{'collect':>10}{'hash':>10}{'write':>10}{'steps/s':>12}{'read':>10}{'Minari':>12}")
    cases = [
        ("four rooms, random", "FourRooms-v0", "random", {}),
        ("four rooms, optimal", "FourRooms-v0", "optimal", {}),
        ("four rooms, optimal, view", "FourRooms-v0", "optimal", {"observation": "view"}),
        ("fresh 5x5 mazes, optimal", "Maze-v0", "optimal", {"size": (5, 5)}),
    ]
    for label, env_id, agent, keywords in cases:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["MINARI_DATASETS_PATH"] = folder
            times = [time.process_time()]
            data = collect(f"mazegrad/{env_id}", agent, arguments.steps, lanes=arguments.lanes, **keywords)
            times.append(time.process_time())
            assert data.digest
            times.append(time.process_time())
            ours.write(data, "mazegrad/ours-v0")
            times.append(time.process_time())
            ours.read("mazegrad/ours-v0").transitions(np.arange(0, data.steps, 4096))
            times.append(time.process_time())
            few = collect(
                f"mazegrad/{env_id}", agent, arguments.steps // 50, lanes=arguments.lanes // 50 or 1, **keywords
            )
            begin = time.process_time()
            its_own_way(few, "mazegrad/theirs-v0")
            slow = few.steps / (time.process_time() - begin)
            collected, hashed, written, read = np.diff(times)
            speed = data.steps / (times[3] - times[0])
            print(
                f"{label:<30}{data.episodes:>10,}{collected:>8.2f} s{hashed:>8.2f} s{written:>8.2f} s{speed:>12,.0f}"
                f"{read:>8.2f} s{slow:>12,.0f}"
            )


if __name__ == "__main__":
    start(main, ValueError)
