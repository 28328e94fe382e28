"""Maps of the editor Tiled, as JSON: our tiles by a property `tile` of the tileset, or a layer named `walls`."""

import json
from typing import Any, Final

import numpy as np

from ..legend import LEGEND
from ..maze import Maze, MazeError
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
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise MazeError(f"not a map of Tiled: {type(error).__name__} {error!s:.60}", 1, 1) from None


def _maze(content: Any) -> Maze:
    tiles = {0: " "}
    for tileset in content["tilesets"]:
        for tile in tileset.get("tiles", []):
            for given in tile.get("properties", []):
                if given["name"] == "tile":
                    tiles[int(tileset["firstgid"]) + int(tile["id"])] = given["value"]
    layers = [layer for layer in content["layers"] if layer.get("type") == "tilelayer"]
    if not layers:
        raise MazeError("the map does not have a layer of tiles", 1, 1)
    drawing, walls = layers[0], str(layers[0].get("name", "")).lower() == "walls"
    height, width, data = int(drawing["height"]), int(drawing["width"]), drawing["data"]
    if isinstance(data, str) or len(data) != height * width or not data:
        raise MazeError(f"layer {drawing.get('name')!r:.40}: expected {height} x {width} numbers; save it as CSV", 1, 1)
    row = []
    for cell, given in enumerate(data):
        number = int(given) & ~_FLIPS
        tile = ("#" if number else ".") if walls and number not in tiles.keys() - {0} else tiles.get(number)
        if not isinstance(tile, str) or len(tile) != 1 or tile not in LEGEND:
            where = f"row {cell // width}, column {cell % width}"
            raise MazeError(f"{where}: tile {number} has no property `tile` with a letter of the legend", 1, 1)
        row.append(tile)
    codes = np.frombuffer("".join(row).encode("ascii"), dtype=np.uint8).reshape(height, width)
    metadata = {given["name"]: str(given["value"]) for given in content.get("properties", [])}
    return Maze(codes, metadata)


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
