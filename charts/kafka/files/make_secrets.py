"""Makes the Secrets that are missing: credentials, a certificate, and the authority that clients trust.

Runs in a pod, before an installation and before each upgrade. What exists is never overwritten, but the copy of the
authority for clients. Its one argument is a JSON file:

    {"namespace": "kubeless", "labels": {},
     "credentials": {"kafka-admin": "admin"},          Secrets that shall be there, with the user's name
     "certificate": null | {"secret": "kafka-tls", "make": true, "authority": "kafka-ca", "names": ["kafka"], "days": 3650}}
"""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
API = "https://kubernetes.default.svc"

#: (method, path below the namespace's Secrets, body) -> (HTTP status, answer).
Request = Callable[[str, str, Any], tuple[int, Any]]


class Problem(Exception):
    """What stands in the way, and what to do about it."""


def main(plan: Mapping[str, Any], request: Request) -> None:
    """Make what is missing. Raises Problem."""
    for name, user in plan["credentials"].items():
        ensure(plan, request, name, partial(credentials, user), ("username", "password"))
    wanted = plan["certificate"]
    if not wanted:
        return
    make = partial(certificate, wanted["names"], wanted["days"]) if wanted["make"] else None
    found = ensure(plan, request, wanted["secret"], make, ("tls.crt", "tls.key", "ca.crt"))
    keep_copy(plan, request, wanted["authority"], {"ca.crt": found["ca.crt"]})


def ensure(
    plan: Mapping[str, Any],
    request: Request,
    name: str,
    make: Callable[[], dict[str, str]] | None,
    keys: tuple[str, ...],
) -> dict[str, str]:
    """The data of a Secret (base64), made when it is missing. Raises Problem when a key is."""
    status, answer = request("GET", f"/{name}", None)
    if status == 404:
        if make is None:
            raise Problem(f"there is no Secret {name}: make one with {', '.join(keys)}")
        data = {key: base64.b64encode(value.encode()).decode() for key, value in make().items()}
        status, answer = request("POST", "", manifest(plan, name, data))
        if status == 201:
            print(f"made the Secret {name}")
            return data
        if status == 409:  # another one was quicker
            status, answer = request("GET", f"/{name}", None)
    if status != 200:
        raise Problem(f"Secret {name}: the API server answered {status}: {reason(answer)}")
    found: dict[str, str] = answer.get("data") or {}
    missing = [key for key in keys if not found.get(key)]
    if missing:
        raise Problem(
            f"the Secret {name} has {', '.join(sorted(found)) or 'no key'}, but no {', '.join(missing)}: "
            "add it, or delete the Secret so that it is made anew"
        )
    print(f"found the Secret {name}")
    return found


def keep_copy(plan: Mapping[str, Any], request: Request, name: str, data: dict[str, str]) -> None:
    """Make a Secret, or bring its data up to date. Raises Problem."""
    body = manifest(plan, name, data)
    status, answer = request("POST", "", body)
    if status == 409:
        status, answer = request("PATCH", f"/{name}", {"data": data})
    if status not in (200, 201):
        raise Problem(f"Secret {name}: the API server answered {status}: {reason(answer)}")


def manifest(plan: Mapping[str, Any], name: str, data: dict[str, str]) -> dict[str, Any]:
    """A Secret."""
    metadata = {"name": name, "namespace": plan["namespace"], "labels": plan["labels"]}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


def reason(answer: Any) -> str:
    """What the API server says of a refusal."""
    return str(answer.get("message", "")) if isinstance(answer, dict) else ""


def credentials(user: str) -> dict[str, str]:
    """A user with a random password; letters and digits alone, so that no configuration must quote it."""
    return {"username": user, "password": secrets.token_hex(24)}


def certificate(names: list[str], days: int) -> dict[str, str]:
    """A server's certificate and key, and the authority that signed it, whose key is thrown away; PEM."""
    with tempfile.TemporaryDirectory() as folder:
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
        openssl(
            folder, "req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.crt", "-days", str(days),
            "-subj", "/CN=Kafka of Kubeless", "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip
        openssl(
            folder, "req", *new_key, "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=kafka"
        )
        extensions = [
            "basicConstraints=critical,CA:FALSE",
            "keyUsage=critical,digitalSignature",
            # Nodes are each other's clients.
            "extendedKeyUsage=serverAuth,clientAuth",
            "subjectAltName=" + ",".join(f"DNS:{name}" for name in names),
        ]
        Path(folder, "extensions").write_text("\n".join(extensions))
        openssl(
            folder, "x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-set_serial", str(secrets.randbits(120)), "-days", str(days),
            "-extfile", "extensions", "-out", "tls.crt",
        )  # fmt: skip
        return {name: Path(folder, name).read_text() for name in ("ca.crt", "tls.crt", "tls.key")}


def openssl(folder: str, *arguments: str) -> None:
    """Run openssl in a folder. Raises Problem with what it said."""
    done = subprocess.run(
        ["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Problem(f"openssl {arguments[0]} failed: {done.stderr.strip()}")


def of_account(namespace: str) -> Request:
    """Requests to the API server of this pod with its service account."""
    context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    headers = {"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}"}

    def request(method: str, path: str, body: Any) -> tuple[int, Any]:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        asked = urllib.request.Request(  # noqa: S310 (always https)
            f"{API}/api/v1/namespaces/{namespace}/secrets{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={**headers, "Content-Type": kind},
        )
        try:
            with urllib.request.urlopen(asked, context=context, timeout=30) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            try:
                return error.code, json.loads(error.read())
            except ValueError:
                return error.code, {}
        except OSError as error:
            raise Problem(f"the API server does not answer: {error}") from error

    return request


if __name__ == "__main__":
    read = json.loads(Path(sys.argv[1]).read_text())
    try:
        main(read, of_account(read["namespace"]))
    except Problem as problem:
        sys.exit(f"error: {problem}")
