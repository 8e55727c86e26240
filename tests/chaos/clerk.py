"""Sends the records of a run at an even pace, and keeps the ledger of what was processed.

Runs in a pod that nobody kills, in the consumer's image. A function posts each success here before it answers,
so that the ledger has it whatever becomes of the function and of the consumer.

    POST /flow     start to send; the body says what (``Flow``)
    GET  /flow     {"done": bool, "error": "", "acknowledged": [[key, number, poison], ...]}
    POST /done     a line of the ledger; the body is the event's id, `<topic>/<partition>/<offset>`
    GET  /ledger   {"<topic>": [[partition, offset, seconds since the epoch], ...]}, in order
"""

import collections
import json
import os
import random
import threading
import time

from aiohttp import web
from confluent_kafka import Producer

LEDGER = collections.defaultdict(list)


class Flow(threading.Thread):
    """Sends ``count`` records over ``keys`` keys within ``seconds``; ``poison`` of them, at random places."""

    def __init__(self, topic, count, keys, seconds, poison, seed):
        super().__init__(daemon=True)
        self.topic, self.count, self.keys, self.seconds = topic, count, keys, seconds
        self.chance = random.Random(seed)
        self.poison = set(self.chance.sample(range(count), poison))
        self.acknowledged = []
        self.error = ""
        self.done = False

    def run(self):
        try:
            self.send()
        except Exception as error:
            self.error = repr(error)
        self.done = True

    def send(self):
        # Idempotent: what is sent again after a broker's end is neither doubled nor out of order.
        producer = Producer(
            {
                "bootstrap.servers": os.environ["BOOTSTRAP"],
                "enable.idempotence": True,
                "linger.ms": 5,
                "message.timeout.ms": 120_000,
            }
        )
        numbers = collections.Counter()
        began = time.monotonic()
        for index in range(self.count):
            key = f"key-{self.chance.randrange(self.keys)}"
            number, poison = numbers[key], index in self.poison
            numbers[key] += 1
            value = json.dumps({"key": key, "number": number, "poison": poison})
            producer.produce(
                self.topic, value, key, on_delivery=self.delivered(key, number, poison)
            )
            producer.poll(0)
            ahead = began + self.seconds * index / self.count - time.monotonic()
            if ahead > 0.01:
                time.sleep(ahead)
        left = producer.flush(150)
        if left:
            self.error = f"{left} records were not acknowledged"

    def delivered(self, key, number, poison):
        def keep(error, _message):
            if error is not None:
                self.error = str(error)
            else:
                self.acknowledged.append((key, number, poison))

        return keep


FLOWS = {}


async def start(request):
    wanted = await request.json()
    flow = FLOWS[wanted["topic"]] = Flow(**wanted)
    flow.start()
    return web.json_response({})


async def progress(request):
    flow = FLOWS[request.query["topic"]]
    acknowledged = flow.acknowledged if flow.done else []
    return web.json_response({"done": flow.done, "error": flow.error, "acknowledged": acknowledged})


async def done(request):
    topic, partition, offset = (await request.text()).rsplit("/", 2)
    LEDGER[topic].append((int(partition), int(offset), time.time()))
    return web.Response(status=204)


async def ledger(_request):
    return web.json_response(LEDGER)


def main():
    app = web.Application()
    app.add_routes(
        [
            web.post("/flow", start),
            web.get("/flow", progress),
            web.post("/done", done),
            web.get("/ledger", ledger),
        ]
    )
    web.run_app(app, port=8080, access_log=None, print=None)


if __name__ == "__main__":
    main()
