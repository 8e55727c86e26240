"""One request to Kafka: a pod is made, asked, and deleted, however it ends."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from kubeless_cli.connection import Connection
from kubeless_cli.errors import Failure
from kubeless_cli.kafka_frames import Body, Decoder, encode
from kubeless_cli.kafka_pod import CONTAINER, Target, request_connection
from kubeless_cli.kafka_start import create, refused, sweep, until_running

if TYPE_CHECKING:
    from kubeless_kube.attachment import Attachment

Object = dict[str, Any]
Hear = Callable[[Object, list[Body]], None]

VERSION = 1
# The longest silence: a broker may take a minute, a redrive looks at many records between two words.
PATIENCE = 300.0
SHOWN = 2000


def ask(
    connection: Connection,
    target: Target,
    operation: str,
    arguments: Object,
    bodies: Sequence[Body] = (),
    *,
    more: Iterable[bytes] = (),
    hear: Hear = lambda head, bodies: None,
) -> Object:
    """Have a pod do one operation; returns its result.

    `more` is sent after the request; `hear` is told what comes before the result. Raises Failure with
    the sentence of what went wrong.
    """
    request = {
        "version": VERSION,
        "operation": operation,
        "connection": request_connection(target),
        "arguments": arguments,
    }
    with _attached(connection, target) as attachment:
        return _converse(attachment, _parts(encode(request, bodies), more), hear)


@contextmanager
def _attached(connection: Connection, target: Target) -> Iterator[Attachment]:
    """A pod that runs and is attached to; deleted at the end."""
    from kubeless_kube.errors import ApiError, Forbidden, Unreachable
    from kubeless_kube.resources import PODS

    with _ended_by_signals():
        sweep(connection, target.namespace)
        created = create(connection, target)
        name = created["metadata"]["name"]
        try:
            until_running(connection, created)
            try:
                attachment = connection.client.attach(target.namespace, name, CONTAINER)
            except Forbidden as error:
                raise refused(str(error.message), target.namespace) from None
            try:
                yield attachment
            finally:
                attachment.close()
        finally:
            # What went wrong before is what counts; the pod ends by itself, too.
            with suppress(ApiError, Unreachable):
                connection.client.delete(PODS, target.namespace, name)


def _converse(attachment: Attachment, parts: Iterator[bytes], hear: Hear) -> Object:
    """Send all parts, while listening; returns the result of the end. Raises Failure."""
    from kubeless_kube.attachment import STDERR, STDOUT
    from kubeless_kube.errors import Unreachable

    decoder, errors = Decoder(), bytearray()
    try:
        while not attachment.closed:
            part = next(parts, b"")
            heard = False
            for channel, data in attachment.exchange(part, PATIENCE):
                heard = True
                if channel == STDERR:
                    errors += data
                if channel != STDOUT:
                    continue
                for head, bodies in decoder.feed(data):
                    if head.get("type") == "end":
                        return _result(head)
                    hear(head, bodies)
            if not part and not heard and not attachment.closed:
                raise Failure(f"The pod that talks to Kafka has not answered for {PATIENCE:.0f} s.")
    except Unreachable as error:
        raise Failure(
            f"What was asked of Kafka may not be done: {error}.\nLook, and try again."
        ) from None
    except ValueError as error:
        raise Failure(
            f"The pod that talks to Kafka answered what can't be read ({error}): use a command line of "
            "the installation's version."
        ) from None
    said = errors.decode("utf-8", "replace").strip()[-SHOWN:]
    raise Failure(
        f"The pod that talks to Kafka ended without an answer{': ' + said if said else ''}.\n"
        "It may have been deleted, or been out of memory or time; what was asked may not be done."
    )


def _result(end: Object) -> Object:
    if "error" in end:
        raise Failure(str(end["error"].get("message") or end["error"].get("reason")))
    result: Object = end.get("result") or {}
    return result


def _parts(request: bytes, more: Iterable[bytes]) -> Iterator[bytes]:
    yield request
    yield from (part for part in more if part)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end it as Ctrl-C does: with the pod deleted."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
