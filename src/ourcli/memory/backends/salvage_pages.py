"""Rows out of a damaged SQLite file, page by page: what can be decoded is returned, the rest is passed over.

Formats: SQLite's "Database File Format", sections 1.3 (header), 1.6 (b-tree pages), 2.1 (records), 4 (write-ahead log).
A table leaf page says by itself where its rows are, so neither the schema nor the pages above it are needed.
"""

import struct
from collections.abc import Iterator
from typing import Literal

Cell = int | float | str | bytes | None
Row = tuple[Cell, ...]

_LEAF = 0x0D
_HEADER = 100
"""The first page begins with so many bytes of the file's header."""
_LOG_HEADER, _FRAME_HEADER = 32, 24
_SIZES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}
"""Bytes of a value by its serial type; 7 is a float, from 12 on it is a blob or a text."""
_MOST_OVERFLOW = 1_000_000


class Pages:
    """The newest image of every page: of the file, and over it of its log.

    Args:
        file: Bytes of the database file.
        log: Bytes of its write-ahead log, whether SQLite would read all of it or not.
    """

    def __init__(self, file: bytes, log: bytes = b"") -> None:
        self._size = _page_size(file, log)
        self._images: dict[int, list[bytes]] = {}
        for start in range(0, len(file), self._size):
            self._images[start // self._size + 1] = [file[start : start + self._size]]
        for number, image, is_whole in _frames(log, self._size):
            self._images[number] = [image] if is_whole else [*self._images.get(number, ()), image]

    def rows(self, columns: int) -> Iterator[tuple[int, Row]]:
        """Yield place and values of every row with so many columns that can be decoded, in no order."""
        for number, page in self._newest():
            for place in _cells(page, _HEADER if number == 1 else 0):
                try:
                    seq, payload = self._payload(page, place)
                    row = _record(payload)
                except (IndexError, ValueError, OverflowError):
                    continue
                if len(row) == columns:
                    yield seq, row

    def _newest(self) -> Iterator[tuple[int, bytes]]:
        return ((number, image) for number, images in self._images.items() for image in images)

    def _payload(self, page: bytes, at: int) -> tuple[int, bytes]:
        size, at = _varint(page, at)
        seq, at = _varint(page, at)
        local = _local(size, self._size)
        payload = bytearray(page[at : at + local])
        if local < size:
            following = int.from_bytes(page[at + local : at + local + 4], "big")
            for _ in range(_MOST_OVERFLOW):
                if not following or len(payload) >= size:
                    break
                overflow = self._images.get(following, [b""])[-1]
                payload += overflow[4 : 4 + size - len(payload)]
                following = int.from_bytes(overflow[:4], "big")
        if len(payload) != size:
            raise ValueError
        return seq, bytes(payload)


def _frames(log: bytes, page_size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Yield page number and image of every frame of a log's newest generation, and whether it is as it was written."""
    order: Literal["big", "little"] = "big" if log[3:4] == b"\x83" else "little"
    before = log[24:32]
    step = _FRAME_HEADER + page_size
    for start in range(_LOG_HEADER, len(log) - step + 1, step):
        head, image = log[start : start + _FRAME_HEADER], log[start + _FRAME_HEADER : start + step]
        if head[8:16] == log[16:24]:
            yield int.from_bytes(head[:4], "big"), image, _checksum(before, head[:8] + image, order) == head[16:]
        before = head[16:]


def _checksum(before: bytes, data: bytes, order: Literal["big", "little"]) -> bytes:
    """Return the checksum of a frame, which goes on from that of the frame before (section 4.2)."""
    first, second = int.from_bytes(before[:4], "big"), int.from_bytes(before[4:], "big")
    words = struct.unpack(f"{'>' if order == 'big' else '<'}{len(data) // 4}I", data)
    for place in range(0, len(words), 2):
        first = (first + words[place] + second) & 0xFFFFFFFF
        second = (second + words[place + 1] + first) & 0xFFFFFFFF
    return first.to_bytes(4, "big") + second.to_bytes(4, "big")


def _page_size(file: bytes, log: bytes) -> int:
    told = int.from_bytes(file[16:18], "big") if file[:6] == b"SQLite" else int.from_bytes(log[8:12], "big")
    size = 65_536 if told == 1 else told
    return size if 512 <= size <= 65_536 and not size & (size - 1) else 4_096


def _cells(page: bytes, start: int) -> Iterator[int]:
    if len(page) <= start + 8 or page[start] != _LEAF:
        return
    count = int.from_bytes(page[start + 3 : start + 5], "big")
    first = start + 8
    for at in range(first, min(first + 2 * count, len(page) - 1), 2):
        yield int.from_bytes(page[at : at + 2], "big")


def _local(size: int, page_size: int) -> int:
    """Return how much of a row's payload stands on its own page (section 1.6, nothing reserved)."""
    most = page_size - 35
    if size <= most:
        return size
    least = (page_size - 12) * 32 // 255 - 23
    part = least + (size - least) % (page_size - 4)
    return part if part <= most else least


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(9):
        byte = data[at + place]
        if place == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError


def _record(payload: bytes) -> Row:
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values: list[Cell] = []
    at = end
    for kind in kinds:
        size = (kind - 12) // 2 if kind >= 12 else _SIZES.get(kind, 8)
        if at + size > len(payload):
            raise ValueError
        values.append(_value(kind, payload[at : at + size]))
        at += size
    return tuple(values)


def _value(kind: int, data: bytes) -> Cell:
    if kind == 0:
        return None
    if kind in {8, 9}:
        return kind - 8
    if kind >= 12:
        return data.decode("utf-8", "surrogateescape") if kind % 2 else data
    if kind == 7:
        raise ValueError  # no table of ours holds floats
    return int.from_bytes(data, "big", signed=True)
