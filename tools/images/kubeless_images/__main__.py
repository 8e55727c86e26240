"""Entry point: ``python tools/images/kubeless_images COMMAND`` or ``python -m kubeless_images``."""

import sys
from pathlib import Path

if not __package__:
    # Run as a folder: Python put the folder itself on the path, not its parent.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from kubeless_images.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
