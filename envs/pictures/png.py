"""A frame as a PNG file, without a picture library."""

import struct
import zlib

from .tiles import Frame


def png(frame: Frame) -> bytes:
    """Return a (height, width, 3) uint8 frame as a PNG file (ISO/IEC 15948)."""
    height, width, _ = frame.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in frame)  # 0: the row is not filtered
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
