"""`ourcli ask`: the main job."""

from collections.abc import Mapping
from pathlib import Path

import click

from ourcli.app.requests import AskRequest
from ourcli.cli.answer_view import AnswerView
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import allow_secrets_option, common_options
from ourcli.cli.parameters import BudgetType
from ourcli.cli.piped import piped_text
from ourcli.cli.plan_view import show_plan
from ourcli.cli.ports import Facade
from ourcli.cli.sanitize import well_formed
from ourcli.common.errors import UsageError


@click.command()
@click.argument("text", nargs=-1)
@click.option("-c", "--continue", "continue_last", is_flag=True, help="Continue the project's last session.")
@click.option("--session", metavar="S", help="Continue this session.")
@click.option("--model", metavar="M", help="A registry name or the path of a .gguf file.")
@click.option("--recipe", metavar="R", help="Use this recipe instead of choosing one.")
@click.option(
    "--file",
    "files",
    metavar="F",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read this file along with the question; can be repeated.",
)
@click.option("--tag", "tags", metavar="T", multiple=True, help="Tag what is remembered; can be repeated.")
@click.option("--plan-only", is_flag=True, help="Make the plan and run nothing.")
@click.option("--no-memory", is_flag=True, help="Recall nothing and remember nothing.")
@click.option("--no-tools", is_flag=True, help="Offer no tools.")
@click.option("--yes", is_flag=True, expose_value=False, help="Approve what would wait for a person.")
@click.option("--max-tokens", metavar="N", type=click.IntRange(min=1), help="Most tokens of the answer.")
@allow_secrets_option
@click.option("--budget", metavar="LIMITS", type=BudgetType(), help="tokens=N,seconds=N,calls=N (any of them).")
@common_options()
@click.pass_obj
def ask(  # noqa: PLR0913  # click hands every option over by name
    invocation: Invocation,
    *,
    text: tuple[str, ...],
    continue_last: bool,
    session: str | None,
    model: str | None,
    recipe: str | None,
    files: tuple[Path, ...],
    tags: tuple[str, ...],
    plan_only: bool,
    no_memory: bool,
    no_tools: bool,
    max_tokens: int | None,
    allow_secrets: bool,
    budget: Mapping[str, float] | None,
) -> None:
    """Answer a question from memory with a local model.

    Text that is piped in is read along with the question; without TEXT it is the question, which
    leads to no tool. The answer streams; numbered citations (layer, score, place) follow. A new session
    begins unless -c or --session is given.
    """
    if continue_last and session:
        raise UsageError("-c and --session exclude each other", hint="give one of them")
    question, attachment = words_and_attachment(invocation, text)
    request = AskRequest(
        text=question,
        project=invocation.project,
        session=session,
        continue_last=continue_last,
        model=model,
        recipe=recipe,
        files=tuple(path.absolute() for path in files),
        attachment=attachment,
        tags=tags,
        use_memory=not no_memory,
        use_tools=not no_tools and any(word.strip() for word in text),  # what is piped in may be a stranger's page
        max_tokens=max_tokens,
        budget=budget or {},
        allow_secrets=allow_secrets,
    )
    _carry_out(invocation, request, plan_only=plan_only)


def _carry_out(invocation: Invocation, request: AskRequest, *, plan_only: bool) -> None:
    from ourcli.cli.run import run  # deferred: asyncio

    if plan_only:
        show_plan(invocation, run(invocation, lambda service: service.plan(request)))
    else:
        run(invocation, lambda service: _answer(invocation, service, request))


def words_and_attachment(invocation: Invocation, text: tuple[str, ...]) -> tuple[str, str]:
    """Return the request's words and what was piped in besides.

    Raises:
        UsageError: There are no words.
    """
    words, piped = well_formed(" ".join(text)).strip(), piped_text(invocation)
    if not words:
        words, piped = piped.strip(), ""
    if not words:
        raise UsageError("the question is empty", hint='ask something: ourcli ask "what did we decide?"')
    return words, piped


async def _answer(invocation: Invocation, service: Facade, request: AskRequest) -> None:
    output = invocation.output
    with AnswerView(output, invocation.diagnostics, streaming=not invocation.json) as view:
        answer = await service.ask(request, view)
        if not invocation.json:
            view.finish(answer)
    if invocation.json:
        output.document(answer)
        for notice in answer.notices:
            invocation.diagnostics.notice(notice)
