"""Recurrent PPO in JAX, environment and learning in one `jit`: a GRU remembers a T-maze's sign, or finds goals.

    pip install "mazegrad[jax]"
    python examples/train_on_device.py                 # the T-maze with a corridor of 20 tiles
    python examples/train_on_device.py --task maze     # mazes of 5 x 5 rooms, seen in a 5 x 5 view
    python examples/train_on_device.py --task tmaze maze --plot curves.png
    python examples/train_on_device.py --quick         # a few seconds: shows that it runs

Lanes, tables and the net live on the device that JAX finds; for a point of the curve the host reads three numbers. PPO:
Schulman et al. 2017 (arXiv:1707.06347), with generalised advantage estimation (arXiv:1506.02438); the net is unrolled
from the hidden state that it had when the segment began.
"""

import argparse
import time
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from mazegrad.envs import functional
from mazegrad.extras import require
from mazegrad.pictures import style
from mazegrad.script import count, natural, start

# a step costs something: else a net that has met traps as often as goals learns to stand still
COST = {"rewards": {"step": -0.01}, "time_limit": 200}
TASKS = {
    "tmaze": ("mazegrad/TMaze-v0", {"corridor": 20, **COST}),
    "maze": (
        "mazegrad/Maze-v0",
        {
            "size": (5, 5),
            "level_seeds": range(1000),
            "observation": "view",
            "view_size": 5,
            "encoding": "planes",
            **COST,
        },
    ),
}
TITLES = {"tmaze": "TMaze, corridor 20", "maze": "Maze, 5 x 5 rooms"}
DISCOUNT = 0.99


class Settings(NamedTuple):
    """Numbers that are compiled in."""

    rate: tuple[float, float, int] = (1.5e-3, 1e-4, 10_000_000)
    """the first learning rate, and the last, which is reached after that many steps of all lanes together"""
    segment: int = 128
    """steps of each lane between two updates"""
    discount: float = DISCOUNT
    trace: float = 0.95
    """lambda of the advantages"""
    clip: float = 0.2
    entropy: float = 0.01
    epochs: int = 2
    groups: int = 4
    """into how many the lanes are dealt in an epoch; each is one step of Adam"""


class Memory(NamedTuple):
    """What the learner carries along."""

    net: Any
    optimiser: Any
    state: functional.State
    hidden: Any
    """(lanes, units): of the GRU, zeros when an episode begins"""
    seen: Any
    fresh: Any
    """(lanes,): whether the observation is an episode's first"""
    steps: Any
    """of all lanes together, until now"""
    key: Any


class Moment(NamedTuple):
    """One step of all lanes; a segment of them has (steps, lanes)."""

    seen: Any
    fresh: Any
    action: Any
    log_probability: Any
    value: Any
    reward: Any
    terminated: Any
    truncated: Any
    counts: Any
    """False for the step that only leads to the next start"""


class Segment(NamedTuple):
    """What was walked, and how good it was."""

    hidden: Any
    """(lanes, units), when it began"""
    moments: Moment
    gain: Any
    """(steps, lanes): by how much each step was better than the critic thought"""


def made_net(key: Any, inputs: int, units: int, actions: int) -> dict[str, Any]:
    """Return the weights of a layer, a GRU and two read-outs: logits and the value."""
    import jax

    shapes = {"in": (inputs, units), "x": (units, 3 * units), "h": (units, 3 * units)}
    shapes |= {"pi": (units, actions), "v": (units, 1)}
    keys = jax.random.split(key, len(shapes))
    scale = {"pi": 0.01, "v": 1.0}
    net = {
        name: jax.nn.initializers.orthogonal(scale.get(name, 1.4))(one, shape)
        for one, (name, shape) in zip(keys, shapes.items(), strict=True)
    }
    return net | {f"{name}_b": jax.numpy.zeros(shape[1]) for name, shape in shapes.items()}


def think(net: dict[str, Any], hidden: Any, seen: Any, fresh: Any) -> tuple[Any, Any, Any]:
    """Return the next hidden state, logits and values."""
    import jax
    import jax.numpy as jnp

    n = hidden.shape[1]
    hidden = jnp.where(fresh[:, None], 0.0, hidden)
    x = jnp.tanh(seen.reshape(len(seen), -1).astype(jnp.float32) @ net["in"] + net["in_b"])
    of_x, of_h = x @ net["x"] + net["x_b"], hidden @ net["h"] + net["h_b"]
    reset, stay = (jax.nn.sigmoid(of_x[:, part] + of_h[:, part]) for part in (slice(n), slice(n, 2 * n)))
    new = jnp.tanh(of_x[:, 2 * n :] + reset * of_h[:, 2 * n :])
    hidden = stay * hidden + (1 - stay) * new
    return hidden, hidden @ net["pi"] + net["pi_b"], (hidden @ net["v"] + net["v_b"])[:, 0]


def begun(tables: functional.Tables, keys: Any, memory: Memory) -> Memory:
    """Leave the episodes under way, and begin new ones in all lanes, such as in other mazes."""
    import jax.numpy as jnp

    seen, state = functional.reset(tables, keys)
    hidden, fresh = jnp.zeros((len(seen), memory.hidden.shape[1])), jnp.ones(len(seen), dtype=bool)
    return memory._replace(state=state, hidden=hidden, seen=seen, fresh=fresh)


def walk(settings: Settings, tables: functional.Tables, memory: Memory) -> tuple[Memory, Segment]:
    """Let all lanes act for a segment, and judge it."""
    import jax
    import jax.numpy as jnp

    def once(memory: Memory, key: Any) -> tuple[Memory, Moment]:
        hidden, logits, value = think(memory.net, memory.hidden, memory.seen, memory.fresh)
        action = jax.random.categorical(key, logits)
        log_probability = jnp.take_along_axis(jax.nn.log_softmax(logits), action[:, None], 1)[:, 0]
        begins = memory.state.over  # this step leads to the next start, whatever the action
        seen, state, reward, terminated, truncated, _ = functional.step(tables, memory.state, action)
        moment = Moment(
            memory.seen, memory.fresh, action, log_probability, value, reward, terminated, truncated, ~begins
        )
        steps = memory.steps + moment.counts.sum()
        return memory._replace(state=state, hidden=hidden, seen=seen, fresh=begins, steps=steps), moment

    key, *keys = jax.random.split(memory.key, settings.segment + 1)
    after, moments = jax.lax.scan(once, memory._replace(key=key), jnp.stack(keys))
    _, _, last = think(after.net, after.hidden, after.seen, after.fresh)
    return after, Segment(memory.hidden, moments, advantages(settings, moments, last))


def advantages(settings: Settings, moments: Moment, last: Any) -> Any:
    """Return generalised advantage estimates, (steps, lanes), 0 where a step does not count.

    Nothing follows an episode's end; what would have followed one that was cut short, or follows the last step, is what
    the critic says.
    """
    import jax
    import jax.numpy as jnp

    def back(carry: Any, moment: Moment) -> tuple[Any, Any]:
        following, ahead = carry
        beyond = jnp.where(moment.terminated, 0.0, settings.discount * following)
        ahead = jnp.where(moment.terminated | moment.truncated, 0.0, settings.discount * settings.trace * ahead)
        gain = jnp.where(moment.counts, moment.reward + beyond - moment.value + ahead, 0.0)
        return (moment.value, gain), gain

    return jax.lax.scan(back, (last, jnp.zeros_like(last)), moments, reverse=True)[1]


def loss(settings: Settings, net: Any, hidden: Any, moments: Moment, gain: Any) -> Any:
    """Return PPO's loss over a segment, unrolled from the hidden state in which it began."""
    import jax
    import jax.numpy as jnp

    def once(hidden: Any, moment: Moment) -> tuple[Any, Any]:
        hidden, logits, value = think(net, hidden, moment.seen, moment.fresh)
        return hidden, (jax.nn.log_softmax(logits), value)

    _, (log_probabilities, value) = jax.lax.scan(once, hidden, moments)
    counts = moments.counts.astype(jnp.float32)

    def mean(x: Any) -> Any:
        return (x * counts).sum() / counts.sum()

    taken = jnp.take_along_axis(log_probabilities, moments.action[..., None], 2)[..., 0]
    ratio, target = jnp.exp(taken - moments.log_probability), moments.value + gain
    centred = (gain - mean(gain)) / (jnp.sqrt(mean((gain - mean(gain)) ** 2)) + 1e-8)
    clipped = jnp.clip(ratio, 1 - settings.clip, 1 + settings.clip)
    policy = -mean(jnp.minimum(ratio * centred, clipped * centred))
    entropy = -mean((jnp.exp(log_probabilities) * log_probabilities).sum(-1))
    return policy + 0.5 * mean((value - target) ** 2) - settings.entropy * entropy


def optimiser() -> Any:
    """Return Adam on clipped gradients; `improve` brings the learning rate."""
    import optax

    return optax.chain(optax.clip_by_global_norm(0.5), optax.scale_by_adam())


def improve(settings: Settings, memory: Memory, segment: Segment) -> Memory:
    """Take `epochs` times `groups` steps of Adam on a segment."""
    import jax
    import jax.numpy as jnp

    first, final, until = settings.rate
    rate = first + (final - first) * jnp.minimum(memory.steps / until, 1.0)

    def part(carry: Any, group: Any) -> tuple[Any, None]:
        net, inner = carry
        some = jax.tree.map(lambda x: x[:, group], segment[1:])
        slope = jax.grad(partial(loss, settings))(net, segment.hidden[group], *some)
        change, inner = optimiser().update(slope, inner)
        return (jax.tree.map(lambda weights, step: weights - rate * step, net, change), inner), None

    key, *keys = jax.random.split(memory.key, settings.epochs + 1)
    lanes = segment.gain.shape[1]
    groups = jnp.concatenate([jax.random.permutation(one, lanes).reshape(settings.groups, -1) for one in keys])
    (net, inner), _ = jax.lax.scan(part, (memory.net, memory.optimiser), groups)
    return memory._replace(net=net, optimiser=inner, key=key)


def learn(settings: Settings, updates: int, tables: functional.Tables, memory: Memory) -> Memory:
    """Make some updates, each after a segment of all lanes."""
    import jax

    def update(memory: Memory, _: None) -> tuple[Memory, None]:
        return improve(settings, *walk(settings, tables, memory)), None

    return jax.lax.scan(update, memory, None, length=updates)[0]


def beginner(tables: functional.Tables, keys: Any, units: int, key: Any) -> Memory:
    """Return a learner with a new net at the beginning of its lanes' first episodes, on the device of the tables.

    Args:
        tables: see `functional.tables`.
        keys: of the lanes; see `functional.keys`.
        units: of the GRU.
        key: of JAX, for the net and the actions.
    """
    import jax
    import jax.numpy as jnp

    seen, state = functional.reset(tables, keys)
    lanes = len(seen)
    key, begin = jax.random.split(key)
    net = made_net(begin, int(np.prod(seen.shape[1:])), units, tables.actions.shape[0])
    fresh, steps = jnp.ones(lanes, dtype=bool), jnp.zeros((), dtype=int)
    made = Memory(net, optimiser().init(net), state, jnp.zeros((lanes, units)), seen, fresh, steps, key)
    return jax.device_put(made, tables.words.device)


def likeliest(net: Any, seen: Any, hidden: Any) -> tuple[Any, Any]:
    """Return the likeliest actions: the policy that is scored."""
    hidden, logits, _ = think(net, hidden, seen, np.zeros(len(seen), dtype=bool))
    return logits.argmax(-1), hidden


def score(tables: functional.Tables, net: Any, units: int, seed: int, lanes: int = 256) -> tuple[float, float, float]:
    """Return the mean discounted return, the share of successes and the mean length of one episode in each lane."""
    _, state = functional.reset(tables, functional.keys(tables, seed, lanes))
    policy = functional.Policy(likeliest, net, np.zeros((lanes, units), dtype=np.float32))
    limit = COST["time_limit"]
    found, _, _ = functional.rollout(tables, policy, state, limit, keep="episodes", discount=DISCOUNT)
    return float(found.returns.mean()), float((found.successes > 0).mean()), float(found.lengths.mean())


def train(task: str, points: int, updates: int, lanes: int, steps: int, units: int, seed: int) -> list[list[float]]:
    """Train, and print the points of a curve; return them: steps, seconds, discounted return, success, length, V*."""
    import jax

    name, keywords = TASKS[task]
    keywords = {**keywords, "info": ("success", "value"), "discount": DISCOUNT}
    tables = functional.tables(name, xp="jax", **keywords)
    trial = functional.tables(name, xp="jax", autoreset_mode="Disabled", **keywords)
    best = float(functional.info(trial, functional.reset(trial, functional.keys(trial, 10**6, 256))[1])["value"].mean())
    print(f"{name} on {jax.devices()[0].device_kind}: {lanes} lanes, {units} units; V* {best:.3f}, discount {DISCOUNT}")
    memory = beginner(tables, functional.keys(tables, seed, lanes), units, jax.random.key(seed))
    settings = Settings(rate=(1.5e-3, 1e-4, points * updates * steps * lanes), segment=steps, discount=DISCOUNT)
    go = jax.jit(partial(learn, settings, updates))
    curve, began = [], time.time()
    print(f"{'steps':>12}{'seconds':>9}{'return':>9}{'success':>9}{'length':>9}")
    for point in range(1, points + 1):
        memory = go(tables, memory)
        row = [point * updates * steps * lanes, time.time() - began, *score(trial, memory.net, units, 10**6), best]
        curve.append(row)
        print(f"{row[0]:>12,.0f}{row[1]:>9.1f}{row[2]:>9.3f}{row[3]:>9.1%}{row[4]:>9.1f}", flush=True)
    return curve


def draw(curves: dict[str, list[list[float]]], path: str) -> None:
    """Draw the curve of each task beside V*."""
    made, axes = style.figure(1, len(curves), squeeze=False)
    for axis, (task, curve) in zip(axes[0], curves.items(), strict=True):
        rows = np.array(curve)
        millions = rows[:, 0] / 1e6
        style.draw_line(axis, millions, np.full(len(rows), rows[0, 5]), "V*", ("V*", "PPO"))
        style.draw_line(axis, millions, rows[:, 2], "PPO", ("V*", "PPO"))
        style.finish(axis, title=TITLES[task], xlabel="steps (millions)", ylabel="discounted return")
    style.save(made, path)


def main(arguments: list[str] | None = None) -> dict[str, list[list[float]]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=TASKS, nargs="+", default=["tmaze"])
    parser.add_argument("--points", type=count, default=40, help="of the curve")
    parser.add_argument("--updates", type=count, default=10, help="between two points")
    parser.add_argument("--lanes", type=count, default=256)
    parser.add_argument("--steps", type=count, default=128, help="of a segment")
    parser.add_argument("--units", type=count, default=32, help="of the GRU")
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument("--plot", metavar="FILE", help="draw the curve (extra: plot)")
    parser.add_argument("--quick", action="store_true", help="a few seconds: two points of two updates")
    options = parser.parse_args(arguments)
    for module in ("jax", "optax"):
        require(module, "jax")
    if options.quick:
        options.points, options.updates, options.lanes, options.steps = 2, 2, 32, 16
    settings = options.points, options.updates, options.lanes, options.steps, options.units, options.seed
    curves = {task: train(task, *settings) for task in options.task}
    if options.plot:
        draw(curves, options.plot)
    return curves


if __name__ == "__main__":
    start(main)
