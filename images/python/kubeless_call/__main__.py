"""Entry point: ``python3 -I -S kubeless_call`` with what to call in the environment.

KUBELESS_URL       the function's address, like http://hello.default.svc:8080
KUBELESS_HEADERS   header lines that the call has besides its own, one a line
KUBELESS_PAYLOAD   a file with the JSON that is sent; empty: none is
KUBELESS_TIMEOUT   seconds that the call may take
KUBELESS_CRONJOB   name of the CronJob, to tell by the Job's name for when it was scheduled
KUBELESS_JOB_NAME  name of the Job
KUBELESS_JOB_UID   uid of the Job, which is the event's identity
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

if not __package__:
    # Run as a folder: Python put the folder itself on the path, not its parent.
    sys.path[0] = __file__.rpartition("/")[0].rpartition("/")[0]

from kubeless_call.call import call
from kubeless_call.errors import CallError
from kubeless_call.event import headers

TERMINATION_LOG = "/dev/termination-log"


def main(environ: Mapping[str, str]) -> int:
    """Call the function; the exit code. A failure is one line on stderr and in the pod's termination message."""
    try:
        status = call(
            environ["KUBELESS_URL"],
            headers(environ, time.time()),
            payload(environ.get("KUBELESS_PAYLOAD", "")),
            float(environ["KUBELESS_TIMEOUT"]),
        )
    except CallError as error:
        tell(str(error))
        return 1
    print(f"{environ['KUBELESS_URL']}: answered {status}", flush=True)
    return 0


def payload(file: str) -> bytes | None:
    """What is sent; None without a file. Raises CallError."""
    if not file:
        return None
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise CallError(f"the payload {file} cannot be read: {error.strerror}") from error


def tell(message: str) -> None:
    """Say why it failed where a person, and the controller, look."""
    print(f"kubeless: {message}", file=sys.stderr, flush=True)
    try:
        # Made by the kubelet; outside of a pod there is none.
        with open(TERMINATION_LOG, "r+", encoding="utf-8") as log:
            log.write(message)
    except OSError:
        pass


if __name__ == "__main__":
    sys.exit(main(os.environ))
