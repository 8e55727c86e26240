"""The flags that `deploy` and `update` share, checked as they are read.

Every check is a click parameter type, so that a bad value is a usage error (exit 2) that names its
flag. Flags that take several values keep the original's two ways of giving them: repeated, or with
commas (`-e a=1,b:2 -e c=3`); a value that contains a comma is quoted as in CSV (`-e '"a=1,2"'`).
None means that a flag was not given; the empty string (`--env ""`) means no value at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar

import click

from kubeless_cli import names, quantity

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Given:
    """A record that is made of a command's options of the same names."""

    @classmethod
    def pick(cls, options: dict[str, Any]) -> Self:
        """Take the fields of this record out of a command's options."""
        return cls(**{field.name: options.pop(field.name) for field in fields(cls)})


@dataclass(frozen=True)
class Wish(Given):
    """What the flags of one command line ask for. None: the flag was not given."""

    runtime: str | None = None
    handler: str | None = None
    from_file: str | None = None
    checksum: str | None = None
    label: Mapping[str, str] | None = None
    secrets: tuple[str, ...] | None = None
    env: Mapping[str, str] | None = None
    node_selectors: Mapping[str, str] | None = None
    service_account: str | None = None
    dependencies: str | None = None
    schedule: str | None = None
    memory: str | None = None
    cpu: str | None = None
    runtime_image: str | None = None
    image_pull_policy: str | None = None
    timeout: str | None = None
    headless: bool | None = None
    port: int | None = None
    service_port: int | None = None


def split_values(text: str) -> list[str]:
    """The values between the commas of one use of a flag.

    A value that starts with a double quote ends with the next one (`""` inside stands for one) and
    may contain commas. Raises ValueError when that quote is not followed by a comma or the end.
    """
    values = []
    rest = text
    while rest:
        quoted = re.match(r'"((?:[^"]|"")*)"(,|$)', rest, re.DOTALL)
        if quoted:
            values.append(quoted.group(1).replace('""', '"'))
            rest = rest[quoted.end() :]
        elif rest.startswith('"'):
            raise ValueError(
                f"the quotes in {text} do not fit: a value that contains a comma is written "
                """'"NAME=a,b"', with "" for each double quote inside."""
            )
        else:
            value, _, rest = rest.partition(",")
            values.append(value)
    return [value for value in values if value.strip()]


def parse_pairs(uses: tuple[str, ...]) -> dict[str, str]:
    """`a:b,c=d,e` as a mapping; the first `:` or `=` separates, without one the value is empty.

    A key given twice keeps its last value, as an environment does. Raises ValueError.
    """
    pairs: dict[str, str] = {}
    for text in (value for use in uses for value in split_values(use)):
        match = re.search("[:=]", text)
        key, value = (text[: match.start()], text[match.end() :]) if match else (text, "")
        pairs.pop(key.strip(), None)
        pairs[key.strip()] = value
    return pairs


Callback = Callable[[click.Context, click.Parameter, Any], Any]


def checked(check: Callable[[str], None], *, empty: bool = True) -> Callback:
    """A click callback that runs `check` on a value that was given; not on the `empty` one, which
    takes a field away, where there may be one."""

    def callback(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        try:
            if value or (value is not None and not empty):
                check(value)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from None
        return value

    return callback


def pairs(check: Callable[[str, str], None]) -> Callback:
    """A click callback that makes a mapping of KEY=VALUE,... and runs `check` on each pair."""

    def callback(
        ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
    ) -> dict[str, str] | None:
        if not values:
            return None
        try:
            given = parse_pairs(values)
            for key, value in given.items():
                check(key, value)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from None
        return given

    return callback


def _own_label(key: str, value: str) -> None:
    """Raise ValueError for a label that nobody can set, or only kubeless."""
    if key in ("created-by", "function"):
        raise ValueError(f"'{key}' is a label that kubeless sets itself; choose another.")
    names.check_label(key, value)


def annotation(key: str, value: str) -> None:
    """Raise ValueError for a key that no annotation can have; values may be anything."""
    if "\0" in value:
        raise ValueError(f"the value of '{key}' contains a NUL byte.")
    names.check_qualified(key, "an annotation")


def _env(key: str, value: str) -> None:
    names.check_env_name(key)
    if "\0" in value:
        raise ValueError(f"the value of '{key}' contains a NUL byte.")


def _secrets(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...] | None:
    if not values:
        return None
    try:
        given = [secret.strip() for use in values for secret in split_values(use)]
        secrets = tuple(dict.fromkeys(given))
        for secret in secrets:
            names.check_object_name(secret)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None
    return secrets


def _timeout(value: str) -> None:
    if not re.fullmatch(r"\d{1,7}(\.\d{1,6})?", value) or float(value) == 0:
        raise ValueError(
            f"'{value}' is not a timeout: expected a positive number of seconds, such as 30. "
            "(How long --wait waits is --wait-timeout.)"
        )


def _image(value: str) -> None:
    if re.search(r"\s", value) or len(value) > 1024:
        raise ValueError(f"'{value}' is not an image: expected [registry/]name[:tag].")


def _checksum(value: str) -> None:
    if value != "none" and not re.fullmatch(r"sha256:[0-9A-Fa-f]{64}", value):
        raise ValueError(f"'{value}' is not a checksum: expected sha256:<64 hex digits> or none.")


def _runtime(value: str) -> None:
    if len(value) > 63 or re.search(r"\s", value):
        raise ValueError(f"'{value}' is not a runtime id: expected one such as python3.13.")


def duration(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """A click callback: a duration in seconds."""
    try:
        return None if value is None else quantity.parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


_PORT = click.IntRange(1, 65535)

DRYRUN = click.option(
    "--dryrun", "--dry-run", "dryrun", is_flag=True, help="Only print the manifest."
)
OUTPUT = click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    help="Format of the printed manifest. [default: yaml]",
)


def label_flag(text: str) -> Callable[[Command], Command]:
    """--label, whose help says what gets the labels."""
    return click.option(
        "-l",
        "--label",
        multiple=True,
        metavar="KEY=VALUE,...",
        callback=pairs(_own_label),
        help=text,
    )


WAIT_TIMEOUT = click.option(
    "--wait-timeout",
    metavar="DURATION",
    default="5m",
    show_default=True,
    callback=duration,
    help="How long --wait waits.",
)
WAIT = click.option("--wait", is_flag=True, help="Wait until it is ready, or has failed.")

FUNCTION_FLAGS: tuple[Callable[[Command], Command], ...] = (
    click.option("--runtime", callback=checked(_runtime), help="Runtime, such as python3.13."),
    click.option(
        "--handler",
        metavar="MODULE.FUNCTION",
        callback=checked(names.check_handler),
        help="What to call: the file without its suffix, a dot, the function.",
    ),
    click.option(
        "-f",
        "--from-file",
        metavar="FILE|URL",
        help="The source: a file, an archive (.zip, .tar.gz, .tgz, .tar.bz2, .tar.xz), "
        "a URL, or - for standard input.",
    ),
    click.option(
        "--checksum",
        metavar="SHA256",
        callback=checked(_checksum),
        help="Expected checksum of the source, sha256:<hex>; none: store no checksum. "
        "[default: computed]",
    ),
    click.option(
        "-d", "--dependencies", metavar="FILE", help="Its requirements.txt, package.json, Gemfile."
    ),
    label_flag("Labels of the function and its pods."),
    click.option(
        "-e",
        "--env",
        multiple=True,
        metavar="NAME=VALUE,...",
        callback=pairs(_env),
        help="Environment of the function.",
    ),
    click.option(
        "--secrets",
        multiple=True,
        metavar="NAME,...",
        callback=_secrets,
        help="Secrets to mount, each at /<name>.",
    ),
    click.option(
        "--node-selectors",
        multiple=True,
        metavar="KEY=VALUE,...",
        callback=pairs(names.check_label),
        help="Labels of the nodes it may run on.",
    ),
    click.option(
        "--service-account",
        callback=checked(names.check_object_name),
        help="Service account of its pods.",
    ),
    click.option(
        "--memory",
        metavar="AMOUNT",
        callback=checked(lambda value: quantity.check_quantity(value, "128Mi")),
        help="Memory, requested and at most, such as 128Mi.",
    ),
    click.option(
        "--cpu",
        metavar="AMOUNT",
        callback=checked(lambda value: quantity.check_quantity(value, "500m")),
        help="CPU, requested and at most, such as 500m.",
    ),
    click.option(
        "--timeout",
        metavar="SECONDS",
        callback=checked(_timeout),
        help="How long one call may take. [default: 180]",
    ),
    click.option(
        "--runtime-image",
        metavar="IMAGE",
        callback=checked(_image),
        help="An image with the function built in; no source is mounted.",
    ),
    click.option(
        "--image-pull-policy",
        type=click.Choice(["Always", "IfNotPresent", "Never"]),
        help="When to pull the image. [default: IfNotPresent]",
    ),
    click.option("--port", type=_PORT, help="Port the function listens on. [default: 8080]"),
    click.option(
        "--servicePort",
        "--service-port",
        "service_port",
        type=_PORT,
        help="Port of its Service. [default: the port it listens on]",
    ),
    click.option(
        "--headless/--no-headless",
        default=None,
        help="A Service without an address of its own.",
    ),
    click.option(
        "--schedule",
        metavar="CRON",
        callback=checked(names.check_schedule),
        help="Call it by itself: minute, hour, day of month, month, day of week, such as "
        "'*/5 * * * *'; or @hourly, @daily, ... 'kubeless trigger cronjob' has more to set.",
    ),
    DRYRUN,
    OUTPUT,
    WAIT,
    WAIT_TIMEOUT,
)


def function_flags(command: Command) -> Command:
    """Add everything that `deploy` and `update` take, in the order that --help shows."""
    for option in reversed(FUNCTION_FLAGS):
        command = option(command)
    return command


def function_name(name: str = "name") -> Callable[[Command], Command]:
    """The NAME argument, checked."""
    return click.argument(name, metavar="NAME", callback=checked(names.check_function_name))


def object_name() -> Callable[[Command], Command]:
    """The NAME argument of what is no Function, checked."""
    return click.argument(
        "name", metavar="NAME", callback=checked(names.check_object_name, empty=False)
    )
