"""WSGI without a framework: JSON in, JSON out; below /sleep after 20 ms."""

import json
import time


def app(environ, start_response):
    body = json.dumps(json.loads(environ["wsgi.input"].read())).encode()
    if environ["PATH_INFO"] == "/sleep":
        time.sleep(0.02)
    headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]
