"""Whether a live object still says what was asked for.

Live objects have more than was asked for (defaults, what others added), so
the question is whether the wanted object is contained in the live one. What
the API server writes in another way (quantities, fields that are empty) is
no difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

_FACTORS = {
    "": Decimal(1),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
    **{suffix: Decimal(1000) ** -power for power, suffix in enumerate("mun", start=1)},
}
_QUANTITY_PARENTS = frozenset({"limits", "requests"})


def drifted(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> str:
    """The path of the first field of ``wanted`` that the live object lacks; '' when it has all.

    A path is like ``spec.template.spec.containers[0].image``.
    """
    return _object(wanted, live, "", False) or ""


def _differs(wanted: Any, live: Any, path: str, quantity: bool) -> str | None:
    if not wanted and not live:
        return None  # the API server leaves empty values out
    if isinstance(wanted, Mapping):
        inside = path.rpartition(".")[2] in _QUANTITY_PARENTS
        return _object(wanted, live, path, inside) if isinstance(live, Mapping) else path
    if isinstance(wanted, list):
        return _list(wanted, live, path) if isinstance(live, list) else path
    if wanted == live or (quantity and _same_quantity(wanted, live)):
        return None
    return path


def _object(
    wanted: Mapping[str, Any], live: Mapping[str, Any], path: str, quantities: bool
) -> str | None:
    for key, value in wanted.items():
        below = f"{path}.{key}" if path else key
        found = _differs(value, live.get(key), below, quantities or key == "sizeLimit")
        if found:
            return found
    return None


def _list(wanted: list[Any], live: list[Any], path: str) -> str | None:
    if not all(isinstance(entry, Mapping) for entry in wanted):
        return None if wanted == live else path
    # A list of objects is a map by some key to the server; others may have added entries of theirs.
    for index, entry in enumerate(wanted):
        same_place = live[index] if index < len(live) else None
        here = f"{path}[{index}]"
        found = _differs(entry, same_place, here, False)
        if found and all(_differs(entry, other, here, False) for other in live):
            return found
    return None


def _same_quantity(wanted: Any, live: Any) -> bool:
    try:
        return _quantity(str(wanted)) == _quantity(str(live))
    except (InvalidOperation, KeyError):
        return False


def _quantity(text: str) -> Decimal:
    number = text.rstrip("KkMGTPEimun")
    # An E may also be the exponent of the number: 1E3.
    try:
        return Decimal(number) * _FACTORS[text[len(number) :]]
    except (InvalidOperation, KeyError):
        return Decimal(text)
