"""From flags to an HTTPTrigger, and what is said about flags that make none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kubeless_cli.app import root
from kubeless_cli.commands.trigger_http_describe import page
from kubeless_cli.commands.trigger_http_list import COLUMNS, WIDE_COLUMNS, row, way
from kubeless_cli.http_trigger import HTTPWish, change, parse_parent

Object = dict[str, Any]

# As the original's command line wrote it, every zero value included.
LEGACY: Object = {
    "apiVersion": "kubeless.io/v1beta1",
    "kind": "HTTPTrigger",
    "metadata": {
        "name": "old",
        "namespace": "apps",
        "creationTimestamp": None,
        "labels": {"created-by": "kubeless"},
    },
    "spec": {
        "basic-auth-secret": "",
        "cors-enable": False,
        "function-name": "hello",
        "gateway": "nginx",
        "host-name": "hello.example.com",
        "path": "a",
        "tls": False,
        "tls-secret": "",
    },
}


def run(command: str, *arguments: str) -> Result:
    return CliRunner().invoke(root, ["trigger", "http", command, "web", *arguments])


def created(*arguments: str) -> Object:
    result = run("create", "--function-name", "hello", "--dryrun", "-o", "json", *arguments)
    assert result.exit_code == 0, result.output
    printed: Object = json.loads(result.stdout)
    return printed


def test_a_dry_run_is_a_clean_manifest_and_asks_no_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nosuch"))
    assert created("-n", "apps") == {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "HTTPTrigger",
        "metadata": {"name": "web", "namespace": "apps", "labels": {"created-by": "kubeless"}},
        "spec": {"function-name": "hello"},
    }


@pytest.mark.parametrize(
    ("flags", "spec"),
    [
        (
            ["--path", "a/b", "--hostname", "*.example.com"],
            {"path": "a/b", "host-name": "*.example.com"},
        ),
        (
            ["--gateway", "nginx", "--ingress-class", "internal"],
            {"gateway": "nginx", "ingressClassName": "internal"},
        ),
        (["--enableTLSAcme", "--cors-enable"], {"tls": True, "cors-enable": True}),
        (["--no-enableTLSAcme", "--no-cors-enable", "--path", ""], {}),
        (
            ["--tls-secret", "cert", "--basic-auth-secret", "users"],
            {"tls-secret": "cert", "basic-auth-secret": "users"},
        ),
        (
            ["--parent-ref", "gateways/public:https,own", "--parent-ref", "own"],
            {
                "parentRefs": [
                    {"name": "public", "namespace": "gateways", "sectionName": "https"},
                    {"name": "own"},
                ]
            },
        ),
    ],
)
def test_flags_are_fields(flags: list[str], spec: Object) -> None:
    assert created(*flags)["spec"] == {"function-name": "hello", **spec}


def test_labels_and_annotations_are_the_triggers() -> None:
    metadata = created("-l", "team=x", "--annotation", '"a.example.com/b=1,2",c=d')["metadata"]
    assert metadata["labels"] == {"created-by": "kubeless", "team": "x"}
    assert metadata["annotations"] == {"a.example.com/b": "1,2", "c": "d"}


def test_an_update_changes_what_the_flags_say_and_nothing_else() -> None:
    after = change(LEGACY, HTTPWish(path="b"))
    assert after == LEGACY | {"spec": LEGACY["spec"] | {"path": "b"}}
    assert LEGACY["spec"]["path"] == "a", "the given object is left as it is"


def test_the_empty_value_takes_away() -> None:
    wish = HTTPWish(path="", gateway="", parent_ref=(), tls=False, cors=False, hostname="")
    assert change(LEGACY, wish)["spec"] == {
        "basic-auth-secret": "",
        "function-name": "hello",
        "tls-secret": "",
    }
    kubectls = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    metadata = LEGACY["metadata"] | {
        "annotations": {"a": "b", **kubectls},
        "labels": {"created-by": "kubeless", "team": "x"},
    }
    bare = change(LEGACY | {"metadata": metadata}, HTTPWish(label={}, annotation={}))["metadata"]
    assert bare["annotations"] == kubectls
    assert bare["labels"] == {"created-by": "kubeless"}


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (
            ["--parent-ref", "a", "--gateway", "nginx"],
            "--parent-ref and --gateway exclude each other: a parent gets an HTTPRoute",
        ),
        (["--parent-ref", "a", "--ingress-class", "b"], "--parent-ref and --ingress-class exclude"),
        (["--parent-ref", "a", "--tls-secret", "b"], "the certificates belong to the Gateway"),
        (["--parent-ref", "a", "--enableTLSAcme"], "--parent-ref and --enableTLSAcme exclude"),
        (["--parent-ref", "a", "--basic-auth-secret", "b"], "can't ask for passwords"),
        (["--parent-ref", "a", "--cors-enable"], "FUNC_CORS=true"),
        (["--enableTLSAcme", "--tls-secret", "b"], "--tls-secret and --enableTLSAcme exclude"),
    ],
)
@pytest.mark.parametrize("command", ["create", "update"])
def test_flags_that_exclude_each_other_are_refused_saying_why(
    command: str, flags: list[str], why: str
) -> None:
    needed = ["--function-name", "hello"] if command == "create" else []
    result = run(command, *needed, *flags)
    assert (result.exit_code, result.stdout) == (2, "")
    assert why in result.stderr
    assert "Leave one of them out." in result.stderr


def test_a_flag_that_what_is_there_excludes_is_refused_saying_how_to_take_that_out() -> None:
    with pytest.raises(ValueError, match="--parent-ref and --gateway exclude") as caught:
        change(LEGACY, HTTPWish(parent_ref=({"name": "public"},)))
    assert 'The trigger has gateway already: --gateway "" takes it out.' in str(caught.value)
    after = change(LEGACY, HTTPWish(parent_ref=({"name": "public"},), gateway=""))
    assert after["spec"]["parentRefs"] == [{"name": "public"}]

    acme = LEGACY | {"spec": LEGACY["spec"] | {"tls": True}}
    with pytest.raises(ValueError, match="--no-enableTLSAcme takes it out"):
        change(acme, HTTPWish(tls_secret="cert"))
    # What somebody else wrote so does not stand in the way of another change.
    both = acme | {"spec": acme["spec"] | {"tls-secret": "cert"}}
    assert change(both, HTTPWish(path="b"))["spec"]["path"] == "b"


@pytest.mark.parametrize(
    ("flag", "value", "found"),
    [
        ("--function-name", "My_Function", "'My_Function' is not a function name"),
        ("--function-name", "", "'' is not a function name"),
        ("--hostname", "http://x", "found 'http://x', expected a DNS name"),
        ("--hostname", "10.0.0.1", "no address"),
        ("--path", "a//b", "found 'a//b' with '//' in it"),
        ("--path", "a b", "found 'a b', expected a prefix"),
        ("--gateway", "haproxy", "expected nginx, traefik, kong, contour. --ingress-class takes"),
        ("--ingress-class", "A", "'A' is not an object name"),
        ("--tls-secret", "A", "'A' is not an object name"),
        ("--basic-auth-secret", "a_b", "'a_b' is not an object name"),
        ("--parent-ref", "a/b/c", "'a/b/c' is not a Gateway: expected [NAMESPACE/]NAME[:LISTENER]"),
        ("--parent-ref", "/a", "'/a' is not a Gateway"),
        ("--parent-ref", "a:", "'a:' is not a Gateway"),
        ("--label", "created-by=me", "kubeless sets itself"),
        ("--annotation", "a b=c", "'a b' is not an annotation key"),
        ("--annotation", "a=\0", "NUL"),
    ],
)
def test_a_bad_value_is_refused_naming_its_flag(flag: str, value: str, found: str) -> None:
    flags = {"--function-name": "hello", flag: value}
    result = run("create", "--dryrun", *(part for pair in flags.items() for part in pair))
    assert (result.exit_code, result.stdout) == (2, "")
    assert flag in result.stderr
    assert found in " ".join(result.stderr.split())


def test_the_function_is_needed_and_so_is_something_to_change() -> None:
    missing = run("create", "--path", "a")
    assert missing.exit_code == 2
    assert "--function-name" in missing.stderr
    nothing = run("update")
    assert nothing.exit_code == 2
    assert "Nothing to change" in nothing.stderr


def test_a_name_that_no_object_can_have_is_refused() -> None:
    arguments = ["trigger", "http", "create", "My_Trigger", "--function-name", "a", "--dryrun"]
    result = CliRunner().invoke(root, arguments)
    assert result.exit_code == 2
    assert "'My_Trigger' is not an object name" in result.stderr


def trigger(spec: Object, ready: str = "", reason: str = "", **status: Any) -> Object:
    conditions = [
        {
            "type": "Ready",
            "status": ready,
            "reason": reason,
            "message": "why",
            "observedGeneration": 1,
        }
    ]
    return {
        "metadata": {"name": "web", "namespace": "apps", "generation": 1},
        "spec": {"function-name": "hello", **spec},
        "status": {"conditions": conditions if ready else [], **status},
    }


def test_a_row_begins_with_the_originals_columns() -> None:
    assert COLUMNS[:3] == ["NAME", "NAMESPACE", "FUNCTION NAME"]
    seen = trigger({}, "True", "Routed", url="http://h/")
    assert row(seen, wide=False) == ["web", "apps", "hello", "http://h/", "True", "Routed"]
    waits = trigger({}, "False", "FunctionNotFound")
    assert row(waits, wide=False)[4:] == ["False", "FunctionNotFound"]
    assert row(trigger({}), wide=False)[4:] == ["Unknown", "Submitted"]


def test_a_wide_row_says_where_and_why() -> None:
    shown = row(
        trigger({"host-name": "h", "path": "/a/", "gateway": "kong"}, "False", "Pending"), wide=True
    )
    assert len(shown) == len(WIDE_COLUMNS)
    assert shown[6:] == ["h", "/a", "kong", "why"]
    assert row(trigger({}, "True", "Routed"), wide=True)[6:] == ["*", "/", "", "why"]


def test_the_way_is_shown_as_the_flag_takes_it() -> None:
    texts = ["public", "gateways/public", "public:https"]
    assert way({"parentRefs": [parse_parent(text) for text in texts]}).splitlines() == texts
    assert way({"gateway": "kong", "ingressClassName": "inner"}) == "inner"


def test_describe_shows_what_is_set() -> None:
    text = page(trigger({"tls": True, "path": "a"}, "False", "Pending", url="https://h/a"))
    words = " ".join(text.split())
    for part in (
        "Function: hello",
        "Host: every name",
        "Path: /a",
        "Via: as the installation says",
        "TLS: a certificate is made",
        "URL: https://h/a",
        "Ready False Pending",
        "why",
    ):
        assert part in words, part
    assert "CORS" not in text
    assert "not looked at this HTTP trigger yet" in page(trigger({}))
