"""What librdkafka's errors mean for a trigger: the reasons of its status."""

from __future__ import annotations

from confluent_kafka import KafkaError

TOPIC_MISSING = frozenset(
    {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
)
UNREADABLE = frozenset(
    {
        KafkaError._BAD_MSG,
        KafkaError._BAD_COMPRESSION,
        KafkaError._UNDERFLOW,
        KafkaError.INVALID_MSG,
        KafkaError.KAFKA_STORAGE_ERROR,
    }
)
OUT_OF_RANGE = frozenset(
    {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._NO_OFFSET}
)
_REASONS = {
    KafkaError._AUTHENTICATION: "AuthenticationFailed",
    KafkaError.SASL_AUTHENTICATION_FAILED: "AuthenticationFailed",
    KafkaError._SSL: "TLSFailed",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "AuthorizationFailed",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "AuthorizationFailed",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "AuthorizationFailed",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "AuthorizationFailed",
}


def reason(code: int) -> str:
    """The status reason for an error's code: what is not more special means that no broker does what is asked."""
    if code in TOPIC_MISSING:
        return "TopicNotFound"
    if code in UNREADABLE:
        return "RecordUnreadable"
    return _REASONS.get(code, "BrokerUnreachable")
