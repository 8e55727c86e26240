"""Keys and certificates of the control plane and the node, made with openssl.

One authority signs everything but the aggregation layer's client, which has an
authority of its own as the API server demands. Nothing is made twice: a pair
that exists stays, so running components keep their identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import command, packages
from .instance import Instance

DAYS = "3650"
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


@dataclass(frozen=True)
class Identity:
    """Whom a certificate names, and where it is valid."""

    name: str
    common_name: str
    organization: str = ""
    hosts: tuple[str, ...] = ()
    authority: str = "ca"

    @property
    def subject(self) -> str:
        organization = f"/O={self.organization}" if self.organization else ""
        return f"{organization}/CN={self.common_name}"


def identities(instance: Instance) -> list[Identity]:
    """Every certificate of an instance; `hosts` are `IP:...` or `DNS:...`."""
    node = instance.node
    service = "kubernetes.default.svc.cluster.local"
    parts = service.split(".")
    names = tuple("DNS:" + ".".join(parts[:n]) for n in (1, 2, 3, 5))
    addresses = (f"IP:{node.address}", f"IP:{instance.api_service}", "IP:127.0.0.1")
    masters = "system:masters"
    return [
        Identity("apiserver", "kube-apiserver", hosts=(*names, "DNS:localhost", *addresses)),
        Identity("apiserver-kubelet-client", "kube-apiserver-kubelet-client", masters),
        Identity("admin", "kubernetes-admin", masters),
        Identity("controller-manager", "system:kube-controller-manager"),
        Identity("scheduler", "system:kube-scheduler"),
        Identity("proxy", "system:kube-proxy"),
        Identity(f"kubelet-{node.name}", f"system:node:{node.name}", "system:nodes"),
        Identity(
            f"kubelet-server-{node.name}",
            f"system:node:{node.name}",
            "system:nodes",
            hosts=(f"DNS:{node.name}", f"IP:{node.address}"),
        ),
        Identity("front-proxy-client", "front-proxy-client", authority="front-proxy-ca"),
    ]


def _extensions(identity: Identity | None) -> str:
    lines = ["[req]", "distinguished_name = dn", "[dn]", "[ext]"]
    if identity is None:
        lines += ["basicConstraints = critical,CA:TRUE", "keyUsage = critical,keyCertSign,cRLSign"]
    else:
        lines += [
            "basicConstraints = critical,CA:FALSE",
            "keyUsage = critical,digitalSignature,keyEncipherment",
            "extendedKeyUsage = clientAuth,serverAuth",
        ]
        if identity.hosts:
            lines.append(f"subjectAltName = {','.join(identity.hosts)}")
    return "\n".join([*lines, ""])


def _make(folder: Path, name: str, subject: str, extensions: str, more: Sequence[str]) -> None:
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    if key.exists() and certificate.exists():
        return
    config = folder / f"{name}.cnf"
    config.write_text(extensions)
    part = folder / f"{name}.part"
    command.run(
        [
            packages.program("openssl"), "req", "-x509", "-nodes", "-sha256", "-days", DAYS,
            *CURVE, "-config", config, "-extensions", "ext", "-subj", subject, *more,
            "-keyout", key, "-out", part,
        ]
    )  # fmt: skip
    config.unlink()
    part.replace(certificate)


def issue(folder: Path, authorities: Sequence[str], identities: Sequence[Identity]) -> None:
    """Make what is missing in `folder` (readable by its owner only), authorities first."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in authorities:
        _make(folder, name, f"/CN=kubeless-{name}", _extensions(None), [])
    for identity in identities:
        authority = folder / identity.authority
        signed = ["-CA", f"{authority}.crt", "-CAkey", f"{authority}.key"]
        _make(folder, identity.name, identity.subject, _extensions(identity), signed)


def ensure(instance: Instance) -> None:
    """Make what is missing in the instance's pki folder."""
    folder = instance.pki
    issue(folder, ("ca", "front-proxy-ca"), identities(instance))
    public, private = folder / "service-account.pub", folder / "service-account.key"
    if not public.exists():
        openssl = packages.program("openssl")
        command.run(
            [openssl, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-out", private]
        )  # fmt: skip
        command.run([openssl, "pkey", "-in", private, "-pubout", "-out", public])
