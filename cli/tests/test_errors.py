"""Every failure in one or two lines, without a traceback."""

from __future__ import annotations

import pytest

from kubeless_cli.errors import explain
from kubeless_kube.errors import ApiError, ConfigError, Unreachable, error_from_response


def api_error(status: int, message: str, **details: object) -> ApiError:
    return type(error_from_response(status, "", b""))(status, "Reason", message, details)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConfigError("no kubeconfig at /x"), ["/x", "--kubeconfig"]),
        (
            ConfigError("Expected object with name dev in /x/contexts list"),
            ["there is no context 'dev' in /x", "--context"],
        ),
        (Unreachable("https://h cannot be reached: refused"), ["https://h", "--context"]),
        (api_error(401, "Unauthorized"), ["does not know these credentials", "--context"]),
        (
            api_error(403, 'functions is forbidden: User "me" cannot list resource "functions"'),
            ["Not allowed", "'me' cannot list", "--namespace"],
        ),
        (
            api_error(403, "exceeded quota: q, requested: 1, used: 1, limited: 1"),
            ["The cluster refused it: exceeded quota"],
        ),
        (api_error(404, "the server could not find the requested resource"), ["not installed"]),
        (
            api_error(404, 'namespaces "x" not found', kind="namespaces", name="x"),
            ["no namespace 'x'", "kubectl create namespace x"],
        ),
        (api_error(413, "Request entity too large: limit is 3145728"), ["too large", "URL"]),
        (api_error(500, "etcdserver: request is too large"), ["too large", "URL"]),
        (api_error(500, "etcdserver: request timed out"), ["(500)", "timed out"]),
        (RuntimeError("surprise"), ["surprise", "KUBELESS_DEBUG=1"]),
    ],
)
def test_a_failure_says_what_was_found_and_what_to_do(error: Exception, words: list[str]) -> None:
    text = explain(error)
    assert all(word in text for word in words), text
    assert len(text.splitlines()) <= 2


def test_a_refused_object_shows_the_rules_own_words_one_a_line() -> None:
    causes = [
        {
            "field": "spec.handler",
            "message": """Invalid value: "x \\"y": spec.handler: found 'x'; it must be 'a.b'""",
        },
        {"field": "spec.runtime", "message": "Invalid value: spec.runtime: found nothing"},
        {"field": "spec.replicas", "message": "Invalid value: -1: should be positive"},
        {"field": "spec", "message": "Invalid value: spec.parents: found two"},
        {"field": "spec.runtime", "message": "Invalid value: spec.runtime: found nothing"},
    ]
    assert explain(api_error(422, "noise", kind="Function", causes=causes)).splitlines() == [
        "The cluster refused the function: spec.handler: found 'x'; it must be 'a.b'",
        "spec.runtime: found nothing",
        "spec.replicas: should be positive",
        "spec.parents: found two",
    ]


def test_a_refused_object_without_causes_shows_the_message() -> None:
    error = api_error(422, 'HTTPTrigger.kubeless.io "x" is invalid: because', kind="HTTPTrigger")
    assert explain(error) == "The cluster refused the HTTP trigger: because"
