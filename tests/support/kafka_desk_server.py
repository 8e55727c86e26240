"""Does with Kafka what tests ask over HTTP: a client in a pod, since brokers advertise names that only pods resolve.

POST /<operation> with a JSON object whose ``settings`` are librdkafka's; the answer is JSON. Keys, values and headers'
values are base64 or null. A failure is a 500 with its text.
"""

import base64
import http.server
import json
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

SECONDS = 20.0
# A group's coordinator is being chosen: at the first use of a group, and after a broker's end.
MOVING = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)


def decoded(text):
    return None if text is None else base64.b64decode(text)


def encoded(data):
    return None if data is None else base64.b64encode(data).decode()


def create(settings, topic, partitions=1, replicas=1, config=None):
    # Named, as everywhere here: a client that nobody holds is gone before its answer comes.
    admin = AdminClient(settings)
    wanted = NewTopic(topic, partitions, replicas, config=config or {})
    admin.create_topics([wanted])[topic].result(SECONDS)


def configure(settings, topic, config):
    """Change some of a topic's settings; the others stay."""
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in config.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    admin = AdminClient(settings)
    admin.incremental_alter_configs([resource])[resource].result(SECONDS)


def delete(settings, topic):
    admin = AdminClient(settings)
    admin.delete_topics([topic])[topic].result(SECONDS)


def topics(settings):
    """Of each topic: of each partition the leader, the replicas and those in sync."""
    admin = AdminClient(settings)
    found = admin.list_topics(timeout=SECONDS).topics
    return {
        name: {
            number: [partition.leader, partition.replicas, partition.isrs]
            for number, partition in topic.partitions.items()
        }
        for name, topic in found.items()
        if topic.error is None
    }


def ends(settings, topic):
    """Of each partition where it begins and ends."""
    consumer = Consumer({**settings, "group.id": "desk", "enable.auto.commit": False})
    try:
        metadata = consumer.list_topics(topic, timeout=SECONDS).topics[topic]
        if metadata.error is not None:
            return {}
        return {
            number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=SECONDS)
            for number in metadata.partitions
        }
    finally:
        consumer.close()


def committed(settings, group, topic):
    """Of each partition what a group has committed; -1001 for nothing."""
    consumer = Consumer({**settings, "group.id": group, "enable.auto.commit": False})
    try:
        metadata = consumer.list_topics(topic, timeout=SECONDS).topics[topic]
        wanted = [TopicPartition(topic, number) for number in metadata.partitions]
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                found = consumer.committed(wanted, SECONDS)
                return {place.partition: place.offset for place in found}
            except KafkaException as error:
                if error.args[0].code() not in MOVING or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
    finally:
        consumer.close()


def groups(settings):
    admin = AdminClient(settings)
    found = admin.list_consumer_groups().result(SECONDS)
    return sorted(group.group_id for group in found.valid)


def produce(settings, topic, records):
    """Of each record the partition and offset it got; in order."""
    producer = Producer({"linger.ms": 1, "message.max.bytes": 8_000_000, **settings})
    places = {}

    def keep(index):
        def acknowledged(error, message):
            places[index] = str(error) if error else [message.partition(), message.offset()]

        return acknowledged

    for index, record in enumerate(records):
        options = {name: record[name] for name in ("partition", "timestamp") if name in record}
        headers = [(name, decoded(value)) for name, value in record.get("headers", [])]
        producer.produce(
            topic,
            decoded(record.get("value")),
            decoded(record.get("key")),
            headers=headers or None,
            on_delivery=keep(index),
            **options,
        )
        producer.poll(0)
    producer.flush(SECONDS)
    failed = [place for place in places.values() if isinstance(place, str)]
    if failed or len(places) < len(records):
        raise RuntimeError(f"{len(records) - len(places)} without an answer, failed: {failed[:3]}")
    return [places[index] for index in range(len(records))]


def records(settings, topic):
    """All that is in a topic."""
    limits = {number: pair for number, pair in ends(settings, topic).items() if pair[0] < pair[1]}
    consumer = Consumer({**settings, "group.id": "desk", "enable.auto.commit": False})
    found = []
    try:
        consumer.assign([TopicPartition(topic, number, low) for number, (low, _) in limits.items()])
        missing = {number: high for number, (_, high) in limits.items()}
        deadline = time.monotonic() + SECONDS
        while missing:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{topic}: {len(found)} records, then nothing; left: {missing}")
            message = consumer.poll(1)
            if message is None:
                continue
            if message.error():
                raise RuntimeError(str(message.error()))
            deadline = time.monotonic() + SECONDS
            found.append(
                {
                    "partition": message.partition(),
                    "offset": message.offset(),
                    "key": encoded(message.key()),
                    "value": encoded(message.value()),
                    "timestamp": message.timestamp()[1],
                    "headers": [[name, encoded(data)] for name, data in message.headers() or []],
                }
            )
            if message.offset() + 1 >= missing.get(message.partition(), 0):
                missing.pop(message.partition(), None)
    finally:
        consumer.close()
    return found


OPERATIONS = {
    operation.__name__: operation
    for operation in (create, configure, delete, topics, ends, committed, groups, produce, records)
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, found = 200, OPERATIONS[self.path.strip("/")](**request)
        except Exception as error:
            status, found = 500, f"{type(error).__name__}: {error}"
        content = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
