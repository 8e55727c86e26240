"""The flags of `kubeless trigger kafka create` and `update`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from kubeless_api import kafka_connection, kafka_topic
from kubeless_api import kafka_trigger as limits
from kubeless_api.errors import SpecError
from kubeless_cli import kafka_trigger, names, selector
from kubeless_cli.flags import checked, pairs
from kubeless_cli.readers import number, read, unless_empty

_MOST = 2**31 - 1


def topic(value: str) -> str:
    """The name of a topic; groups have the same rules. Raises ValueError."""
    if not kafka_topic.is_topic(value):
        raise ValueError(f"'{value}' can't be the name: expected {kafka_topic.EXPECTED}.")
    return value


def servers(value: str) -> str:
    """The addresses of brokers. Raises ValueError."""
    try:
        return kafka_connection.parse_servers(value, "--bootstrap-servers")
    except SpecError:
        raise ValueError(
            f"'{value}' is not 'host:port', or several with ',' between them, such as kafka:9092."
        ) from None


def _choice(option: str, values: tuple[str, ...], text: str) -> Callable[[Any], Any]:
    """A flag with few values, of which the empty one takes the field away."""

    def check(value: str) -> str:
        for known in values:
            if value.lower() == known.lower():
                return known
        raise ValueError(f"'{value}' is none of {', '.join(values)}.")

    return click.option(option, metavar="|".join(values), callback=unless_empty(check), help=text)


def _number(option: str, most: int, text: str, least: int = 1) -> Callable[[Any], Any]:
    return click.option(option, metavar="NUMBER", callback=number(most, least), help=text)


def _duration(option: str, most: float, text: str, least: float = 0.001) -> Callable[[Any], Any]:
    def check(value: str) -> str:
        return kafka_trigger.duration(value, least, most)

    return click.option(option, metavar="DURATION", callback=unless_empty(check), help=text)


def _secret(option: str, text: str) -> Callable[[Any], Any]:
    return click.option(
        option, metavar="SECRET", callback=checked(names.check_object_name), help=text
    )


def kafka_flags(*, required: bool) -> tuple[Callable[[Any], Any], ...]:
    """The flags in the order that --help shows; `required`: what a whole trigger needs is."""
    return (
        click.option(
            "--trigger-topic",
            metavar="TOPIC",
            required=required,
            callback=read(topic),
            help="The topic whose records are given to functions; it may come later.",
        ),
        click.option(
            "--function-selector",
            metavar="LABELS",
            required=required,
            callback=read(selector.parse),
            help="Which functions: function=hello, or by their labels, such as "
            "'app=shop,tier in (front,back)'.",
        ),
        click.option(
            "--bootstrap-servers",
            metavar="HOST:PORT,...",
            callback=unless_empty(servers),
            help="Brokers of another Kafka. [default: that of the installation]",
        ),
        _secret("--auth-secret", "Secret of the namespace with username and password for Kafka."),
        _choice("--auth-mechanism", kafka_connection.MECHANISMS, "SASL mechanism."),
        click.option("--tls/--no-tls", default=None, help="Speak TLS to the brokers."),
        _secret("--tls-secret", "Secret with ca.crt, for mutual TLS also tls.crt and tls.key."),
        click.option(
            "--group",
            "--consumer-group",
            "consumer_group",
            metavar="NAME",
            callback=unless_empty(topic),
            help="Consumer group. [default: one for each function]",
        ),
        _choice(
            "--start-offset",
            (limits.LATEST, limits.EARLIEST),
            "Where a new group begins in a topic that exists. [default: latest]",
        ),
        _number(
            "--attempts",
            limits.MAX_ATTEMPTS,
            "How often a record is tried before it becomes a dead letter. [default: 8]",
        ),
        _duration(
            "--initial-backoff",
            limits.MAX_BACKOFF_SECONDS,
            "Pause after the first failed attempt. [default: 500ms]",
        ),
        _duration(
            "--max-backoff",
            limits.MAX_BACKOFF_SECONDS,
            "Longest pause between attempts. [default: 60s]",
        ),
        click.option(
            "--on-status",
            multiple=True,
            metavar="STATUS=OUTCOME,...",
            callback=pairs(kafka_trigger.check_outcome),
            help="What an answer's status means, such as 404=Retry,5xx=DeadLetter: Success, Retry, "
            "Wait or DeadLetter.",
        ),
        click.option(
            "--dead-letter-topic",
            metavar="TOPIC",
            callback=unless_empty(topic),
            help="Where records go that can't be processed. [default: <topic>.dlq]",
        ),
        click.option(
            "--response-topic",
            metavar="TOPIC",
            callback=unless_empty(topic),
            help="Where the functions' answers go. [default: nowhere]",
        ),
        _number(
            "--batch-size", limits.MAX_BATCH, "Give functions up to so many records in one call."
        ),
        _duration(
            "--batch-wait",
            limits.MAX_BATCH_WAIT_SECONDS,
            "How long a batch may wait to become full. [default: 50ms]",
            least=0.0,
        ),
        _number(
            "--max-in-flight",
            limits.MAX_IN_FLIGHT,
            "How many calls run at once in a consumer. [default: 32]",
        ),
        _number(
            "--max-uncommitted",
            limits.MAX_UNCOMMITTED,
            "How far a partition may run ahead of what is committed: the most records that are "
            "given twice after a crash. [default: 1000]",
        ),
        _number("--replicas", _MOST, "How many consumers. [default: 1]", least=0),
        click.option(
            "--paused/--no-paused",
            " /--resumed",
            "paused",
            default=None,
            help="Give no records for the time being; 'pause' and 'resume' do it later.",
        ),
    )
