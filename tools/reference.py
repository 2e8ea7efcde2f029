"""Write the reference pages from the code: commands, settings, events, errors, the schema of a plugin's manifest.

python tools/reference.py            write docs/reference/*
python tools/reference.py --check    fail when a page is not what the code says
"""

import dataclasses
import inspect
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from ourcli.cli.main import root
from ourcli.common import errors, events
from ourcli.common.errors import OurcliError
from ourcli.common.events import TRANSIENT_EVENTS, Event
from ourcli.config.keys import all_keys, shown
from ourcli.tools.manifest_schema import manifest_schema

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
COLUMNS = 100
_NOTE = "<!-- Written by tools/reference.py; change the code and run it again. -->"


def main(arguments: list[str]) -> int:
    """Write or check every page; return the exit code."""
    stale = [name for name, text in pages().items() if not _is_current(FOLDER / name, text)]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/reference/{name} is stale: run python tools/reference.py", file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (FOLDER / name).write_text(pages()[name], encoding="utf-8", newline="\n")
        print(f"wrote docs/reference/{name}")
    return 0


def pages() -> dict[str, str]:
    """Return the text of each page by file name."""
    return {
        "cli.md": cli_page(),
        "config.md": config_page(),
        "events.md": events_page(),
        "errors.md": errors_page(),
        "manifest.schema.json": json.dumps(manifest_schema(), indent=2) + "\n",
    }


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", _NOTE, *parts)) + "\n"


def cli_page() -> str:
    """Return the page of commands: every help text, in the order of the help."""
    context = click.Context(root, info_name="ourcli", terminal_width=COLUMNS, max_content_width=COLUMNS)
    return _page("The command line", *_commands(context))


def _commands(context: click.Context) -> Iterator[str]:
    command = context.command
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield f"## {context.command_path}\n\n```text\n{text}\n```"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from _commands(
                    click.Context(
                        child,
                        info_name=name,
                        parent=context,
                        terminal_width=COLUMNS,
                        max_content_width=COLUMNS,
                    )
                )


def config_page() -> str:
    """Return the page of settings: key, default, what it takes, variable, meaning."""
    rows = [
        (f"`{key.name}`", f"`{shown(key.default)}`", key.in_words, f"`{key.variable}`", key.doc)
        for key in all_keys().values()
    ]
    precedence = (
        "A flag wins over the variable, that over the project file, that over the user's file, that over the default."
    )
    return _page("Settings", precedence, _table(("key", "default", "takes", "variable", "meaning"), rows))


def events_page() -> str:
    """Return the page of events: what happened, and its fields."""
    kinds = [
        kind for _, kind in inspect.getmembers(events, inspect.isclass) if issubclass(kind, Event) and kind is not Event
    ]
    kinds.sort(key=lambda kind: inspect.getsourcelines(kind)[1])
    rows = []
    for kind in kinds:
        fields = [f"`{field.name}`" for field in dataclasses.fields(kind) if field.name not in ("at", "run_id")]
        logged = "no" if issubclass(kind, TRANSIENT_EVENTS) else "yes"
        rows.append((f"`{kind.__name__}`", _summary(kind), ", ".join(fields), logged))
    about = "Every event has `at` (UTC) and `run_id` (null outside a run). `ourcli events tail` prints logged ones."
    return _page("Events", about, _table(("event", "what happened", "fields", "logged"), rows))


def errors_page() -> str:
    """Return the page of errors: the tree, exit codes and kinds."""
    rows = [
        (f"{'· ' * depth}`{kind.__name__}`", str(kind.exit_code), f"`{kind.kind}`", _summary(kind))
        for depth, kind in _errors(OurcliError, 0)
    ]
    about = 'With `--json` an error is also written to stdout: `{"error": {"code", "kind", "message", "hint"}}`.'
    bug = "A bug in ourcli itself ends with 1 and the kind `internal`; `-v` shows its traceback."
    return _page("Errors and exit codes", about, _table(("error", "exit code", "kind", "meaning"), rows), bug)


def _errors(kind: type[OurcliError], depth: int) -> Iterator[tuple[int, type[OurcliError]]]:
    yield depth, kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _errors(child, depth + 1)


def _summary(thing: type) -> str:
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
