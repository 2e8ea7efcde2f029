"""`ourcli memory export`, `import` and `reembed`."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import click

from ourcli.cli.invocation import Invocation
from ourcli.cli.options import allow_secrets_option, common_options
from ourcli.cli.ports import Facade
from ourcli.cli.progress import ProgressBars
from ourcli.common.jsondata import Json, to_json
from ourcli.memory.query import Filter
from ourcli.memory.stored import Redaction, told


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--all-projects", is_flag=True, help="Write the memory of every project.")
@click.option("--redact", is_flag=True, help="Leave out secrets, mail addresses, user names in paths, and vectors.")
@common_options()
@click.pass_obj
def export(invocation: Invocation, *, file: str, all_projects: bool, redact: bool) -> None:
    """Write records with their vectors as JSON lines to FILE, or to stdout with -.

    A project's records, or all with --all-projects. The file appears whole or not at all, readable by its
    owner only. With --redact it can be shown to others, once you have read it.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    async def work(service: Facade) -> int:
        where = Filter(project=None if all_projects else service.settings.project)
        if file == "-":
            return await _to_stdout(invocation, _lines(service, where, redact=redact))
        return await _to_file(_lines(service, where, redact=redact), Path(file))

    exported = run(invocation, work)
    if file == "-":
        return
    if invocation.json:
        invocation.output.document({"exported": exported, "path": file})
    else:
        invocation.output.text(f"{exported} records written to {file}")


async def _to_stdout(invocation: Invocation, lines: AsyncIterator[dict[str, Json]]) -> int:
    count = 0
    async for line in lines:
        invocation.output.line(line)
        count += 1
    return count


async def _to_file(lines: AsyncIterator[dict[str, Json]], path: Path) -> int:
    from ourcli.common.files import atomic_write  # deferred: tempfile, which only this command needs

    count = 0
    with atomic_write(path) as stream:
        async for line in lines:
            stream.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            count += 1
    return count


async def _lines(service: Facade, where: Filter, *, redact: bool) -> AsyncIterator[dict[str, Json]]:
    async for exported in service.export(where, redact=redact):
        line = to_json(exported.record)
        if isinstance(line, dict):
            yield line if exported.embedding is None else line | {"embedding": to_json(exported.embedding)}


@click.command("import")
@click.argument("file", metavar="FILE")
@allow_secrets_option
@common_options()
@click.pass_obj
def import_records(invocation: Invocation, *, file: str, allow_secrets: bool) -> None:
    """Read what `memory export` wrote, from FILE or from stdin with -.

    Records keep their id, project, time and origin; one that is here already is replaced.
    """
    from ourcli.cli.bulk import add_all, open_lines  # deferred: pydantic
    from ourcli.cli.jsonl import ExportedLine, read_records
    from ourcli.cli.run import run  # deferred: asyncio

    redacted: list[Redaction] = []

    async def work(service: Facade) -> int:
        with open_lines(invocation, file) as lines:
            records = read_records(lines, ExportedLine)
            return await add_all(
                invocation,
                service,
                records,
                lambda batch: redacted.extend(batch.redacted),
                allow_secrets=allow_secrets,
            )

    imported = run(invocation, work)
    for line in told(redacted):
        invocation.diagnostics.notice(line)
    if invocation.json:
        invocation.output.document({"imported": imported, "redacted": redacted})
    else:
        invocation.output.text(f"{imported} records read")


@click.command()
@common_options()
@click.pass_obj
def reembed(invocation: Invocation) -> None:
    """Embed every record again with the configured model.

    Needed once after `ai.embed_model` was changed.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    async def work(service: Facade) -> int:
        with ProgressBars(invocation.diagnostics) as bars:
            return await service.reembed(bars)

    done = run(invocation, work)
    if invocation.json:
        invocation.output.document({"reembedded": done})
    else:
        invocation.output.text(f"{done} records embedded again")
