"""Entry point: ``python3 -P kubeless_runtime`` (a folder) or ``python3 -m kubeless_runtime``.

The socket comes before everything else: a call or a probe that arrives while the
function still loads then waits in the socket's queue instead of being refused. A
kubelet probes as soon as the process exists, and after a refusal only a second later.
"""

import os
import sys

if not __package__:
    # Run as a folder: Python put the folder itself on the path, not its parent.
    sys.path[0] = __file__.rpartition("/")[0].rpartition("/")[0]

from kubeless_runtime.listener import listen

listener, refused = listen(os.environ.get("FUNC_PORT"))

from kubeless_runtime.config import ConfigError, from_environ  # noqa: E402 (see above)


def main() -> int:
    """Read the configuration and supervise; the exit code of the server."""
    try:
        config = from_environ(os.environ)
    except ConfigError as error:
        print(f"kubeless: {error}", file=sys.stderr, flush=True)
        return 1
    if listener is None:
        print(
            f"kubeless: can't use port {config.port} (FUNC_PORT): {refused}",
            file=sys.stderr,
            flush=True,
        )
        return 1
    from kubeless_runtime.supervisor import Supervisor

    return Supervisor(config, listener).run()


if __name__ == "__main__":
    sys.exit(main())
