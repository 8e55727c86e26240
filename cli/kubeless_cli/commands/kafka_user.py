"""`kubeless kafka user`: SCRAM users of the installation's Kafka, and the Secrets that triggers name.

The password is made here, goes to Kafka by the pod's input and to the cluster as a Secret; nothing
prints or logs it.
"""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.connection import Connection
from kubeless_cli.errors import Failure
from kubeless_cli.flags import checked
from kubeless_cli.inputs import say
from kubeless_cli.kafka_commands import OUT, installation, kafka_options
from kubeless_cli.kafka_secret import make_password, secret
from kubeless_cli.kafka_session import ask
from kubeless_cli.names import check_namespace, check_object_name
from kubeless_cli.output import dump
from kubeless_cli.stdout import emit
from kubeless_cli.table import render

Object = dict[str, Any]

_MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")


@click.command(short_help="Make a user and the Secret that has its password.")
@click.argument("name", metavar="NAME", callback=checked(check_object_name, empty=False))
@click.option(
    "-n",
    "--namespace",
    callback=checked(check_namespace),
    help="Namespace of the Secret: that of the trigger. [default: that of the context]",
)
@click.option(
    "--secret",
    "secret_name",
    metavar="NAME",
    callback=checked(check_object_name, empty=False),
    help="Name of the Secret. [default: kafka-<name>]",
)
@click.option(
    "--new-password",
    is_flag=True,
    help="Give a user that exists a new password, in its Secret too.",
)
@kafka_options
def create(
    name: str,
    *,
    namespace: str | None,
    secret_name: str | None,
    new_password: bool,
    **options: Any,
) -> None:
    """Make the user NAME of the installation's Kafka, and a Secret for triggers with its password.

    \b
    kubeless kafka user create orders -n shop
    kubeless trigger kafka update orders -n shop --auth-secret kafka-orders
    """
    connection, target, settings = installation(options)
    mechanism = str(settings.get("mechanism") or "")
    if mechanism not in _MECHANISMS:
        found = f"takes {mechanism}" if mechanism else "asks nobody for credentials"
        raise Failure(
            f"The installation's Kafka {found}, so it has no SCRAM users.\n"
            "The chart's value kafka.auth.enabled turns them on for its own Kafka."
        )
    where = namespace or connection.client.namespace
    secret_name = secret_name or f"kafka-{name}"
    _check_the_secret(connection, where, secret_name, replace=new_password)
    password = make_password()
    arguments = {"name": name, "mechanism": mechanism, "replace": new_password}
    ask(connection, target, "user.create", arguments, [password.encode()])
    _write(connection, secret(where, secret_name, name, password), name)
    say(f"User {name} {'has a new password' if new_password else 'created'}")
    say(
        f"Its credentials are in Secret {secret_name} in namespace '{where}': --auth-secret {secret_name}"
    )


def _check_the_secret(connection: Connection, namespace: str, name: str, *, replace: bool) -> None:
    """Before anything is done: may the Secret be written? Raises Failure, ApiError."""
    from kubeless_kube.errors import Conflict
    from kubeless_kube.resources import SECRETS

    try:
        connection.client.create(SECRETS, secret(namespace, name, "u", "p"), dry_run=True)
    except Conflict:
        if not replace:
            raise Failure(
                f"There is a Secret '{name}' in namespace '{namespace}' already.\n"
                "--secret names another one; --new-password replaces the password of a user that "
                "exists, and what is in its Secret."
            ) from None


def _write(connection: Connection, manifest: Object, user: str) -> None:
    from kubeless_cli.ownership import MANAGER
    from kubeless_kube.errors import ApiError, Unreachable
    from kubeless_kube.resources import SECRETS

    try:
        connection.client.apply(SECRETS, manifest, manager=MANAGER)
    except (ApiError, Unreachable) as error:
        metadata = manifest["metadata"]
        raise Failure(
            f"User {user} has a new password, but Secret {metadata['name']} in namespace "
            f"'{metadata['namespace']}' could not be written: {error}.\n"
            f"'kubeless kafka user create {user} --new-password' makes both anew."
        ) from None


@click.command("list", short_help="List users.")
@OUT
@kafka_options
def list_users(out: str | None, **options: Any) -> None:
    """List the SCRAM users of the installation's Kafka."""
    connection, target, _ = installation(options)
    users = ask(connection, target, "user.list", {})["users"]
    if out:
        emit(dump(users, out))
        return
    rows = [[user["name"], ", ".join(user["mechanisms"])] for user in users]
    emit(render([["NAME", "MECHANISMS"], *rows], 253))


@click.command(short_help="Delete users.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--ignore-not-found", is_flag=True, help="What is missing is no error.")
@kafka_options
def delete(names: tuple[str, ...], *, ignore_not_found: bool, **options: Any) -> None:
    """Delete the users NAME...; Secrets that have their passwords stay."""
    connection, target, _ = installation(options)
    wanted = list(dict.fromkeys(names))
    result = ask(connection, target, "user.delete", {"names": wanted})
    for name in result["deleted"]:
        say(f"User {name} deleted")
    missing = result["missing"]
    if missing and not ignore_not_found:
        what = (
            f"is no user '{missing[0]}'"
            if len(missing) == 1
            else f"are no users {', '.join(missing)}"
        )
        raise Failure(f"There {what}.\n'kubeless kafka user list' shows those there are.")
