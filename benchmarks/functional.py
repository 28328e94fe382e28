"""Steps a second of one physics under numpy, JAX and torch: single calls, rollouts, and a hand-set net in the loop.

Every library runs on the device that it finds, which the output names. Peers that are installed stand beside it.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from measure import machine, random_actions

import mazegrad  # noqa: F401
from mazegrad.agents import path_follower, wall_follower_rnn
from mazegrad.agents.functional import policy_of
from mazegrad.envs import functional, generate
from mazegrad.envs.functional.stepping import like

Job = tuple[str, Callable[[], Any], int]  # a name, what is run, and the steps that one run makes
ROWS = 256


def maze21() -> Any:
    """Return the perfect maze of 21 x 21 tiles that all lanes share."""
    return generate("backtracker", 10, 10, rng=np.random.default_rng(0))


def begun(maze: Any, library: str, device: Any, lanes: int, **keywords: Any) -> tuple[Any, Any]:
    """Return tables, and the state of lanes on their starts."""
    tables = functional.tables(maze, xp=library, device=device, **keywords)
    return tables, functional.reset(tables, functional.keys(tables, 0, lanes))[1]


def numpy_engine(lanes: int) -> Iterator[Job]:
    """The default engine of `gymnasium.make_vec`, as a yardstick."""
    rows = list(random_actions(lanes))
    for name, keywords in (("dots", {}), ("slip 0.3", {"slip": 0.3})):
        env = gymnasium.make_vec("mazegrad/GridWorld-v0", num_envs=lanes, maze=maze21(), **keywords)
        env.reset(seed=0)

        def run(env: Any = env) -> None:
            for row in rows:
                env.step(row)

        yield f"MazeVectorEnv, {name}", run, lanes * ROWS
    path = gymnasium.make_vec("mazegrad/PathFollow-v0", num_envs=lanes)
    yield "MazeVectorEnv, hand-set RNN", walked(path, path_follower(), lanes), lanes * ROWS
    fresh = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=lanes, size=(5, 5))
    yield "MazeVectorEnv, new 5 x 5 mazes, wall-following RNN", walked(fresh, wall_follower_rnn(), lanes), lanes * ROWS


def walked(env: Any, agent: Any, lanes: int) -> Callable[[], None]:
    """Return the run of an agent's steps, each from where the last run ended."""
    seen, _ = env.reset(seed=0)
    state = agent.initial_state(lanes)

    def run() -> None:
        nonlocal seen, state
        for _ in range(ROWS):
            action, state = agent.act(seen, state)
            seen = env.step(action)[0]

    return run


def library_jobs(library: str, device: Any, lanes: int, steps: int) -> Iterator[Job]:
    """Single calls, rollouts with all outputs, with returns alone, with slips, and with the net in the loop."""
    tables, state = begun(maze21(), library, device, lanes)
    rows = like(tables, random_actions(lanes, steps).astype(np.int32))
    step = functional.step
    if library == "jax":
        import jax

        step = jax.jit(step)

    def calls() -> Any:
        now = state
        for number in range(min(steps, 32)):
            returned = step(tables, now, rows[number])
            now = returned[1]
        return returned

    yield f"{library}, single calls", calls, lanes * min(steps, 32)
    for name, keep in (("all outputs", "everything"), ("returns alone", "episodes")):
        yield f"{library}, rollout, {name}", rolled(tables, rows, state, steps, keep), lanes * steps
    fresh, begin = begun("mazegrad/Maze-v0", library, device, lanes, size=(5, 5))
    if library == "jax":
        policy = policy_of(wall_follower_rnn(), fresh, lanes)
        run = goes_on(fresh, policy, begin, steps)
        yield f"{library}, new 5 x 5 mazes, wall-following RNN, returns alone", run, lanes * steps
    slips, begin = begun(maze21(), library, device, lanes, slip=0.3)
    yield f"{library}, rollout, slip 0.3, returns alone", rolled(slips, rows, begin, steps, "episodes"), lanes * steps
    path, begin = begun("mazegrad/PathFollow-v0", library, device, lanes)
    policy = policy_of(path_follower(), path, lanes)
    for name, keep in (("all outputs", "everything"), ("returns alone", "episodes")):
        run = rolled(path, policy, begin, steps, keep)
        yield f"{library}, hand-set RNN in the loop, {name}", run, lanes * steps


def goes_on(tables: Any, policy: Any, state: Any, steps: int) -> Callable[[], Any]:
    """Return the run of one rollout after the other, each from where the last one ended."""
    hidden = None

    def run() -> Any:
        nonlocal state, hidden
        found, state, hidden = functional.rollout(tables, policy, state, steps, hidden=hidden, keep="episodes")
        return found

    return run


def rolled(tables: Any, policy: Any, state: Any, steps: int, keep: str) -> Callable[[], Any]:
    """Return the run of one rollout."""
    return lambda: functional.rollout(tables, policy, state, steps, keep=keep)


def on_cores(count: int, lanes: int, seconds: float) -> dict[str, float]:
    """Return millions of steps a second of rollouts on as many cores, each a device of JAX."""
    import jax

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    jax.config.update("jax_num_cpu_devices", count)
    steps, found = 64, {}
    tables, state = begun(maze21(), "jax", None, lanes)
    rows = like(tables, random_actions(lanes, steps).astype(np.int32))
    path, begin = begun("mazegrad/PathFollow-v0", "jax", None, lanes)
    policy = policy_of(path_follower(), path, lanes)
    if count > 1:  # all is put where it is needed, once
        mesh = jax.sharding.Mesh(jax.devices(), ("lanes",))
        everywhere, by_lane, by_column = (
            jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes))
            for axes in ((), ("lanes",), (None, "lanes"))
        )
        tables, path = jax.device_put((tables, path), everywhere)
        state, begin, hidden = jax.device_put((state, begin, policy.hidden), by_lane)
        rows, policy = jax.device_put(rows, by_column), policy._replace(hidden=hidden)
    jobs: dict[str, Any] = {
        "returns alone": partial(functional.rollout, tables, rows, state, steps, keep="episodes"),
        "hand-set RNN in the loop, returns alone": partial(
            functional.rollout, path, policy, begin, steps, keep="episodes"
        ),
        "all outputs": partial(functional.rollout, tables, rows, state, steps),
    }
    for name, run in jobs.items():
        found[name] = best_rate((name, partial(run, shards=count), lanes * steps), seconds)[0]
    return found


def compare_cores(counts: list[int], lanes: int, seconds: float) -> None:
    """Print the rates on several numbers of cores, each in a process of its own that may use no others."""
    rates = []
    # all outputs are much new memory: in large pages on Linux
    os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
    for count in counts:
        command = [sys.executable, __file__, "--on", str(count), "--lanes", str(lanes), "--seconds", str(seconds)]
        rates.append(
            json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        )
    print(f"{lanes:,} lanes, JAX, millions of steps a second: rollout(..., shards=cores)")
    for name in rates[0]:
        cells = "".join(
            f"{count:>6} cores {one[name]:>9,.1f} ({one[name] / rates[0][name]:.2f})"
            for count, one in zip(counts, rates, strict=True)
        )
        print(f"  {name:<42}{cells}")


def navix(lanes: int, steps: int) -> Iterator[Job]:
    """NAVIX: Minigrid in JAX."""
    import jax
    import navix as nx

    env = nx.make("Navix-Empty-Random-8x8-v0")
    begin = jax.vmap(env.reset)(jax.random.split(jax.random.key(0), lanes))
    rows = np.random.default_rng(0).integers(0, 3, (steps, lanes))
    scan = jax.jit(lambda now, rows: jax.lax.scan(lambda t, a: (jax.vmap(env.step)(t, a), t.reward), now, rows))
    yield "NAVIX Empty-Random-8x8-v0, scan, rewards alone", lambda: scan(begin, rows), lanes * steps


def gymnax(lanes: int, steps: int) -> Iterator[Job]:
    """gymnax: its FourRooms."""
    import gymnax as peer
    import jax

    env, settings = peer.make("FourRooms-misc")
    keys = jax.random.split(jax.random.key(0), lanes)
    _, begin = jax.vmap(env.reset, (0, None))(keys, settings)
    rows = np.random.default_rng(0).integers(0, 4, (steps, lanes))
    one = jax.vmap(env.step, (0, 0, 0, None))

    def forward(carry: Any, row: Any) -> Any:
        key, state = carry
        key, now = jax.random.split(key)
        _, state, reward, *_ = one(jax.random.split(now, lanes), state, row, settings)
        return (key, state), reward

    scan = jax.jit(lambda carry, rows: jax.lax.scan(forward, carry, rows))
    carry = jax.random.key(1), begin
    yield "gymnax FourRooms-misc, scan, rewards alone", lambda: scan(carry, rows), lanes * steps


def settled(result: Any) -> None:
    """Wait until the device has finished."""
    if "jax" in sys.modules:
        sys.modules["jax"].block_until_ready(result)
    if "torch" in sys.modules and sys.modules["torch"].cuda.is_available():
        sys.modules["torch"].cuda.synchronize()


def measured(job: Job, seconds: float) -> None:
    """Run a job for some seconds, and print its best rate and how long the first run took."""
    rate, first = best_rate(job, seconds)
    print(f"  {job[0]:<58}{rate:>12,.1f}{first:>10.2f} s")


def best_rate(job: Job, seconds: float) -> tuple[float, float]:
    """Return a job's best rate in millions of steps a second, and how long the first run took."""
    _, run, steps = job
    begin = time.perf_counter()
    settled(run())
    first, best, end = time.perf_counter() - begin, float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        settled(run())
        best = min(best, time.perf_counter() - begin)
    return steps / best / 1e6, first


def device_name(library: str, device: Any) -> str:
    """Return what a library runs on."""
    if library == "jax":
        import jax

        return f"JAX {jax.__version__} on {jax.devices()[0].device_kind}"
    if library == "torch":
        import torch

        name = torch.cuda.get_device_name() if torch.cuda.is_available() and device != "cpu" else "the CPU"
        return f"torch {torch.__version__} on {name}, eager"
    return "numpy on the CPU"


def main(arguments: list[str] | None = None, quick: bool = False) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="on one core: taskset -c 0 python benchmarks/functional.py"
    )
    parser.add_argument("--lanes", type=int, nargs="*", default=[1024] if quick else [1024, 16_384, 262_144])
    parser.add_argument("--libraries", nargs="*", default=["numpy", "jax", "torch"])
    parser.add_argument("--device", help="of torch: cuda, cpu; by default cuda where there is one")
    parser.add_argument("--seconds", type=float, default=0.2 if quick else 2, help="for each row, about")
    parser.add_argument("--curve", action="store_true", help="JAX from 2**10 to 2**22 lanes instead")
    parser.add_argument(
        "--memory", type=int, metavar="STEPS", help="make this many steps instead, and print the peak memory"
    )
    parser.add_argument(
        "--cores", type=int, nargs="+", metavar="N", help="JAX on as many cores instead, such as 1 2: 262,144 lanes"
    )
    parser.add_argument("--on", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.on:
        print(json.dumps(on_cores(options.on, options.lanes[0], options.seconds)))
        return
    print(machine())
    if options.cores:
        compare_cores(options.cores, options.lanes[-1], options.seconds)
        return
    if options.memory:
        watch_memory(options.memory)
        return
    lanes = [2**power for power in range(10, 23)] if options.curve else options.lanes
    libraries = ["jax"] if options.curve else options.libraries
    for library in libraries:
        try:
            functional.tables("S.G\n", xp=library, map_warnings=False)
        except ImportError as error:
            print(f"({error})")
            continue
        device = options.device
        if library == "torch" and device is None:
            import torch

            device = "cuda" if torch.cuda.is_available() else "cpu"
        device = device if library == "torch" else None
        print(
            f"\n{device_name(library, device)}: millions of steps a second, the best run; the first run, with compiling"
        )
        for count in lanes:
            print(f"{count:,} lanes")
            steps = ROWS if count <= 2**14 else 32
            steps = 16 if library == "torch" and device == "cpu" else steps
            for job in numpy_engine(count) if library == "numpy" else library_jobs(library, device, count, steps):
                measured(job, options.seconds)
    for peer in (navix, gymnax) if not options.curve and "jax" in libraries else ():
        try:
            for count in lanes:
                for job in peer(count, 32):
                    print(f"{count:,} lanes")
                    measured(job, options.seconds)
        except Exception as error:  # a peer that is not here, or does not work here
            print(f"({peer.__doc__} {type(error).__name__}: {error})")


def watch_memory(steps: int) -> None:
    """Make steps in one process under JAX, and print its largest size on the way."""
    import resource

    lanes, each = 65_536, 256
    tables, state = begun(maze21(), "jax", None, lanes, slip=0.1)
    rows = like(tables, random_actions(lanes, each).astype(np.int32))
    total = max(1, steps // (lanes * each))
    for number in range(total):
        found, state, _ = functional.rollout(tables, rows, state, each, keep="episodes")
        settled(found)
        if number in (0, total // 100, total // 10, total // 2, total - 1):
            size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{(number + 1) * lanes * each:>16,} steps  {size:8.1f} MiB at most")


if __name__ == "__main__":
    main()
