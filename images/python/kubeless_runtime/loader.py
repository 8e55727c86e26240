"""From the source file to the handler.

A function's own packages come first on the path, then its folder, then the
interpreter's; the server's packages come last, so that a function may use Flask
without bringing it and is served by its own version when it does.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import site
import sys
import traceback
from collections.abc import Callable
from typing import Any

from kubeless_runtime.config import Config

Handler = Callable[..., Any]

#: Where the image keeps the server's packages; beside the server's own folder.
PACKAGES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "packages")


class LoadError(Exception):
    """The function can't be loaded. ``str`` is one line; ``trace`` the traceback, maybe empty."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(" ".join(message.split()))
        self.trace = trace


def set_path(volume: str) -> None:
    """Arrange ``sys.path`` for a function whose source and packages lie in ``volume``."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = f"{volume}/lib/{version}/site-packages"
    known = list(sys.path)
    if os.path.isdir(packages):
        site.addsitedir(packages)  # also follows .pth files
    added = [path for path in sys.path if path not in known]
    rest = [path for path in known if path not in (volume, PACKAGES)]
    sys.path[:] = [*added, volume, *rest]
    if os.path.isdir(PACKAGES):
        sys.path.append(PACKAGES)


def load(config: Config) -> Handler:
    """Run the module and find the handler. Raises LoadError with the reason."""
    if not os.path.isfile(config.source):
        raise LoadError(_missing_file(config))
    module = _execute(config)
    handler = getattr(module, config.function, None)
    if handler is None and not hasattr(module, config.function):
        there = sorted(
            name
            for name, value in vars(module).items()
            if callable(value)
            and not name.startswith("_")
            and getattr(value, "__module__", "") == module.__name__
        )
        has = f"it has: {', '.join(there)}" if there else "it defines no functions"
        raise LoadError(f"module {config.module!r} has no function {config.function!r}; {has}")
    if not callable(handler):
        raise LoadError(
            f"{config.function!r} in module {config.module!r} is not a function "
            f"but a {type(handler).__name__}"
        )
    return handler  # type: ignore[no-any-return]


def report(error: LoadError, termination_log: str) -> None:
    """Say why on standard error and in the pod's termination message."""
    text = f"kubeless: {error}\n{error.trace}"
    sys.stderr.write(text)
    sys.stderr.flush()
    try:
        with open(termination_log, "w", encoding="utf-8", errors="replace") as file:
            # The kubelet keeps 4096 bytes; the reason stands first.
            file.write(text[:4000])
    except OSError:
        pass  # outside a pod there is no such file


def _execute(config: Config) -> Any:
    name = _module_name(config)
    loader = importlib.machinery.SourceFileLoader(name, config.source)
    spec = importlib.util.spec_from_file_location(name, config.source, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except SyntaxError as error:
        where = f"{os.path.basename(error.filename or config.source)}, line {error.lineno}"
        raise LoadError(f"{type(error).__name__} in {where}: {error.msg}", _trace()) from error
    except ModuleNotFoundError as error:
        raise LoadError(
            f"module {config.module!r} needs {error.name!r}, which is not installed: "
            "name it in the function's dependencies (requirements.txt)",
            _trace(),
        ) from error
    except SystemExit as error:
        raise LoadError(
            f"module {config.module!r} ended the process while it was imported "
            f"(exit code {error.code!r})",
            _trace(),
        ) from error
    except BaseException as error:
        raise LoadError(
            f"module {config.module!r} failed while it was imported: "
            f"{type(error).__name__}: {error}",
            _trace(),
        ) from error
    return module


def _module_name(config: Config) -> str:
    """The module's own name, unless something else of that name would be hidden by it."""
    name = config.module
    if name in sys.modules or name in sys.stdlib_module_names:
        return "function"
    elsewhere = [path for path in sys.path if path != config.volume]
    return "function" if importlib.machinery.PathFinder.find_spec(name, elsewhere) else name


def _missing_file(config: Config) -> str:
    try:
        there = sorted(n for n in os.listdir(config.volume) if n.endswith(".py"))
    except OSError as error:
        return f"there is no {config.source}: {config.volume}: {error.strerror}"
    has = ", ".join(there) if there else "no Python file"
    return f"there is no {config.source}; {config.volume} has: {has}"


def _trace() -> str:
    """The current exception's traceback without the frames of the server and of importlib."""
    kind, error, tb = sys.exc_info()
    while tb is not None and (
        "importlib" in tb.tb_frame.f_code.co_filename or tb.tb_frame.f_code.co_filename == __file__
    ):
        tb = tb.tb_next
    return "".join(traceback.format_exception(kind, error, tb))
