"""Plain text tables: columns padded with spaces, wide cells wrapped; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import wrap

MAX_COLUMN = 50
GAP = "  "


def render(rows: Sequence[Sequence[str]], max_width: int = MAX_COLUMN) -> str:
    """The rows as lines of aligned columns; a cell of several lines takes several lines."""
    cells = [[_lines(cell, max_width) for cell in row] for row in rows]
    widths = [
        max(len(line) for cell in column for line in cell) for column in zip(*cells, strict=True)
    ]
    lines = []
    for row in cells:
        for index in range(max(len(cell) for cell in row)):
            parts = [
                (cell[index] if index < len(cell) else "").ljust(width)
                for cell, width in zip(row, widths, strict=True)
            ]
            lines.append(GAP.join(parts).rstrip())
    return "\n".join(lines)


def plain(text: str) -> str:
    """Text without the control characters that would drive the terminal; newlines and tabs stay."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "�", text.replace("\r\n", "\n"))


def _lines(cell: str, max_width: int) -> list[str]:
    lines = []
    for line in plain(cell).expandtabs(4).splitlines():
        if len(line) <= max_width:
            lines.append(line)
        else:
            indent = re.match(r"\s*", line)
            lines += wrap(
                line,
                max_width,
                subsequent_indent=indent.group()[: max_width // 2] if indent else "",
                drop_whitespace=True,
            )
    return lines or [""]
