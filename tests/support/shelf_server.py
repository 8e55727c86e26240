"""Serves the files of an archive, over HTTP at 8080 and, with a certificate, over HTTPS at 8443.

Runs in a pod, with nothing but the standard library. SHELF_CREDENTIALS (`user:password`) are asked for where they are set, as
a user's or as a token (the password). What was asked, and whether it was known who asks, goes to the log. A proxy's
requests are answered too: of an absolute address the path counts.
"""

import base64
import http.server
import os
import pathlib
import ssl
import tarfile
import threading
from urllib.parse import unquote, urlsplit

FOLDER = pathlib.Path("/shelf")
CREDENTIALS = os.environ.get("SHELF_CREDENTIALS", "")


def files():
    """Content by path, of every file in the archive."""
    found = {}
    with tarfile.open(FOLDER / "files.tar.gz") as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            if content is not None:
                found["/" + entry.name.removeprefix("./")] = content.read()
    return found


FILES = files()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = urlsplit(self.path)
        path = unquote(asked.path)
        path += "index.html" if path.endswith("/") else ""
        known = self.known()
        print("asked", asked.netloc or "-", path, "known" if known else "unknown", flush=True)
        if not known:
            self.answer(401, b"who are you?\n")
        elif path in FILES:
            self.answer(200, FILES[path])
        else:
            self.answer(404, b"no such file\n")

    def known(self):
        if not CREDENTIALS:
            return True
        basic = "Basic " + base64.b64encode(CREDENTIALS.encode()).decode()
        token = "Bearer " + CREDENTIALS.partition(":")[2]
        return self.headers.get("Authorization") in (basic, token)

    def answer(self, status, content):
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="shelf"')
        self.send_header(
            "Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream"
        )
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


def main():
    certificate = FOLDER / "tls.crt"
    if certificate.exists():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, FOLDER / "tls.key")
        secure = http.server.ThreadingHTTPServer(("", 8443), Handler)
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        threading.Thread(target=secure.serve_forever, daemon=True).start()
    http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()


main()
