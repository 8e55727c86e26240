"""The flags of `kubeless trigger http create` and `update`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from kubeless_api.errors import SpecError
from kubeless_api.http_trigger import parse_host, parse_path
from kubeless_cli import names
from kubeless_cli.flags import checked, split_values
from kubeless_cli.http_trigger import GATEWAYS, Object, check_gateway, parse_parent


def _as_the_controller(parse: Callable[[str], str], field: str) -> Callable[[str], None]:
    """The controller's own check of a field, as one of a flag's value."""

    def check(value: str) -> None:
        try:
            parse(value)
        except SpecError as error:
            raise ValueError(error.message.removeprefix(f"spec.{field}: ") + ".") from None

    return check


def _parents(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[Object, ...] | None:
    if not values:
        return None
    try:
        given = [part.strip() for use in values for part in split_values(use)]
        return tuple(parse_parent(part) for part in dict.fromkeys(given))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


def http_flags(*, required: bool) -> tuple[Callable[[Any], Any], ...]:
    """The flags in the order that --help shows; `required`: what a whole trigger needs is."""
    return (
        click.option(
            "--function-name",
            "--function",
            required=required,
            callback=checked(names.check_function_name, empty=False),
            help="The function that is called; it may come later.",
        ),
        click.option(
            "--hostname",
            metavar="HOST",
            callback=checked(_as_the_controller(parse_host, "host-name")),
            help="DNS name by which it is called; '*.example.com' for all names below one. "
            "[default: every name]",
        ),
        click.option(
            "--path",
            metavar="PREFIX",
            callback=checked(_as_the_controller(parse_path, "path")),
            help="Prefix of the path, which the function does not see. [default: every path]",
        ),
        click.option(
            "--parent-ref",
            multiple=True,
            metavar="[NAMESPACE/]NAME[:LISTENER]",
            callback=_parents,
            help="A Gateway (Gateway API) to attach to; may be repeated.",
        ),
        click.option(
            "--ingress-class",
            metavar="CLASS",
            callback=checked(names.check_object_name),
            help="Make an Ingress of this class.",
        ),
        click.option(
            "--gateway",
            metavar="|".join(GATEWAYS),
            callback=checked(check_gateway),
            help="Make an Ingress for this controller.",
        ),
        click.option(
            "--enableTLSAcme/--no-enableTLSAcme",
            "tls",
            default=None,
            help="Of an Ingress: have a certificate made.",
        ),
        click.option(
            "--tls-secret",
            metavar="SECRET",
            callback=checked(names.check_object_name),
            help="Of an Ingress: the Secret that has its certificate.",
        ),
        click.option(
            "--basic-auth-secret",
            metavar="SECRET",
            callback=checked(names.check_object_name),
            help="Of an Ingress of nginx or traefik: the Secret with users and passwords.",
        ),
        click.option(
            "--cors-enable/--no-cors-enable",
            "cors",
            default=None,
            help="Of an Ingress of nginx or traefik: answer CORS for every origin.",
        ),
    )
