"""Entry point: ``python3 -P kubeless_runtime`` (a folder) or ``python3 -m kubeless_runtime``."""

import sys

if not __package__:
    # Run as a folder: Python put the folder itself on the path, not its parent.
    sys.path[0] = __file__.rpartition("/")[0].rpartition("/")[0]

from kubeless_runtime.config import ConfigError, from_environ


def main() -> int:
    """Read the configuration and supervise; the exit code of the server."""
    import os

    try:
        config = from_environ(os.environ)
    except ConfigError as error:
        print(f"kubeless: {error}", file=sys.stderr, flush=True)
        return 1
    from kubeless_runtime.supervisor import Supervisor

    return Supervisor(config).run()


if __name__ == "__main__":
    sys.exit(main())
