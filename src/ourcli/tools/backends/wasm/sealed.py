"""Bytes that cannot change any more, as a file that a worker can read: nobody swaps them between check and run."""

import fcntl
import os
import tempfile
from typing import Final

_ADD_SEALS: Final = 1033
_ALL_SEALS: Final = 0b1111


class SealedFile:
    """A file without a name; filled once, then sealed against writing where the system can (Linux).

    Args:
        content: What it holds; None leaves it to be filled.
    """

    def __init__(self, content: bytes | None = None) -> None:
        if hasattr(os, "memfd_create"):
            self.descriptor = os.memfd_create("module", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        else:
            with tempfile.TemporaryFile() as stream:
                self.descriptor = os.dup(stream.fileno())
        if content is not None:
            self.fill(content)

    def fill(self, content: bytes) -> None:
        """Write the content, which is final."""
        view = memoryview(content)
        while view:
            view = view[os.write(self.descriptor, view) :]
        if hasattr(os, "memfd_create"):
            fcntl.fcntl(self.descriptor, _ADD_SEALS, _ALL_SEALS)

    def close(self) -> None:
        """Let go of it; workers that have it keep it."""
        os.close(self.descriptor)
