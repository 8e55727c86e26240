"""An authority of a test's own, and a certificate of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

_NEW = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def issue(folder: Path, host: str) -> dict[str, str]:
    """``ca.crt``, and ``tls.crt`` with ``tls.key`` for a host's name; PEM, for two days."""
    extensions = [
        f"subjectAltName=DNS:{host}",
        "basicConstraints=critical,CA:FALSE",
        "keyUsage=critical,digitalSignature",
        "extendedKeyUsage=serverAuth",
    ]
    for name, subject, issuer, added in (
        ("ca", "an authority of the test", [], ["keyUsage=critical,keyCertSign"]),
        ("tls", "shelf", ["-CA", folder / "ca.crt", "-CAkey", folder / "ca.key"], extensions),
    ):
        command = [*_NEW, "-days", "2", "-subj", f"/CN={subject}", *issuer]
        command += ["-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"]
        command += [part for extension in added for part in ("-addext", extension)]
        subprocess.run(command, check=True, capture_output=True)
    return {name: (folder / name).read_text() for name in ("ca.crt", "tls.crt", "tls.key")}
