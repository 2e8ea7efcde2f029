"""What is fetched for a tool, and what came back, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

FETCH_S: Final = 20.0
FETCH_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """What is fetched.

    Attributes:
        url: `http` or `https`, without a user's name in it.
        method: `GET`, `HEAD` or `POST`.
        headers: More of them; those that name the connection, the host or a proxy are refused.
        body: What is posted.
        timeout_s: For everything together, redirects included.
        most_bytes: Of the body as it is after decompression.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout_s: float = FETCH_S
    most_bytes: int = FETCH_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came back.

    Attributes:
        url: Where it came from in the end.
        status: Of HTTP.
        content_type: Small letters, without parameters; "" when it is not told.
        text: The body as text.
        redirects: Addresses on the way, in order.
    """

    url: str
    status: int
    content_type: str
    text: str
    redirects: tuple[str, ...] = ()
