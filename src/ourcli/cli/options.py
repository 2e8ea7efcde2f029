"""The options that every command takes, before or after its name."""

from collections.abc import Callable
from typing import TypeVar

import click

from ourcli.cli.invocation import Invocation

_Body = TypeVar("_Body", bound=Callable[..., object])


def common_options(*, json: bool = True) -> Callable[[_Body], _Body]:
    """Add `--project`, `-q`, `-v`, `--no-color`, and `--json` where the command prints data.

    They fill the `Invocation`; the command's function does not see them.
    """
    options = [
        _option("project", "--project", metavar="NAME", help="Whose memory is used."),
        _option("quiet", "-q", "--quiet", is_flag=True, help="Tell errors only."),
        _option("verbose", "-v", "--verbose", is_flag=True, help="Tell details."),
        _option("no_color", "--no-color", is_flag=True, help="Use no colours."),
    ]
    if json:
        options.insert(0, _option("json", "--json", is_flag=True, help="Print JSON on stdout."))

    def decorate(body: _Body) -> _Body:
        for option in reversed(options):
            body = option(body)
        return body

    return decorate


def allow_secrets_option(body: _Body) -> _Body:
    """Add `--allow-secrets`."""
    return click.option("--allow-secrets", is_flag=True, help="Store keys and passwords as they are.")(body)


def _option(
    field: str,
    *names: str,
    is_flag: bool = False,
    metavar: str | None = None,
    help: str = "",  # noqa: A002
) -> Callable[[_Body], _Body]:
    def remember(context: click.Context, _parameter: click.Parameter, value: object) -> None:
        invocation = context.find_object(Invocation)
        if invocation is not None and value not in (None, False):
            setattr(invocation, field, value)

    return click.option(
        *names, is_flag=is_flag, metavar=metavar, help=help, expose_value=False, is_eager=True, callback=remember
    )
