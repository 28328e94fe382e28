"""`mazegrad train` and `mazegrad evaluate`: an agent learns, is saved, and its score is put beside what is possible."""

import inspect
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np

from . import nn
from .agents import PPO, DAgger, RecurrentPolicy, Reinforce
from .agents.learners import Learner, encoder
from .curves import Curves, sparkline
from .envs import INFO, Maze
from .envs.maps.arguments import nearest
from .extras import require
from .files import ARCHIVE, kind_of
from .named import choose_agent, find_environment, make_env, named_maze
from .progress import Screen, clock
from .standing import HELD_OUT, optimum, standing, table, vector_env
from .tables import TABLES, TableTraining
from .trained import holds_trained, read_trained

LEARNERS: Final[Mapping[str, type[Learner]]] = {"ppo": PPO, "reinforce": Reinforce, "dagger": DAgger}

_CELL: Final = "gru"

SAVE_EVERY: Final = 120.0
"""seconds between checkpoints"""


# ------------------------------------------------------------------------------------------------------------ commands
def train(arguments: Namespace) -> int | None:
    """Train an agent, save it, and print where its score stands; return 130 after Ctrl-C.

    Args:
        arguments: `env` (an ID, or None with `resume`), `maze`, `agent`, `steps` (in total), `seed`, `save`, `resume`
            (a checkpoint or None), `world`, `set` and `net` (pairs of names and values: keywords of the
            environment, settings of the learner and of its net), `observation`, `lanes`, `cell`, `hidden`, `layers`,
            `begin_with` (a file whose net is trained on, or None), `curve` (a PNG or None), `log` (a folder for
            TensorBoard, or None), `episodes`.
    """
    if arguments.curve is not None:
        require("matplotlib.figure", "plot")
    learner: Learner | TableTraining = _resumed(arguments) if arguments.resume is not None else _begun(arguments)
    path: Path = arguments.save or arguments.resume or Path("walker.npz")
    left = arguments.steps - learner.steps
    if left <= 0:
        raise ValueError(f"{arguments.resume} has made {learner.steps:,} steps already: --steps must be more")
    print(_about(learner))
    stopped = False
    report = _Report(learner, arguments.steps, path, arguments.log)
    try:
        learner.train(left, report.show)
    except KeyboardInterrupt:
        stopped = True
    except nn.NonFiniteGradient as error:
        raise ValueError(f"after {learner.steps:,} steps the training diverged: {error}") from None
    finally:
        report.clear()
    learner.save(path)
    taken = f"{learner.steps:,} steps in {clock(report.seconds)}"
    print(f"{'stopped after ' if stopped else ''}{taken}; wrote {path}")
    print(_sparkline(learner))
    if arguments.curve is not None:
        draw_curve(learner, arguments.curve)
        print(f"wrote {arguments.curve}")
    if stopped and isinstance(learner, Learner):
        print(f"continue with: mazegrad train --resume {path} --steps {arguments.steps}")
    if stopped:
        return 130
    print()
    print(standing(read_trained(path), path.name, arguments.episodes, HELD_OUT, learner.discount))
    return None


def evaluate(arguments: Namespace) -> None:
    """Print an agent's score on held-out episodes, beside chance, the best memoryless policy and V*.

    Args:
        arguments: `agent` (a file that `train` wrote, or a name), `env` and `maze` (None: where it was trained),
            `world` (pairs), `episodes`, `seed` (of the first episode), `sampled` (actions are drawn), `within` (a
            multiple of the shortest way, or None).
    """
    given, how = Path(arguments.agent), (arguments.episodes, HELD_OUT + arguments.seed, 0.99)
    if not holds_trained(given):
        named = choose_agent(arguments.agent)
        env_id, keywords = _world(arguments, {"observation": named.observation})
        print(table(env_id, keywords, given.name, named.make, *how, arguments.within))
        return
    trained = read_trained(given)
    world = dict(arguments.world)
    for name, learned in trained.what_it_sees.items():
        if (given_now := world.get(name, learned)) != learned:
            raise ValueError(f"{given.name} was trained with {name}={learned!r}, so it cannot use {name}={given_now!r}")
    if arguments.env is not None or arguments.maze is not None or arguments.world:
        if arguments.env is None and arguments.maze is None:
            trained = trained._replace(keywords={**trained.keywords, **dict(arguments.world)})
        else:
            env_id, keywords = _world(arguments, trained.what_it_sees)
            trained = trained._replace(env_id=env_id, keywords=keywords)
    print(standing(trained, given.name, *how, arguments.sampled, arguments.within))


# ------------------------------------------------------------------------------------------------------------- making
def _world(arguments: Namespace, keywords: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the id and the keywords of the environment that is asked for."""
    keywords = dict(keywords)
    if arguments.maze is not None:
        keywords["maze"] = named_maze(arguments.maze, arguments.format)
    if arguments.env is None and arguments.maze is None:
        raise ValueError("name an environment, such as Maze-v0; `mazegrad list` shows them all")
    env_id = find_environment(arguments.env or "GridWorld-v0")
    return env_id, keywords | dict(arguments.world)


def _begun(arguments: Namespace) -> Learner | TableTraining:
    """Make a learner from its beginning."""
    if arguments.agent not in (*LEARNERS, *TABLES):
        raise ValueError(f"unknown learner {arguments.agent!r}{nearest(arguments.agent, (*LEARNERS, *TABLES))}")
    if arguments.agent in TABLES:
        for name in ("lanes", "cell", "hidden", "layers", "net", "begin_with"):
            if getattr(arguments, name) not in (None, []):
                option = "from" if name == "begin_with" else name
                raise ValueError(f"--{option} is for nets, and {arguments.agent} learns a table: leave it out")
        return _begun_table(arguments)
    kind = LEARNERS[arguments.agent]
    env_id, keywords = _world(arguments, {"observation": arguments.observation or "dots"})
    if kind.experts:
        keywords["info"] = tuple(name for name in kind.experts if name in INFO)[:1]
    settings = DEFAULTS.get(arguments.agent, lambda _: {})(arguments.steps) | _settings(arguments, kind)
    rng = np.random.default_rng(arguments.seed)
    env = vector_env(env_id, arguments.lanes or 64, keywords)
    seen, actions = env.single_observation_space, env.single_action_space
    if arguments.begin_with is not None:
        policy = _read_policy(arguments.begin_with, seen, actions)
    else:
        sizes = (arguments.cell or _CELL, arguments.hidden or 64, arguments.layers or 1)
        with _given("--net"):
            policy = RecurrentPolicy(seen, actions, *sizes, **_net_settings(arguments), rng=rng)
    make: Any = kind
    with _given("--set"):
        learner: Learner = make(env, policy, **settings, rng=rng)
    return learner


@contextmanager
def _given(option: str) -> Iterator[None]:
    """Let a setting of a wrong type be an error of the user, who gave it, and not of the program."""
    try:
        yield
    except TypeError as error:
        raise ValueError(f"{option}: {error}") from None


def _net_settings(arguments: Namespace) -> dict[str, Any]:
    """Return the settings of the net that are asked for, once it is found to have them."""
    settings = {"previous_action": (arguments.cell or _CELL) != "none"} | dict(arguments.net)
    known = ("previous_action", "keeps")
    for name in settings:
        if name not in known:
            raise ValueError(f"--net: a net has no setting {name!r}{nearest(name, known)}")
    return settings


def _read_policy(path: Path, seen: gymnasium.Space[Any], actions: gymnasium.Space[Any]) -> RecurrentPolicy:
    """Return the net of a file, once it is found to fit the environment."""
    if not holds_trained(path) and (kind := kind_of(path)) != ARCHIVE:
        raise ValueError(f"{path} is {kind}, not a net that `mazegrad train` wrote")
    policy = RecurrentPolicy.load(path)
    if policy.encoder != encoder(seen) or policy.actions != getattr(actions, "n", None):
        raise ValueError(f"the net of {path} has other observations or actions than {seen} and {actions}")
    return policy


def _begun_table(arguments: Namespace) -> TableTraining:
    """Make a tabular learner from its beginning."""
    env_id, keywords = _world(arguments, {"observation": arguments.observation or "index"})
    settings = _settings(arguments, TABLES[arguments.agent])
    env = make_env(env_id, **keywords)
    kept = {name: value.to_text() if isinstance(value, Maze) else value for name, value in keywords.items()}
    with _given("--set"):
        return TableTraining(arguments.agent, env, settings, kept, np.random.default_rng(arguments.seed))


def _settings(arguments: Namespace, kind: type) -> dict[str, Any]:
    """Return the settings that are asked for, once the learner is found to have them."""
    settings = dict(arguments.set)
    known: list[str] = []
    for base in kind.__mro__:  # on to the next one as long as keywords are handed on to it
        named = inspect.signature(base).parameters.values()
        known += [p.name for p in named if p.kind is p.KEYWORD_ONLY and p.name not in ("rng", *known)]
        if not any(p.kind is p.VAR_KEYWORD for p in named):
            break
    for name in settings:
        if name not in known:
            raise ValueError(f"--set: {arguments.agent} has no setting {name!r}{nearest(name, known)}")
    return settings


DEFAULTS: Final[Mapping[str, Any]] = {
    "ppo": lambda steps: {"learning_rate": (1e-3, 1e-4, steps), "entropy": (0.02, 0.0, steps)},
    "reinforce": lambda steps: {"learning_rate": (3e-3, 3e-4, steps), "entropy": (0.02, 0.0, steps)},
    "dagger": lambda steps: {
        "learning_rate": (2e-3, 2e-4, steps),
        "expert_share": (1.0, 0.25, max(1, round(0.3 * steps))),
        "epochs": max(1, min(4, 800_000 // steps)),  # the fewer steps there are, the more often each is learned from
    },
}
"""name -> from the number of steps to settings that differ from the learner's own: rates that fall in the course"""


def _resumed(arguments: Namespace) -> Learner:
    """Read a learner that continues exactly where it was saved."""
    given = [f"--{name}" for name in ("maze", "world", "set", "net") if getattr(arguments, name)]
    given += ["--from"] if arguments.begin_with is not None else []
    if arguments.env is not None or given:
        raise ValueError(
            f"--resume continues with the saved settings: leave out {', '.join(given) or 'the environment'}"
        )
    file: Path = arguments.resume
    kind = read_trained(file).kind if (trained := holds_trained(file)) else kind_of(file)
    name = str(nn.load(file).get("learner")) if trained else ""
    if name not in LEARNERS:
        raise ValueError(
            f"{file} is {'a ' if trained else ''}{kind}, not a checkpoint of {', '.join(LEARNERS)};"
            " only these can be resumed"
        )
    return LEARNERS[name].load(file)


# ---------------------------------------------------------------------------------------------------------- reporting
def _about(learner: Learner | TableTraining) -> str:
    spec = learner.env.spec
    where = "an environment" if spec is None else spec.id
    if isinstance(learner, TableTraining):
        return f"{learner.name} in {where}"
    policy = learner.policy
    count = sum(parameter.size for parameter in policy.parameters())
    net = f"{policy.cell}, {policy.hidden} units" if policy.cell != "none" else f"no memory, {policy.hidden} units"
    return f"{learner.name} in {where}, {learner.env.num_envs} lanes; {net}, {count:,} parameters"


class _Report:
    """How far the training is: a bar and curves on a terminal, elsewhere a line for each tenth; and checkpoints."""

    def __init__(self, learner: Learner | TableTraining, steps: int, path: Path, log: Path | None) -> None:
        self.begin, self.begin_steps, self.steps, self.path = time.perf_counter(), learner.steps, steps, path
        self.saved, self.tenths = self.begin, 10 * learner.steps // steps
        self.screen, self.curves, self.rows = Screen(), Curves(log), len(learner.curve)
        for row in learner.curve:  # of a training that is resumed
            self.curves.add(row["steps"], _shown(row), written=True)
        self.best = optimum(learner.env, learner.discount)

    @property
    def seconds(self) -> float:
        """Since the training began."""
        return time.perf_counter() - self.begin

    def show(self, learner: Learner | TableTraining) -> None:
        """Show it after an update."""
        now, done = time.perf_counter(), min(learner.steps, self.steps)
        if now - self.saved > SAVE_EVERY:
            learner.save(self.path)
            self.saved = time.perf_counter()
        for row in learner.curve[self.rows :]:
            self.curves.add(row["steps"], _shown(row))
        self.rows = len(learner.curve)
        if sys.stderr.isatty():
            if self.screen.due(now):
                share = (done - self.begin_steps) / max(1, self.steps - self.begin_steps)
                left = f"{clock(self.seconds / max(share, 1e-9) * (1 - share))} left"
                bar = "█" * (20 * done // self.steps)
                line = f"{bar:░<20} {done:,}/{self.steps:,}, {self.score(learner)}, {left}"
                above = self.curves.text()
                self.screen.show(f"{above}\n" * bool(above) + line, now)
        elif 10 * done // self.steps > self.tenths:
            self.tenths = 10 * done // self.steps
            print(f"{done:>12,} steps: {self.score(learner)}", flush=True)

    def score(self, learner: Learner | TableTraining) -> str:
        """Return the score of the last episodes in words, beside V*."""
        if np.isnan(learner.score("success")):
            return "no episode has ended yet"
        best = "" if self.best is None else f" (V* {self.best:.3f})"
        return f"discounted return {learner.score('discounted'):.3f}{best}, success {learner.score('success'):.0%}"

    def clear(self) -> None:
        """Take the bar and the curves away, and finish TensorBoard's file."""
        self.screen.clear()
        self.curves.close()


def _shown(row: Mapping[str, float]) -> dict[str, float]:
    """Return the figures of a row of the curve that are shown while it grows."""
    return {name: row[name] for name in ("discounted", "success") if name in row}


def _sparkline(learner: Learner | TableTraining, width: int = 60) -> str:
    """Return the learning curve as a line of text, from the worst to the best discounted return."""
    values = np.array([row["discounted"] for row in learner.curve if "discounted" in row])
    if not len(values):
        return "no episode has ended yet"
    means = [part.mean() for part in np.array_split(values, min(width, len(values)))]
    return f"discounted return  {sparkline(means)}  {min(means):.3f} to {max(means):.3f}"


def draw_curve(learner: Learner | TableTraining, path: Path) -> None:
    """Write the learning curve as PNG: discounted return beside V*, and success. Needs the extra `plot`."""
    from .pictures import style

    figure, axis = style.figure(height=3.2)
    rows = [row for row in learner.curve if "discounted" in row]
    steps = [row["steps"] for row in rows]
    lines = {"discounted return": "discounted", "success": "success"}
    for name, key in lines.items():
        values = [row[key] for row in rows]
        style.draw_line(axis, steps, values, name, list(lines), lw=0.6, alpha=0.4, label="_")
        style.draw_line(axis, steps, _smooth(values), name, list(lines))
    best = optimum(learner.env, learner.discount)
    if best is not None and steps:
        style.draw_line(axis, [0, steps[-1]], [best, best], "V*", lw=1)
    spec = learner.env.spec
    style.finish(axis, xlabel="steps", title=f"{learner.name} in {spec.id}" if spec else learner.name)
    figure.savefig(path, dpi=160, format="png")


def _smooth(values: Sequence[float]) -> list[float]:
    """Return the running mean over a twentieth of the curve."""
    width = max(1, len(values) // 20)
    return [float(np.mean(values[max(0, i - width + 1) : i + 1])) for i in range(len(values))]
