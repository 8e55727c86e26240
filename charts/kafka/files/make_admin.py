"""Makes the administrator a user of the cluster, and lets other users do only what is not his.

Runs in a pod, after an installation and after each upgrade, over the nodes' own listener: the users that clients log in
as are in the cluster's metadata, where somebody must write the first. A changed password in his Secret takes effect
so, too. Credentials come from mounted Secrets. Environment: BOOTSTRAP, TLS (true or false), SECRETS (the folder).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

#: What the password is stretched by; the least that Kafka takes is 4096.
ITERATIONS = 8192
#: Of the cluster itself, anybody who has logged in may know what it is and write without duplicates.
FOR_ALL = (AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS, AclOperation.IDEMPOTENT_WRITE)
#: Seconds for the brokers to come up.
PATIENCE = 240.0


def main() -> None:
    """Write the user and the rules. Raises KafkaException when no broker takes them in time."""
    folder = Path(os.environ["SECRETS"])
    admin = AdminClient(settings(folder, os.environ["BOOTSTRAP"], os.environ["TLS"] == "true"))
    user, password = secret(folder / "admin")
    credential = UserScramCredentialUpsertion(
        user, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS), password.encode()
    )
    rules = [
        AclBinding(
            ResourceType.BROKER, "kafka-cluster", ResourcePatternType.LITERAL, "User:*", "*", one,
            AclPermissionType.ALLOW,
        )
        for one in FOR_ALL
    ]  # fmt: skip
    deadline = time.monotonic() + PATIENCE
    until(deadline, lambda: admin.alter_user_scram_credentials([credential], request_timeout=10))
    until(deadline, lambda: admin.create_acls(rules, request_timeout=10))
    print(f"the administrator {user} can log in")


def until(deadline: float, ask: Callable[[], dict[Any, Any]]) -> None:
    """Ask until it is done. Raises KafkaException when it was not by the deadline."""
    while True:
        try:
            for future in ask().values():
                future.result()
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise
            print(f"not yet: {error.args[0].str()}", flush=True)
            time.sleep(2)
        else:
            return


def settings(folder: Path, bootstrap: str, tls: bool) -> dict[str, str | int | float | bool]:
    """The client's configuration."""
    user, password = secret(folder / "internal")
    found: dict[str, str | int | float | bool] = {
        "bootstrap.servers": bootstrap,
        "security.protocol": "SASL_SSL" if tls else "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": user,
        "sasl.password": password,
    }
    return {**found, "ssl.ca.location": str(folder / "ca/ca.crt")} if tls else found


def secret(folder: Path) -> tuple[str, str]:
    """User and password of a mounted Secret."""
    return (folder / "username").read_text(), (folder / "password").read_text()


if __name__ == "__main__":
    try:
        main()
    except KafkaException as failed:
        sys.exit(f"error: the brokers did not take the administrator: {failed.args[0].str()}")
