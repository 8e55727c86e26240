"""Failures as one sentence: what was found, and what to do."""

from __future__ import annotations

from confluent_kafka import KafkaError


class Failure(Exception):
    """The request could not be carried out. `reason` is one CamelCase word, `message` for a reader."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


# By code: the reason, and the sentence; {what} is what the request was about, {said} the broker's words.
_SENTENCES: dict[int, tuple[str, str]] = {
    KafkaError.TOPIC_ALREADY_EXISTS: ("TopicExists", "{What} exists already."),
    KafkaError.UNKNOWN_TOPIC_OR_PART: ("TopicNotFound", "There is no {what}."),
    KafkaError._UNKNOWN_TOPIC: ("TopicNotFound", "There is no {what}."),
    KafkaError._UNKNOWN_PARTITION: ("PartitionNotFound", "{What} has no such partition."),
    KafkaError.TOPIC_EXCEPTION: (
        "InvalidName",
        "{What} can't have that name: {said}. Names are 1 to 249 letters, digits, '.', '_' and '-'.",
    ),
    KafkaError.INVALID_PARTITIONS: (
        "InvalidPartitions",
        "{What} can't have that number of partitions: {said}.",
    ),
    KafkaError.INVALID_REPLICATION_FACTOR: (
        "InvalidReplicationFactor",
        "{What} can't have that many replicas: {said}. There can be at most one on each broker.",
    ),
    KafkaError.INVALID_CONFIG: ("InvalidConfig", "{What} can't have that setting: {said}."),
    KafkaError.POLICY_VIOLATION: ("PolicyViolation", "The brokers' policy refuses it: {said}."),
    KafkaError.TOPIC_AUTHORIZATION_FAILED: (
        "AuthorizationFailed",
        "Kafka does not allow this user to use {what}; give the user that right, or use other credentials.",
    ),
    KafkaError.GROUP_AUTHORIZATION_FAILED: (
        "AuthorizationFailed",
        (
            "Kafka does not allow this user the consumer group that keeps how far dead letters were sent again; "
            "give the user the right to read that group."
        ),
    ),
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: (
        "AuthorizationFailed",
        "Kafka does not allow this user that on {what}; use an administrator's credentials.",
    ),
    KafkaError.TOPIC_DELETION_DISABLED: (
        "DeletionDisabled",
        "The brokers let nobody delete topics (delete.topic.enable).",
    ),
    KafkaError.MSG_SIZE_TOO_LARGE: (
        "TooLarge",
        "{What} is larger than the topic takes (max.message.bytes).",
    ),
    KafkaError.RECORD_LIST_TOO_LARGE: (
        "TooLarge",
        "{What} is larger than the brokers take (segment.bytes).",
    ),
    KafkaError.INVALID_RECORD: (
        "InvalidRecord",
        "The topic refuses {what}: {said}. A compacted topic takes only records that have a key.",
    ),
    KafkaError.NOT_ENOUGH_REPLICAS: (
        "NotEnoughReplicas",
        "Fewer replicas are in sync than the topic asks for (min.insync.replicas): some brokers are down; try again.",
    ),
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND: (
        "NotEnoughReplicas",
        "Fewer replicas are in sync than the topic asks for (min.insync.replicas): some brokers are down; try again.",
    ),
    KafkaError._AUTHENTICATION: (
        "AuthenticationFailed",
        "Kafka does not accept these credentials ({said}); check username and password in the Secret, and the mechanism.",
    ),
    KafkaError.SASL_AUTHENTICATION_FAILED: (
        "AuthenticationFailed",
        "Kafka does not accept these credentials ({said}); check username and password in the Secret, and the mechanism.",
    ),
    KafkaError.UNSUPPORTED_SASL_MECHANISM: (
        "AuthenticationFailed",
        "Kafka does not speak this SASL mechanism ({said}); choose one that it has.",
    ),
    KafkaError._SSL: (
        "TLSFailed",
        "TLS with the brokers failed ({said}); check that they speak TLS, and ca.crt in the Secret.",
    ),
    KafkaError._RESOLVE: (
        "BrokerUnreachable",
        "The name of a broker is not known ({said}); check the bootstrap servers.",
    ),
    KafkaError._TRANSPORT: (
        "BrokerUnreachable",
        "No broker can be reached ({said}); check the bootstrap servers, and that Kafka runs and lets this pod in.",
    ),
    KafkaError._ALL_BROKERS_DOWN: (
        "BrokerUnreachable",
        "No broker can be reached ({said}); check the bootstrap servers, and that Kafka runs and lets this pod in.",
    ),
    KafkaError._TIMED_OUT: (
        "BrokerUnreachable",
        "The brokers do not answer ({said}); check that Kafka runs, and try again.",
    ),
    KafkaError._MSG_TIMED_OUT: (
        "BrokerUnreachable",
        "The brokers did not take {what} in time; whether it was written is not known.",
    ),
    KafkaError.REQUEST_TIMED_OUT: (
        "BrokerUnreachable",
        "The brokers did not finish in time; whether it was done is not known: look, and try again.",
    ),
    KafkaError.UNSUPPORTED_VERSION: (
        "Unsupported",
        "These brokers can't do that: {said}. They may be too old.",
    ),
    KafkaError.RESOURCE_NOT_FOUND: ("NotFound", "There is no {what}."),
    KafkaError.UNACCEPTABLE_CREDENTIAL: (
        "InvalidUser",
        "Kafka does not take {what}: {said}.",
    ),
}
# What ends the wait for the brokers at once: it does not pass by itself.
FINAL = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError._SSL,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
    }
)


def failure_of(error: KafkaError, what: str) -> Failure:
    """The failure for an error of Kafka; `what` names what it was about, such as "topic 'orders'"."""
    said = " ".join(str(error.str() or error.name()).split()).rstrip(".")
    reason, sentence = _SENTENCES.get(
        error.code(), ("KafkaError", f"Kafka refused {{what}}: {{said}} ({error.name()}).")
    )
    upper = what[:1].upper() + what[1:]
    return Failure(reason, sentence.format(what=what, What=upper, said=said))
