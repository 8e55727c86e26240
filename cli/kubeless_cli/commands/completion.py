"""`kubeless completion`: a script to source from the shell's start-up file."""

from __future__ import annotations

import click

_HINTS = {
    "bash": 'add to ~/.bashrc: eval "$(kubeless completion bash)"',
    "zsh": 'add to ~/.zshrc: eval "$(kubeless completion zsh)"',
    "fish": "save as ~/.config/fish/completions/kubeless.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(list(_HINTS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash: add to ~/.bashrc    eval "$(kubeless completion bash)"
    zsh:  add to ~/.zshrc     eval "$(kubeless completion zsh)"
    fish: save the output as  ~/.config/fish/completions/kubeless.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    # The script itself is fixed text; click's own .source() would first start bash to check it.
    maker = kind(ctx.find_root().command, {}, "kubeless", "_KUBELESS_COMPLETE")
    click.echo(f"# {_HINTS[shell]}")
    click.echo(maker.source_template % maker.source_vars())
