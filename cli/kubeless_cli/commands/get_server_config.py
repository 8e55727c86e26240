"""`kubeless get-server-config`: which runtimes this cluster has, and how its controller is set."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli import server_config
from kubeless_cli.connection import connect, context_options
from kubeless_cli.flags import checked
from kubeless_cli.inputs import say
from kubeless_cli.installation import find_config
from kubeless_cli.names import check_namespace
from kubeless_cli.output import dump
from kubeless_cli.stdout import emit


@click.command(short_help="Show the runtimes and settings of the controller.")
@click.option(
    "--kubeless-namespace",
    callback=checked(check_namespace),
    help="Where Kubeless is installed. [default: looked for in all namespaces]",
)
@click.option("-o", "--out", type=click.Choice(["yaml", "json"]), help="Output format.")
@context_options
def get_server_config(kubeless_namespace: str | None, out: str | None, **options: Any) -> None:
    """Show the runtimes that functions can have here, and the other settings of the controller.

    It reads the controller's ConfigMap: that needs the right to list configmaps in all namespaces,
    or in the one that --kubeless-namespace names.
    """
    config_map = find_config(connect(options), kubeless_namespace or None, "--kubeless-namespace")
    config = server_config.parse(config_map)
    if out:
        emit(dump(config, out))
        return
    # As ever, so that scripts find it.
    ids = ", ".join(str(runtime["id"]) for runtime in config["runtimes"])
    say(f"Supported Runtimes are: {ids}")
    emit(server_config.page(config_map, config))
