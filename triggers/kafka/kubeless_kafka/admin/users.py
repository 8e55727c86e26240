"""SCRAM users: create (or give a new password), list, delete."""

from __future__ import annotations

from typing import Any

from confluent_kafka.admin import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from kubeless_kafka.admin.failure import Failure
from kubeless_kafka.admin.frames import Body
from kubeless_kafka.admin.kafka import REQUEST_SECONDS, Kafka, call

Object = dict[str, Any]

MECHANISMS = {
    "SCRAM-SHA-256": ScramMechanism.SCRAM_SHA_256,
    "SCRAM-SHA-512": ScramMechanism.SCRAM_SHA_512,
}
# As Kafka's own tool.
ITERATIONS = 8192


def create(kafka: Kafka, arguments: Object, password: Body) -> Object:
    """Make a user with this password; an existing one gets it only with ``replace``. Raises Failure."""
    name, mechanism = str(arguments["name"]), MECHANISMS[str(arguments["mechanism"])]
    if not password:
        raise Failure("Invalid", f"User '{name}' can't be made without a password.")
    _refuse_own(kafka, [name])
    kafka.metadata()
    if name in users(kafka) and not arguments.get("replace"):
        raise Failure(
            "UserExists",
            f"User '{name}' exists already; --new-password gives it a new password, which ends what "
            "uses the present one.",
        )
    upsertion = UserScramCredentialUpsertion(
        name, ScramCredentialInfo(mechanism, ITERATIONS), password
    )
    _alter(kafka, name, upsertion)
    return {"name": name}


def list_users(kafka: Kafka, arguments: Object) -> Object:
    """All users and the mechanisms that each has a password for."""
    kafka.metadata()
    return {
        "users": [
            {"name": name, "mechanisms": found} for name, found in sorted(users(kafka).items())
        ]
    }


def delete(kafka: Kafka, arguments: Object) -> Object:
    """Delete users; says which there were not. Raises Failure."""
    wanted = [str(name) for name in arguments["names"]]
    _refuse_own(kafka, wanted)
    kafka.metadata()
    present = users(kafka)
    for name in wanted:
        for mechanism in present.get(name, []):
            _alter(kafka, name, UserScramCredentialDeletion(name, MECHANISMS[mechanism]))
    return {
        "deleted": [name for name in wanted if name in present],
        "missing": [name for name in wanted if name not in present],
    }


def users(kafka: Kafka) -> dict[str, list[str]]:
    """The mechanisms of each user. Raises Failure."""
    found = call(
        "the users of Kafka",
        lambda: kafka.admin.describe_user_scram_credentials(request_timeout=REQUEST_SECONDS),
    )
    words = {mechanism: word for word, mechanism in MECHANISMS.items()}
    return {
        name: sorted(words[info.mechanism] for info in described.scram_credential_infos)
        for name, described in found.items()
    }


def _refuse_own(kafka: Kafka, names: list[str]) -> None:
    if kafka.user in names:
        raise Failure(
            "OwnUser",
            f"User '{kafka.user}' is the administrator that this command itself logs in as; nothing was "
            "done. Its password is in the Secret that the installation names.",
        )


def _alter(kafka: Kafka, name: str, alteration: Any) -> None:
    what = f"user '{name}'"
    futures = call(
        what,
        lambda: kafka.admin.alter_user_scram_credentials(
            [alteration], request_timeout=REQUEST_SECONDS
        ),
    )
    call(what, lambda: futures[name])
