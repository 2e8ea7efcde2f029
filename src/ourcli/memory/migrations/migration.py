"""A migration as a value: what is different in the tables of the layers from one format to the next.

Each step says how things are afterwards, so that doing it again where it was done changes nothing: a migration that
was cut off goes on where it stopped.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The column is there; where it was not, it has a value from an expression.

    Attributes:
        name: The new column.
        sql: Its value in each row that is there: an expression over the other columns.
    """

    name: str
    sql: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextIndex:
    """Words are searched in this column."""

    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoIndex:
    """There is no index of this name."""

    name: str


Step = Column | TextIndex | NoIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """How a store comes to a format from the one before.

    Attributes:
        format: The format that the store has afterwards.
        what: What is new, in a line.
        steps: What is so in every layer's table afterwards, in this order.
    """

    format: int
    what: str
    steps: tuple[Step, ...] = ()
