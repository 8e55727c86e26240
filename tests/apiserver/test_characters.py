"""Text arrives in the cluster as it was written, whichever way it is written there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS
from support.functions import manifest

Object = dict[str, Any]

# What applies is read as YAML, which has opinions of its own about most of these.
CHARACTERS = "\x00\x01\x1f \x7f\x80\x85\x9f\xa0\u2028\u2029\ud7ff\ue000\ufdd0\ufeff\ufffd\ufffe\uffff\U0001f600\U0010ffff"
TEXT = f'"{CHARACTERS}" \\u0041 \\\\ \\{CHARACTERS} : # yes ~\r\n\t'


@pytest.mark.parametrize("verb", ["create", "apply", "patch"])
def test_every_character_is_kept(client: Client, namespace: str, verb: str) -> None:
    wanted = manifest(namespace, function=TEXT)
    if verb == "create":
        made = client.create(FUNCTIONS, wanted)
    elif verb == "apply":
        made = client.apply(FUNCTIONS, wanted, manager="test")
    else:
        client.create(FUNCTIONS, manifest(namespace))
        made = client.patch(FUNCTIONS, namespace, "hello", {"spec": {"function": TEXT}})
    assert made["spec"]["function"] == TEXT


@pytest.mark.usefixtures("controlled")
def test_source_with_characters_beyond_16_bits_is_deployed(
    client: Client, namespace: str, deploy: Callable[..., Object], condition: Callable[..., Object]
) -> None:
    source = "def handler(event, context):\n    return '\N{GRINNING FACE}'\n"
    deploy(function=source)
    assert condition("hello", "Ready", "Progressing")
    pod = client.get(DEPLOYMENTS, namespace, "hello")["spec"]["template"]["spec"]
    name = pod["volumes"][0]["configMap"]["name"]
    assert client.get(CONFIGMAPS, namespace, name)["data"] == {"hello.py": source}
