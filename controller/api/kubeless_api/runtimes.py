"""The installation's runtimes: which image runs which id, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kubeless_api.conditions import UNKNOWN_RUNTIME
from kubeless_api.errors import SpecError

INSTALL_COMMAND = ("/opt/kubeless/install",)


@dataclass(frozen=True)
class Runtime:
    """One row of the table: ``suffix`` is the source file's, with its dot; ``aliases`` are older ids.

    ``install_image`` runs ``install_command`` to install what ``dependency_file`` lists; without one
    the runtime knows no dependencies.
    """

    id: str
    image: str
    suffix: str
    dependency_file: str = ""
    install_image: str = ""
    install_command: tuple[str, ...] = INSTALL_COMMAND
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuntimeTable:
    """All runtimes, found by id or by one of their aliases."""

    runtimes: tuple[Runtime, ...]
    _by_name: dict[str, Runtime] = field(init=False, repr=False, compare=False)

    def __init__(self, runtimes: Iterable[Runtime]) -> None:
        object.__setattr__(self, "runtimes", tuple(runtimes))
        by_name: dict[str, Runtime] = {}
        # An id wins over an alias of the same name, wherever the two stand.
        for runtime in self.runtimes:
            by_name.update(dict.fromkeys(runtime.aliases, runtime))
        for runtime in self.runtimes:
            by_name[runtime.id] = runtime
        object.__setattr__(self, "_by_name", by_name)

    def find(self, name: str) -> Runtime:
        """The runtime of this id or alias. Raises SpecError with the ids that exist."""
        runtime = self._by_name.get(name)
        if runtime is None:
            known = ", ".join(sorted(runtime.id for runtime in self.runtimes)) or "none"
            language = name.rstrip("0123456789.").rstrip("_")
            hint = (
                ""
                if any(known_.id.startswith(language) for known_ in self.runtimes if language)
                else "; a language that is not among them runs from an image of your own (spec.image)"
            )
            raise SpecError(
                UNKNOWN_RUNTIME,
                f"spec.runtime: found {name!r}; this installation has {known}{hint}",
            )
        return runtime
