"""All formats in their order, and how a store comes from an older one to today's."""

from ourcli.memory.migrations import m0001_baseline, m0002_context_and_page
from ourcli.memory.migrations.migration import Migration

HISTORY: tuple[Migration, ...] = (m0001_baseline.MIGRATION, m0002_context_and_page.MIGRATION)
FORMAT = HISTORY[-1].format
"""The format that this ourcli writes."""


def after(format_: int) -> tuple[Migration, ...]:
    """Return what is to be done to a store of an older format, in order."""
    return tuple(one for one in HISTORY if one.format > format_)
