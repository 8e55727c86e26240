"""Flask, and the same handlers for functions-framework."""

import time

from flask import Flask, jsonify, request

app = Flask(__name__)


def echo(request):
    return jsonify(request.get_json())


def sleep(request):
    time.sleep(0.02)
    return jsonify(request.get_json())


@app.post("/")
def flask_echo():
    return echo(request)


@app.post("/sleep")
def flask_sleep():
    return sleep(request)
