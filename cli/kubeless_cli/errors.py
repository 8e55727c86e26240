"""Failures in one or two lines: what was found, what was expected, what to type next.

`explain` is the last resort for whatever a command did not handle itself. It looks at the names of
exception types instead of importing them: the modules they come from are slow to import, and an
exception that was raised has imported its own already.
"""

from __future__ import annotations

import re
from typing import Any

import click

from kubeless_cli.kinds import KINDS
from kubeless_cli.table import plain

_CAUSE = re.compile(
    r"^(?:Invalid value|Required value|Unsupported value|Duplicate value|Too long|Too many|"
    r'Forbidden|Internal error)(?:: (?:"(?:[^"\\]|\\.)*"|\{.*?\}|\[.*?\]|(?!spec\.)[^\s:]+))?: ',
    re.DOTALL,
)


class Failure(click.ClickException):
    """A command could not do what was asked; exit code 1.

    Messages carry what pods and servers wrote: nothing in them may drive the terminal.
    """

    def __init__(self, message: str) -> None:
        super().__init__(plain(message))


class Problem(click.UsageError):
    """The command line can't be carried out as written; exit code 2."""


def explain(error: Exception) -> str:
    """The message for an exception that no command handled."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "ApiError" in kinds:
        return explain_api_error(error)
    if "ConfigError" in kinds:
        absent = re.search(r"Expected object with name (\S+) in (\S+)/contexts list", str(error))
        found = f"there is no context '{absent[1]}' in {absent[2]}" if absent else str(error)
        return (
            f"{_sentence(found)}\n"
            "Choose another with --kubeconfig and --context; "
            "'kubectl config get-contexts' lists the contexts."
        )
    if "Unreachable" in kinds:
        return (
            f"The API server {_sentence(_shorten(str(error)))}\n"
            "Check that the cluster runs ('kubectl version'), or choose another with --context."
        )
    return (
        f"{type(error).__name__}: {error}\nThis is a bug in kubeless; KUBELESS_DEBUG=1 shows where."
    )


def explain_api_error(error: Any) -> str:
    """The message for an answer of the API server; `error` is a kubeless_kube ApiError."""
    message = str(error.message or error.reason).strip()
    if error.status == 413 or "request is too large" in message:
        return (
            f"The function is too large for the cluster: {_sentence(message)}\n"
            "Put its source on a web server and give --from-file its URL."
        )
    special = {401: _unauthorized, 403: _forbidden, 404: _not_found, 422: explain_invalid}
    if error.status in special:
        return special[error.status](error)
    return f"The API server refused it ({error.status}): {_sentence(message)}"


def _unauthorized(error: Any) -> str:
    return (
        f"The API server does not know these credentials ({error.status} {error.reason}).\n"
        "Log in to the cluster again, or choose another user with --context."
    )


def _forbidden(error: Any) -> str:
    message = str(error.message or error.reason)
    if re.search(r'User ".*" cannot ', message):
        return (
            f"Not allowed: {_sentence(_no_quotes(message))}\n"
            "Ask whoever runs the cluster for that right, or choose another --namespace."
        )
    return f"The cluster refused it: {_sentence(message)}"


def _not_found(error: Any) -> str:
    name = error.details.get("name", "")
    if error.details.get("kind") == "namespaces":
        return (
            f"There is no namespace '{name}'.\n"
            f"Make it with 'kubectl create namespace {name}', or choose another with -n."
        )
    if name:
        return f"Not found: {_sentence(_no_quotes(str(error.message)))}"
    return (
        "This cluster does not know Functions or triggers: Kubeless is not installed in it, or is "
        "older than this command line.\n"
        "Install or upgrade its chart with helm, or choose another cluster with --context."
    )


def explain_invalid(error: Any) -> str:
    """The causes of a refused object, one a line, without the validator's own words."""
    causes = error.details.get("causes") or []
    lines = []
    for cause in causes:
        text = _CAUSE.sub("", str(cause.get("message") or "")).strip()
        field = str(cause.get("field") or "")
        if field and field not in ("<nil>", "metadata.name") and field not in text:
            text = f"{field}: {text}"
        if text and text not in lines:
            lines.append(text)
    if not lines:
        lines = [re.sub(r'^\S+ "[^"]*" is invalid: ', "", str(error.message))]
    return f"The cluster refused the {_noun(error)}: " + "\n".join(lines)


def _noun(error: Any) -> str:
    """How the kind of object that an answer is about is called."""
    return next((k.noun for k in KINDS if k.kind == error.details.get("kind")), "object")


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _shorten(text: str) -> str:
    """Without urllib3's object representations."""
    text = re.sub(r"<[\w.]+(?:Connection|Pool)[^>]*>: ?", "", text)
    text = re.sub(r"HTTPS?Connection\([^)]*\): ?", "", text)
    text = re.sub(r"Failed to establish a new connection: ", "", text)
    return re.sub(r"\[Errno -?\d+\] ", "", text)


def _no_quotes(text: str) -> str:
    return text.replace('"', "'")
