"""How many frames a second: `rgb_array`, and that of the peers that are installed, side by side."""

import argparse
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from measure import Run, machine, print_table, rates

import mazegrad  # noqa: F401
from mazegrad.envs import SOLVERS, World, draw, generate, value_iteration


def walking(env: Any, actions: int) -> tuple[Run, int, tuple[int, ...]]:
    """Return the run that steps and draws an environment, one frame a step, and the size of a frame."""
    env.reset(seed=0)
    rows = np.random.default_rng(0).integers(0, actions, 64).tolist()

    def run(repetitions: int) -> None:
        for _ in range(repetitions):
            for action in rows:
                _, _, terminated, truncated, _ = env.step(action)
                if terminated or truncated:
                    env.reset()
                env.render()

    return run, len(rows), env.render().shape


def drawing(over: str | None = None) -> tuple[Run, int, tuple[int, ...]]:
    """Return the run of `draw` alone, without a trail, and with what is named laid over the maze."""
    world = World.compile(generate("backtracker", 10, 10, rng=np.random.default_rng(0)))
    states, values = list(range(64)), value_iteration(world)
    rng, walks = np.random.default_rng(0), [np.repeat(world.start_states, 4000)]
    for _ in range(50):
        walks.append(world.next_state[walks[-1], rng.integers(0, 4, 4000)])
    crowds = np.split(np.array(walks), 4, axis=1)  # of 1,000 agents each
    crowds = [np.ascontiguousarray(crowd) for crowd in crowds]
    keywords: dict[str | None, dict[str, Any]] = {
        "values": {"values": values},
        "values and policy": {"values": values, "policy": values},
        "visits": {"visits": np.arange(world.states)},
        "search": {"search": SOLVERS["a_star"](world)},
        "view": {"observation": "view"},
        "labels": {"labels": {3: "A", 70: "B"}},
        TRAILS: {"trails": crowds[0]},
        OTHERS: {},
    }
    given = [keywords.get(over, {})] if over != OTHERS else [{"trails": crowd} for crowd in crowds]
    frames = [(state, given[state % len(given)]) for state in states]

    def run(repetitions: int) -> None:
        for _ in range(repetitions):
            for state, overlays in frames:
                draw(world, state, **overlays)

    run(len(given))  # each look is painted when it is first needed
    return run, len(states), draw(world, 0, **given[0]).shape


TRAILS = "trails of 1,000 agents, 50 steps each"
OTHERS = f"other {TRAILS} in each frame"
OVERLAYS = (
    "values", "values and policy", "visits", "search", "view", "labels", TRAILS, OTHERS,
)  # fmt: skip
"""of which 5,000 a second are wanted"""


def minigrid() -> tuple[Run, int, tuple[int, ...]]:
    import minigrid

    gymnasium.register_envs(minigrid)
    return walking(gymnasium.make("MiniGrid-Empty-16x16-v0", render_mode="rgb_array", tile_size=21), 3)


def ours() -> tuple[Run, int, tuple[int, ...]]:
    maze = generate("backtracker", 10, 10, rng=np.random.default_rng(0))
    return walking(gymnasium.make("mazegrad/GridWorld-v0", maze=maze, render_mode="rgb_array"), 4)


PEERS = {
    "the same in an environment: a step and a frame with the trail": ours,
    "Minigrid Empty-16x16": minigrid,
    "Gymnasium FrozenLake-v1": lambda: walking(gymnasium.make("FrozenLake-v1", render_mode="rgb_array"), 4),
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="on one core: taskset -c 0 python ...")
    parser.add_argument("--seconds", type=float, default=4, help="for each row, about")
    options = parser.parse_args(arguments)
    print(machine())
    runs = {}
    rows: dict[str, Any] = {"draw, 21 x 21 maze, fresh arrays [79,000]": drawing}
    rows |= {f"with {over} [5,000]": partial(drawing, over) for over in OVERLAYS}
    for name, make in (rows | PEERS).items():
        try:
            run, items, shape = make()
        except ImportError as error:
            print(f"({name}: {error})")
            continue
        runs[f"{name}, {shape[0]} x {shape[1]} px"] = run, items
    print_table("frames a second", [*rates(runs, options.seconds).items()])


if __name__ == "__main__":
    main()
