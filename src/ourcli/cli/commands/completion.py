"""`ourcli completion`: let a shell complete commands and options."""

import click

from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common_options(json=False)
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: ourcli completion bash > ~/.local/share/bash-completion/completions/ourcli
    zsh:  ourcli completion zsh > "${fpath[1]}/_ourcli"
    fish: ourcli completion fish > ~/.config/fish/completions/ourcli.fish
    """  # noqa: D301  # \b is click's mark for lines that must not be joined
    from click.shell_completion import get_completion_class  # deferred: only this command needs it

    complete = get_completion_class(shell)
    invocation = context.find_object(Invocation)
    if complete is None or invocation is None:
        raise click.UsageError(f"no completion for {shell!r}")
    script = complete(context.find_root().command, {}, "ourcli", "_OURCLI_COMPLETE")
    invocation.output.text(script.source_template % script.source_vars(), end="")
