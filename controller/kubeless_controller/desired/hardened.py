"""What every pod that is made here has, so that it runs under PodSecurity ``restricted``."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

USER_ID = 1000


def pod_security() -> Object:
    """The pod's securityContext."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER_ID,
        "runAsGroup": USER_ID,
        "fsGroup": USER_ID,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> Object:
    """The securityContext of a container."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
