"""Make the page: one HTML file of a template, a style sheet, scripts, and worlds as text; it needs no server.

Browsers refuse modules that a file on disk imports from another, so `bundled` lays all modules into one script, each in
a function of its own. It is compressed in the page.
"""

import base64
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from ..envs import MAZES, Maze, load_maze
from ..envs.core.inventory import OPENED
from ..envs.maps.legend import LEGEND
from ..envs.pictures.palette import DARK, LIGHT, Colour, Theme, mixed
from ..envs.pictures.tiles import Look, layers
from ..envs.pictures.vector import SVG_LINES, svg_layer

HERE: Final = Path(__file__).parent
_OWN: Final = "$"  # stands for every letter that a map declares
_FIRST_MAZE: Final = "sheet38"
_IMPORT: Final = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./(\w+)\.js";?[ \t]*$', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export\s+(?=(?:async\s+)?(?:function\*?|class|const|let)\s+)", re.MULTILINE)
_EXPORTED: Final = re.compile(r"^export\s+(?:async\s+)?(?:function\*?|class|const|let)\s+([\w$]+)", re.MULTILINE)
_ALIKE: Final = re.compile(r'<path ([^>]*) d="([^"]*)"/><path \1 d="([^"]*)"/>')
_COMMENT: Final = re.compile(r"^\s*//.*$|^\s*/\*\*?(?:[^*]|\*(?!/))*\*/\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Drawing:
    """A maze that the page offers.

    Example:
        >>> from mazegrad.envs import Maze
        >>> from mazegrad.page import Drawing
        >>> drawing = Drawing("corridor", "A corridor", "S..G")
        >>> Maze.from_text(drawing.text).width
        4
    """

    name: str
    """by which links name it"""
    title: str
    """in the list of mazes"""
    text: str
    """the drawing, as a map file holds it"""


def build_page(
    drawings: Sequence[Drawing] = (),
    replays: Sequence[tuple[str, str]] = (),
    nets: Sequence[Mapping[str, Any]] = (),
    automata: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the page as HTML.

    Args:
        drawings: mazes to offer before the shipped ones; the page opens the first.
        replays: (name, text) of recorded runs to offer.
        nets, automata: to offer, see `minds`; the first of each is chosen when the page opens.

    Example:
        >>> from mazegrad.page import Drawing, build_page
        >>> html = build_page([Drawing("corridor", "A corridor", "S..G")])
        >>> html.startswith("<!doctype html>"), "A corridor" in html, len(html) < 250_000
        (True, True, True)
    """
    mazes = [*drawings, *(_shipped(name) for name in sorted(MAZES, key=lambda name: (name != _FIRST_MAZE, name)))]
    data = {
        "mazes": [{"name": m.name, "title": m.title, "text": m.text} for m in mazes],
        "given": len(drawings),
        "replays": [{"name": name, "text": text} for name, text in replays],
        "tiles": dict(LEGEND),
        "nets": list(nets),
        "automata": list(automata),
    }
    parts = {
        "STYLE": _colours() + _plain((HERE / "page.css").read_text(encoding="utf-8")),
        "SYMBOLS": _symbols(),
        "DATA": _embedded(data),
        "SCRIPT": _packed(bundled("app")),
    }
    template = (HERE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def _shipped(name: str) -> Drawing:
    maze = load_maze(name)
    text = MAZES[name].read_text(encoding="utf-8")
    return Drawing(name, maze.metadata.get("title", name), text)


def _embedded(data: object) -> str:
    """Return JSON that may stand inside a script element."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _packed(script: str) -> str:
    """Return a script compressed, as text; the page unpacks it, and weighs half of what it would."""
    packer = zlib.compressobj(9, wbits=-15)
    return base64.b64encode(packer.compress(script.encode()) + packer.flush()).decode("ascii")


# -------------------------------------------------------------------------------------------------------------- scripts
def bundled(first: str) -> str:
    """Return a module and all that it imports as one script.

    Args:
        first: the name of a file in `scripts`, without its suffix.

    Raises:
        ValueError: a module imports itself, over others, or its imports cannot be read.
    """
    order: list[str] = []
    _collect(first, order, ())
    return '"use strict";' + "\n".join(_wrapped(name) for name in order)


def _collect(name: str, order: list[str], path: tuple[str, ...]) -> None:
    if name in path:
        raise ValueError(f"{name}.js imports itself, by way of {', '.join(path)}")
    if name in order:
        return
    for _, needed in _IMPORT.findall(_source(name)):
        _collect(needed, order, (*path, name))
    order.append(name)


@cache
def _source(name: str) -> str:
    return (HERE / "scripts" / f"{name}.js").read_text(encoding="utf-8")


def _wrapped(name: str) -> str:
    """Return a module as a function that is called at once and returns what the module exports."""
    source = _source(name)
    exported = _EXPORTED.findall(source)
    source = _IMPORT.sub(lambda found: f"const {{{_renamed(found[1])}}} = ${found[2]};", source)
    source = _EXPORT.sub("", source)
    left = re.search(r"^(?:import|export)\b.*$", source, re.MULTILINE)
    if left:
        raise ValueError(
            f'{name}.js: cannot bundle {left[0]!r}; write `import {{ a }} from "./b.js"`, `export function`'
        )
    lines = (line.strip() for line in _COMMENT.sub("", source).splitlines())
    body = "\n".join(line for line in lines if line)
    return f"const ${name} = (() => {{\n{body}\nreturn {{{','.join(exported)}}};\n}})();"


def _renamed(names: str) -> str:
    return ",".join(re.sub(r"\s+as\s+", ":", name.strip()) for name in names.split(",") if name.strip())


# -------------------------------------------------------------------------------------------------------------- colours
def _plain(css: str) -> str:
    """Return a style sheet without comments and indentation."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return "\n".join(line.strip() for line in css.splitlines() if line.strip())


def _named_colours(theme: Theme) -> dict[str, Colour]:
    """Return the colours of a theme by the name of their CSS variable."""
    named: dict[str, Colour] = {}
    for field in fields(theme):
        value = getattr(theme, field.name)
        name = "m-" + field.name.replace("_", "-")
        if isinstance(value[0], tuple):
            named.update({f"{name}-{i}": colour for i, colour in enumerate(value)})
        else:
            named[name] = value
    named.update({f"m-glow-{i}": mixed(colour, theme.paper, 0.15) for i, colour in enumerate(theme.digits)})
    return named


def _colours() -> str:
    """Return the palettes as CSS: light by default, dark where the reader or the system wants it."""
    light, dark = (
        "".join(f"--{name}:{_hex(colour)};" for name, colour in _named_colours(theme).items())
        for theme in (LIGHT, DARK)
    )
    return (
        f":root{{{light}}}\n:root[data-theme=dark]{{{dark}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
    )


def _hex(colour: Iterable[int]) -> str:
    return "#" + bytes(colour).hex()


def _symbols() -> str:
    """Return all tiles as SVG symbols, drawn as in all other pictures, with CSS variables for colours."""
    theme, names = _numbered_theme()
    looks = {ord(tile): Look(ord(tile)) for tile in LEGEND if tile != " "}
    looks |= {ord(tile) + OPENED: Look(ord(tile) + OPENED) for tile in "ABCDEF"}
    looks[ord(_OWN)] = Look(ord(_OWN))
    drawn = []
    for code, look in looks.items():
        shapes = "".join(svg_layer(layer) for layer in layers(look, theme))
        shapes = re.sub(r'"(#[0-9a-f]{6})"', lambda found: f'"var(--{names[found[1]]})"', shapes)
        while shapes != (joined := _ALIKE.sub(r'<path \1 d="\2\3"/>', shapes)):
            shapes = joined
        drawn.append(f'<g id="t{code}" {SVG_LINES}>{shapes}</g>')
    return "".join(drawn)


def _numbered_theme() -> tuple[Theme, dict[str, str]]:
    """Return a theme in which every colour is another one, and the name of the variable for each."""
    count = 0

    def fresh() -> Colour:
        nonlocal count
        count += 1
        return 0, count % 256, 0

    chosen: dict[str, Colour | tuple[Colour, ...]] = {}
    for field in fields(LIGHT):
        value = getattr(LIGHT, field.name)
        chosen[field.name] = tuple(fresh() for _ in value) if isinstance(value[0], tuple) else fresh()
    chosen["digits"] = tuple((10 * (i + 1), 0, 200) for i in range(len(LIGHT.digits)))  # so that mixtures differ too
    theme = replace(LIGHT, **chosen)  # type: ignore[arg-type]
    return theme, {_hex(colour): name for name, colour in _named_colours(theme).items()}


def drawing_of(maze: Maze, name: str) -> Drawing:
    """Return a maze as the page takes it."""
    return Drawing(maze.metadata.get("name", name), maze.metadata.get("title", name), maze.to_text())
