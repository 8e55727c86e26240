"""Prints, and leaves the last line open."""

import sys


def handler(event, context):
    print("to stdout é")
    print("to stderr", file=sys.stderr)
    print("an open line", end="")
    return "printed"
