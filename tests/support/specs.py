"""Specs that nobody thought of: some that must work, and some that can be anything."""

from __future__ import annotations

import base64
from typing import Any

from hypothesis import strategies as st

Object = dict[str, Any]

_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
_ENV_NAMES = st.from_regex(r"X_[A-Z][A-Z0-9_]{0,8}", fullmatch=True)
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
_CPU = st.sampled_from(["100m", "0.5", "1", 1, "1500m", "0.1"])
_MEMORY = st.sampled_from(["64Mi", "128Mi", "1Gi", "0.5Gi", 134217728, "1e8", "128974848"])
_PORTS = st.integers(1024, 65535)


def _maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Object]:
    """An object with some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


def _unique(values: st.SearchStrategy[Any], by: str, size: int = 4) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, max_size=size, unique_by=lambda entry: entry[by])


_env = _unique(
    st.one_of(
        st.fixed_dictionaries({"name": _ENV_NAMES}, optional={"value": _TEXT}),
        st.fixed_dictionaries(
            {
                "name": _ENV_NAMES,
                "valueFrom": st.builds(
                    lambda name, key: {"secretKeyRef": {"name": name, "key": key}}, _NAMES, _NAMES
                ),
            }
        ),
    ),
    "name",
)
# Requests are below every limit.
_resources = _maybe(
    limits=_maybe(cpu=st.sampled_from(["2", "4", 2]), memory=st.sampled_from(["2Gi", "4Gi"])),
    requests=_maybe(cpu=_CPU, memory=_MEMORY),
)
_volume = st.fixed_dictionaries(
    {"name": _NAMES.map(lambda name: f"mine-{name}"), "emptyDir": st.just({})}
)


@st.composite
def _pod(draw: st.DrawFn) -> Object:
    """A pod template to lay over ours: zero values, sidecars, volumes, probes, affinities."""
    volumes = draw(_unique(_volume, "name", 2))
    first: Object = draw(
        _maybe(
            name=st.sampled_from(["", "anything"]),
            env=_env,
            resources=_resources,
            imagePullPolicy=st.sampled_from(["Always", "IfNotPresent"]),
            livenessProbe=st.just({"httpGet": {"path": "/x", "port": 8080}}),
            securityContext=st.just({"allowPrivilegeEscalation": False}),
            command=st.just([]),
        )
    )
    if volumes:
        first["volumeMounts"] = [
            {"name": volume["name"], "mountPath": f"/{volume['name']}"} for volume in volumes
        ]
    sidecars = draw(
        _unique(
            st.fixed_dictionaries(
                {"name": _NAMES.map(lambda name: f"side-{name}"), "image": st.just("side:1")}
            ),
            "name",
            2,
        )
    )
    rest = draw(
        _maybe(
            nodeSelector=st.dictionaries(_NAMES, _NAMES, max_size=2),
            serviceAccountName=st.one_of(st.just(""), _NAMES),
            tolerations=st.just([{"operator": "Exists"}]),
            terminationGracePeriodSeconds=st.integers(0, 600),
            affinity=st.just({}),
            securityContext=st.just({"runAsUser": 2000}),
        )
    )
    return {**rest, "containers": [first, *sidecars], "volumes": volumes}


@st.composite
def valid_specs(draw: st.DrawFn, name: str) -> Object:
    """A spec of the Function ``name`` that must be accepted, built, and taken by the API server."""
    source = draw(_TEXT.filter(bool))
    kind = draw(st.sampled_from(["", "text", "base64", "url", "base64+zip", "url+compressedtar"]))
    if kind.startswith("base64"):
        source = base64.b64encode(source.encode()).decode()
    elif kind.startswith("url"):
        source = "https://example.com/source"
    spec: Object = {
        "runtime": draw(st.sampled_from(["python3.13", "python3.7", "nodejs24", "ruby2.5"])),
        "handler": draw(st.from_regex(r"[a-z][-a-z0-9]{0,8}\.[a-z]{1,8}", fullmatch=True)),
        "function": source,
        "function-content-type": kind,
    }
    spec |= draw(
        _maybe(
            deps=st.sampled_from(["", "flask\n"]),
            timeout=st.sampled_from(["", "30", 30, "2.5", 1]),
            checksum=st.just(""),
            replicas=st.integers(0, 5),
            concurrency=st.one_of(st.none(), st.integers(0, 50)),
            env=_env,
            secrets=st.lists(_NAMES.map(lambda n: f"mine-{n}"), max_size=3, unique=True),
            resources=_resources,
            imagePullSecrets=_unique(st.fixed_dictionaries({"name": _NAMES}), "name", 2),
            serviceAccountName=st.one_of(st.just(""), _NAMES),
        )
    )
    if draw(st.booleans()):
        template = {"metadata": {"creationTimestamp": None}, "spec": draw(_pod())}
        spec["deployment"] = {
            "metadata": {"creationTimestamp": None},
            "spec": {"selector": None, "strategy": {}, "template": template},
            "status": {},
        }
    if draw(st.booleans()):
        port = draw(_PORTS)
        spec["service"] = {
            "ports": [{"name": "http-function-port", "port": port, "protocol": "TCP"}],
            "selector": {"created-by": "kubeless", "function": name},
            "type": "ClusterIP",
        }
    if draw(st.booleans()):
        spec["horizontalPodAutoscaler"] = {
            "metadata": {"name": draw(st.sampled_from(["", name, "another"]))},
            "spec": {
                "scaleTargetRef": {"kind": "Deployment", "name": draw(st.sampled_from(["", name]))},
                "maxReplicas": draw(st.integers(1, 9)),
            },
        }
    return spec


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**31), 2**31), _TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXT, inner, max_size=3)),
    max_leaves=8,
)
_KNOWN = (
    *("runtime", "handler", "function", "function-content-type", "checksum", "timeout", "deps"),
    *("dependencies", "replicas", "concurrency", "env", "secrets", "resources", "image"),
    *("imagePullSecrets", "serviceAccountName", "deployment", "service", "horizontalPodAutoscaler"),
)
_DEEP = (
    ("deployment", "spec"),
    ("deployment", "metadata"),
    ("deployment", "spec", "template"),
    ("deployment", "spec", "template", "spec"),
    ("deployment", "spec", "template", "spec", "containers"),
    ("deployment", "spec", "template", "spec", "volumes"),
    ("service", "ports"),
    ("service", "selector"),
    ("horizontalPodAutoscaler", "metadata"),
    ("horizontalPodAutoscaler", "spec"),
    ("horizontalPodAutoscaler", "spec", "metrics"),
    ("dependencies", "env"),
    ("dependencies", "caBundle"),
)


@st.composite
def any_specs(draw: st.DrawFn, name: str) -> Object:
    """A spec that was valid until something in it was replaced by any JSON value."""
    spec: Object = draw(valid_specs(name))
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            spec[draw(st.sampled_from(_KNOWN))] = draw(_json)
        else:
            _put(spec, draw(st.sampled_from(_DEEP)), draw(_json))
    return spec


def _put(spec: Object, path: tuple[str, ...], value: Any) -> None:
    *parents, last = path
    here = spec
    for key in parents:
        if not isinstance(here.get(key), dict):
            here[key] = {}
        here = here[key]
    here[last] = value
