"""Tells what its container lets it do: its status as the kernel has it, and the folders it can write to."""

from pathlib import Path


def handler(event, context):
    return {
        "status": Path("/proc/self/status").read_text(),
        "writable": [folder for folder in event["data"] if writes(folder)],
    }


def writes(folder):
    try:
        Path(folder, "written").write_text("x")
    except OSError:
        return False
    return True
