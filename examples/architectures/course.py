"""What the six programs share: a training with a progress bar that can be stopped and resumed exactly.

A program looks like this:

    parser = arguments(__file__, __doc__, epochs=20, quick_epochs=2)
    parser.add_argument("--hidden", type=int, default=512)
    options = parser.parse_args(words)                      # with --load FILE: the file's options are the defaults
    rng = np.random.default_rng(options.seed)               # the only generator: weights, order, dropout, noise
    net = ...
    optimizer = nn.Adam(net.named_parameters(), 1e-3)
    scheduler = nn.schedulers.CosineAnnealingLR(optimizer, options.epochs * steps)
    course = Course(options, net, optimizer, scheduler, rng, clip=1.0, average=0.999)
    course.run(lambda epoch: nn.data.batches(..., rng=rng, drop_last=True), steps, loss_of, after_epoch)
    ...                                                     # results and pictures; the net is in evaluation mode

    if __name__ == "__main__":
        start(main)
"""

import argparse
import json
import math
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mazegrad import nn, script
from mazegrad.curves import Curves, sparkline
from mazegrad.extras import MissingExtra
from mazegrad.pictures import style
from mazegrad.progress import clock, progress


# ------------------------------------------------------------------------------------------------------------- options
class Options(argparse.ArgumentParser):
    """A parser whose `--load FILE` takes the default options from the file; see `arguments`."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the arguments; options saved in the loaded file replace the defaults."""
        name = Path(self.get_default("program")).stem
        load = self.parse_known_args(args)[0].load
        saved: dict[str, Any] = {}
        if load:
            try:
                saved = nn.load(load)
            except (OSError, ValueError) as error:
                self.error(script.in_words(error))
            if saved.get("program") != name:
                self.error(f"{load} was not written by {name}.py --save")
            self.set_defaults(**saved["options"])
        options = super().parse_args(args, namespace)
        options.checkpoint = saved
        if options.epochs is None:
            options.epochs = self.get_default("epochs_of")[options.quick]
        options.save = options.save or options.load or Path(f"{name}-quick.npz" if options.quick else f"{name}.npz")
        return options


def arguments(file: str, doc: str, epochs: int, quick_epochs: int = 2) -> Options:
    """Return the parser that all six programs start with; `file` is the program's `__file__`, `doc` its `__doc__`."""
    name = Path(file).stem
    parser = Options(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(program=file, epochs_of=(epochs, quick_epochs))
    parser.add_argument("--quick", action="store_true", help="a short demonstration, in seconds")
    parser.add_argument("--seed", type=script.natural, default=0, help="default: %(default)s")
    parser.add_argument("--epochs", type=script.count, help=f"default: {epochs}; {quick_epochs} with --quick")
    parser.add_argument("--save", type=Path, metavar="FILE", help=f"the checkpoint; default: {name}.npz")
    parser.add_argument("--load", type=Path, metavar="FILE", help="resume from a checkpoint, or show its results")
    parser.add_argument("--log", type=Path, metavar="FOLDER", help="write the curves for TensorBoard, too")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", default=Path(name), help="default: %(default)s")
    return parser


def start(main: Callable[[], Any]) -> None:
    """Run a program; an error that the user can fix is one message, not a traceback."""
    script.start(main, NonFiniteLoss)


# ------------------------------------------------------------------------------------------------------------ training
class NonFiniteLoss(ArithmeticError):
    """The loss is NaN or infinite, although every gradient is finite."""


class Course:
    """A net, its optimiser, and the state of the training; starts from the file of `--load` if there is one.

    A checkpoint is written after each epoch. An epoch depends only on what is in the checkpoint: net, optimiser,
    scheduler, averaged weights, `rng`. So everything random, dropout included, must draw from that `rng`, and a state
    that is carried from batch to batch must be reset at the start of an epoch. Then a run that was stopped and resumed
    ends with the same weights, bit for bit, as one that was not.

    Args:
        options: as `arguments` parses them.
        net, optimizer, scheduler, rng: what is trained, and with what.
        clip: the maximum norm of all gradients together; None does not clip.
        average: decay of an exponential average of the weights, used for evaluation and at the end; 0 for none.
        settings: plain values that are saved; a loaded file must have the same.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        net: nn.Module,
        optimizer: nn.Optimiser,
        scheduler: nn.schedulers.Scheduler | None,
        rng: np.random.Generator,
        *,
        clip: float | None = None,
        average: float = 0.0,
        **settings: Any,
    ) -> None:
        self.options, self.net, self.optimizer, self.scheduler, self.rng = options, net, optimizer, scheduler, rng
        self.clip, self.average = clip, nn.Averaged(net, average) if average else None
        self.settings = json.loads(json.dumps(settings))  # as they are read from a file
        self.epoch, self.seconds = 0, 0.0  # epochs done, and their processor time
        self.curves: dict[str, list[float]] = {}  # name -> one number for each epoch
        self.live = Curves(options.log)  # what is seen while it trains; the loss of every step
        self.checkpoint: Path | None = None  # the last one written
        if options.checkpoint:
            try:
                self._restore(options.checkpoint)
            except (KeyError, ValueError) as error:
                raise SystemExit(f"{options.load} does not fit this program and these options: {error}") from error

    def run(
        self,
        deal: Callable[[int], Iterable[Any]],
        steps: int,
        loss_of: Callable[[Any], nn.Tensor],
        after_epoch: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        """Train until `options.epochs` are done; then the net is in evaluation mode, with its averaged weights.

        Args:
            deal: from the epoch (1, 2, ...) to its batches, of which the first `steps` are used.
            steps: batches of an epoch.
            loss_of: from a batch to the loss.
            after_epoch: called in evaluation mode; returns named figures that are printed, saved and drawn.

        Raises:
            KeyboardInterrupt: with the command that resumes the training.
            NonFiniteGradient, NonFiniteLoss: the training diverged.
        """
        for epoch, figures in enumerate(zip(*self.curves.values(), strict=True), 1):  # of a training that is resumed
            self.live.add(epoch * steps, dict(zip(self.curves, figures, strict=True)), written=True)
        try:
            while self.epoch < self.options.epochs:
                self._train(deal(self.epoch + 1), steps, loss_of)
                self._evaluate(after_epoch)
                self.save()
        except KeyboardInterrupt:
            raise KeyboardInterrupt(self._how_to_go_on()) from None
        finally:
            self.live.close()
        self.net.eval()
        if self.average:
            self.average.swap()
        print(f"{self.epoch} epochs took {clock(self.seconds)} of processor time; saved in {self.options.save}")
        draw_curves(self.curves, self.options.pictures / "learning_curves.png")

    def _train(self, batches: Iterable[Any], steps: int, loss_of: Callable[[Any], nn.Tensor]) -> None:
        start, losses, epochs = time.process_time(), [], self.options.epochs
        later = (epochs - self.epoch - 1) * steps
        self.net.train()
        label = f"epoch {self.epoch + 1}/{epochs}"
        for batch in progress(islice(batches, steps), steps, label, later, self.live.text):
            losses.append(self._step(loss_of, batch))
            self.live.add(self.optimizer.steps, {"loss": losses[-1]})
        if len(losses) < steps:
            raise ValueError(f"epoch {self.epoch + 1} has {len(losses)} batches; expected {steps}")
        self.curves.setdefault("loss", []).append(float(np.mean(losses)))
        self.seconds += time.process_time() - start

    def _step(self, loss_of: Callable[[Any], nn.Tensor], batch: Any) -> float:
        with np.errstate(all="ignore"):  # a loss that is not finite is reported below
            self.optimizer.zero_grad()
            loss = loss_of(batch)
            loss.backward()
            if self.clip:
                nn.clip_grad_norm(self.optimizer.parameters.items(), self.clip)
            self.optimizer.step()
        if not math.isfinite(loss.item()):
            raise NonFiniteLoss(f"step {self.optimizer.steps}: the loss is {loss.item()}; try a smaller learning rate")
        if self.scheduler:
            self.scheduler.step()
        if self.average:
            self.average.update()
        return loss.item()

    def _evaluate(self, after_epoch: Callable[[], Mapping[str, float]]) -> None:
        start = time.process_time()
        self.net.eval()
        if self.average:
            self.average.swap()
        with nn.no_grad():
            figures = after_epoch()
        if self.average:
            self.average.swap()
        for name, figure in figures.items():
            self.curves.setdefault(name, []).append(float(figure))
        self.live.add(self.optimizer.steps, figures)
        self.epoch += 1
        self.seconds += time.process_time() - start
        figures = ", ".join(f"{name} {values[-1]:.4f}" for name, values in self.curves.items())
        print(f"epoch {self.epoch}/{self.options.epochs}: {figures}, {clock(self.seconds)}", flush=True)

    # --------------------------------------------------------------------------------------------------- checkpoints
    def save(self) -> None:
        """Write the checkpoint, completely or not at all."""
        apart = "load", "save", "log", "program", "checkpoint", "epochs_of"
        options = {name: value for name, value in vars(self.options).items() if name not in apart}
        self.options.save.parent.mkdir(parents=True, exist_ok=True)
        nn.save(
            self.options.save,
            program=Path(self.options.program).stem,
            options={name: str(value) if isinstance(value, Path) else value for name, value in options.items()},
            settings=self.settings,
            epoch=self.epoch,
            seconds=self.seconds,
            curves=self.curves,
            net=self.net,
            optimizer=self.optimizer,
            scheduler=self.scheduler or {},
            average=self.average or {},
            rng=self.rng,
        )
        self.checkpoint = self.options.save

    def _restore(self, saved: Mapping[str, Any]) -> None:
        for name in self.settings.keys() | saved["settings"].keys():
            if self.settings.get(name) != saved["settings"].get(name):
                raise ValueError(f"it has {name} = {saved['settings'].get(name)}, now {self.settings.get(name)}")
        self.net.load_state_dict(saved["net"])
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.scheduler:
            self.scheduler.load_state_dict(saved["scheduler"])
        if self.average:
            self.average.load_state_dict(saved["average"])
        self.rng.bit_generator.state = saved["rng"]
        self.epoch, self.seconds, self.curves = saved["epoch"], saved["seconds"], saved["curves"]
        self.checkpoint = self.options.load

    def _how_to_go_on(self) -> str:
        if not self.checkpoint:
            return "stopped in the first epoch: nothing has been saved yet"
        done = nn.load(self.checkpoint)["epoch"]  # Ctrl-C may have come between the file and the count
        command = shlex.join(["python", sys.argv[0], "--load", str(self.checkpoint)])
        return f"stopped after {done} of {self.options.epochs} epochs; resume with:\n    {command}"


# ------------------------------------------------------------------------------------------------------------ pictures
def page(rows: int = 1, columns: int = 1, **keywords: Any) -> tuple[Any, Any] | None:
    """Return a figure and its axes as `style.figure` makes them, or None without matplotlib: then print text."""
    try:
        return style.figure(rows, columns, **keywords)
    except MissingExtra:
        return None


def draw_curves(curves: Mapping[str, list[float]], path: Path) -> None:
    """Draw each curve in a panel of its own; without matplotlib, print it as a row of bars."""
    try:
        figure, axes = style.figure(1, len(curves), squeeze=False)
    except MissingExtra:
        for name, values in curves.items():
            print(f"{name:>12} {values[0]:.4f} {sparkline(values)} {values[-1]:.4f}")
        print("(for pictures: python -m pip install matplotlib)")
        return
    for axis, (name, values) in zip(axes[0], curves.items(), strict=True):
        style.draw_line(axis, range(1, len(values) + 1), values, name, list(curves), marked=True, label="_")
        axis.set(xlabel="epoch", title=name)
        axis.xaxis.get_major_locator().set_params(integer=True)
    style.save(figure, path)
