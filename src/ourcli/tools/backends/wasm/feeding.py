"""Stdin of a fresh instance that may ask the host: a pipe of its own, which stays open until the host ends it."""

import _thread  # `threading` imports more than a worker needs
import os
import sys


class Feed:
    """What the present instance can read. The main thread begins it, the one that hears the host adds and ends."""

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._number, self._writing, self._reading = 0, -1, -1

    def begin(self, question: bytes) -> str:
        """Open the next instance's stdin, have the question written, and return its path."""
        with self._lock:
            self._reading, self._writing = os.pipe()
            self._number += 1
            number = self._number
        _thread.start_new_thread(self.give, (number, question))  # a long question waits for its reader
        return f"/{'proc/self' if sys.platform == 'linux' else 'dev'}/fd/{self._reading}"

    def give(self, number: int, line: bytes) -> None:
        """Write a line for an instance; one that has ended gets nothing."""
        with self._lock:
            if number != self._number or self._writing < 0:
                return
            view = memoryview(line)
            try:
                while view:
                    view = view[os.write(self._writing, view) :]
            except BrokenPipeError:
                return  # it closed its stdin

    def end(self, number: int | None = None) -> None:
        """End the input of an instance: the present one, or the one of this number if it is still there."""
        if number is None:  # whoever holds the lock to write into a full pipe is freed by this
            _close(self._reading)
            self._reading = -1
        with self._lock:
            if number is None or number == self._number:
                _close(self._writing)
                self._writing = -1


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)
