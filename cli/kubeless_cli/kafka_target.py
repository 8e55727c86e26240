"""Which Kafka a command means: the installation's, as its administrator, or a trigger's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from kubeless_api.errors import SpecError
from kubeless_api.kafka_connection import Connection as Kafka
from kubeless_api.kafka_connection import admin_connection
from kubeless_api.names import KAFKA_TRIGGER, LABEL_TRIGGER
from kubeless_cli import server_config
from kubeless_cli.connection import Connection
from kubeless_cli.errors import Failure
from kubeless_cli.installation import find_config
from kubeless_cli.kafka_pod import AUTH_PATH, TLS_PATH, Target
from kubeless_cli.status import standing

Object = dict[str, Any]

CONFIG_PATH = "/etc/kubeless/trigger"
CONFIG_KEY = "config.json"


@dataclass(frozen=True)
class Letters:
    """A trigger's dead letters; `group` keeps how far they were sent again."""

    target: Target
    topic: str
    group: str

    @property
    def arguments(self) -> Object:
        """What the admin program is told of them."""
        return {"topic": self.topic, "group": self.group}


def installed(connection: Connection) -> tuple[Target, Object]:
    """The Kafka of the installation in the connection's namespace, and its settings. Raises Failure."""
    config_map = find_config(connection, connection.namespace, "--kafka-namespace")
    config = server_config.parse(config_map)
    settings = config.get("kafka")
    if not isinstance(settings, dict) or not settings.get("consumerImage"):
        raise Failure(
            f"The installation in namespace '{connection.namespace}' has no settings for Kafka: it is "
            "older than this command line.\nUpgrade its chart with helm."
        )
    try:
        kafka = admin_connection(settings)
    except SpecError as error:
        raise Failure(f"{error.message[:1].upper()}{error.message[1:]}.") from None
    target = Target(
        namespace=connection.namespace,
        connection=kafka,
        image=str(settings["consumerImage"]),
        pull_policy=str(settings.get("imagePullPolicy") or ""),
        pull_secrets=[
            item if isinstance(item, dict) else {"name": str(item)}
            for item in settings.get("imagePullSecrets") or []
        ],
    )
    return target, settings


def dead_letters(connection: Connection, trigger: Object) -> Letters:
    """Where a trigger's dead letters are, as its consumers were told. Raises Failure.

    All of it comes from what the controller made for the trigger: the installation's own namespace
    need not be readable.
    """
    from kubeless_kube.resources import CONFIGMAPS

    name = trigger["metadata"]["name"]
    deployment = _consumers(connection, trigger)
    pod = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]
    config_map = _volume(pod, container, CONFIG_PATH).get("configMap") or {}
    held = connection.client.get(CONFIGMAPS, connection.namespace, str(config_map.get("name")))
    try:
        config = json.loads(held["data"][CONFIG_KEY])
        security = config["security"]
        kafka = Kafka(
            bootstrap_servers=str(config["bootstrapServers"]),
            protocol=str(security["protocol"]),
            mechanism=str(security["mechanism"]),
            auth_secret=_secret(pod, container, AUTH_PATH),
            tls_secret=_secret(pod, container, TLS_PATH),
        )
        topic = str(config["deadLetterTopic"])
    except (KeyError, TypeError, ValueError) as error:
        raise Failure(
            f"What the consumers of Kafka trigger {name} were told can't be read ({error!r}): use a "
            "command line of the installation's version."
        ) from None
    target = Target(
        namespace=connection.namespace,
        connection=kafka,
        image=str(container["image"]),
        pull_policy=str(container.get("imagePullPolicy") or ""),
        pull_secrets=list(pod.get("imagePullSecrets") or []),
    )
    return Letters(target, topic, f"{connection.namespace}_{name}_redrive_{topic}"[:249])


def _consumers(connection: Connection, trigger: Object) -> Object:
    """The Deployment that the controller made for a trigger. Raises Failure when there is none."""
    from kubeless_kube.resources import DEPLOYMENTS

    labels = f"{LABEL_TRIGGER}={KAFKA_TRIGGER}"
    found = connection.client.list(DEPLOYMENTS, connection.namespace, labels=labels)["items"]
    metadata = trigger["metadata"]
    for deployment in found:
        owners = deployment["metadata"].get("ownerReferences") or []
        if any(owner.get("uid") == metadata["uid"] for owner in owners):
            return dict(deployment)
    raise Failure(
        f"Kafka trigger {metadata['name']} has no consumers yet, so it has no dead letters. "
        f"{standing(trigger)}\n'kubeless trigger kafka describe {metadata['name']}' shows all of it."
    )


def _volume(pod: Object, container: Object, path: str) -> Object:
    """The volume that a container has at a path; {} for none."""
    for mount in container.get("volumeMounts") or []:
        if mount.get("mountPath") == path:
            for volume in pod.get("volumes") or []:
                if volume.get("name") == mount.get("name"):
                    return dict(volume)
    return {}


def _secret(pod: Object, container: Object, path: str) -> str:
    volume = _volume(pod, container, path)
    return str((volume.get("secret") or {}).get("secretName") or "")
