"""Changing one setting in a file: comments and order stay, and nothing is written that would not load."""

import tomllib
from collections.abc import Callable, MutableMapping
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from ourcli.common.errors import ConfigError
from ourcli.common.files import atomic_write, ensure_private_folder
from ourcli.config.backends.file_lock import locked
from ourcli.config.keys import Key, find_key, parse_text
from ourcli.config.load import assemble
from ourcli.config.settings import Settings
from ourcli.config.sources import from_document
from ourcli.config.toml_file import Document, parse, read


def _nothing_more(_settings: Settings) -> None:
    """Check nothing beyond the types."""


def set_value(path: Path, name: str, text: str, check: Callable[[Settings], None] = _nothing_more) -> object:
    """Set the key `name` to what `text` means, in the file at `path`; return the value.

    The file is made when it is missing, replaced in one step, and private (0600). A link stays a link: what
    it points to is changed. Processes that do this at once wait for each other.

    Args:
        path: The user's configuration file.
        name: Dotted key.
        text: The value as typed; lists as `a, b` or as a TOML array.
        check: Looks at the whole result and raises ConfigError when it cannot be used.

    Raises:
        ConfigError: Unknown key, wrong value, or the file as a whole would not load; nothing was written.
        StoreError: The file cannot be written; what stood there still stands.
    """
    key = find_key(name)
    value = parse_text(key, text)
    target = _target(path)
    ensure_private_folder(target.parent)
    with locked(target):
        content = _edited(_present(target), key, value, target).encode("utf-8")
        layer = from_document(parse(content, target), "user")
        check(assemble(layer))
        if layer[key.name].value != value:
            raise ConfigError(f"{target} cannot be edited safely", hint=f"set {key.name} in it by hand")
        with atomic_write(target) as stream:
            stream.write(content)
    return value


def _target(path: Path) -> Path:
    """Follow links to the file that is really written."""
    try:
        return path.resolve()
    except (OSError, RuntimeError) as exc:
        raise ConfigError(f"{str(path)!r} is a link that leads to itself", hint="remove it") from exc


def _present(path: Path) -> Document:
    try:
        return read(path)
    except FileNotFoundError:
        return parse(b"", path)


def _edited(document: Document, key: Key, value: object, path: Path) -> str:
    """Return the text of the file with `key` set."""
    plain = list(value) if isinstance(value, tuple) else value
    try:
        tree = tomlkit.parse(document.text)
        table: MutableMapping[str, object] = tree
        if key.section:
            if key.section not in tree:
                tree[key.section] = tomlkit.table()
            table = tree[key.section]
        added = key.field not in table
        table[key.field] = plain
        text = tomlkit.dumps(tree)
    except (TOMLKitError, TypeError, AttributeError) as exc:
        from_document(document, "user")  # says it better when the file was wrong before
        raise ConfigError(f"{path} cannot be edited safely", hint=f"set {key.name} in it by hand") from exc
    return _beside_its_section(text, key, path) if added else text


def _beside_its_section(text: str, key: Key, path: Path) -> str:
    """Move a new line up, over the blank lines and comments that belong to what follows its section.

    Kept only when the file still says the same.
    """
    number = parse(text.encode("utf-8"), path).line_of(key.name)
    lines = text.split("\n")
    if number is None or not key.section:
        return text
    above = number - 1
    while above > 0 and (not lines[above - 1].strip() or lines[above - 1].lstrip().startswith("#")):
        above -= 1
    lines.insert(above, lines.pop(number - 1))
    moved = "\n".join(lines)
    return moved if _says(moved) == _says(text) else text


def _says(text: str) -> object:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
