"""The Deployment whose pods read a topic and call the functions.

Which functions these are is not in it but in the ConfigMap that the pods read
again. ``spec.replicas`` is not in it either: it is set beside it, when the
trigger's wish changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubeless_api import names
from kubeless_api.conditions import NO_KAFKA
from kubeless_api.errors import SpecError
from kubeless_api.kafka_connection import USERNAME_KEY
from kubeless_api.kafka_trigger import KafkaTrigger
from kubeless_controller.desired import consumer_config
from kubeless_controller.desired.consumer_config import Callee
from kubeless_controller.desired.consumer_name import name_of, selector_labels
from kubeless_controller.desired.hardened import container_security, pod_security
from kubeless_controller.desired.owned import metadata, stamped
from kubeless_controller.settings import Settings

Object = dict[str, Any]

CONTAINER = "consumer"
PORT = 8080
CONFIG_FOLDER = "/etc/kubeless/trigger"
AUTH_FOLDER = "/etc/kubeless/kafka-auth"
TLS_FOLDER = "/etc/kubeless/kafka-tls"
TMP_FOLDER = "/tmp"  # noqa: S108 - a volume of the pod's own
TMP_SIZE_LIMIT = "64Mi"
REVISION_HISTORY_LIMIT = 3
# The longest call that is waited for when a pod ends. The same for all: a function that comes or goes starts no pod anew.
GRACE_SECONDS = 610


@dataclass(frozen=True)
class Consumer:
    """What a KafkaTrigger owns; ``config_hash`` is that of the configuration."""

    config_map: Object
    config_hash: str
    deployment: Object
    replicas: int

    @property
    def wish(self) -> str:
        """The replicas that the trigger asks for, as its Deployment's annotation has them."""
        return str(self.replicas)


def build(
    trigger: KafkaTrigger, callees: Sequence[Callee], settings: Settings, *, topic_missing: bool
) -> Consumer:
    """Build everything for a KafkaTrigger. Raises SpecError."""
    if not settings.kafka.consumer_image:
        raise SpecError(
            NO_KAFKA,
            "this installation does not say which image reads topics (kafka.consumerImage of the controller's "
            "configuration); install a chart that has it",
        )
    content = consumer_config.content(trigger, callees, topic_missing=topic_missing)
    return Consumer(
        config_map=consumer_config.build(trigger, content),
        config_hash=content["hash"],
        deployment=_deployment(trigger, settings),
        replicas=trigger.replicas,
    )


def _deployment(trigger: KafkaTrigger, settings: Settings) -> Object:
    selector = selector_labels(trigger.name)
    # Never `created-by` beside `function`: the pods would become endpoints of a function's Service.
    own = {names.LABEL_TRIGGER: names.KAFKA_TRIGGER, **selector}
    annotations = {names.ANNOTATION_TRIGGER: trigger.name}
    return stamped(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(
                trigger,
                name_of(trigger.name),
                {names.LABEL_CREATED_BY: names.CREATED_BY, **own},
                annotations=annotations,
            ),
            "spec": {
                "revisionHistoryLimit": REVISION_HISTORY_LIMIT,
                "selector": {"matchLabels": selector},
                # A new pod is there before an old one goes: the partitions always have somebody.
                "strategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
                },
                "template": {
                    "metadata": {
                        "labels": {**own, names.LABEL_KAFKA_CLIENT: names.KAFKA_CLIENT},
                        "annotations": {
                            **annotations,
                            "prometheus.io/scrape": "true",
                            "prometheus.io/path": "/metrics",
                            "prometheus.io/port": str(PORT),
                        },
                    },
                    "spec": _pod(trigger, settings),
                },
            },
        }
    )


def _pod(trigger: KafkaTrigger, settings: Settings) -> Object:
    secrets = {
        "auth": (trigger.connection.auth_secret, AUTH_FOLDER),
        "tls": (trigger.connection.tls_secret, TLS_FOLDER),
    }
    named = {volume: found for volume, found in secrets.items() if found[0]}
    container: Object = {
        "name": CONTAINER,
        "image": settings.kafka.consumer_image,
        "imagePullPolicy": settings.kafka.image_pull_policy or settings.image_pull_policy,
        "env": _environment(trigger.connection.auth_secret),
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "volumeMounts": [
            {"name": "config", "mountPath": CONFIG_FOLDER, "readOnly": True},
            {"name": "tmp", "mountPath": TMP_FOLDER},
            *(
                {"name": volume, "mountPath": folder, "readOnly": True}
                for volume, (_, folder) in named.items()
            ),
        ],
        "readinessProbe": {
            "httpGet": {"path": "/readyz", "port": PORT},
            "periodSeconds": 2,
            "timeoutSeconds": 2,
        },
        "livenessProbe": {
            "httpGet": {"path": "/healthz", "port": PORT},
            "initialDelaySeconds": 10,
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        },
        "resources": dict(trigger.resources or settings.kafka.resources),
        "securityContext": container_security(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    pod: Object = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": name_of(trigger.name)}},
            {"name": "tmp", "emptyDir": {"sizeLimit": TMP_SIZE_LIMIT}},
            *(
                # Optional: a mount of what is not there yet would hold the pod up without a word.
                {"name": volume, "secret": {"secretName": secret, "optional": True}}
                for volume, (secret, _) in named.items()
            ),
        ],
    }
    if settings.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": secret} for secret in settings.image_pull_secrets]
    return pod


def _environment(auth_secret: str) -> list[Object]:
    found: list[Object] = [
        {"name": "HOME", "value": TMP_FOLDER},
        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    if auth_secret:
        # Not read by the consumer, which reads the mounted file. A Secret that is asked for here and is not there is
        # named in the pod's state: so it is told without a right to look at Secrets.
        found.append(
            {
                "name": "KUBELESS_KAFKA_USERNAME",
                "valueFrom": {"secretKeyRef": {"name": auth_secret, "key": USERNAME_KEY}},
            }
        )
    return found
