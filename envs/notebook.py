"""In a notebook a maze shows itself: its picture, wrapped as an SVG."""

import base64
import struct
import zlib
from typing import Final

from .draw import Frame, draw, tile_size
from .maze import Maze
from .world import World

_SIDE: Final = 640  # px of the longer side of the picture; it is shown at half of that, sharp on fine screens


def png(frame: Frame) -> bytes:
    """Return a (height, width, 3) uint8 frame as a PNG file (ISO/IEC 15948)."""
    height, width, _ = frame.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in frame)  # 0: the row is not filtered
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def svg(drawing: Maze | World) -> str:
    """Return a maze, or a world with the agent at its first start, as an SVG that holds the picture of `draw`."""
    maze = drawing if isinstance(drawing, Maze) else drawing.mazes[0]
    state = None if isinstance(drawing, Maze) else int(drawing.start_states[0])
    tile = min(tile_size(maze, _SIDE, _SIDE), 64)
    frame = draw(drawing, state, tile=tile)
    height, width = frame.shape[0], frame.shape[1]
    data = base64.b64encode(png(frame)).decode("ascii")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width // 2}" height="{height // 2}"'
        f' viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/></svg>'
    )
