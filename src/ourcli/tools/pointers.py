"""Where references inside a schema lead."""

from collections.abc import Mapping

from ourcli.tools.data import Json, JsonObject


def pointed_at(root: JsonObject, reference: str) -> Json | JsonObject:
    """Return what a reference leads to, None when it leads nowhere in `root` or out of it.

    Args:
        root: The whole schema.
        reference: `#` with a JSON pointer (RFC 6901); a percent sign leads nowhere.
    """
    if not (reference == "#" or reference.startswith("#/")) or "%" in reference:
        return None
    found: Json | JsonObject = root
    for step in reference[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isascii() and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found
