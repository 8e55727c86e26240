"""The consumer with a broken order of commits: the newest record that it has read, not the last below which all are done.

This is what a consumer does that commits what it read and works on it afterwards. The run of chaos must find
what gets lost.
"""

import runpy

import confluent_kafka


class Consumer(confluent_kafka.Consumer):
    """Commits its position, whatever it was told; what it is told only where it has read nothing yet.

    What it says of it is as if it had done what it was told.
    """

    def __init__(self, config, **more):
        self._told = {}
        hear = config["on_commit"]

        def answered(error, partitions):
            for one in partitions:
                one.offset = self._told.pop((one.partition, one.offset), one.offset)
            hear(error, partitions)

        super().__init__({**config, "on_commit": answered}, **more)

    def commit(self, message=None, offsets=None, asynchronous=True):
        read = self.position(offsets)
        newest = [
            there if there.offset > place.offset else place
            for there, place in zip(read, offsets, strict=True)
        ]
        for place, there in zip(offsets, newest, strict=True):
            self._told[place.partition, there.offset] = place.offset
        return super().commit(offsets=newest, asynchronous=asynchronous)


confluent_kafka.Consumer = Consumer
runpy.run_module("kubeless_kafka", run_name="__main__", alter_sys=True)
