"""Where the lines of a conversation come from: a keyboard with history, or a pipe."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TextIO

import anyio.to_thread

from ourcli.common.errors import StoreError
from ourcli.common.files import FILE_MODE, ensure_private_folder

ReadLine = Callable[[], Awaitable[str | None]]
"""Returns the next line, or None at the end."""


def piped_lines(stream: TextIO) -> ReadLine:
    """Read a pipe or file line by line."""

    async def read() -> str | None:
        line = await anyio.to_thread.run_sync(stream.readline, abandon_on_cancel=True)
        return line or None

    return read


def keyboard_lines(history: Path) -> ReadLine:
    """Read from the terminal: Enter sends, Esc Enter (or Alt-Enter) begins a new line, Ctrl-D ends.

    Ctrl-C clears what was typed. The prompt itself is drawn by prompt_toolkit, the one other writer to
    the terminal.

    Args:
        history: File of earlier lines; made readable by its owner only.

    Raises:
        StoreError: The history cannot be written.
    """
    from prompt_toolkit import PromptSession  # deferred: costs 0.2 s, and pipes do not need it
    from prompt_toolkit.history import FileHistory
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.key_binding.key_processor import KeyPressEvent

    from ourcli.memory.secrets import merged, replaced, secrets_in  # deferred: pipes need no history

    class History(FileHistory):
        """Writes typed lines down without the secrets that our own rules find."""

        def store_string(self, string: str) -> None:
            super().store_string(replaced(string, merged(secrets_in(string))))

    keys = KeyBindings()

    @keys.add("enter")
    def _send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _break(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    _make_private(history)
    session: PromptSession[str] = PromptSession(
        "› ", history=History(str(history)), multiline=True, key_bindings=keys, prompt_continuation="  "
    )

    async def read() -> str | None:
        while True:
            try:
                return await session.prompt_async(handle_sigint=False)
            except KeyboardInterrupt:
                continue
            except EOFError:
                return None

    return read


def _make_private(path: Path) -> None:
    ensure_private_folder(path.parent)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_APPEND, FILE_MODE))
    except OSError as exc:
        raise StoreError(f"cannot write {str(path)!r}: {exc.strerror}", hint="check its permissions") from exc
