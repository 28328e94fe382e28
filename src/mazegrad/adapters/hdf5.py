"""Writes an HDF5 file of episodes as Minari reads it: a group for each episode, whose data sets are runs of one array.

h5py takes about 100 microseconds to create a data set, and Minari wants half a dozen for each episode, whatever its
length. But all episodes look alike: their headers differ in a few numbers. So the headers of one are laid out here, and
copied by numpy for all others, with these numbers put in. The data are written once, each array from end to end.

The format is the oldest one (superblock 0, object headers 1, contiguous data), which every version of HDF5 reads:
"HDF5 File Format Specification Version 3.0", The HDF Group. Its sections are named below.
"""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_UNDEFINED: Final = 2**64 - 1
_LEAF, _INTERNAL = 16, 16  # K of the symbol table: twice as many names in a leaf, twice as many children in a node
_ALIGNED: Final = 64  # bytes: where arrays begin
_AT_ONCE: Final = 2048  # episodes whose headers are made at a time: they stay in the cache
_HEAD: Final = 96  # bytes of the superblock
# size of a float -> bits of its mantissa and of its exponent, bias
_FLOATS: Final = {2: (10, 5, 15), 4: (23, 8, 127), 8: (52, 11, 1023)}


class Column(NamedTuple):
    """An array, of which each episode has a run of rows."""

    rows: NDArray[Any]
    """(rows, ...): integers, floats or booleans; the runs lie end to end"""
    lengths: NDArray[np.int64]
    """(episodes,): the rows of each"""


class _Part(NamedTuple):
    """Bytes that are the same for all episodes, but for words at some positions."""

    data: bytes
    words: Sequence[tuple[int, Any]] = ()
    """(position, a word for each episode or one for all)"""


def write_episodes(
    path: Path,
    columns: Mapping[str, Column],
    numbers: Mapping[str, NDArray[Any]],
    constants: Mapping[str, Any],
    more: Mapping[str, NDArray[Any]],
) -> dict[str, int]:
    """Write a file with the groups "episode_0", "episode_1", and so on.

    Args:
        path: of the file, which is written anew.
        columns: name -> what becomes a data set of each episode; "infos/value" lies in the group "infos".
        numbers: name -> (episodes,) int64 or uint64, an attribute of each episode.
        constants: name -> an attribute that all episodes have: a text, a number, or an array of numbers.
        more: arrays that are appended, out of reach of HDF5.

    Returns:
        Where each array begins in the file, in bytes.

    Raises:
        ValueError: an array of another type.
    """
    episodes = len(next(iter(numbers.values())))
    names = np.array([b"episode_%d" % number for number in range(episodes)], dtype="S24")
    heap_data = bytes(8) + names.tobytes()  # the empty name comes first
    texts = [value.encode() for value in constants.values() if isinstance(value, str)]

    # the root group, its names, and the texts; then a block for each episode; then the arrays
    heap_at = _HEAD + 40
    texts_at = heap_at + 32 + len(heap_data)
    collection = _collection(texts)
    tree_at = texts_at + len(collection)
    tree_size, _ = _tree(names, np.zeros(episodes, dtype=np.uint64), tree_at)
    blocks_at = tree_at + tree_size

    # how long a block is does not depend on the addresses in it
    stride = len(_block(columns, numbers, constants, dict.fromkeys(columns, 0), 0, 0, texts_at).data)
    at, places = blocks_at + stride * episodes, {}
    for name, rows in [*((name, column.rows) for name, column in columns.items()), *more.items()]:
        at = -(-at // _ALIGNED) * _ALIGNED
        places[name] = at
        at += rows.nbytes
    starts = (blocks_at + stride * np.arange(episodes)).astype(np.uint64)
    block = _block(columns, numbers, constants, places, starts, stride, texts_at)
    _, (tree_root, tree) = _tree(names, starts, tree_at)

    with path.open("wb") as file:
        file.write(_superblock(at, _HEAD, tree_root, heap_at))
        file.write(_header([_message(0x11, _Part(struct.pack("<QQ", tree_root, heap_at)))]).data)
        file.write(struct.pack("<4sB3xQQQ", b"HEAP", 0, len(heap_data), 1, heap_at + 32) + heap_data)
        file.write(collection + tree)
        for first in range(0, episodes, _AT_ONCE):
            _copied(block, first, min(first + _AT_ONCE, episodes)).tofile(file)
        for name, rows in [*((name, column.rows) for name, column in columns.items()), *more.items()]:
            file.write(bytes(places[name] - file.tell()))
            np.ascontiguousarray(_little(rows)).tofile(file)
    return places


def _little(rows: NDArray[Any]) -> NDArray[Any]:
    return rows.astype(rows.dtype.newbyteorder("<"), copy=False)


# ------------------------------------------------------------------------------------------------ what is read together
def _superblock(end: int, root: int, tree: int, heap: int) -> bytes:
    """II.A, version 0."""
    sizes = struct.pack("<8s8BHHI", b"\x89HDF\r\n\x1a\n", 0, 0, 0, 0, 0, 8, 8, 0, _LEAF, _INTERNAL, 0)
    addresses = struct.pack("<QQQQ", 0, _UNDEFINED, end, _UNDEFINED)
    return sizes + addresses + struct.pack("<QQIIQQ", 0, root, 1, 0, tree, heap)


def _collection(texts: Sequence[bytes]) -> bytes:
    """III.E: the global heap, where texts of attributes lie."""
    if not texts:
        return b""
    objects = b"".join(
        struct.pack("<HHIQ", number, 1, 0, len(text)) + _padded(text) for number, text in enumerate(texts, 1)
    )
    size = max(4096, 16 + len(objects) + 16)
    free = struct.pack("<HHIQ", 0, 0, 0, size - 16 - len(objects))
    return (struct.pack("<4sB3xQ", b"GCOL", 1, size) + objects + free).ljust(size, b"\0")


def _tree(names: NDArray[np.bytes_], headers: Words, at: int) -> tuple[int, tuple[int, bytes]]:
    """III.A.1 and III.C: leaves of names in order, and a tree above them.

    Args:
        names: (episodes,), each padded by zeros.
        headers: (episodes,), the addresses of their headers.
        at: where it will lie.

    Returns:
        Its size in bytes, and where its root is and the bytes.
    """
    count, full = len(names), 2 * _LEAF
    order = np.argsort(names)
    leaves = -(-count // full)
    entry = np.dtype([("name", "<u8"), ("header", "<u8"), ("rest", "V24")])
    leaf = np.dtype([("sign", "S4"), ("version", "u1"), ("zero", "u1"), ("count", "<u2"), ("entries", entry, (full,))])
    table = np.zeros(leaves, dtype=leaf)
    table["sign"], table["version"], table["count"] = b"SNOD", 1, full
    table["count"][-1:] = count - full * (leaves - 1)
    entries = np.zeros(leaves * full, dtype=entry)
    entries["name"][:count] = 8 + names.itemsize * order
    entries["header"][:count] = headers[order]
    table["entries"] = entries.reshape(leaves, full)
    last = entries["name"].reshape(leaves, full)[np.arange(leaves), table["count"] - 1]
    parts = [table.tobytes()]
    children = at + table.itemsize * np.arange(leaves)
    at += table.nbytes
    wide, level = 2 * _INTERNAL, 0
    node = np.dtype([
        ("sign", "S4"), ("type", "u1"), ("level", "u1"), ("count", "<u2"), ("left", "<u8"), ("right", "<u8"),
        ("links", "<u8", (2 * wide + 1,)),
    ])  # fmt: skip
    while True:  # links: key, child, key, child, ..., key; a key is the last name of the child before it
        nodes = -(-len(children) // wide)
        made = np.zeros(nodes, dtype=node)
        addresses = at + made.itemsize * np.arange(nodes)
        made["sign"], made["level"], made["count"] = b"TREE", level, wide
        made["count"][-1:] = len(children) - wide * (nodes - 1)
        made["left"] = np.concatenate([[_UNDEFINED], addresses[:-1].astype(np.uint64)]).astype(np.uint64)
        made["right"] = np.concatenate([addresses[1:].astype(np.uint64), [_UNDEFINED]]).astype(np.uint64)
        number, place = np.divmod(np.arange(len(children)), wide)
        made["links"][number, 2 * place + 1] = children
        made["links"][number, 2 * place + 2] = last
        made["links"][1:, 0] = last[wide - 1 :: wide][: nodes - 1]
        parts.append(made.tobytes())
        at += made.nbytes
        last = last[np.minimum(wide * np.arange(1, nodes + 1), len(last)) - 1]
        children, level = addresses, level + 1
        if nodes == 1:
            data = b"".join(parts)
            return len(data), (int(addresses[0]), data)


# -------------------------------------------------------------------------------------------- what each episode has
def _copied(part: _Part, first: int, end: int) -> NDArray[np.uint8]:
    """Return the bytes for episodes from `first` up to `end`, (episodes, bytes)."""
    copies = np.empty((end - first, len(part.data)), dtype=np.uint8)
    copies[:] = np.frombuffer(part.data, dtype=np.uint8)
    for position, words in part.words:
        mine = words if np.ndim(words) == 0 else words[first:end]
        copies[:, position : position + 8].view("<u8")[:, 0] = mine
    return copies


def _block(
    columns: Mapping[str, Column],
    numbers: Mapping[str, NDArray[Any]],
    constants: Mapping[str, Any],
    places: Mapping[str, int],
    starts: Any,
    stride: int,
    texts: int,
) -> _Part:
    """Return all headers of an episode: of its data sets, of the groups inside it, and before these its own.

    Args:
        columns, numbers, constants: see `write_episodes`.
        places: where the columns begin.
        starts: where the blocks of the episodes begin.
        stride: how long a block is.
        texts: where the texts of attributes lie.
    """
    tree: dict[str, Any] = {}
    for name, column in columns.items():
        *groups, leaf = name.split("/")
        inside = tree
        for group in groups:
            inside = inside.setdefault(group, {})
        inside[leaf] = _data_set(column, places[name])
    attributes = [_number(name, values) for name, values in numbers.items()]
    number = 0
    for name, value in constants.items():
        number += isinstance(value, str)
        attributes.append(_text(name, value, texts, number) if isinstance(value, str) else _array(name, value))
    # a header's length does not depend on addresses, so what lies inside can follow it
    first = _group(dict.fromkeys(tree, 0), attributes)
    return _laid_out(tree, attributes, starts, len(first.data))


def _laid_out(tree: Mapping[str, Any], attributes: Sequence[_Part], starts: Any, size: int) -> _Part:
    """Return a group's header of this size, and all that lies in it."""
    inside, links, at = [], {}, size
    for name, entry in tree.items():
        links[name] = starts + np.uint64(at)
        if isinstance(entry, Mapping):
            length = len(_group(dict.fromkeys(entry, 0), []).data)
            entry = _laid_out(entry, [], links[name], length)
        inside.append(entry)
        at += len(entry.data)
    return _joined([_group(links, attributes), *inside])


def _joined(parts: Sequence[_Part]) -> _Part:
    words, at = [], 0
    for part in parts:
        words += [(at + position, values) for position, values in part.words]
        at += len(part.data)
    return _Part(b"".join(part.data for part in parts), words)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def _message(kind: int, part: _Part) -> _Part:
    """IV.A.1.a: a message of a header, version 1."""
    data = _padded(part.data)
    return _joined([_Part(struct.pack("<HHB3x", kind, len(data), 0)), _Part(data, part.words)])


def _header(messages: Sequence[_Part]) -> _Part:
    """IV.A.1.a: an object header, version 1."""
    body = _joined(messages)
    return _joined([_Part(struct.pack("<BxHII4x", 1, len(messages), 1, len(body.data))), body])


def _group(links: Mapping[str, Any], attributes: Sequence[_Part]) -> _Part:
    """IV.A.2.c, IV.A.2.k and IV.A.2.g: a group whose links lie in its header."""
    info = struct.pack("<BBQQ", 0, 0, _UNDEFINED, _UNDEFINED)
    messages = [_message(0x02, _Part(info)), _message(0x0A, _Part(bytes(2)))]
    for name, address in links.items():
        text = name.encode()
        before = struct.pack("<BBB", 1, 0, len(text)) + text
        messages.append(_message(0x06, _Part(before + bytes(8), [(len(before), address)])))
    return _header([*messages, *attributes])


def _data_set(column: Column, place: int) -> _Part:
    """IV.A.2.b, d, f and i: an array that lies in one piece."""
    rows, lengths = column
    width = rows.itemsize * int(np.prod(rows.shape[1:]))
    first = np.cumsum(lengths) - lengths
    return _header([
        _message(0x01, _dataspace(rows.shape[1:], lengths)),
        _message(0x03, _Part(_datatype(rows.dtype))),
        _message(0x05, _Part(struct.pack("<BBBBI", 2, 2, 2, 1, 0))),
        _message(0x08, _Part(struct.pack("<BBQQ", 3, 1, 0, 0), [(2, place + width * first), (10, width * lengths)])),
    ])  # fmt: skip


def _dataspace(shape: Sequence[int], lengths: Any = None) -> _Part:
    """IV.A.2.b, version 1: one row, or a number of rows."""
    sizes = [*shape] if lengths is None else [0, *shape]
    data = struct.pack(f"<BBB5x{len(sizes)}Q", 1, len(sizes), 0, *sizes)
    return _Part(data, () if lengths is None else [(8, lengths)])


def _datatype(dtype: np.dtype[Any]) -> bytes:
    """IV.A.2.d, version 1."""
    size = dtype.itemsize
    if dtype.kind in "iu":
        return struct.pack("<BBBBIHH", 0x10, 8 * (dtype.kind == "i"), 0, 0, size, 0, 8 * size)
    if dtype.kind == "f" and size in _FLOATS:
        mantissa, exponent, bias = _FLOATS[size]
        head = struct.pack("<BBBBI", 0x11, 0x20, 8 * size - 1, 0, size)
        return head + struct.pack("<HHBBBBI", 0, 8 * size, mantissa, exponent, 0, mantissa, bias)
    if dtype.kind == "b":  # an enumeration, as h5py has it
        head = struct.pack("<BBBBI", 0x18, 2, 0, 0, 1) + _datatype(np.dtype(np.int8))
        return head + _padded(b"FALSE\0") + _padded(b"TRUE\0") + b"\0\1"
    raise ValueError(f"an array of a data set holds integers, floats or booleans, not {dtype}")


def _attribute_of(name: str, datatype: bytes, dataspace: bytes, value: _Part) -> _Part:
    """IV.A.2.m, version 1."""
    text = name.encode() + b"\0"
    head = struct.pack("<BxHHH", 1, len(text), len(datatype), len(dataspace))
    return _message(0x0C, _joined([_Part(head + _padded(text) + _padded(datatype) + _padded(dataspace)), value]))


def _number(name: str, values: NDArray[Any]) -> _Part:
    """Return an attribute that is a number in each episode, (episodes,) of eight bytes."""
    return _attribute_of(name, _datatype(values.dtype), _dataspace(()).data, _Part(bytes(8), [(0, values.view("u8"))]))


def _array(name: str, value: Any) -> _Part:
    array = _little(np.asarray(value))
    return _attribute_of(name, _datatype(array.dtype), _dataspace(array.shape).data, _Part(array.tobytes()))


def _text(name: str, value: str, texts: int, number: int) -> _Part:
    """Return an attribute whose text, UTF-8, is an object of the global heap."""
    datatype = struct.pack("<BBBBI", 0x19, 1, 1, 0, 16) + _datatype(np.dtype(np.uint8))
    where = struct.pack("<IQI", len(value.encode()), texts, number)
    return _attribute_of(name, datatype, _dataspace(()).data, _Part(where))
