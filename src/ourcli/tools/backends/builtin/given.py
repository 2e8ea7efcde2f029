"""What a tool was given, read by name: the runner held it against the schema before."""

from ourcli.common.errors import ToolInputError
from ourcli.tools.data import JsonObject


def text(given: JsonObject, name: str, default: str = "") -> str:
    """Return a text."""
    value = given.get(name, default)
    return value if isinstance(value, str) else default


def number(given: JsonObject, name: str, default: int) -> int:
    """Return an integer."""
    value = given.get(name, default)
    return int(value) if isinstance(value, int | float) else default


def flag(given: JsonObject, name: str) -> bool:
    """Return a switch, off when it is not given."""
    return given.get(name) is True


def texts(given: JsonObject, name: str) -> tuple[str, ...]:
    """Return a list of texts."""
    value = given.get(name)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def refused(name: str, why: str) -> ToolInputError:
    """Return the error of a value that the schema takes and the tool does not."""
    return ToolInputError(f"{name!r} {why}", hint="nothing was done")
