"""What the learners with nets share: updates, a curve of scores, files to go on from, and an orderly end by Ctrl-C."""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, ClassVar, Final, Self, TypeAlias

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv

from ... import nn
from ...envs import Maze
from ...envs.maps.arguments import generator_of_numbers, whole
from .experience import Lanes, check_lanes
from .policy import FORMAT, RecurrentPolicy

Schedule: TypeAlias = float | tuple[float, float, int]
"""a number, or (first, last, steps): a straight line from the first to the last over so many steps of training"""
Curve: TypeAlias = list[dict[str, float]]

BETAS: Final = (0.9, 0.999)


def at(schedule: Schedule, steps: int) -> float:
    """Return a schedule's value after so many steps of training."""
    if isinstance(schedule, int | float):
        return float(schedule)
    first, last, length = schedule
    return float(first + (last - first) * min(steps / length, 1.0))


class Learner:
    """A policy that improves by updates: each walks on in all lanes, and learns from what was met.

    As an `Agent` it is its policy. Subclasses write `update`.
    """

    name: ClassVar[str]
    experts: tuple[str, ...] = ()
    """names of infos by which an expert speaks, the best first; the environment has to have one of them"""

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        policy: RecurrentPolicy | None,
        *,
        rng: np.random.Generator,
        settings: Mapping[str, Any],
        learning_rate: Schedule,
    ) -> None:
        generator_of_numbers(rng)
        check_lanes(env)
        if policy is None:
            seen, actions = env.single_observation_space, env.single_action_space
            policy = RecurrentPolicy(seen, actions, previous_action=True, rng=rng)
        if not isinstance(policy, RecurrentPolicy):
            raise TypeError(f"a policy is a RecurrentPolicy, not a {type(policy).__name__}")
        self.settings = dict(settings) | {"learning_rate": learning_rate}
        self.policy, self.env, self.rng, self.learning_rate = policy, env, rng, learning_rate
        self.lanes = Lanes(env, policy, int(rng.integers(2**31)), self.discount, self.experts)
        self.optimizer = nn.Adam(policy.named_parameters(), at(learning_rate, 0), betas=BETAS, eps=1e-5)
        self.steps = 0
        """made so far, in all lanes together; the resets between episodes are not counted"""
        self.curve: Curve = []
        """after each update: steps, the mean return, length and success of the episodes that ended, and more"""

    def check_critic(self) -> None:
        """Raise ValueError for a policy without a critic."""
        if self.policy.heads is None:
            raise ValueError("a policy gradient needs a critic: make the policy with heads=True")

    def check_minibatches(self) -> None:
        """Raise ValueError for fewer lanes than minibatches."""
        lanes, parts = self.env.num_envs, self.settings["minibatches"]
        if parts > lanes:
            raise ValueError(
                f"{lanes} lanes cannot be dealt into {parts} minibatches: give more lanes, or minibatches=1"
            )

    @property
    def discount(self) -> float:
        """Of returns that compare with values: the learner's own, else 0.99."""
        return float(self.settings.get("discount", 0.99))

    # ------------------------------------------------------------------------------------------------------- training
    def update(self) -> dict[str, float]:
        """Walk on and learn once; return figures for the curve."""
        raise NotImplementedError

    def train(self, steps: int, report: Callable[["Learner"], None] | None = None) -> Curve:
        """Train for this many more steps, rounded up to whole updates; return the curve.

        Ctrl-C ends the training after the update under way, so that the learner can be used, saved and trained
        further. A second Ctrl-C ends it at once.

        Args:
            steps: of all lanes together.
            report: called after each update.

        Raises:
            ValueError: the number of steps is not positive.
            KeyboardInterrupt: after Ctrl-C.
        """
        goal = self.steps + whole("steps", steps, 1)
        with _CtrlC() as ctrl_c:
            while self.steps < goal:
                self.optimizer.lr = at(self.learning_rate, self.steps)
                figures = self.update()
                self._write_down(figures)
                if report is not None:
                    report(self)
                if ctrl_c.pressed:
                    raise KeyboardInterrupt(f"stopped after {self.steps:,} steps")
        return self.curve

    def _write_down(self, figures: Mapping[str, float]) -> None:
        returns, discounted, lengths, successes = self.lanes.take_finished()
        row = {"steps": float(self.steps), "episodes": float(len(returns))}
        if returns:
            row |= {
                "return": float(np.mean(returns)),
                "discounted": float(np.mean(discounted)),
                "length": float(np.mean(lengths)),
                "success": float(np.mean(successes)),
            }
        self.curve.append(row | {name: float(figure) for name, figure in figures.items()})

    def score(self, name: str = "return", episodes: int = 100) -> float:
        """Return the mean of about the last `episodes` episodes, NaN without any.

        Args:
            name: "return", "discounted" (the return, discounted), "length" or "success".
            episodes: how many.
        """
        total, count = 0.0, 0.0
        for row in reversed(self.curve):
            if name in row:
                total, count = total + row[name] * row["episodes"], count + row["episodes"]
            if count >= episodes:
                break
        return total / count if count else float("nan")

    def descend(self, loss: nn.Tensor, max_norm: float) -> float:
        """Take one step of the optimiser against a loss; return the norm of the gradient."""
        self.optimizer.zero_grad()
        loss.backward()
        norm = nn.clip_grad_norm(self.optimizer.parameters.items(), max_norm)
        self.optimizer.step()
        return norm

    # ------------------------------------------------------------------------------------------------------ as an agent
    def initial_state(self, batch_size: int | None = None) -> Any:
        """Return the policy's state before the first observation."""
        return self.policy.initial_state(batch_size)

    def act(self, observation: Any, state: Any) -> tuple[Any, Any]:
        """Return the policy's most likely action, and the next state."""
        return self.policy.act(observation, state)

    # -------------------------------------------------------------------------------------------------------- as a file
    def more_state(self) -> dict[str, Any]:
        """Return what else an update depends on; subclasses that keep something say what."""
        return {}

    def restore_more(self, state: Mapping[str, Any]) -> None:
        """Take back what `more_state` returned."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a checkpoint as npz: training that goes on from it is bit for bit training that was never stopped.

        `RecurrentPolicy.load` reads it too, and takes the policy alone.
        """
        self.policy.save(
            path,
            learner=self.name,
            learner_settings=self.settings,
            environment=_environment(self.env),
            steps=self.steps,
            curve=self.curve,
            optimizer=self.optimizer,
            rng=self.rng,
            lanes=self.lanes.state(),
            more=self.more_state(),
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str], env: VectorEnv[Any, Any, Any] | None = None) -> Self:
        """Read what `save` wrote.

        Args:
            path: the file.
            env: by default one like that in which it was trained is made.

        Raises:
            ValueError: the file is no checkpoint of this learner, or does not fit the environment.
            OSError: it cannot be opened.
        """
        saved = nn.load(path)
        policy = RecurrentPolicy.from_saved(saved, path)
        if saved.get("learner") != cls.name:
            raise ValueError(f"{os.fspath(path)} is a checkpoint of {saved.get('learner')!r}, not of {cls.name!r}")
        try:
            settings = {k: tuple(v) if isinstance(v, list) else v for k, v in saved["learner_settings"].items()}
            made = env if env is not None else make_env(saved["environment"])
            rng = _generator(saved["rng"])
            kind: Callable[..., Self] = cls
            learner = kind(made, policy, rng=rng, **settings)
            learner.optimizer.load_state_dict(saved["optimizer"])
            learner.lanes.restore(saved["lanes"])
            learner.restore_more(saved["more"])
            learner.steps, learner.curve = int(saved["steps"]), list(saved["curve"])
            rng.bit_generator.state = saved["rng"]  # making the learner has drawn from it
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"{os.fspath(path)} is damaged: {type(error).__name__}: {error}") from None
        return learner


class _CtrlC:
    """Within it the first Ctrl-C is only noted, and a later one raises KeyboardInterrupt. In other threads: no effect.

    Several within `AT_ONCE` count as one: `timeout -s INT` signals the program, and again its process group.
    """

    AT_ONCE = 0.5  # seconds

    def __init__(self) -> None:
        self.pressed = False
        self._first = 0.0
        self._before: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.getsignal(signal.SIGINT)
            if self._before is not None:
                signal.signal(signal.SIGINT, self._press)
        return self

    def _press(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.pressed and now - self._first > self.AT_ONCE:
            raise KeyboardInterrupt
        if not self.pressed:
            self.pressed, self._first = True, now

    def __exit__(self, *exception: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)


def _generator(state: Mapping[str, Any]) -> np.random.Generator:
    """Return a generator of the kind whose state was saved."""
    name = state["bit_generator"]
    if name not in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"):
        raise ValueError(f"unknown random generator {name!r}")
    return np.random.Generator(getattr(np.random, name)())


def _environment(env: VectorEnv[Any, Any, Any]) -> dict[str, Any] | None:
    """Return the id, the number of lanes and the keywords of an environment; None if JSON has no words for them."""
    spec = env.spec
    if spec is None:
        return None
    kwargs = {name: _plain(value) for name, value in spec.kwargs.items() if name != "vectorization_mode"}
    kwargs.pop("num_envs", None)
    if any(value is NotImplemented for value in kwargs.values()):
        return None
    return {"id": spec.id, "num_envs": env.num_envs, "keywords": kwargs}


def _plain(value: Any) -> Any:
    """Return a keyword as JSON has it, or NotImplemented."""
    if isinstance(value, Maze):
        return value.to_text()
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        inside = {str(name): _plain(part) for name, part in value.items()}
        return NotImplemented if NotImplemented in inside.values() else inside
    if isinstance(value, list | tuple | range | set | frozenset):
        parts = [_plain(part) for part in (sorted(value) if isinstance(value, set | frozenset) else value)]
        return NotImplemented if any(part is NotImplemented for part in parts) else parts
    return NotImplemented


def make_env(environment: Mapping[str, Any] | None, **keywords: Any) -> VectorEnv[Any, Any, Any]:
    """Make the vector environment of a checkpoint again, with further keywords, such as another `num_envs`.

    Raises:
        ValueError: the checkpoint does not say which, or it is not one of this library's.
    """
    if environment is None:
        raise ValueError("this checkpoint does not say in which environment it was trained: give one, env=")
    if not str(environment["id"]).startswith("mazegrad/"):
        raise ValueError(f"this checkpoint was trained in {environment['id']!r}: make it, and give it as env=")
    how = {"num_envs": environment["num_envs"]} | dict(environment["keywords"]) | keywords
    return gymnasium.make_vec(environment["id"], **how)


__all__ = ["FORMAT", "Curve", "Learner", "Schedule", "at", "make_env"]
