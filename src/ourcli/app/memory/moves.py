"""What the facade answers about rules and moves that wait: plain values, the same in this process and over a wire."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRule:
    """A rule in force.

    Attributes:
        name: Its name.
        version: Digest of its content, hex.
        shipped: It came with ourcli; False for one of the user's configuration.
        table: Its content, as it is written in the configuration.
    """

    name: str
    version: str
    shipped: bool
    table: Mapping[str, object]
