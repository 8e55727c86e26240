"""What the installation decides: read once at the start, checked at once, then frozen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubeless_api import kafka_connection
from kubeless_api.errors import SpecError
from kubeless_api.http_trigger import gateway_reference
from kubeless_api.runtimes import INSTALL_COMMAND, Runtime, RuntimeTable


class SettingsError(Exception):
    """The configuration file cannot be used; the message says why."""


@dataclass(frozen=True)
class CaBundle:
    """Certificates in a ConfigMap of the function's own namespace."""

    config_map: str
    key: str = "ca.crt"


@dataclass(frozen=True)
class Dependencies:
    """How dependencies are installed: environment of the installer, as in a container."""

    env: tuple[Mapping[str, Any], ...] = ()
    env_from: tuple[Mapping[str, Any], ...] = ()
    ca_bundle: CaBundle | None = None


@dataclass(frozen=True)
class Sources:
    """What a source may be; sizes in bytes."""

    download_limit: int = 100 * 1024 * 1024
    unpacked_limit: int = 500 * 1024 * 1024
    files_limit: int = 20_000
    allow_local_urls: bool = False


@dataclass(frozen=True)
class TLSIssuer:
    """The cert-manager issuer that makes the certificates of triggers with ``tls: true``."""

    name: str = ""
    kind: str = "ClusterIssuer"


@dataclass(frozen=True)
class HTTP:
    """Where HTTPTriggers go that do not say so: to ``parent_refs``, else to an Ingress of ``ingress_class``.

    ``gateway`` says which controller serves that class, where its name does not.
    """

    parent_refs: tuple[Mapping[str, Any], ...] = ()
    ingress_class: str = ""
    gateway: str = ""
    tls_issuer: TLSIssuer = TLSIssuer()


@dataclass(frozen=True)
class Kafka:
    """What KafkaTriggers stand on.

    ``connection`` is the whole mapping, as ``kubeless_api.kafka_connection`` reads it; {} where there is no Kafka.
    """

    connection: Mapping[str, Any] = field(default_factory=dict)
    consumer_image: str = ""
    image_pull_policy: str = ""
    resources: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LeaderElection:
    """The Lease by which one of several replicas is the one that works; times in seconds.

    Without a ``namespace`` it is the pod's own. ``duration`` is how long the others wait for a holder
    that is not heard of, ``deadline`` how long one that cannot renew goes on, ``period`` the time between
    two renewals.
    """

    enabled: bool = True
    name: str = "kubeless-controller"
    namespace: str = ""
    duration: float = 15.0
    deadline: float = 10.0
    period: float = 1.0


@dataclass(frozen=True)
class Pace:
    """How soon the controller looks at what no event tells; seconds. Tests shorten them, the chart does not set them.

    ``recheck`` comes after which what lies outside of what is watched (an object that is not ours, a quota, an
    admission check) is tried again. A payload that nothing needs stays for ``payload_grace``: a Job may just be made
    from a CronJob as it was before. A consumer is asked every ``asking``, a trigger told every ``passing`` of what
    changes all the time, a pod told every ``nudge`` that its configuration is another.
    """

    recheck: float = 15.0
    payload_grace: float = 15.0
    asking: float = 3.0
    passing: float = 10.0
    nudge: float = 5.0


@dataclass(frozen=True)
class Settings:
    """The configuration file, as the chart renders it.

    ``drain_seconds`` is how long a function's server goes on accepting after SIGTERM. Without
    ``watch_namespaces`` the controller works in all namespaces.
    """

    runtimes: RuntimeTable
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    drain_seconds: int = 2
    prepare_image: str = ""
    dependencies: Dependencies = Dependencies()
    sources: Sources = Sources()
    http: HTTP = HTTP()
    kafka: Kafka = Kafka()
    leader_election: LeaderElection = LeaderElection()
    pace: Pace = Pace()
    watch_namespaces: tuple[str, ...] = ()
    workers: int = 8
    port: int = 8080
    log_format: str = "text"


def load(path: Path) -> Settings:
    """Read the configuration file (JSON). Raises SettingsError."""
    try:
        data = json.loads(path.read_text())
    except OSError as error:
        raise SettingsError(f"the configuration {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"the configuration {path} is not JSON: {error}") from error
    try:
        return _settings(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingsError(
            f"the configuration {path} is wrong: {type(error).__name__}: {error}"
        ) from error


def _settings(data: Mapping[str, Any]) -> Settings:
    log_format = data.get("logFormat", "text")
    if log_format not in ("text", "json"):
        raise ValueError(f"logFormat: found {log_format!r}, expected 'text' or 'json'")
    workers = int(data.get("workers", 8))
    if workers < 1:
        raise ValueError(f"workers: found {workers}, expected 1 or more")
    return Settings(
        runtimes=RuntimeTable(_runtime(row) for row in data["runtimes"]),
        image_pull_policy=data.get("imagePullPolicy", "IfNotPresent"),
        image_pull_secrets=tuple(data.get("imagePullSecrets", [])),
        drain_seconds=int(data.get("drainSeconds", 2)),
        prepare_image=data.get("prepareImage", ""),
        dependencies=_dependencies(data.get("dependencies", {})),
        sources=_sources(data.get("sources", {})),
        http=_http(data.get("http", {})),
        kafka=_kafka(data.get("kafka") or {}),
        leader_election=_leader_election(data.get("leaderElection", {})),
        pace=_pace(data.get("pace", {})),
        watch_namespaces=_namespaces(data.get("watchNamespaces", [])),
        workers=workers,
        port=int(data.get("port", 8080)),
        log_format=log_format,
    )


def _http(data: Mapping[str, Any]) -> HTTP:
    issuer = data.get("tlsIssuer") or {}
    parents = []
    for index, parent in enumerate(data.get("parentRefs") or []):
        if not isinstance(parent, dict) or not parent.get("name"):
            raise ValueError(
                f"http.parentRefs[{index}]: found {parent!r}, expected a Gateway's name"
            )
        parents.append(gateway_reference(parent))
    return HTTP(
        parent_refs=tuple(parents),
        ingress_class=data.get("ingressClassName") or "",
        gateway=data.get("gateway") or "",
        tls_issuer=TLSIssuer(issuer.get("name") or "", issuer.get("kind") or "ClusterIssuer"),
    )


def _kafka(data: Mapping[str, Any]) -> Kafka:
    for key in ("bootstrapServers", "mechanism", "authSecret", "tlsSecret", "consumerImage"):
        if not isinstance(data.get(key) or "", str):
            raise ValueError(f"kafka.{key}: found {data[key]!r}, expected a string")
    if not isinstance(data.get("tls") or False, bool):
        raise ValueError(f"kafka.tls: found {data['tls']!r}, expected true or false")
    connection = dict(data)
    if data.get("bootstrapServers"):
        try:
            connection["bootstrapServers"] = kafka_connection.parse_servers(
                data["bootstrapServers"], "kafka.bootstrapServers"
            )
        except SpecError as error:
            raise ValueError(error.message) from error
    mechanism = data.get("mechanism")
    if mechanism and mechanism not in kafka_connection.MECHANISMS:
        known = ", ".join(kafka_connection.MECHANISMS)
        raise ValueError(f"kafka.mechanism: found {mechanism!r}, expected one of {known}")
    resources = data.get("resources") or {}
    if not isinstance(resources, dict):
        raise ValueError(f"kafka.resources: found {resources!r}, expected an object")
    return Kafka(
        connection=connection,
        consumer_image=data.get("consumerImage") or "",
        image_pull_policy=data.get("imagePullPolicy") or "",
        resources=resources,
    )


def _leader_election(data: Mapping[str, Any]) -> LeaderElection:
    default = LeaderElection()
    found = LeaderElection(
        enabled=bool(data.get("enabled", default.enabled)),
        name=data.get("name") or default.name,
        namespace=data.get("namespace", default.namespace),
        duration=float(data.get("durationSeconds", default.duration)),
        deadline=float(data.get("deadlineSeconds", default.deadline)),
        period=float(data.get("periodSeconds", default.period)),
    )
    if not 0 < found.period < found.deadline < found.duration:
        raise ValueError(
            f"leaderElection: found a period of {found.period:g}, a deadline of {found.deadline:g} and a duration "
            f"of {found.duration:g} seconds; each must be shorter than the next"
        )
    return found


def _pace(data: Mapping[str, Any]) -> Pace:
    def seconds(key: str, default: float) -> float:
        found = float(data.get(key, default))
        if found <= 0:
            raise ValueError(f"pace.{key}: found {found:g}, expected more than 0")
        return found

    return Pace(
        recheck=seconds("recheckSeconds", Pace.recheck),
        payload_grace=seconds("payloadGraceSeconds", Pace.payload_grace),
        asking=seconds("askingSeconds", Pace.asking),
        passing=seconds("passingSeconds", Pace.passing),
        nudge=seconds("nudgeSeconds", Pace.nudge),
    )


def _namespaces(data: Any) -> tuple[str, ...]:
    if not isinstance(data, list) or not all(isinstance(name, str) and name for name in data):
        raise ValueError(f"watchNamespaces: found {data!r}, expected a list of names")
    return tuple(dict.fromkeys(data))


def _dependencies(data: Mapping[str, Any]) -> Dependencies:
    bundle = data.get("caBundle") or {}
    return Dependencies(
        env=tuple(data.get("env", [])),
        env_from=tuple(data.get("envFrom", [])),
        ca_bundle=CaBundle(bundle["configMapName"], bundle.get("key") or "ca.crt")
        if bundle.get("configMapName")
        else None,
    )


def _sources(data: Mapping[str, Any]) -> Sources:
    default = Sources()
    return Sources(
        download_limit=int(data.get("downloadLimitBytes", default.download_limit)),
        unpacked_limit=int(data.get("unpackedLimitBytes", default.unpacked_limit)),
        files_limit=int(data.get("filesLimit", default.files_limit)),
        allow_local_urls=bool(data.get("allowLocalUrls", default.allow_local_urls)),
    )


def _runtime(row: Mapping[str, Any]) -> Runtime:
    return Runtime(
        id=row["id"],
        image=row["image"],
        suffix=row["suffix"],
        dependency_file=row.get("dependencyFile", ""),
        install_image=row.get("installImage", ""),
        install_command=tuple(row.get("installCommand") or INSTALL_COMMAND),
        aliases=tuple(row.get("aliases", [])),
    )
