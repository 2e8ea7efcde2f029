"""The only writer of stderr, and the one map from failures to exit codes."""

from typing import TYPE_CHECKING, TextIO

import click

from ourcli.cli.sanitize import neutralise
from ourcli.common.errors import CancelledByUserError, OurcliError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from ourcli.cli.output import Output

_RED, _YELLOW, _CYAN = "31", "33", "36"


class Diagnostics:
    """What the user is told besides data.

    Args:
        stream: Standard error.
        terminal: A person looks at it.
        color: Colours may be used (on a terminal only).
        quiet: Only errors are told.
        verbose: Tracebacks and details are told too.
    """

    def __init__(
        self, stream: TextIO, *, terminal: bool, color: bool = True, quiet: bool = False, verbose: bool = False
    ) -> None:
        self.stream = stream
        self.terminal = terminal
        self.color = color and terminal
        self.quiet = quiet
        self.verbose = verbose

    @property
    def console(self) -> "Console":
        """The drawing surface for progress bars."""
        from rich.console import Console  # deferred: only long work on a terminal pays for it

        return Console(file=self.stream, force_terminal=self.terminal, no_color=not self.color, highlight=False)

    def error(self, message: str, hint: str = "") -> None:
        """Say what failed and what to do."""
        self._tell("error", message, _RED)
        if hint:
            self._tell("hint", hint, _CYAN)

    def warning(self, message: str) -> None:
        """Say what is not as it should be; the work goes on."""
        if not self.quiet:
            self._tell("warning", message, _YELLOW)

    def notice(self, message: str) -> None:
        """Say something the user should know."""
        if not self.quiet:
            self._write(f"{neutralise(message)}\n")

    def question(self, message: str) -> None:
        """Say what a person is about to be asked about, also with `-q`: nobody agrees to what he was not shown."""
        self._write(f"{neutralise(message)}\n")

    def detail(self, message: str) -> None:
        """Say something only `-v` asks for."""
        if self.verbose:
            self._write(f"{neutralise(message)}\n")

    def report(self, failure: BaseException, output: "Output | None") -> int:
        """Tell a failure and return the exit code.

        Args:
            failure: What ended the command.
            output: Where `{"error": ...}` is written too, when the user asked for JSON.
        """
        error = as_error(failure)
        if isinstance(error, InternalError):
            self._trace(failure)
        if isinstance(error, CancelledByUserError):
            self._write("interrupted\n")
        else:
            self.error(error.message, error.hint)
        if output is not None:
            output.document(
                {
                    "error": {
                        "code": error.exit_code,
                        "kind": error.kind,
                        "message": error.message,
                        "hint": error.hint,
                    }
                }
            )
        return error.exit_code

    def _trace(self, failure: BaseException) -> None:
        import traceback  # deferred: only a bug needs it

        if self.verbose:
            self._write("".join(traceback.format_exception(failure)))

    def _tell(self, label: str, message: str, color: str) -> None:
        mark = f"\x1b[1;{color}m{label}:\x1b[0m" if self.color else f"{label}:"
        self._write(f"{mark} {neutralise(message)}\n")

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except (BrokenPipeError, ValueError):
            return  # nobody reads stderr any more: there is no one left to tell


class InternalError(OurcliError):
    """A bug of ours."""

    kind = "internal"


def as_error(failure: BaseException) -> OurcliError:
    """Return the member of the error tree that stands for `failure`."""
    if isinstance(failure, BaseExceptionGroup):
        return _of_group(failure)
    if isinstance(failure, OurcliError):
        return failure
    if isinstance(failure, click.ClickException):
        return _of_click(failure)
    if isinstance(failure, KeyboardInterrupt | click.Abort | EOFError):
        return CancelledByUserError("interrupted")
    if isinstance(failure, MemoryError):
        return OurcliError("out of memory", hint="close other programs, or use a smaller model (`ourcli models list`)")
    return InternalError(
        f"internal error: {type(failure).__name__}: {failure}",
        hint="this is a bug in ourcli; run again with -v and report the traceback",
    )


def _of_group(group: BaseExceptionGroup[BaseException]) -> OurcliError:
    """Return the first known error of a task group's failures, else stand for the first unknown one."""
    leaves = [as_error(leaf) for leaf in group.exceptions]
    known = [leaf for leaf in leaves if not isinstance(leaf, InternalError | CancelledByUserError)]
    return (known or leaves)[0]


def _of_click(failure: click.ClickException) -> OurcliError:
    hint = ""
    if isinstance(failure, click.UsageError) and failure.ctx is not None:
        hint = f"see `{failure.ctx.command_path} --help`"
    if isinstance(failure, click.NoSuchOption):
        message = f"no such option {failure.option_name!r}"
        if failure.possibilities:
            hint = f"did you mean {sorted(failure.possibilities)[0]!r}? {hint}".rstrip()
        return UsageError(message, hint=hint)
    return UsageError(failure.format_message().rstrip("."), hint=hint)
