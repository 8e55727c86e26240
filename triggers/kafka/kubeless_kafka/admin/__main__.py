"""`python3 -m kubeless_kafka.admin`: one request from standard input, its answers to standard output.

It writes nothing before it has read the request, since only then somebody surely is attached, and
after its last answer it stays until its input ends, so that nothing is lost on the way out.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from kubeless_kafka.admin import frames
from kubeless_kafka.admin.failure import Failure
from kubeless_kafka.admin.frames import Body
from kubeless_kafka.admin.operations import answer
from kubeless_kafka.connection import AUTH_DIR, TLS_DIR

Object = dict[str, Any]


def serve(stdin: BinaryIO, stdout: BinaryIO, auth_dir: Path, tls_dir: Path) -> int:
    """Answer one request; returns the exit code, which is 0 whenever an answer was given."""

    def tell(head: Object, bodies: Sequence[Body] = ()) -> None:
        stdout.write(frames.encode(head, bodies))
        stdout.flush()

    try:
        request = frames.read(stdin)
        if request is None:
            return 1
        tell({"type": "end", "result": answer(request, _frames(stdin), tell, auth_dir, tls_dir)})
    except Failure as error:
        tell(_failed(error.reason, error.message))
    except frames.FrameError as error:
        tell(_failed("ProtocolError", f"The request can't be read: found {error}."))
    except (KeyError, ValueError, TypeError) as error:
        tell(_failed("InvalidRequest", f"The request can't be carried out: {error!r}."))
    return 0


def _failed(reason: str, message: str) -> Object:
    return {"type": "end", "error": {"reason": reason, "message": message}}


def _frames(stdin: BinaryIO) -> Iterator[tuple[Object, list[Body]]]:
    while (frame := frames.read(stdin)) is not None:
        yield frame


def main() -> int:
    """Serve standard input and output."""
    parser = argparse.ArgumentParser(prog="python3 -m kubeless_kafka.admin", description=__doc__)
    parser.add_argument("--auth-dir", type=Path, default=AUTH_DIR, help="folder of the credentials")
    parser.add_argument("--tls-dir", type=Path, default=TLS_DIR, help="folder of the certificates")
    options = parser.parse_args()
    try:
        code = serve(sys.stdin.buffer, sys.stdout.buffer, options.auth_dir, options.tls_dir)
        while os.read(sys.stdin.fileno(), 65536):
            pass
    except BrokenPipeError:
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
