"""What goes into a pipe that may be full: written now as far as it can be, the rest when there is room."""

import asyncio
import os


class Outgoing:
    """The writing end of a pipe that does not block.

    Args:
        loop: Tells when there is room.
        descriptor: The end.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
        self._loop, self._descriptor = loop, descriptor
        self._unsent = bytearray()
        self._waiting = self._closed = False

    def write(self, data: bytes) -> None:
        """Write; what cannot be written now is written later, in order. A reader that is gone gets nothing."""
        waiting = bool(self._unsent)
        self._unsent += data
        if not waiting:
            self._send()

    def _send(self) -> None:
        while self._unsent and not self._closed:
            try:
                del self._unsent[: os.write(self._descriptor, self._unsent)]
            except BlockingIOError:
                if not self._waiting:
                    self._waiting = True
                    self._loop.add_writer(self._descriptor, self._send)
                return
            except OSError:
                self._unsent.clear()  # it closed its end; what it answers or reports decides
        self._rest()

    def _rest(self) -> None:
        if self._waiting:
            self._waiting = False
            self._loop.remove_writer(self._descriptor)

    def close(self) -> None:
        """Write nothing more; the end itself is closed by whoever has it."""
        self._closed = True
        self._unsent.clear()
        self._rest()
