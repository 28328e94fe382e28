"""The API reference: every public name of every public module on a page of its topic, written when the site is built.

Public is what a module exports: its `__all__`; without one, what a package imports as itself (`relu as relu`), and what
a file defines without an underscore. A name goes to the first topic that has the file it comes from, so a new name
needs a line here only if its file is of a new kind.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

MODULES: Final = (
    "mazegrad.envs", "mazegrad.envs.wrappers", "mazegrad.envs.functional",
    "mazegrad.agents", "mazegrad.agents.proofs", "mazegrad.agents.curricula",
    "mazegrad.nn", "mazegrad.nn.functional", "mazegrad.nn.init", "mazegrad.nn.schedulers", "mazegrad.nn.data",
    "mazegrad.nn.sampling", "mazegrad.nn.analysis",
    "mazegrad.adapters", "mazegrad.adapters.minari", "mazegrad.adapters.rllib", "mazegrad.offline",
    "mazegrad.distributed", "mazegrad.pictures.style", "mazegrad.scores", "mazegrad.page", "mazegrad.progress",
    "mazegrad.curves",
)  # fmt: skip


@dataclass(frozen=True)
class Name:
    """A public name."""

    module: str
    """from which users import it"""
    name: str
    source: str
    """the module that defines it"""

    @property
    def full(self) -> str:
        """As users write it."""
        return f"{self.module}.{self.name}"

    @property
    def value(self) -> Any:
        """What it stands for."""
        return getattr(importlib.import_module(self.module), self.name)


@dataclass
class Topic:
    """A page."""

    file: str
    title: str
    sentence: str
    sources: tuple[str, ...]
    """names of files, without "mazegrad."; all below a package belong to it"""
    names: list[Name] = field(default_factory=list)


def topics() -> list[Topic]:
    """Return the pages, in order, without names; the last of each room takes what no other does."""
    rows = """
    envs-mazes | Mazes | Draw a maze as text, read it from a file, or take one that is shipped.
        envs.maps.maze envs.maps.errors envs.maps.shipped envs.maps.legend envs.maps.directions envs.core.scene
        envs.planning.questions
    envs-levels | Generators and levels | Make mazes, change them, and split them into levels to train and to test on.
        envs.maps.generators envs.maps.levels envs.maps.mutation envs.maps.splits envs.maps.suites
    envs-formats | Map formats | Read and write the map files of other programs.
        envs.maps.formats
    envs-worlds | Worlds | Compile a maze into tables, and look its moves up.
        envs.core
    envs-environments | Environments | Walk: one agent, many lanes at once, or any decision process.
        envs.env envs.vector envs.tabular_env envs.tabular_vector envs.tabular_settings envs.observations
        envs.info envs.saved envs.planning.shaping envs.planning.hitting
    envs-parallel | Several agents | Let several agents walk in one maze.
        envs.parallel envs.parallel_make
    envs-wrappers | Wrappers | Add what an agent did last, and trials of several episodes in one level.
        envs.wrappers
    envs-planning | Planning | Compute shortest paths, exact values and best policies, and say how hard a maze is.
        envs.planning.distances envs.planning.plain envs.planning.mdp envs.planning.linear envs.planning.values
        envs.maps.plain envs.planning.solvers envs.planning.describe
    envs-beliefs | Beliefs | Plan when the state is hidden: beliefs, bounds, and the textbook problems.
        envs.planning.beliefs envs.planning.pomdp envs.planning.pomdps envs.planning.pomdp_text
    envs-pictures | Pictures | Draw a maze, and what is to be seen over it, as a frame, SVG or PDF.
        envs.pictures
    envs-engines | Engines and replays | Choose what steps the lanes, and record walks that run again bit for bit.
        envs.engines envs.replay
    envs-functional | The functional engine | Step lanes by pure functions over the arrays of numpy, JAX or torch.
        envs.functional
    envs-more | More of mazegrad.envs | What belongs to no other page.
        envs
    agents-agents | Agents | Let an agent walk, count how well it does, and compare it with agents by rule.
        agents.agent agents.rollout agents.named agents.reference agents.policy_agent
        agents.belief_agent agents.agent_value
    agents-rnn | Recurrent nets set by hand | Set W, U and b, and see whether the net follows every path.
        agents.rnn agents.counterexample agents.recurrent
    agents-automata | Automata | Write a finite-state controller, compile it into a net, and extract one from an agent.
        agents.automata
    agents-learners | Learners | Learn from tables or with nets.
        agents.learners
    agents-proofs | Proofs about memory | Prove whether a world needs memory.
        agents.proofs
    agents-curricula | Curricula | Choose which levels to train on.
        agents.curricula
    agents-more | More of mazegrad.agents | What belongs to no other page.
        agents
    nn-tensors | Tensors | Compute with arrays that remember how they were made, and get the gradients.
        nn.tensor nn.rules nn.graph nn.operators nn.explain nn.gradcheck nn.serialization
    nn-operations | Operations | The functions of tensors, each with its derivative.
        nn.operations
    nn-differentiation | Derivatives of functions | Gradients, Jacobians, Hessians and their products.
        nn.differentiation nn.second_order
    nn-modules | Modules and containers | Build nets out of parts that hold parameters.
        nn.modules nn.containers nn.averaging
    nn-layers | Layers | The parts of a net: linear, convolution, pooling, normalisation, activations, losses.
        nn.layers
    nn-convolution | Convolution | Exercise 41: convolution and its gradients.
        nn.convolution
    nn-recurrent | Recurrent nets | RNN, LSTM and GRU: cells and layers over whole sequences.
        nn.recurrent
    nn-transformers | Attention and transformers | Attend to everything at once.
        nn.attention nn.transformers
    nn-functional | Functions of layers and losses | What layers and losses compute, as functions.
        nn.functional
    nn-optimisers | Optimisers | Change parameters so that a loss falls, and keep gradients in bounds.
        nn.optimisers nn.clipping
    nn-schedulers | Schedulers | Change learning rates while a net is trained.
        nn.schedulers
    nn-init | Initial weights | Fill weights before the training.
        nn.init
    nn-data | Data | Read data sets, and cut them into batches.
        nn.data nn.loading
    nn-sampling | Sampling | Draw from what a net says, such as the next letter.
        nn.sampling
    nn-analysis | Analysis of gradients | Exercise 39: see what gradients do on their way through time and depth.
        nn.analysis
    nn-more | More of mazegrad.nn | What belongs to no other page.
        nn
    adapters | Other libraries | Train with other libraries on our lanes, and let their policies walk.
        adapters
    offline | Data sets of episodes | Record what agents do, for learning offline.
        offline
    distributed | Many processes and machines | Spread evaluations, rollouts and certificates over Ray.
        distributed
    training | Progress and curves | Show how far a long job is, and log what a training does.
        progress curves
    figures | Figures | Draw figures in one style.
        pictures
    page | The playground | Write the page in which mazes are drawn and walked, as one file.
        page
    scores | Scores | Check what every learner reaches on every environment.
        scores
    """
    found = []
    for row in re.split(r"\n {4}(?=\w)", rows)[1:]:
        heading, *sources = row.splitlines()
        file, title, sentence = map(str.strip, heading.split("|"))
        found.append(Topic(file, title, sentence, tuple(" ".join(sources).split())))
    return found


def public_names(module: str) -> Iterator[Name]:
    """Yield what a module exports, in the order of its `__all__` or of its text."""
    loaded = importlib.import_module(module)
    path = Path(inspect.getfile(loaded))
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    exported: list[str] | None = getattr(loaded, "__all__", None)
    sources: dict[str, str] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            home = ".".join([*package.split(".")[: len(package.split(".")) - node.level + 1], node.module or ""])
            for alias in node.names:
                if exported is not None or alias.asname == alias.name:
                    sources[alias.asname or alias.name] = home.rstrip(".")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        for name in _defined(node):
            if not name.startswith("_"):
                sources.setdefault(name, module)
    for name in exported if exported is not None else sources:
        if not isinstance(getattr(loaded, name), ModuleType):
            yield Name(module, name, _definition(sources.get(name, module), name))


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _definition(source: str, name: str) -> str:
    """Return the module in which a name is defined, from one that may only pass it on."""
    value = getattr(importlib.import_module(source), name)
    home = getattr(value, "__module__", None)
    if isinstance(home, str) and home.startswith("mazegrad") and (inspect.isclass(value) or inspect.isfunction(value)):
        return home
    loaded = importlib.import_module(source)
    for node in ast.walk(ast.parse(Path(inspect.getfile(loaded)).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level and any(alias.name == name for alias in node.names):
            package = source if hasattr(loaded, "__path__") else source.rpartition(".")[0]
            parts = package.split(".")
            home = ".".join([*parts[: len(parts) - node.level + 1], node.module or ""]).rstrip(".")
            return _definition(home, name)
    return source


def all_names() -> list[Name]:
    """Return every public name of every public module."""
    return [name for module in MODULES for name in public_names(module)]


def sorted_topics() -> list[Topic]:
    """Return the pages with their names; each name is on one page."""
    pages = topics()
    for name in all_names():
        inside = f"{name.source}.".startswith(f"{name.module}.") and name.module != "mazegrad.nn.functional"
        at = f"{name.source if inside else name.module}.".removeprefix("mazegrad.")
        next(page for page in pages if any(at.startswith(f"{source}.") for source in page.sources)).names.append(name)
    for page in pages:  # what can be called comes first
        page.names.sort(key=lambda name: not callable(name.value))
    return [page for page in pages if page.names]


def constant_text(name: Name) -> str:
    """Return what is written about a constant: the text below it, or the comment above or behind it."""
    lines = Path(inspect.getfile(importlib.import_module(name.source))).read_text(encoding="utf-8").splitlines()
    body = ast.parse("\n".join(lines)).body
    for node, following in zip(body, [*body[1:], None], strict=True):
        if name.name not in _defined(node):
            continue
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            return inspect.cleandoc(str(following.value.value))
        above = lines[node.lineno - 2].strip()
        behind = lines[node.lineno - 1].partition("  # ")[2]
        comments = []
        for number in range(node.lineno - 2, -1, -1):
            if not lines[number].startswith("# "):
                break
            comments.insert(0, lines[number][2:])
        return behind if not above.startswith("# ") else " ".join(comments)
    return ""


def _lead(text: str | None) -> str:
    """Return the first sentence of a docstring, in one line."""
    first = re.split(r"\n\s*\n", inspect.cleandoc(text or ""), maxsplit=1)[0]
    return rst(" ".join(first.split()))


@cache
def _places() -> dict[str, str]:
    """Return for each public name that can be linked from its name alone, such as `World`, where it is."""
    places: dict[str, str] = {}
    for name in all_names():
        if name.name[0].isupper() or "_" in name.name:
            places.setdefault(name.name, name.full)
    return places


def _code(text: str) -> str:
    """Return code of a docstring, with a link if it is a public name: `World`, `World.compile`."""
    name, _, member = text.partition(".")
    place = _places().get(name)
    if place is None or (member and not hasattr(_value(place), member)):
        return f"``{text}``"
    return f":py:obj:`{text} <{place}{'.' * bool(member)}{member}>`"


def _value(place: str) -> Any:
    module, _, name = place.rpartition(".")
    return getattr(importlib.import_module(module), name)


def rst(text: str) -> str:
    """Return a text of ours, whose only markup is `code`, as reStructuredText."""
    parts = re.split(r"``?([^`]+)``?", text)
    for i, part in enumerate(parts):
        if i % 2:
            parts[i] = _code(part)
            if parts[i + 1][:1].isalnum():
                parts[i] += "\\"
        else:
            parts[i] = re.sub(r"([*|\\]|(?<=\w)_(?!\w))", r"\\\1", part)
    return "".join(parts)


def rst_lines(lines: list[str]) -> list[str]:
    """Return a docstring as reStructuredText: sessions (`>>>`) and indented drawings and code stay as they are."""
    found: list[str] = []
    before, state, bullet = 0, "text", 0  # the indent of the last line, what it was, and the indent of its bullet
    joined = ""
    for line in lines:
        if not line.strip():
            found.append("")
            state = "text" if state == "session" else state
            continue
        indent = len(line) - len(line.lstrip())
        blank = bool(found) and not found[-1]
        if state == "literal" and indent > before:
            found.append(line)
            continue
        if line.lstrip().startswith(">>> ") or state == "session":
            state = "session"
            found.append(line)
            continue
        if blank and indent > before and not line.lstrip().startswith("- ") and state != "bullet":
            found += [" " * before + "::", ""]
            state = "literal"
            found.append(line)
            continue
        if line.lstrip().startswith("- "):
            state, bullet = "bullet", indent
        elif state == "bullet" and indent <= bullet:
            state = "text"
            if not blank:
                found.append("")
        else:
            state = state if state == "bullet" else "text"
        before = indent
        if indent == 4 and re.fullmatch(r"    (\w+, )+\w+,", line):  # names of arguments, which go on in the next line
            joined = line
            continue
        if joined:
            line, joined = f"{joined} {line.lstrip()}", ""
        found.append(rst(line))
    return found


def _entry(name: Name, first: dict[int, Name]) -> str:
    value = name.value
    if _described(value):
        if (known := first.setdefault(id(value), name)) is not name:
            return f".. py:function:: {name.full}\n\n   The same as :py:obj:`{known.full}`.\n"
        if inspect.isclass(value):
            bases = "" if value.__bases__ == (object,) else "   :show-inheritance:\n"
            return f".. autoclass:: {name.full}\n   :members:\n{bases}"
        return f".. autofunction:: {name.full}\n"
    text = "\n".join(f"   {line}".rstrip() for line in rst(constant_text(name)).splitlines())
    return f".. py:data:: {name.full}\n\n{text}\n\n   {_held(value)}\n"


def _described(value: Any) -> bool:
    """Return whether this has a docstring of ours: a class or a function, not a constant or another name of a type."""
    ours = str(getattr(value, "__module__", "")).startswith("mazegrad")
    return ours and (inspect.isclass(value) or inspect.isroutine(value))


def _held(value: Any) -> str:
    """Say what a constant holds."""
    if value is Any:
        return "Another name of ``Any``."
    if isinstance(value, bool | int | float | str):
        return f"``{value!r}``"
    kind = type(value).__name__.replace("mappingproxy", "mapping")
    if isinstance(value, Mapping | tuple | frozenset) and len(value) > 0 and all(isinstance(key, str) for key in value):
        return f"A {kind} of {len(value)}: {', '.join(f'``{key!r}``' for key in value)}."
    return f"A {kind}."


def write(folder: Path) -> None:
    """Write all pages, and the one that lists them."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = sorted_topics()
    for old in folder.glob("*.rst"):
        if old.stem not in {page.file for page in pages}:
            old.unlink()
    first: dict[int, Name] = {}
    for page in pages:
        lines = [page.title, "=" * len(page.title), "", page.sentence, ""]
        for name in page.names:
            lead = _lead(name.value.__doc__) if _described(name.value) else _lead(constant_text(name))
            lines.append(f"- :py:obj:`~{name.full}`: {lead}".rstrip(": "))
        lines += ["", *(_entry(name, first) for name in page.names)]
        write_if_changed(folder / f"{page.file}.rst", "\n".join(lines))
    lines = ["# API reference", "", "Every public name, with its arguments, shapes and sources.", ""]
    lines += [f"- [{page.title}]({page.file}.rst) (`{page.names[0].module}`): {page.sentence}" for page in pages]
    lines += ["", "```{toctree}", ":hidden:", "", *(page.file for page in pages), "```", ""]
    write_if_changed(folder / "index.md", "\n".join(lines))


def write_if_changed(path: Path, text: str) -> None:
    """Write a page if it is another one than before, so that Sphinx reads only what has changed."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
