"""How many steps a second: single and vector environments, and the peers that are installed, side by side."""

import argparse
import resource
import time
from collections.abc import Callable

import gymnasium
import numpy as np
from measure import Run, machine, print_table, random_actions, rates, single, stepping

import mazegrad  # noqa: F401
from mazegrad.agents import path_follower
from mazegrad.envs import Maze, generate
from mazegrad.pictures import style

LANES = (64, 1024, 16_384)
# (what, lanes) -> floor and goal, millions of steps a second
AIMS = {
    ("single", 1): (0.8, 1.2),
    ("shared", 64): (6, 11), ("shared", 1024): (70, 110), ("shared", 16_384): (220, 380),
    ("own", 1024): (40, 75), ("own", 16_384): (110, 220),
    ("slip", 1024): (20, 45), ("view", 1024): (5, 12), ("fresh", 1024): (2, 4), ("rnn", 1024): (8, 20),
}  # fmt: skip


def maze21() -> Maze:
    """Return the perfect maze of 21 x 21 tiles that all lanes of a row share."""
    return generate("backtracker", 10, 10, rng=np.random.default_rng(0))


def native(what: str, lanes: int) -> tuple[Run, int]:
    """Return the run of one row of the table, and the steps that one repetition makes."""
    bundle = 1
    if what == "shared":
        env = gymnasium.make_vec("mazegrad/GridWorld-v0", num_envs=lanes, maze=maze21())
    elif what == "slip":
        env = gymnasium.make_vec("mazegrad/GridWorld-v0", num_envs=lanes, maze=maze21(), slip=0.3)
    elif what == "king":
        noise = {"other": 1 / 3}
        env = gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=lanes, actions="king", noise=noise)
    elif what == "sight":
        env = gymnasium.make_vec("mazegrad/GridWorld-v0", num_envs=lanes, maze=maze21(), dots_error=0.1)
    elif what == "fresh":
        bundle = 402  # two whole episodes, so that each run makes its share of mazes
        env = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=lanes, size=(21, 21), time_limit=200)
    else:
        size, seen = ((11, 11), {"observation": "view", "view_size": 11}) if what == "view" else ((10, 10), {})
        env = gymnasium.make_vec(
            "mazegrad/Maze-v0", num_envs=lanes, size=size, level_seeds=range(lanes), pinned=True, **seen
        )
    return stepping(env, random_actions(lanes), bundle), lanes * bundle


def rnn(lanes: int) -> tuple[Run, int]:
    """Return the run of the hand-set net that walks the sheet's path in all lanes."""
    env, agent = gymnasium.make_vec("mazegrad/PathFollow-v0", num_envs=lanes), path_follower()
    seen, _ = env.reset(seed=0)
    state = agent.initial_state(lanes)

    def run(repetitions: int) -> None:
        nonlocal seen, state
        for _ in range(repetitions):
            action, state = agent.act(seen, state)
            seen = env.step(action)[0]

    return run, lanes


def cartpole(lanes: int) -> tuple[Run, int]:
    """Gymnasium's own native vector environment, in numpy."""
    env = gymnasium.make_vec("CartPole-v1", num_envs=lanes, vectorization_mode="vector_entry_point")
    return stepping(env, random_actions(lanes) % 2), lanes


def envpool_lake(lanes: int) -> tuple[Run, int]:
    """EnvPool's FrozenLake, in C++, on one thread."""
    import envpool

    env = envpool.make("FrozenLake-v1", env_type="gymnasium", num_envs=lanes, num_threads=1)
    env.reset()
    rows = list(random_actions(lanes).astype(np.int32))

    def run(repetitions: int) -> None:
        for i in range(repetitions):
            env.step(rows[i % len(rows)])

    return run, lanes


def minigrid() -> tuple[Run, int]:
    """Minigrid's empty room, its observation 7 x 7 x 3."""
    import minigrid

    gymnasium.register_envs(minigrid)
    return single("MiniGrid-Empty-16x16-v0")


def tables(quick: bool) -> list[tuple[str, list[tuple[str, tuple[str, int] | None, Callable[[], tuple[Run, int]]]]]]:
    """Return titles and their rows: a name, the key of its aims, and what makes its run."""
    lanes = LANES[:2] if quick else LANES
    shared = [
        (
            f"{n:,} lanes",
            [
                (f"dots, one shared maze, {n:,} lanes", ("shared", n), lambda n=n: native("shared", n)),
                (f"CartPole-v1, native vector, {n:,} lanes", None, lambda n=n: cartpole(n)),
                (f"EnvPool FrozenLake-v1, {n:,} lanes", None, lambda n=n: envpool_lake(n)),
            ],
        )
        for n in lanes
    ]
    others = [(f"dots, a maze for each lane, {n:,} lanes", ("own", n), lambda n=n: native("own", n)) for n in lanes[1:]]
    others += [
        ("dots, one shared maze, slip 0.3, 1,024 lanes", ("slip", 1024), lambda: native("slip", 1024)),
        ("dots, each bit wrong one time in ten, 1,024 lanes", None, lambda: native("sight", 1024)),
        ("dots, four rooms, eight moves, noise to all sides, 1,024 lanes", None, lambda: native("king", 1024)),
        ("view 11 x 11, a 23 x 23 maze for each lane, 1,024 lanes", ("view", 1024), lambda: native("view", 1024)),
        ("dots, a new 21 x 21-cell maze at each reset, 1,024 lanes", ("fresh", 1024), lambda: native("fresh", 1024)),
        ("hand-set RNN and its environment, 1,024 lanes", ("rnn", 1024), lambda: rnn(1024)),
    ]
    return [
        (
            "one environment, gymnasium.make as it comes",
            [
                ("dots, 21 x 21 maze", ("single", 1), lambda: single("mazegrad/GridWorld-v0", maze=maze21())),
                ("Gymnasium FrozenLake-v1", None, lambda: single("FrozenLake-v1")),
                ("Minigrid Empty-16x16", None, minigrid),
            ],
        ),
        *shared,
        ("other work", [*others, ("CartPole-v1, 1,024 lanes", None, lambda: cartpole(1024))]),
    ]  # fmt: skip


def main(arguments: list[str] | None = None, quick: bool = False) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="on one core: taskset -c 0 python benchmarks/stepping.py"
    )
    parser.add_argument("--seconds", type=float, default=1 if quick else 4, help="for each row, about")
    parser.add_argument("--cost", action="store_true", help="the cost of a lane instead, from 64 to 262,144 lanes")
    parser.add_argument("--plot", metavar="FILE", help="with --cost: draw it, too")
    parser.add_argument("--memory", type=int, metavar="STEPS", help="instead, make so many steps and watch the memory")
    options = parser.parse_args(arguments)
    print(machine())
    if options.memory:
        watch_memory(options.memory)
    elif options.cost:
        cost_of_a_lane(options.seconds, options.plot)
    else:
        print("millions of steps a second, the best of several runs; floor and goal in brackets")
        for title, rows in tables(quick):
            runs = {}
            for name, aims, make in rows:
                floor_and_goal = "" if aims is None else " [{}, {}]".format(*AIMS[aims])
                try:
                    runs[name + floor_and_goal] = make()
                except Exception as error:  # a peer that is not here, or does not work here
                    print(f"({name}: {type(error).__name__}: {error})")
            print_table(title, [*rates(runs, options.seconds).items()], per=1e6)


def watch_memory(steps: int) -> None:
    """Make steps in environments of several kinds and print the process's largest size on the way."""
    kinds = {
        "shared maze": {"id": "mazegrad/GridWorld-v0", "maze": maze21()},
        "slip, SameStep": {"id": "mazegrad/GridWorld-v0", "slip": 0.3, "autoreset_mode": "SameStep"},
        "fresh mazes": {"id": "mazegrad/Maze-v0", "time_limit": 50},
    }
    lanes, rows = 1024, list(random_actions(1024))
    for name, keywords in kinds.items():
        env = gymnasium.make_vec(num_envs=lanes, **keywords)
        env.reset(seed=0)
        total = steps // lanes
        for step in range(total):
            env.step(rows[step % len(rows)])
            if step in (total // 100, total // 10, total // 2, total - 1):
                size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                print(f"{name:16}{(step + 1) * lanes:>14,} steps  {size:8.1f} MiB at most")


def cost_of_a_lane(seconds: float, plot: str | None) -> None:
    """Print nanoseconds a lane and step over the number of lanes, and what bounds them at both ends."""
    counts = [2**power for power in range(6, 19)]
    print(f"\n{'lanes':>9}{'us a step':>12}{'ns a lane':>12}{'M steps/s':>12}{'copy: ns':>12}{'a maze each: ns':>17}")
    table = []
    calls = call_overhead()
    for lanes in counts:
        columns: dict[str, tuple[Run, int]] = {"shared": native("shared", lanes), "copy": same_bytes(lanes)}
        if lanes <= 2**14:
            columns["own"] = native("own", lanes)
        best = rates(columns, seconds)
        cost = {name: 1e9 / rate for name, rate in best.items()}
        table.append((lanes, cost))
        own = f"{cost['own']:17.2f}" if "own" in cost else ""
        print(
            f"{lanes:>9,}{cost['shared'] * lanes / 1e3:12.2f}{cost['shared']:12.2f}{best['shared'] / 1e6:12.1f}"
            f"{cost['copy']:12.2f}{own}"
        )
    first, last = table[0][1], table[-1][1]
    step = first["shared"] * counts[0] / 1e3
    print(
        f"\nat {counts[0]} lanes: a step takes {step:.1f} us; a step of one lane, the same calls, {calls * 1e6:.1f} us:"
    )
    print(f"  {calls * 1e6 / step:.0%} of it is the overhead of calls")
    print(f"at {counts[-1]:,} lanes: {last['shared']:.1f} ns a lane; to copy as many bytes as a step writes takes")
    print(f"  {last['copy']:.1f} ns a lane ({2 * BYTES / last['copy']:.1f} GB/s, read and written)")
    if plot:
        draw_costs(table, calls, plot)


BYTES = 4 + 8 + 1 + 1 + 8 + 8 + 8 + 8  # of a lane: observation, reward, two flags; place, action, index, word


def same_bytes(lanes: int) -> tuple[Run, int]:
    """Return the run that does no more than copy as many bytes into fresh arrays as a step reads or writes."""
    source = [np.ones(lanes * size, dtype=np.uint8) for size in (4, 8, 1, 1, 8, 8, 8, 8)]

    def run(repetitions: int) -> None:
        for _ in range(repetitions):
            for array in source:
                array.copy()

    return run, lanes


def call_overhead() -> float:
    """Return the seconds that a step of a single lane takes: all of it is calls."""
    return 1 / rates({"one": native("shared", 1)})["one"]


def draw_costs(table: list[tuple[int, dict[str, float]]], calls: float, path: str) -> None:
    figure, axis = style.figure(height=3.2)
    lanes = np.array([count for count, _ in table])
    lines = {
        "copying the same bytes": [cost["copy"] for _, cost in table],
        "overhead of the calls": calls * 1e9 / lanes,
        "one shared maze": [cost["shared"] for _, cost in table],
        "a maze for each lane": [cost.get("own", np.nan) for _, cost in table],
    }
    for name, costs in lines.items():
        style.draw_line(axis, lanes, costs, name, list(lines))
    axis.set(xscale="log", yscale="log", xlabel="lanes", ylabel="ns a lane and step")
    style.finish(axis, title="MazeVectorEnv, dots, one core")
    style.save(figure, path)


if __name__ == "__main__":
    begin = time.time()
    main()
    print(f"\n{time.time() - begin:.0f} s")
