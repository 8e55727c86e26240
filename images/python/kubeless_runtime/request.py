"""The request that handlers see: Flask's, with Bottle's accessors.

Imported only when a handler asks for its request or uses Flask itself, with the
function's own Flask when it brings one.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from typing import IO, Any

import flask
from werkzeug.datastructures import FileStorage, ImmutableMultiDict, MultiDict

from kubeless_runtime.access import plain_address


class Forms(ImmutableMultiDict[str, Any]):
    """Form fields as Bottle gives them: also as attributes, '' for a missing one."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name, "")

    def getall(self, key: str) -> list[Any]:
        """Every value of a field."""
        return self.getlist(key)

    def getunicode(self, name: str, default: Any = None) -> Any:
        """The text of a field."""
        return self.get(name, default)

    def decode(self) -> Forms:
        """Itself: everything is text already."""
        return self


class Upload(FileStorage):
    """An uploaded file: Flask's, with Bottle's names."""

    @property
    def file(self) -> IO[bytes]:
        """The content."""
        return self.stream

    @property
    def raw_filename(self) -> str | None:
        """The file's name as the client sent it."""
        return self.filename

    def get_header(self, name: str, default: Any = None) -> Any:
        """A header of this part."""
        return self.headers.get(name, default)

    def save(
        self,
        dst: Any,
        buffer_size: int = 16384,
        *,
        overwrite: bool | None = None,
    ) -> None:
        """Store the content in a file, or in a folder under the client's file name.

        ``overwrite=False`` (also as Bottle's second argument) raises OSError when the file exists.
        """
        if isinstance(buffer_size, bool):
            overwrite, buffer_size = buffer_size, 16384
        if isinstance(dst, str) and os.path.isdir(dst):
            name = os.path.basename((self.filename or "").replace("\\", "/")).lstrip(".")
            dst = os.path.join(dst, name or "upload")
        if overwrite is False and isinstance(dst, str) and os.path.exists(dst):
            raise OSError(f"File exists: {dst}")
        super().save(dst, buffer_size)


class Request(flask.Request):
    """Flask's request; what Bottle's has under another name is there too."""

    def get_header(self, name: str, default: Any = None) -> Any:
        """A header."""
        return self.headers.get(name, default)

    def get_cookie(self, key: str, default: Any = None) -> Any:
        """A cookie (unsigned)."""
        return self.cookies.get(key, default)

    @property
    def query(self) -> Forms:
        """Fields of the query string."""
        return Forms(self.args)

    GET = query

    @property
    def forms(self) -> Forms:
        """Fields of a form in the body, without files."""
        return Forms(self.form)

    @property
    def POST(self) -> Forms:  # noqa: N802 (Bottle's name)
        """Fields and files of a form in the body."""
        return Forms(_pairs(self.form, self.files))

    @property
    def params(self) -> Forms:
        """Fields of query string and form."""
        return Forms(_pairs(self.args, self.form))

    @property
    def files(self) -> Any:
        """Uploaded files."""
        found = self.__dict__.get("_uploads")
        if found is None:
            pairs = _pairs(super().files)
            found = Forms(
                (
                    name,
                    Upload(f.stream, f.filename, f.name, f.content_type, headers=f.headers),
                )
                for name, f in pairs
            )
            self.__dict__["_uploads"] = found
        return found

    @property
    def body(self) -> io.BytesIO:
        """The body as a file."""
        return io.BytesIO(self.get_data(cache=True))


def wsgi_environ(environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    """A complete WSGI environ (PEP 3333) from what the HTTP server gives."""
    return {
        **environ,
        "REMOTE_ADDR": plain_address(environ["REMOTE_ADDR"]),
        "SCRIPT_NAME": "",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def make_app() -> flask.Flask:
    """A Flask application without routes: what jsonify, abort and flask.request work in."""
    app = flask.Flask("function", static_folder=None)
    app.request_class = Request
    return app


def _pairs(*dicts: MultiDict[str, Any]) -> Iterable[tuple[str, Any]]:
    return [pair for d in dicts for pair in d.items(multi=True)]
