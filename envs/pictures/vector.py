"""The same pictures as `draw`, of lines and areas instead of pixels: SVG for pages, PDF for print.

Both are written from the shapes that frames are painted with. Each look of a cell is written once, and used wherever a
cell looks so.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from numpy.typing import ArrayLike

from ..core.world import World
from ..maps.maze import Maze
from .draw import FrameSize, Legend, frame_size, tile_of
from .overlays import Composition, Overlays, Search, compose, decoded
from .palette import Colour, Theme
from .shapes import EVERYWHERE, Shape
from .tiles import Layer, layers

SVG_LINES: Final = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'
"""attributes of what encloses layers"""
_DIGITS: Final = 3  # after the point, in tiles: a thousandth of a tile is below what can be seen
_HALO: Final = 0.12  # of a tile, around a label
_STEPS: Final = 32  # shades of a scale


def draw_svg(
    drawing: Maze | World,
    state: int | Sequence[int] | None = None,
    *,
    values: Any = None,
    policy: Any = None,
    visits: ArrayLike | None = None,
    trails: Any = None,
    observation: Any = None,
    search: Search | None = None,
    labels: Mapping[int, str] | None = None,
    trail: Any = None,
    theme: str | Theme = "light",
    tile: int | None = None,
    size: int | tuple[int, int] | None = None,
    view_size: int = 5,
    scale: bool = True,
) -> str:
    """Return the picture of `draw` as SVG, made of shapes; arguments and errors are those of `draw`.

    Example:
        >>> from mazegrad.envs import draw_svg, load_maze
        >>> draw_svg(load_maze("spiral"))[:38]
        '<svg xmlns="http://www.w3.org/2000/svg'
    """
    overlays = Overlays(values, policy, visits, trails, observation, search, labels, scale)
    return svg_of(compose(drawing, _agents(state), overlays, trail, theme, view_size), frame_size(tile, size))


def draw_pdf(
    drawing: Maze | World,
    state: int | Sequence[int] | None = None,
    *,
    values: Any = None,
    policy: Any = None,
    visits: ArrayLike | None = None,
    trails: Any = None,
    observation: Any = None,
    search: Search | None = None,
    labels: Mapping[int, str] | None = None,
    trail: Any = None,
    theme: str | Theme = "print",
    tile: int | None = None,
    size: int | tuple[int, int] | None = None,
    view_size: int = 5,
    scale: bool = True,
) -> bytes:
    r"""Return the picture of `draw` as a PDF of one page, in greys by default; a px is a point, 1/72 inch.

    Arguments and errors are those of `draw`. Texts are set in Helvetica, which every reader has; a character that it
    lacks becomes "?".

    Example:
        >>> from mazegrad.envs import draw_pdf, load_maze
        >>> page = draw_pdf(load_maze("four_rooms"))
        >>> page[:8], page[-6:]
        (b'%PDF-1.4', b'%%EOF\n')
    """
    overlays = Overlays(values, policy, visits, trails, observation, search, labels, scale)
    return pdf_of(compose(drawing, _agents(state), overlays, trail, theme, view_size), frame_size(tile, size))


def _agents(state: Any) -> Sequence[int]:
    return () if state is None else state if isinstance(state, Sequence) or getattr(state, "ndim", 0) == 1 else (state,)


def _size(composition: Composition, tile: int | FrameSize | None) -> int:
    return tile_of(composition.codes.shape, tile)


# ------------------------------------------------------------------------------------------------------------------ SVG
def svg_of(composition: Composition, tile: int | FrameSize | None = None) -> str:
    """Return a composition as SVG; `tile` is the side of a tile in px."""
    size, (height, width), theme = _size(composition, tile), composition.codes.shape, composition.theme
    grounds, contents = _parts(composition)
    parts = [f'<rect width="{width}" height="{height}" fill="{_hex(theme.paper)}"/>']
    for colour, cells in grounds.items():
        runs = "".join(f"M{x} {y}h{n}v1h-{n}z" for y, x, n in _runs(cells, width))
        parts.append(f'<path fill="{_hex(colour)}" stroke="{_hex(colour)}" stroke-width=".02" d="{runs}"/>')
    defined = _svg_looks(contents)
    for i, cells in enumerate(contents.values()):
        places = (divmod(cell, width) for cell in cells)
        parts += [f'<use href="#{_name(i)}" x="{column + 0.5:g}" y="{row + 0.5:g}"/>' for row, column in places]
    if composition.walls:
        lines = "".join(f"M{x0:g} {y0:g}L{x1:g} {y1:g}" for x0, y0, x1, y1 in composition.walls)
        parts.append(f'<path stroke="{_hex(theme.wall)}" stroke-width=".1" stroke-linecap="square" d="{lines}"/>')
    for ring in composition.rings:
        lines = "".join(map(svg_layer, ring.layers(max(height, width), theme)))
        parts.append(f'<g transform="translate({ring.column + 0.5:g} {ring.row + 0.5:g})">{lines}</g>')
    text = f'font-family="DejaVu Sans,Helvetica,sans-serif" text-anchor="middle" fill="{_hex(theme.ink)}"'
    halo = f'stroke="{_hex(theme.paper)}" stroke-width="{_HALO}" paint-order="stroke"'
    labels = "".join(
        f'<text x="{column + 0.5:g}" y="{row + 0.68:g}">{escape(label)}</text>'
        for row, column, label in composition.labels
    )
    if labels:
        parts.append(f'<g font-size=".5" {text} {halo}>{labels}</g>')
    px_width, legend = width * size, ""
    if composition.scale is not None:
        place = Legend.of(composition.scale, height * size)
        left, top, wide, high = place.bar
        legend = f'<g transform="translate({px_width})"><rect width="{place.width}" height="{height * size}"'
        legend += f' fill="{_hex(theme.paper)}"/>'
        for step in range(_STEPS):
            colour = theme.heat_colour(1 - (step + 0.5) / _STEPS)
            y = top + high * step / _STEPS
            legend += (
                f'<rect x="{left}" y="{y:g}" width="{wide}" height="{high / _STEPS + 0.5:g}" fill="{_hex(colour)}"/>'
            )
        shown = (f'<text x="{x:g}" y="{y + place.font_size * 0.36:g}">{label}</text>' for x, y, label in place.texts)
        legend += f'<g font-size="{place.font_size}" {text}>{"".join(shown)}</g></g>'
        px_width += place.width
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{px_width}" height="{height * size}"'
        f' viewBox="0 0 {px_width} {height * size}" {SVG_LINES}>'
        f'<defs>{defined}</defs><g transform="scale({size})">{"".join(parts)}</g>{legend}</svg>'
    )


def _svg_looks(contents: Iterable[tuple[Layer, ...]]) -> str:
    """Return the definition of each look, a, b, ...; layers that several share are defined once, as A, B, ..."""
    looks = list(contents)
    shared = [layer for layer, count in Counter(layer for look in looks for layer in look).items() if count > 2]
    names = {layer: _name(i).upper() for i, layer in enumerate(shared)}
    layers = [svg_layer(layer, f' id="{name}"') for layer, name in names.items()]
    parts = (
        "".join(f'<use href="#{names[layer]}"/>' if layer in names else svg_layer(layer) for layer in look)
        for look in looks
    )
    return "".join(layers) + "".join(f'<g id="{_name(i)}">{part}</g>' for i, part in enumerate(parts))


def svg_layer(layer: Layer, name: str = "") -> str:
    """Return a layer as an SVG path, which lies in an element with `SVG_LINES`."""
    colour, shape, alpha = layer
    path = "".join(
        f"{letter}{' '.join(f'{_short(x)} {_short(y)}' for x, y in points)}" for letter, points in shape.path()
    )
    style = f'fill="{_hex(colour)}"'
    if shape.line:
        corners = ' stroke-linejoin="miter"' if _closed(shape) else ""
        style = f'stroke="{_hex(colour)}" stroke-width="{_short(shape.line)}"{corners}'
    return f'<path{name} {style}{f" opacity={chr(34)}{alpha:g}{chr(34)}" if alpha < 1 else ""} d="{path}"/>'


def _name(number: int) -> str:
    """Return a short name: a, b, ..., z, ba, ..."""
    letters = ""
    while number or not letters:
        number, letter = divmod(number, 26)
        letters = chr(ord("a") + letter) + letters
    return letters


def _hex(colour: Colour) -> str:
    return "#" + bytes(colour).hex()


# ------------------------------------------------------------------------------------------------------------------ PDF
def pdf_of(composition: Composition, tile: int | FrameSize | None = None) -> bytes:
    """Return a composition as a PDF; `tile` is the side of a tile in points."""
    size, (height, width), theme = _size(composition, tile), composition.codes.shape, composition.theme
    grounds, contents = _parts(composition)
    px_width, high = width * size, height * size
    place = None if composition.scale is None else Legend.of(composition.scale, high)
    total = px_width + (0 if place is None else place.width)
    page = [f"{_rgb(theme.paper)} rg 0 0 {total} {high} re f"]
    for colour, cells in grounds.items():
        runs = (f"{x * size} {high - (y + 1) * size} {n * size} {size} re" for y, x, n in _runs(cells, width))
        page.append(f"{_rgb(colour)} rg {' '.join(runs)} f")
    for i, cells in enumerate(contents.values()):
        for row, column in (divmod(cell, width) for cell in cells):
            x, y = (column + 0.5) * size, high - (row + 0.5) * size
            page.append(f"q {size} 0 0 -{size} {x:g} {y:g} cm /L{i} Do Q")
    if composition.walls:
        ends = ((x0 * size, high - y0 * size, x1 * size, high - y1 * size) for x0, y0, x1, y1 in composition.walls)
        lines = " ".join(f"{x0:g} {y0:g} m {x1:g} {y1:g} l" for x0, y0, x1, y1 in ends)
        page.append(f"{_rgb(theme.wall)} RG {0.1 * size:g} w 2 J {lines} S")
    for ring in composition.rings:
        x, y = (ring.column + 0.5) * size, high - (ring.row + 0.5) * size
        lines = " ".join(map(_pdf_layer, ring.layers(max(height, width), theme)))
        page.append(f"q {size} 0 0 -{size} {x:g} {y:g} cm {lines} Q")
    for row, column, label in composition.labels:
        where = (column + 0.5) * size, high - (row + 0.5) * size
        page.append(_pdf_text(label, *where, 0.5 * size, theme.ink, theme.paper))
    if place is not None:
        left, top, wide, tall = place.bar
        for step in range(_STEPS):
            colour = theme.heat_colour((step + 0.5) / _STEPS)
            y = high - top - tall + tall * step / _STEPS
            page.append(f"{_rgb(colour)} rg {px_width + left} {y:g} {wide} {tall / _STEPS + 0.3:g} re f")
        page += [_pdf_text(text, px_width + x, high - y, place.font_size, theme.ink) for x, y, text in place.texts]
    alphas = sorted({layer.alpha for look in contents for layer in look})
    states = "".join(f"/A{i} << /ca {alpha:g} /CA {alpha:g} >> " for i, alpha in enumerate(alphas))
    first = 6  # the objects before the looks: catalogue, pages, page, contents, font
    names = "".join(f"/L{i} {first + i} 0 R " for i in range(len(contents)))
    resources = f"<< /ExtGState << {states}>> /XObject << {names}>> /Font << /F 5 0 R >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {total} {high}] /Contents 4 0 R"
        f" /Resources {resources} >>".encode(),
        _stream("\n".join(page), ""),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    form = f"/Type /XObject /Subtype /Form /BBox [-0.5 -0.5 0.5 0.5] /Resources << /ExtGState << {states}>> >>"
    for look in contents:
        content = "\n".join(f"/A{alphas.index(layer.alpha)} gs {_pdf_layer(layer)}" for layer in look)
        objects.append(_stream(content, form))
    return _file(objects)


def _pdf_layer(layer: Layer) -> str:
    operators = {"M": "m", "L": "l", "C": "c", "Z": "h"}
    words = []
    for letter, points in layer.shape.path():
        words += [f"{_short(x)} {_short(y)}" for x, y in points] + [operators[letter]]
    if layer.shape.line:
        ends = "0 J 0 j" if _closed(layer.shape) else "1 J 1 j"
        return f"{_rgb(layer.colour)} RG {_short(layer.shape.line)} w {ends} {' '.join(words)} S"
    return f"{_rgb(layer.colour)} rg {' '.join(words)} f"


def _pdf_text(text: str, x: float, y: float, size: float, ink: Colour, halo: Colour | None = None) -> str:
    """Return a line of text around a point; Helvetica's letters are half as wide as high, about."""
    shown = text.replace("−", "-").encode("cp1252", "replace")
    escaped = shown.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)").decode("latin-1")
    start = f"BT /F {size:g} Tf {x - 0.27 * size * len(shown):g} {y - 0.36 * size:g} Td"
    around = f"{_rgb(halo)} RG {0.25 * size:g} w 1 j {start} 1 Tr ({escaped}) Tj ET " if halo is not None else ""
    return f"{around}{_rgb(ink)} rg {start} 0 Tr ({escaped}) Tj ET"


def _rgb(colour: Colour) -> str:
    return " ".join(f"{part / 255:.3g}" for part in colour)


def _stream(content: str, entries: str) -> bytes:
    data = zlib.compress(content.encode("latin-1"))
    return f"<< {entries} /Length {len(data)} /Filter /FlateDecode >>\nstream\n".encode() + data + b"\nendstream"


def _file(objects: Sequence[bytes]) -> bytes:
    """Return a PDF of objects 1, 2, ..., of which the first is its catalogue, with the table of where each lies."""
    content, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    start, count = len(content), len(objects) + 1
    content += f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R >>\n".encode()
    content += f"startxref\n{start}\n%%EOF\n".encode()
    return bytes(content)


# ----------------------------------------------------------------------------------------------------------------- both
def _parts(composition: Composition) -> tuple[dict[Colour, list[int]], dict[tuple[Layer, ...], list[int]]]:
    """Return the cells of each colour that fills a cell whole, and the cells of each set of layers above that."""
    grounds: dict[Colour, list[int]] = {}
    contents: dict[tuple[Layer, ...], list[int]] = {}
    looks: dict[int, list[Layer]] = {}
    for cell, code in enumerate(composition.codes.ravel().tolist()):
        if code not in looks:
            looks[code] = layers(decoded(code), composition.theme)
        look = looks[code]
        filled = [i for i, layer in enumerate(look) if layer.shape == EVERYWHERE and layer.alpha == 1]
        above = tuple(look[filled[-1] + 1 :] if filled else look)
        if filled:
            grounds.setdefault(look[filled[-1]].colour, []).append(cell)
        if above:
            contents.setdefault(above, []).append(cell)
    return grounds, contents


def _closed(shape: Shape) -> bool:
    return shape.path()[-1][0] == "Z"


def _runs(cells: Sequence[int], width: int) -> Iterable[tuple[int, int, int]]:
    """Yield (row, column, length) of the runs of neighbours in a row among cells in rising order."""
    first = 0
    for i in range(1, len(cells) + 1):
        if i == len(cells) or cells[i] != cells[i - 1] + 1 or cells[i] % width == 0:
            yield *divmod(cells[first], width), i - first
            first = i


def _short(number: float) -> str:
    """Return a number without superfluous digits: .17, -.5, 0."""
    text = f"{round(number, _DIGITS):.{_DIGITS}f}".rstrip("0").rstrip(".")
    return {"-0": "0", "": "0"}.get(text, text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text)
