"""Write the beginning of a new plugin: a manifest, a source that answers, a page that says how it is built.

The templates are a working plugin called `hello`; a new one is the same text with its own name. What `plugins/` holds
of them is what this module writes.
"""

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final

from ourcli.common.errors import InvalidInputError

LANGUAGES: Final = ("c", "rust", "go", "js", "python")
_PLACEHOLDER: Final = re.compile(r"\bhello\b")
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z")
_SUFFIX: Final = ".in"


def plugin_files(name: str, language: str) -> Mapping[str, str]:
    """Return the files of a new plugin, by their names.

    Args:
        name: Of the plugin, and of its one tool.
        language: One of `LANGUAGES`.

    Raises:
        InvalidInputError: The name cannot be a plugin's, or there is no template in that language.
    """
    if not _NAME.match(name):
        raise InvalidInputError(
            f"{name[:80]!r} cannot be the name of a plugin", hint="begin with a small letter; then a-z, 0-9, _ and -"
        )
    if language not in LANGUAGES:
        raise InvalidInputError(f"no template in {language[:40]!r}", hint=f"there are {', '.join(LANGUAGES)}")
    place = resources.files(__package__).joinpath("templates")
    files = [place.joinpath(f"manifest.json{_SUFFIX}"), *place.joinpath(language).iterdir()]
    return {
        file.name.removesuffix(_SUFFIX): _PLACEHOLDER.sub(name, file.read_text("utf-8"))
        for file in sorted(files, key=lambda file: file.name)
        if file.name.endswith(_SUFFIX)
    }


def write_plugin(folder: Path, files: Mapping[str, str]) -> tuple[Path, ...]:
    """Write the files into a folder that does not exist yet, and return their paths.

    Raises:
        InvalidInputError: The folder is there already, or cannot be made; nothing is overwritten.
    """
    try:
        folder.mkdir()
        paths = tuple(folder / name for name in files)
        for path, text in zip(paths, files.values(), strict=True):
            path.write_text(text, encoding="utf-8", newline="\n")
    except FileExistsError as exc:
        raise InvalidInputError(f"{str(folder)!r} is there already", hint="choose another name or folder") from exc
    except OSError as exc:
        raise InvalidInputError(
            f"cannot write {str(folder)!r}: {exc.strerror or exc}", hint="check its permissions and free space"
        ) from exc
    return paths
