"""Entry point: runs the command tree and turns every way it can end into an exit code.

0 done, 1 failed, 2 wrong usage, 130 interrupted, 141 the reader of our output went away.
Only this module decides what a failure looks like; commands just raise.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import NoReturn

INTERRUPTED = 130
READER_GONE = 141


def main() -> NoReturn:
    """Run `kubeless` with `sys.argv` and exit."""
    if not sys.warnoptions:
        # For developers. What users chose themselves (insecure-skip-tls-verify) needs no echo.
        warnings.simplefilter("ignore")
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # Standard output is closed: give the interpreter's final flush somewhere harmless to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = READER_GONE
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line; returns its exit code. Raises only KeyboardInterrupt, BrokenPipeError
    and, with KUBELESS_DEBUG set, whatever a command raised."""
    import click

    from kubeless_cli.app import root
    from kubeless_cli.errors import explain

    if "_KUBELESS_COMPLETE" in os.environ:
        root.main(arguments, prog_name="kubeless")
    try:
        # Not root.main(), which takes a closed standard output for success.
        with root.make_context("kubeless", arguments) as context:
            root.invoke(context)
        return 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("KUBELESS_DEBUG"):
            raise
        click.echo(f"Error: {explain(error)}", err=True)
        return 1


if __name__ == "__main__":
    main()
