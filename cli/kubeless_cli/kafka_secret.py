"""The Secret of a Kafka user; pure but for the password's randomness."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from kubeless_api.kafka_connection import PASSWORD_KEY, USERNAME_KEY
from kubeless_api.names import CREATED_BY, LABEL_CREATED_BY, LABEL_KAFKA_CLIENT

Object = dict[str, Any]

LABEL_USER = f"{LABEL_KAFKA_CLIENT}-user"


def make_password() -> str:
    """A password of 192 random bits, of characters that need no quoting anywhere."""
    return secrets.token_urlsafe(24)


def secret(namespace: str, name: str, user: str, password: str) -> Object:
    """The manifest."""
    data = {USERNAME_KEY: user, PASSWORD_KEY: password}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {LABEL_CREATED_BY: CREATED_BY, LABEL_USER: "true"},
        },
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }
