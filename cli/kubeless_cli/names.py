"""Checks of names and schedules before they go to the API server: each returns nothing or raises ValueError
saying what was found and what was expected."""

from __future__ import annotations

import re

from kubeless_api import schedule
from kubeless_api.errors import SpecError
from kubeless_api.names import MAX_NAME_LENGTH, is_dns_1035_label

_DNS_1123_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_ENV = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_HANDLER = re.compile(r"[-_A-Za-z0-9]+\.[^./\s]+")


def check_function_name(name: str) -> None:
    """A Function names a Service, so it is a DNS-1035 label of at most 63 characters."""
    if len(name) > MAX_NAME_LENGTH:
        raise ValueError(
            f"'{name}' has {len(name)} characters; at most {MAX_NAME_LENGTH} are allowed."
        )
    if not is_dns_1035_label(name):
        raise ValueError(
            f"'{name}' is not a function name: lower-case letters, digits and '-', starting with "
            "a letter and ending with a letter or digit."
        )


def check_namespace(name: str) -> None:
    if len(name) > 63 or not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name):
        raise ValueError(
            f"'{name}' is not a namespace name: at most 63 lower-case letters, digits and '-'."
        )


def check_object_name(name: str) -> None:
    """Names of Secrets and service accounts: a DNS-1123 subdomain."""
    if len(name) > 253 or not _DNS_1123_SUBDOMAIN.fullmatch(name):
        raise ValueError(
            f"'{name}' is not an object name: lower-case letters, digits, '-' and '.', starting "
            "and ending with a letter or digit."
        )


def check_handler(handler: str) -> None:
    if not _HANDLER.fullmatch(handler):
        raise ValueError(
            f"'{handler}' is not a handler: expected <module>.<function> with exactly one dot, the "
            "module of letters, digits, '-' and '_', such as hello.handler."
        )


def check_env_name(name: str) -> None:
    if not _ENV.fullmatch(name):
        raise ValueError(
            f"'{name}' is not a variable name: letters, digits, '_', '-' and '.', not starting "
            "with a digit. Quote a value that contains a comma: '\"NAME=a,b\"'."
        )


def check_qualified(key: str, what: str) -> None:
    """The key of `what`, which is a label or an annotation."""
    prefix, slash, name = key.rpartition("/")
    if slash and not (len(prefix) <= 253 and _DNS_1123_SUBDOMAIN.fullmatch(prefix)):
        raise ValueError(f"'{key}' is not {what} key: '{prefix}' is not a DNS name.")
    if len(name) > 63 or not _QUALIFIED.fullmatch(name):
        raise ValueError(
            f"'{key}' is not {what} key: expected [domain/]name, the name at most 63 letters, "
            "digits, '-', '_' and '.', starting and ending with a letter or digit."
        )


def check_label(key: str, value: str) -> None:
    check_qualified(key, "a label")
    if value and (len(value) > 63 or not _QUALIFIED.fullmatch(value)):
        raise ValueError(
            f"'{value}' is not a label value: at most 63 letters, digits, '-', '_' and '.', "
            "starting and ending with a letter or digit."
        )


def check_schedule(value: str) -> None:
    """Raise ValueError unless a trigger and a Function can have that schedule."""
    try:
        schedule.check(value)
    except SpecError as error:
        message = error.message.removeprefix("spec.schedule: ")
        zone = "spec.timeZone" in message
        hint = (
            " A trigger has --time-zone for it: 'kubeless trigger cronjob create'." if zone else ""
        )
        raise ValueError(f"{message}.{hint}") from None
