"""Takes as many seconds as the request's body says; answers with the most calls seen at once."""

import threading
import time

lock = threading.Lock()
running = 0
most = 0


def handler(event, context):
    global running, most  # noqa: PLW0603 - what a function keeps between calls
    with lock:
        running += 1
        most = max(most, running)
    try:
        time.sleep(float(event["data"] or 0.2))
    finally:
        with lock:
            running -= 1
    return most
