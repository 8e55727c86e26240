"""The command tree: `kubeless function ...`, `kubeless trigger ...`, `kubeless autoscale ...`, and
commands that stand alone.

The tree is a table of names and where their code is. A command's module is imported when it runs
(or shows its own help), so that `kubeless --help` costs no more than click itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from kubeless_cli import __version__


@dataclass(frozen=True)
class Entry:
    """Where a command's code is (`module:attribute`) and its line in the group's help."""

    code: str
    help: str
    aliases: tuple[str, ...] = ()


class LazyGroup(click.Group):
    """A group that knows its commands by a table and imports each one only when it is asked for."""

    def __init__(self, *args: Any, entries: dict[str, Entry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for name, entry in self.entries.items():
            if cmd_name == name or cmd_name in entry.aliases:
                module, attribute = entry.code.split(":")
                command: click.Command = getattr(import_module(module), attribute)
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(unknown(args[0], self.entries, ctx.command_path), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (", ".join((name, *entry.aliases)), entry.help) for name, entry in self.entries.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def unknown(given: str, entries: dict[str, Entry], path: str) -> str:
    """The message for a command that does not exist, with the nearest ones that do."""
    names = [name for key, entry in entries.items() for name in (key, *entry.aliases)]
    near = get_close_matches(given, names, n=3)
    if near:
        return f"No such command '{given}'. Did you mean {' or '.join(near)}?"
    return f"No such command '{given}'. '{path} --help' lists the {len(entries)} there are."


FUNCTION = LazyGroup(
    "function",
    help="Deploy, call, watch and delete functions.",
    context_settings={"help_option_names": ["-h", "--help"]},
    entries={
        "deploy": Entry("kubeless_cli.commands.deploy:deploy", "Create a function, or replace it."),
        "update": Entry("kubeless_cli.commands.update:update", "Change parts of a function."),
        "list": Entry("kubeless_cli.commands.list:list_functions", "List functions.", ("ls",)),
        "describe": Entry("kubeless_cli.commands.describe:describe", "Show one function in full."),
        "call": Entry("kubeless_cli.commands.call:call", "Call a function and print its answer."),
        "logs": Entry("kubeless_cli.commands.logs:logs", "Print what a function's pods logged."),
        "top": Entry(
            "kubeless_cli.commands.top:top", "Show calls, failures and durations.", ("stats",)
        ),
        "delete": Entry("kubeless_cli.commands.delete:delete", "Delete functions."),
    },
)

AUTOSCALE = LazyGroup(
    "autoscale",
    help="Let functions scale by their load.",
    context_settings={"help_option_names": ["-h", "--help"]},
    entries={
        "create": Entry(
            "kubeless_cli.commands.autoscale_create:create",
            "Give a function an autoscaler, or change it.",
        ),
        "list": Entry(
            "kubeless_cli.commands.autoscale_list:list_autoscalers", "List autoscalers.", ("ls",)
        ),
        "delete": Entry(
            "kubeless_cli.commands.autoscale_delete:delete", "Take a function's autoscaler away."
        ),
    },
)


def _group(name: str, text: str, entries: dict[str, Entry]) -> LazyGroup:
    return LazyGroup(
        name,
        help=text,
        context_settings={"help_option_names": ["-h", "--help"]},
        entries=entries,
    )


def _trigger_entries(name: str, noun: str, one: str) -> dict[str, Entry]:
    """The commands about one kind of trigger; their code is in `commands/trigger_<name>_*.py`."""

    def entry(command: str, line: str, *aliases: str) -> Entry:
        code = f"kubeless_cli.commands.trigger_{name}_{command}:{command}_{name}"
        return Entry(code, line, aliases)

    return {
        "create": entry("create", f"Create {one}, or replace it."),
        "update": entry("update", f"Change parts of {one}."),
        "list": entry("list", f"List {noun}s.", "ls"),
        "describe": entry("describe", f"Show one {noun} in full."),
        "delete": entry("delete", f"Delete {noun}s."),
    }


HTTP = _group(
    "http",
    "Give functions hosts and paths outside the cluster.",
    _trigger_entries("http", "HTTP trigger", "an HTTP trigger"),
)
CRONJOB = _group(
    "cronjob",
    "Call functions on a schedule.",
    _trigger_entries("cronjob", "cronjob trigger", "a cronjob trigger"),
)
DLQ = _group(
    "dlq",
    "Look at the records that could not be processed, and send them again.",
    {
        "list": Entry(
            "kubeless_cli.commands.dlq_list:list_dead_letters", "List dead letters.", ("ls",)
        ),
        "show": Entry("kubeless_cli.commands.dlq_show:show", "Show one dead letter in full."),
        "redrive": Entry("kubeless_cli.commands.dlq_redrive:redrive", "Send dead letters again."),
    },
)
_PAUSE = "kubeless_cli.commands.trigger_kafka_pause"
KAFKA_TRIGGERS = _group(
    "kafka",
    "Call functions with the records of a topic.",
    {
        **_trigger_entries("kafka", "Kafka trigger", "a Kafka trigger"),
        "pause": Entry(f"{_PAUSE}:pause_kafka", "Give no records for the time being."),
        "resume": Entry(f"{_PAUSE}:resume_kafka", "Go on where it was paused."),
        "dlq": Entry("kubeless_cli.app:DLQ", DLQ.help or ""),
    },
)
TOPIC = _group(
    "topic",
    "Create, list and delete Kafka topics, and publish to them.",
    {
        "create": Entry("kubeless_cli.commands.topic_create:create", "Create a topic."),
        "list": Entry("kubeless_cli.commands.topic_list:list_topics", "List topics.", ("ls",)),
        "delete": Entry("kubeless_cli.commands.topic_delete:delete", "Delete topics."),
        "publish": Entry("kubeless_cli.commands.topic_publish:publish", "Publish records."),
    },
)
_USER = "kubeless_cli.commands.kafka_user"
USER = _group(
    "user",
    "Make and delete users of the installation's Kafka.",
    {
        "create": Entry(f"{_USER}:create", "Make a user and the Secret that has its password."),
        "list": Entry(f"{_USER}:list_users", "List users.", ("ls",)),
        "delete": Entry(f"{_USER}:delete", "Delete users."),
    },
)
KAFKA = _group(
    "kafka",
    "Administer the installation's Kafka.",
    {"user": Entry("kubeless_cli.app:USER", USER.help or "")},
)
TRIGGER = LazyGroup(
    "trigger",
    help="Let functions be called from outside the cluster, on a schedule, or by records.",
    context_settings={"help_option_names": ["-h", "--help"]},
    entries={
        "http": Entry("kubeless_cli.app:HTTP", HTTP.help or ""),
        "cronjob": Entry("kubeless_cli.app:CRONJOB", CRONJOB.help or ""),
        "kafka": Entry("kubeless_cli.app:KAFKA_TRIGGERS", KAFKA_TRIGGERS.help or ""),
    },
)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Functions on Kubernetes.",
    entries={
        "function": Entry("kubeless_cli.app:FUNCTION", FUNCTION.help or ""),
        "trigger": Entry("kubeless_cli.app:TRIGGER", TRIGGER.help or ""),
        "topic": Entry("kubeless_cli.app:TOPIC", TOPIC.help or ""),
        "kafka": Entry("kubeless_cli.app:KAFKA", KAFKA.help or ""),
        "autoscale": Entry("kubeless_cli.app:AUTOSCALE", AUTOSCALE.help or ""),
        "get-server-config": Entry(
            "kubeless_cli.commands.get_server_config:get_server_config",
            "Show the runtimes and settings of the controller.",
        ),
        "completion": Entry(
            "kubeless_cli.commands.completion:completion", "Print a shell completion script."
        ),
        "version": Entry("kubeless_cli.commands.version:version", "Print the version."),
    },
)
@click.option("--kubeconfig", type=click.Path(), help="Kubeconfig file. [default: $KUBECONFIG]")
@click.option("--context", "context_name", metavar="NAME", help="Context of the kubeconfig.")
@click.version_option(__version__, prog_name="kubeless")
@click.pass_context
def root(ctx: click.Context, kubeconfig: str | None, context_name: str | None) -> None:
    # Every command takes the same two options; what is given there wins over what is given here.
    ctx.obj = {"kubeconfig": kubeconfig, "context": context_name}
