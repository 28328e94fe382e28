"""Maps of the editor Tiled, as JSON: our tiles by a property `tile` of the tileset, or a layer named `walls`."""

import base64
import json
import zlib
from difflib import get_close_matches
from typing import Any, Final

import numpy as np

from ..errors import MazeError
from ..legend import LEGEND, MAX_TILES
from ..maze import Maze
from ..metadata import METADATA
from .format import text_format

_FLIPS: Final = 0xE0000000  # bits of a cell by which Tiled turns its picture


def _read(text: str) -> Maze:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        raise MazeError(f"not JSON: {getattr(error, 'msg', error)!s:.80}", line, column) from None
    try:
        return _maze(content)
    except MazeError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise MazeError(f"not a map of Tiled: {type(error).__name__} {error!s:.60}", 1, 1) from None


def _maze(content: Any) -> Maze:
    tiles = {0: " "}
    for tileset in content["tilesets"]:
        for tile in tileset.get("tiles", []):
            for entry in tile.get("properties", []):
                if entry["name"] == "tile":
                    tiles[int(tileset["firstgid"]) + int(tile["id"])] = entry["value"]
    layers = [layer for layer in content["layers"] if layer.get("type") == "tilelayer"]
    if not layers:
        raise MazeError("the map does not have a layer of tiles", 1, 1)
    if content.get("orientation", "orthogonal") not in ("orthogonal", "isometric"):
        raise MazeError(f"a map must be orthogonal or isometric, not {content['orientation']!r:.40}", 1, 1)
    named = [layer for layer in layers if str(layer.get("name", "")).lower() == "walls"]
    drawing, walls = (named or layers)[0], bool(named)
    height, width = int(drawing["height"]), int(drawing["width"])
    if not (height > 0 and width > 0 and height * width <= MAX_TILES):
        raise MazeError(f"the map has {height} x {width} tiles; allowed are 1 to {MAX_TILES:,}", 1, 1)
    data = _data(drawing, height, width)
    row = []
    for cell, numbered in enumerate(data):
        number = int(numbered) & ~_FLIPS
        tile = ("#" if number else ".") if walls and number not in tiles.keys() - {0} else tiles.get(number)
        if not isinstance(tile, str) or len(tile) != 1 or tile not in LEGEND:
            where = f"row {cell // width}, column {cell % width}"
            raise MazeError(f"{where}: tile {number} has no property `tile` with a letter of the legend", 1, 1)
        row.append(tile)
    codes = np.frombuffer("".join(row).encode("ascii"), dtype=np.uint8).reshape(height, width)
    given = {entry["name"]: str(entry["value"]) for entry in content.get("properties", [])}
    # what a map says to other programs is left out, unless it looks like a setting that is misspelt
    return Maze(
        codes, {key: value for key, value in given.items() if key in METADATA or get_close_matches(key, METADATA)}
    )


def _data(layer: Any, height: int, width: int) -> list[Any]:
    """Return the numbers of a layer, row by row: of one array, or of the chunks of an infinite map."""
    chunks = layer.get("chunks")
    if chunks is None:
        return _numbers(layer, layer, height * width)
    left, top = int(layer["startx"]), int(layer["starty"])
    data = [0] * (height * width)
    for chunk in chunks:
        wide, high = int(chunk["width"]), int(chunk["height"])
        row, column = int(chunk["y"]) - top, int(chunk["x"]) - left
        if not (0 <= row <= row + high <= height and 0 <= column <= column + wide <= width):
            raise MazeError("a chunk of the infinite map lies outside of its layer", 1, 1)
        numbers = _numbers(layer, chunk, high * wide)
        for line in range(high):
            place = (row + line) * width + column
            data[place : place + wide] = numbers[line * wide : (line + 1) * wide]
    return data


def _numbers(layer: Any, part: Any, count: int) -> list[Any]:
    """Return the numbers of a layer or of a chunk: a list, or base64 of them, plain or compressed."""
    data, name = part["data"], layer.get("name")
    if isinstance(data, str):
        how = layer.get("compression") or "none"
        if how not in ("none", "zlib", "gzip"):
            message = f"layer {name!r:.40}: compression {how!r:.20}; known: none, zlib, gzip; or save it as CSV"
            raise MazeError(message, 1, 1)
        try:
            packed = base64.b64decode(data)
            if how != "none":
                packed = zlib.decompressobj(wbits=47).decompress(packed, 4 * count + 4)  # zlib or gzip, by its head
        except (ValueError, zlib.error) as error:
            raise MazeError(f"layer {name!r:.40}: not base64 of numbers: {error!s:.60}", 1, 1) from None
        data = np.frombuffer(packed[: len(packed) // 4 * 4], dtype="<u4").tolist()
    if not isinstance(data, list) or len(data) != count:
        raise MazeError(f"layer {name!r:.40}: expected {count} numbers, not {len(data)}", 1, 1)
    return data


def _write(maze: Maze) -> str:
    numbers = {tile: number for number, tile in enumerate(LEGEND) if tile != " "}  # a blank is Tiled's 0
    tileset = {
        "firstgid": 1, "name": "mazegrad", "tilewidth": 16, "tileheight": 16, "tilecount": len(numbers), "columns": 0,
        "tiles": [
            {"id": number - 1, "type": LEGEND[tile].split(":")[0],
             "properties": [{"name": "tile", "type": "string", "value": tile}]}
            for tile, number in numbers.items()
        ],
    }  # fmt: skip
    layer = {
        "id": 1, "name": "maze", "type": "tilelayer", "x": 0, "y": 0, "opacity": 1, "visible": True,
        "width": maze.width, "height": maze.height,
        "data": [numbers.get(tile, 0) for row in maze.rows() for tile in row],
    }  # fmt: skip
    content = {
        "type": "map", "version": "1.10", "orientation": "orthogonal", "renderorder": "right-down", "infinite": False,
        "width": maze.width, "height": maze.height, "tilewidth": 16, "tileheight": 16,
        "nextlayerid": 2, "nextobjectid": 1,
        "properties": [{"name": key, "type": "string", "value": value} for key, value in maze.metadata.items()],
        "layers": [layer], "tilesets": [tileset],
    }  # fmt: skip
    return json.dumps(content) + "\n"


TILED: Final = text_format(
    "maps of the editor Tiled as JSON: tiles with a property `tile`, or a layer `walls`",
    ".tmj",
    read=_read,
    write=_write,
)
