"""The cluster that a command talks to, and its objects.

Opened when a command first needs it: `kubeless_kube` takes a good part of a second to import.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kubeless_cli.errors import Failure
from kubeless_cli.flags import checked
from kubeless_cli.kinds import FUNCTION, Kind
from kubeless_cli.names import check_namespace

if TYPE_CHECKING:
    from kubeless_kube.client import Client

Object = dict[str, Any]
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Connection:
    """A client and the namespace that the command works in."""

    client: Client
    namespace: str

    def function(self, name: str) -> Object:
        """The Function of that name. Raises Failure, naming those that look like it."""
        return self.read(FUNCTION, name)

    def read(self, kind: Kind, name: str) -> Object:
        """The object of that kind and name. Raises Failure, naming those that look like it."""
        found = self.find(kind, name)
        if found is None:
            raise self.unknown(kind, name)
        return found

    def find(self, kind: Kind, name: str) -> Object | None:
        """The object of that kind and name; None when there is none."""
        from kubeless_kube.errors import NotFound

        try:
            return self.client.get(kind.resource, self.namespace, name)
        except NotFound as error:
            if error.no_such_kind:
                raise
            return None

    def unknown(self, kind: Kind, name: str) -> Failure:
        """The failure for an object that is not there."""
        from difflib import get_close_matches

        from kubeless_kube.errors import ApiError

        try:
            found = self.client.list(kind.resource, self.namespace, metadata_only=True)["items"]
        except ApiError:
            found = []
        near = get_close_matches(name, [item["metadata"]["name"] for item in found], n=3)
        if near:
            hint = f"Did you mean {' or '.join(near)}?"
        else:
            hint = (
                f"'kubeless {kind.command} list -n {self.namespace}' shows the {len(found)} there are"
                if found
                else f"There are no {kind.noun}s in this namespace"
            )
            hint += "; -n chooses another namespace."
        return Failure(f"There is no {kind.noun} '{name}' in namespace '{self.namespace}'.\n{hint}")


def connect(options: dict[str, Any]) -> Connection:
    """Open the cluster that the options of `cluster_options` or `context_options` choose.

    Raises ConfigError when no kubeconfig or context fits; nothing is sent yet.
    """
    from kubeless_cli import __version__

    root = click.get_current_context().find_root().obj or {}
    kubeconfig = options["kubeconfig"] or root.get("kubeconfig")
    context = options["context_name"] or root.get("context")

    from kubeless_kube.client import Client

    client = Client.from_kubeconfig(kubeconfig, context, user_agent=f"kubeless-cli/{__version__}")
    return Connection(client, options.get("namespace") or client.namespace)


def cluster_options(command: Command) -> Command:
    """Add -n, --kubeconfig and --context; their values arrive as keywords for `connect`."""
    command = context_options(command)
    return click.option(
        "-n",
        "--namespace",
        callback=checked(check_namespace),
        help="Namespace. [default: that of the context]",
    )(command)


def context_options(command: Command) -> Command:
    """Add --kubeconfig and --context, for commands that are not about one namespace."""
    for option in (
        click.option(
            "--context", "context_name", metavar="NAME", help="Context of the kubeconfig."
        ),
        click.option(
            "--kubeconfig", type=click.Path(), help="Kubeconfig file. [default: $KUBECONFIG]"
        ),
    ):
        command = option(command)
    return command
