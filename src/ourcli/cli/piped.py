"""Read what another program or a file put on stdin."""

from ourcli.cli.invocation import Invocation
from ourcli.cli.sanitize import well_formed
from ourcli.common.errors import InvalidInputError

LIMIT_CHARS = 16 * 1024 * 1024


def piped_text(invocation: Invocation) -> str:
    """Return the whole of stdin, or "" when it is a terminal.

    Raises:
        InvalidInputError: It is longer than 16 Mi characters.
    """
    if not invocation.stdin_is_piped:
        return ""
    text = invocation.stdin.read(LIMIT_CHARS + 1)
    if len(text) > LIMIT_CHARS:
        raise InvalidInputError(
            f"stdin holds more than {LIMIT_CHARS:,} characters",
            hint="store it first with `ourcli ingest`, then ask about it",
        )
    return well_formed(text)
