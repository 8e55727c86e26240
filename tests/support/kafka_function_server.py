"""A function of a test: it answers by rules, and keeps what it got.

Records come to port 8080, the test's questions to 8081:

    GET    /calls   what it got so far: [{"at", "ended", "status", "path", "headers", "body" (base64), "pod"}, ...]
    DELETE /calls   forget it
    PUT    /rules   how to answer: [{"event": "" or an event-id's end, "key": "" or a key, "times": null or how often,
                    "status": 200, "headers": {}, "body": "", "seconds": 0.0}, ...]; the first that fits counts
"""

import base64
import http.server
import json
import socket
import threading
import time

CALLS = []
RULES = []
LOCK = threading.Lock()


def rule_for(headers):
    with LOCK:
        for rule in RULES:
            event, key = rule.get("event", ""), rule.get("key", "")
            fits = headers.get("event-id", "").endswith(event) and key in (
                "",
                headers.get("kafka-key"),
            )
            if fits and rule.get("times") != 0:
                if rule.get("times") is not None:
                    rule["times"] -= 1
                return dict(rule)
    return {}


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


class Answering(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, content, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


class Function(Answering):
    def do_POST(self):
        body = self.body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        rule = rule_for(headers)
        status = rule.get("status", 200)
        call = {
            "at": time.time(),
            "ended": None,
            "status": status,
            "path": self.path,
            "headers": headers,
            "body": base64.b64encode(body).decode(),
            "pod": socket.gethostname(),
        }
        with LOCK:
            CALLS.append(call)
        time.sleep(rule.get("seconds", 0))
        # Ended before the answer is on its way: whoever gets it finds it written down.
        call["ended"] = time.time()
        self.answer(status, rule.get("body", "").encode(), rule.get("headers"))


class Control(Answering):
    def do_GET(self):
        with LOCK:
            self.answer(200, json.dumps(CALLS).encode())

    def do_DELETE(self):
        with LOCK:
            CALLS.clear()
        self.answer(200, b"{}")

    def do_PUT(self):
        rules = json.loads(self.body())
        with LOCK:
            RULES[:] = rules
        self.answer(200, b"{}")


if __name__ == "__main__":
    threading.Thread(target=Server(("", 8081), Control).serve_forever, daemon=True).start()
    Server(("", 8080), Function).serve_forever()
