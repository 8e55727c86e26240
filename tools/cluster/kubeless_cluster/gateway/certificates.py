"""The gateway's authority and certificates, kept in the instance's state folder.

Two authorities: clients get to know the first one, which must not let them in
where Envoy and Contour know each other by the second.
"""

from __future__ import annotations

from pathlib import Path

from .. import certificates
from ..certificates import Identity
from ..instance import Instance

HOSTS = ("*.kubeless.test", "*.example.test")
"""What the HTTPS listener's certificate is good for, beside the node's address."""


def folder(instance: Instance) -> Path:
    return instance.state / "gateway"


def authority(instance: Instance) -> Path:
    """The certificate that clients of the HTTPS listener trust."""
    return folder(instance) / "gateway-ca.crt"


def ensure(instance: Instance) -> None:
    """Make what is missing."""
    hosts = (*(f"DNS:{host}" for host in HOSTS), f"IP:{instance.node.address}")
    inner = "control-ca"
    identities = [
        Identity("listener", "kubeless-gateway", hosts=hosts, authority="gateway-ca"),
        Identity("contour", "contour", hosts=("DNS:contour",), authority=inner),
        Identity("envoy", "envoy", hosts=("DNS:envoy",), authority=inner),
    ]
    certificates.issue(folder(instance), ("gateway-ca", inner), identities)


def read(instance: Instance, name: str) -> str:
    return (folder(instance) / name).read_text()
