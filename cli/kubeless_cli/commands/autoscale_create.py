"""`kubeless autoscale create`: write the autoscaler into the Function; the controller makes it."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli import autoscaler
from kubeless_cli.commands.list import amount
from kubeless_cli.connection import cluster_options, connect
from kubeless_cli.edit import edit
from kubeless_cli.errors import Problem
from kubeless_cli.flags import DRYRUN, OUTPUT, function_name
from kubeless_cli.inputs import say
from kubeless_cli.kinds import FUNCTION
from kubeless_cli.output import dump, portable
from kubeless_cli.stdout import emit

Object = dict[str, Any]

# Kubernetes counts pods in 32 bits.
_PODS = click.IntRange(1, 2**31 - 1)


@click.command(short_help="Give a function an autoscaler, or change it.")
@function_name()
@click.option("--min", "least", type=_PODS, default=1, show_default=True, help="Fewest pods.")
@click.option("--max", "most", type=_PODS, default=1, show_default=True, help="Most pods.")
@click.option(
    "--metric",
    type=click.Choice(autoscaler.METRICS),
    default="cpu",
    show_default=True,
    help="What to scale by: the CPU that is used, or calls per second.",
)
@click.option(
    "--value",
    required=True,
    help="What the metric should be. cpu: percent of the CPU that each pod requests, such as 70; "
    "qps: calls per second, a quantity such as 10 or 500m.",
)
@DRYRUN
@OUTPUT
@cluster_options
def create(
    name: str,
    *,
    least: int,
    most: int,
    metric: str,
    value: str,
    dryrun: bool,
    output: str,
    **options: Any,
) -> None:
    """Let the function NAME run as many pods as its load needs, within --min and --max.

    An autoscaler that it has already becomes what these flags say. cpu needs metrics-server in the
    cluster; qps needs an adapter that serves function_calls of Services.

    \b
    kubeless autoscale create hello --min 1 --max 5 --metric cpu --value 70
    """
    if least > most:
        raise Problem(
            f"--min {least} is more than --max {most}: expected --max to be {least} or more."
        )
    try:
        autoscaler.check_value(metric, value)
    except ValueError as error:
        raise Problem(f"--value: {error}") from None
    wanted = autoscaler.build(name, least, most, metric, value)
    connection = connect(options)
    if dryrun:
        changed = autoscaler.put(connection.function(name), wanted)
        emit(dump(portable(changed), output))
        return
    changed = edit(connection, FUNCTION, name, lambda present: autoscaler.put(present, wanted))
    say(f"Autoscaler of function {name} submitted: {autoscaler.summary(wanted)}")
    if metric == "cpu" and not requests_cpu(changed):
        say(
            f"Note: {name} requests no CPU, and without that no share of it is known, unless a "
            "LimitRange of the namespace gives it one.\n"
            f"'kubeless function update {name} --cpu 100m' requests some."
        )


def requests_cpu(function: Object) -> bool:
    """Whether the function says how much CPU it requests; a limit alone is a request too."""
    spec = function.get("spec") or {}
    return any(amount(spec, "cpu", kind) for kind in ("requests", "limits"))
