"""KafkaTriggers: from the spec to what is made, from what consumers say to the status.

No kubelet runs the pods: their status is written by the tests, and their /status served by them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS, KAFKA_TRIGGERS
from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS, EVENTS, PODS, REPLICASETS
from support.autoscalers import autoscale
from support.functions import manifest
from support.kafka_consumers import Consumer, config_of, kafka_manifest
from support.objects import exists, gone
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Subscribe = Callable[..., Object]
Condition = Callable[..., Object]
Consume = Callable[..., Consumer]

pytestmark = pytest.mark.usefixtures("controlled")


def status(client: Client, namespace: str, name: str = "orders") -> Object:
    found: Object = client.get(KAFKA_TRIGGERS, namespace, name).get("status") or {}
    return found


def names(config: Object) -> list[str]:
    return [function["name"] for function in config["functions"]]


def test_what_is_made(
    client: Client, namespace: str, deploy: Deploy, subscribe: Subscribe, kafka_condition: Condition
) -> None:
    deploy(timeout=30)
    made = subscribe(replicas=2, retry={"initialBackoff": "250ms"}, batch={"size": 10})
    assert kafka_condition("orders", "Accepted")["status"] == "True"
    config = config_of(client, namespace)
    assert config == {
        "version": 1,
        "hash": config["hash"],
        "namespace": namespace,
        "trigger": "orders",
        "bootstrapServers": "kafka.kubeless:9092",
        "topic": "orders",
        "security": {"protocol": "PLAINTEXT", "mechanism": ""},
        "functions": [
            {
                "name": "hello",
                "url": f"http://hello.{namespace}.svc:8080",
                "group": f"{namespace}_orders_hello_orders",
                "timeout": 30.0,
            }
        ],
        "startOffset": "latest",
        "retry": {"attempts": 8, "initialBackoff": 0.25, "maxBackoff": 60.0, "statuses": {}},
        "deadLetterTopic": "orders.dlq",
        "responseTopic": "",
        "batch": {"size": 10, "wait": 0.05},
        "maxInFlight": 32,
        "maxUncommitted": 1000,
        "paused": False,
    }
    assert len(config["hash"]) == 16
    deployment = client.get(DEPLOYMENTS, namespace, "orders-kafka")
    (owner,) = deployment["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("KafkaTrigger", made["metadata"]["uid"])
    assert deployment["spec"]["replicas"] == 2
    template = deployment["spec"]["template"]
    labels = template["metadata"]["labels"]
    assert labels["kubeless.io/kafka-client"] == "true"
    assert labels["kubeless.io/trigger"] == "kafka"
    # With both of these it would be an endpoint of a function's Service.
    assert not {"created-by", "function"} & labels.keys()
    pod = template["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    wait_for(lambda: status(client, namespace).get("replicas") == 2, "the status says so")
    told = status(client, namespace)
    assert told["selector"] == "kubeless.io/kafka-trigger=orders"
    assert (told["functions"], told["functionsMatched"]) == (["hello"], 1)
    assert (told["topic"], told["deadLetterTopic"]) == ("orders", "orders.dlq")
    assert kafka_condition("orders", "Ready", "Progressing")["status"] == "False"


def test_consumers_that_read(
    client: Client,
    namespace: str,
    deploy: Deploy,
    subscribe: Subscribe,
    kafka_condition: Condition,
    consumer: Consume,
) -> None:
    deploy()
    subscribe()
    one = consumer()
    told = kafka_condition("orders", "Ready", "Consuming")
    assert told["message"] == "3 partitions of topic 'orders' for 1 function: 1 consumer"
    found = status(client, namespace)
    assert (found["partitions"], found["assignedPartitions"], found["lag"]) == (3, 3, 6)
    assert found["startOffset"] == "latest"
    one.troubled("lastError", "HandlerFailed", "answered with 500")
    wait_for(lambda: status(client, namespace).get("lastError"), "the last error")
    assert status(client, namespace)["lastError"] == {
        "reason": "HandlerFailed",
        "message": "function hello: answered with 500",
        "time": "2026-01-01T00:00:00Z",
    }
    one.troubled("problem", "FunctionUnavailable", "nothing listens at its address")
    told = kafka_condition("orders", "Ready", "FunctionUnavailable")
    assert told["message"] == "function hello: nothing listens at its address"
    wait_for(
        lambda: any(
            event["reason"] == "FunctionUnavailable"
            and event["involvedObject"]["kind"] == "KafkaTrigger"
            for event in client.list(EVENTS, namespace)["items"]
        ),
        "an event tells it",
    )
    one.follow()
    kafka_condition("orders", "Ready", "Consuming")
    # What went wrong last stays.
    assert status(client, namespace)["lastError"]["reason"] == "HandlerFailed"


def test_functions_come_and_go_without_a_rollout(
    client: Client,
    namespace: str,
    deploy: Deploy,
    subscribe: Subscribe,
    kafka_condition: Condition,
    consumer: Consume,
) -> None:
    subscribe(functionSelector={"matchLabels": {"team": "red"}})
    told = kafka_condition("orders", "Ready", "NoFunctions")
    assert told["status"] == "False"
    before = client.get(DEPLOYMENTS, namespace, "orders-kafka")
    one = consumer()
    deploy("hello", labels={"team": "red"})
    deploy("other")
    wait_for(lambda: names(config_of(client, namespace)) == ["hello"], "hello is called")
    kafka_condition("orders", "Ready", "Progressing")

    def nudged() -> str:
        annotations = client.get(PODS, namespace, one.pod)["metadata"]["annotations"]
        found: str = annotations.get("kubeless.io/config-hash", "")
        return found

    # The kubelet is told at once, and again while the pod is behind.
    wait_for(lambda: nudged().startswith(config_of(client, namespace)["hash"]), "the pod is told")
    wait_for(lambda: nudged().endswith(".2"), "the pod is told again", 20)
    one.follow()
    kafka_condition("orders", "Ready", "Consuming")
    client.patch(FUNCTIONS, namespace, "other", {"metadata": {"labels": {"team": "red"}}})
    wait_for(lambda: names(config_of(client, namespace)) == ["hello", "other"], "and other")
    client.patch(FUNCTIONS, namespace, "hello", {"metadata": {"labels": {"team": "blue"}}})
    wait_for(lambda: names(config_of(client, namespace)) == ["other"], "hello is not any more")
    client.delete(FUNCTIONS, namespace, "other")
    wait_for(lambda: names(config_of(client, namespace)) == [], "nor is what was deleted")
    kafka_condition("orders", "Ready", "NoFunctions")
    after = client.get(DEPLOYMENTS, namespace, "orders-kafka")
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert (
        len(client.list(REPLICASETS, namespace, labels="kubeless.io/trigger=kafka")["items"]) == 1
    )


def test_a_function_of_kubectl_matches_the_labels_of_the_originals_command_line(
    client: Client, namespace: str, deploy: Deploy, subscribe: Subscribe
) -> None:
    deploy()
    deploy("other")
    subscribe(functionSelector={"matchLabels": {"created-by": "kubeless", "function": "hello"}})
    subscribe("all", functionSelector={"matchLabels": {"created-by": "kubeless"}})
    wait_for(
        lambda: (
            exists(client, CONFIGMAPS, namespace, "all-kafka")
            and names(config_of(client, namespace, "all")) == ["hello", "other"]
        ),
        "all are called",
    )
    wait_for(lambda: names(config_of(client, namespace)) == ["hello"], "one is called")


def test_a_function_that_cannot_be_built_is_named(
    client: Client,
    namespace: str,
    deploy: Deploy,
    subscribe: Subscribe,
    kafka_condition: Condition,
) -> None:
    deploy(service={"ports": [{"port": "many"}]})
    subscribe()
    told = kafka_condition("orders", "Ready", "FunctionInvalid")
    assert "the Function 'hello' cannot be built, and its records wait; mend it" in told["message"]
    assert "spec.service.ports[0].port: found 'many'" in told["message"]
    assert status(client, namespace)["functions"] == ["hello"]
    deploy()
    wait_for(lambda: names(config_of(client, namespace)) == ["hello"], "it is called once mended")


def test_scaling_and_pausing(
    client: Client,
    namespace: str,
    deploy: Deploy,
    subscribe: Subscribe,
    kafka_condition: Condition,
    consumer: Consume,
) -> None:
    deploy()
    subscribe()
    one = consumer(partitions=1)
    kafka_condition("orders", "Ready", "Consuming")
    # As kubectl scale and an autoscaler of the trigger do it.
    scale = client.get(KAFKA_TRIGGERS, namespace, "orders", subresource="scale")
    assert scale["status"]["selector"] == "kubeless.io/kafka-trigger=orders"
    client.patch(
        KAFKA_TRIGGERS, namespace, "orders", {"spec": {"replicas": 3}}, subresource="scale"
    )
    others = [consumer(partitions=1, assigned=range(0)) for _ in range(2)]
    wait_for(
        lambda: (
            "3 consumers; 2 have nothing to do" in kafka_condition("orders", "Ready")["message"]
        ),
        "the status says that there are too many",
    )
    told = kafka_condition("orders", "Ready", "Consuming")
    assert told["status"] == "True"
    assert status(client, namespace)["replicas"] == 3
    # A scaling of the Deployment by others stays, until the trigger wishes for another number.
    client.patch(DEPLOYMENTS, namespace, "orders-kafka", {"spec": {"replicas": 2}})
    client.patch(KAFKA_TRIGGERS, namespace, "orders", {"spec": {"paused": True}})
    told = kafka_condition("orders", "Ready", "Paused")
    assert told["status"] == "False"
    assert config_of(client, namespace)["paused"] is True
    assert client.get(DEPLOYMENTS, namespace, "orders-kafka")["spec"]["replicas"] == 2
    client.patch(KAFKA_TRIGGERS, namespace, "orders", {"spec": {"replicas": 0, "paused": None}})
    kafka_condition("orders", "Ready", "ScaledToZero")
    assert client.get(DEPLOYMENTS, namespace, "orders-kafka")["spec"]["replicas"] == 0
    assert one.requests
    assert all(other.requests for other in others)


def test_an_autoscaler_of_the_trigger(
    client: Client, namespace: str, deploy: Deploy, subscribe: Subscribe, kafka_condition: Condition
) -> None:
    deploy()
    subscribe()
    kafka_condition("orders", "Ready", "Progressing")
    autoscale(client, namespace, "KafkaTrigger", "orders", least=3, most=4)
    # Too few pods need no metric: the cluster's own controller raises them.
    wait_for(
        lambda: (
            client.get(DEPLOYMENTS, namespace, "orders-kafka")["spec"]["replicas"] == 3
            and client.get(KAFKA_TRIGGERS, namespace, "orders")["spec"]["replicas"] == 3
        ),
        "the autoscaler scales the trigger, and the trigger its pods",
    )


def test_a_topic_that_was_missing_is_read_from_its_start(
    client: Client,
    namespace: str,
    deploy: Deploy,
    subscribe: Subscribe,
    kafka_condition: Condition,
    consumer: Consume,
) -> None:
    deploy()
    subscribe()
    one = consumer(partitions=None, topicMissing=True)
    one.troubled("problem", "TopicNotFound", "the topic 'orders' does not exist")
    wait_for(lambda: status(client, namespace).get("topicMissing"), "it is remembered")
    wait_for(lambda: config_of(client, namespace)["startOffset"] == "earliest", "from its start")
    one.follow(topicMissing=True)
    kafka_condition("orders", "Ready", "Consuming")
    # Of another topic nothing is known.
    subscribe(topic="news")
    wait_for(lambda: config_of(client, namespace)["topic"] == "news", "another topic")
    wait_for(lambda: config_of(client, namespace)["startOffset"] == "latest", "from its end")
    one.follow()
    kafka_condition("orders", "Ready", "Consuming")
    assert "topicMissing" not in status(client, namespace)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"<html>", "it answers what is no JSON"),
        (b"[]", "it answers with version [] of the status, and this controller knows 1"),
        (b'{"version": 2}', "it answers with version 2 of the status"),
        (b'{"version": 1}', "a status that cannot be read: configHash: found NoneType"),
        (b'{"a":"' + b"x" * 1100000 + b'"}', "more than 1048576 bytes"),
    ],
)
def test_an_answer_that_is_broken(
    deploy: Deploy,
    subscribe: Subscribe,
    kafka_condition: Condition,
    consumer: Consume,
    answer: bytes,
    said: str,
) -> None:
    deploy()
    subscribe()
    one = consumer()
    kafka_condition("orders", "Ready", "Consuming")
    one.answer = answer
    told = kafka_condition("orders", "Ready", "ConsumerUnreadable")
    assert f"pod {one.pod} serves, and does not say how it is" in told["message"]
    assert said in told["message"]
    one.follow()
    kafka_condition("orders", "Ready", "Consuming")


def test_a_consumer_that_is_silent_or_gone_holds_nobody_up(
    client: Client,
    namespace: str,
    deploy: Deploy,
    subscribe: Subscribe,
    kafka_condition: Condition,
    consumer: Consume,
) -> None:
    deploy()
    subscribe()
    one = consumer()
    kafka_condition("orders", "Ready", "Consuming")
    one.delay.clear()
    subscribe("second")
    other = consumer("second")
    kafka_condition("second", "Ready", "Consuming")
    assert other.requests
    told = kafka_condition("orders", "Ready", "ConsumerUnreadable")
    assert (
        "does not answer within 2 s; does a NetworkPolicy keep the controller out?"
        in told["message"]
    )
    one.stop()
    wait_for(
        lambda: "Connection refused" in kafka_condition("orders", "Ready")["message"],
        "one that refuses",
        60,
    )


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (
            {"reason": "CreateContainerConfigError", "message": 'secret "me" not found'},
            "SecretMissing",
            "the Secret 'me' of this namespace must have the keys username and password",
        ),
        (
            {"reason": "ImagePullBackOff", "message": "no such image"},
            "ImagePullFailed",
            "no such image",
        ),
    ],
)
def test_pods_that_do_not_start(
    client: Client,
    namespace: str,
    deploy: Deploy,
    subscribe: Subscribe,
    kafka_condition: Condition,
    consumer: Consume,
    state: Object,
    reason: str,
    said: str,
) -> None:
    deploy()
    subscribe(auth={"secretRef": {"name": "me"}})
    one = consumer()
    waiting = {
        "name": "consumer",
        "image": "x",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"waiting": state},
    }
    one.report(
        {
            "phase": "Pending",
            "conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [waiting],
        }
    )
    told = kafka_condition("orders", "Ready", reason)
    assert said in told["message"]
    assert kafka_condition("orders", "Accepted")["status"] == "True"
    pod = client.get(DEPLOYMENTS, namespace, "orders-kafka")["spec"]["template"]["spec"]
    assert {
        "name": "auth",
        "secret": {"secretName": "me", "optional": True, "defaultMode": 420},
    } in pod["volumes"]
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounts["auth"] == "/etc/kubeless/kafka-auth"


def test_what_is_not_accepted_leaves_the_consumers_alone(
    client: Client, namespace: str, deploy: Deploy, subscribe: Subscribe, kafka_condition: Condition
) -> None:
    deploy()
    subscribe()
    kafka_condition("orders", "Accepted")
    before = client.get(DEPLOYMENTS, namespace, "orders-kafka")
    subscribe(functionSelector={})
    told = kafka_condition("orders", "Accepted", "NothingSelected")
    assert told["status"] == "False"
    assert "created-by: kubeless" in told["message"]
    assert kafka_condition("orders", "Ready", "NothingSelected")["status"] == "False"
    subscribe(bootstrapServers="far:9092", auth={"mechanism": "PLAIN"})
    told = kafka_condition("orders", "Accepted", "CredentialsMissing")
    after = client.get(DEPLOYMENTS, namespace, "orders-kafka")
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


def test_what_is_not_ours_is_left_alone(
    client: Client, namespace: str, deploy: Deploy, subscribe: Subscribe, kafka_condition: Condition
) -> None:
    foreign = {"metadata": {"name": "orders-kafka"}, "data": {"mine": "yes"}}
    client.create(
        CONFIGMAPS, {**foreign, "metadata": {**foreign["metadata"], "namespace": namespace}}
    )
    deploy()
    subscribe()
    told = kafka_condition("orders", "Accepted", "Conflict")
    assert "a ConfigMap named 'orders-kafka' exists already" in told["message"]
    assert client.get(CONFIGMAPS, namespace, "orders-kafka")["data"] == {"mine": "yes"}
    assert not exists(client, DEPLOYMENTS, namespace, "orders-kafka")


def test_drift_is_repaired_and_what_it_had_goes_with_it(
    client: Client, namespace: str, deploy: Deploy, subscribe: Subscribe, kafka_condition: Condition
) -> None:
    deploy()
    subscribe()
    kafka_condition("orders", "Accepted")
    before = config_of(client, namespace)
    edit = {"data": {"config.json": "{}"}}
    client.patch(CONFIGMAPS, namespace, "orders-kafka", edit, manager="somebody")
    wait_for(lambda: config_of(client, namespace) == before, "the configuration is back")
    client.delete(DEPLOYMENTS, namespace, "orders-kafka")
    wait_for(lambda: exists(client, DEPLOYMENTS, namespace, "orders-kafka"), "it is made again")
    client.delete(KAFKA_TRIGGERS, namespace, "orders")
    wait_for(
        lambda: (
            gone(client, DEPLOYMENTS, namespace, "orders-kafka")
            and gone(client, CONFIGMAPS, namespace, "orders-kafka")
        ),
        "nothing is left",
        60,
    )


def test_a_manifest_of_the_original(
    client: Client, namespace: str, deploy: Deploy, kafka_condition: Condition
) -> None:
    deploy()
    original = kafka_manifest(
        namespace,
        topic="orders",
        functionSelector={"matchLabels": {"created-by": "kubeless", "function": "hello"}},
    )
    original["metadata"] |= {
        "creationTimestamp": None,
        "finalizers": ["kubeless.io/kafkatrigger"],
        "labels": {"created-by": "kubeless"},
    }
    client.create(KAFKA_TRIGGERS, original)
    kafka_condition("orders", "Accepted", "Valid")
    metadata = client.get(KAFKA_TRIGGERS, namespace, "orders")["metadata"]
    assert "finalizers" not in metadata
    client.delete(KAFKA_TRIGGERS, namespace, "orders")
    wait_for(lambda: gone(client, KAFKA_TRIGGERS, namespace, "orders"), "it can be deleted")


def test_a_long_name(
    client: Client, namespace: str, deploy: Deploy, subscribe: Subscribe, kafka_condition: Condition
) -> None:
    deploy()
    name = "a" * 70 + ".b"
    subscribe(name)
    kafka_condition(name, "Accepted", "Valid")
    (deployment,) = [
        one
        for one in client.list(DEPLOYMENTS, namespace)["items"]
        if one["metadata"]["name"] != "hello"
    ]
    assert len(deployment["metadata"]["name"]) <= 63
    config = client.get(CONFIGMAPS, namespace, deployment["metadata"]["name"])["data"][
        "config.json"
    ]
    assert json.loads(config)["trigger"] == name


def test_a_function_is_seen_that_is_made_after(
    client: Client, namespace: str, subscribe: Subscribe, kafka_condition: Condition
) -> None:
    subscribe()
    kafka_condition("orders", "Ready", "NoFunctions")
    client.create(FUNCTIONS, manifest(namespace))
    wait_for(lambda: names(config_of(client, namespace)) == ["hello"], "it is called")
