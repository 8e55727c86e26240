"""Groups, labels, annotations and names of what Kubeless reads and makes."""

from __future__ import annotations

import re

GROUP = "kubeless.io"
VERSION = "v1beta1"
API_VERSION = f"{GROUP}/{VERSION}"
FUNCTION_KIND = "Function"
FUNCTION_PLURAL = "functions"
HTTP_TRIGGER_KIND = "HTTPTrigger"
HTTP_TRIGGER_PLURAL = "httptriggers"
CRONJOB_TRIGGER_KIND = "CronJobTrigger"
CRONJOB_TRIGGER_PLURAL = "cronjobtriggers"
KAFKA_TRIGGER_KIND = "KafkaTrigger"
KAFKA_TRIGGER_PLURAL = "kafkatriggers"

# Labels that select a Function's pods; a Deployment's selector can never change, so neither can these.
LABEL_CREATED_BY = "created-by"
CREATED_BY = "kubeless"
LABEL_FUNCTION = "function"
# What a trigger owns has this label, the kind of trigger as its value. Never `function` beside `created-by`:
# a pod that has both becomes an endpoint of the function's Service.
LABEL_TRIGGER = f"{GROUP}/trigger"
CRONJOB_TRIGGER = "cronjob"
KAFKA_TRIGGER = "kafka"
# On every pod of ours that talks to Kafka: the broker's NetworkPolicy lets those in, of any namespace.
LABEL_KAFKA_CLIENT = f"{GROUP}/kafka-client"
KAFKA_CLIENT = "true"
# Selects the pods of one KafkaTrigger: its name, cut where it is longer than a label's value.
LABEL_KAFKA_TRIGGER = f"{GROUP}/kafka-trigger"
# On a consumer's pod: the configuration of which the kubelet was told that it is there.
ANNOTATION_CONFIG = f"{GROUP}/config-hash"
# The trigger for which a Job or its pod was made. An annotation: a trigger's name may be longer than a label's value.
ANNOTATION_TRIGGER = f"{GROUP}/trigger-name"
# The kind that the original gave the owner of its CronJobs, with the trigger's own uid; no API server serves it.
LEGACY_TRIGGER_KIND = "Trigger"

# Hash of what was last asked of the API server for an object of ours: a removal shows only here.
ANNOTATION_APPLIED = f"{GROUP}/applied-hash"
# The replicas that the Function's own spec last asked for: only a change of it may scale.
ANNOTATION_REPLICAS = f"{GROUP}/wanted-replicas"

# Holds the fields of an object whose managedFields somebody emptied, until they are handed on.
BEFORE_FIRST_APPLY = "before-first-apply"
FIELD_MANAGER = "kubeless-controller"
SCALE_FIELD_MANAGER = "kubeless-controller-scale"

# Init containers of a function's pods, as the original named them.
PREPARE_CONTAINER = "prepare"
INSTALL_CONTAINER = "install"

PORT_NAME = "http-function-port"
DEFAULT_PORT = 8080

# Finalizers that the original set and nothing will ever remove but us.
LEGACY_FINALIZERS = frozenset(
    f"{GROUP}/{kind}" for kind in ("function", "httptrigger", "cronjobtrigger", "kafkatrigger")
)

MAX_NAME_LENGTH = 63
_DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def is_dns_1035_label(name: str) -> bool:
    """Say whether a Service can have this name (RFC 1035 label, at most 63 characters)."""
    return len(name) <= MAX_NAME_LENGTH and _DNS_1035.fullmatch(name) is not None


def selector_labels(function: str) -> dict[str, str]:
    """The labels by which a Function's Deployment and Service find its pods."""
    return {LABEL_CREATED_BY: CREATED_BY, LABEL_FUNCTION: function}


def selector(function: str) -> str:
    """The same as a label selector in one string."""
    return ",".join(f"{key}={value}" for key, value in sorted(selector_labels(function).items()))
