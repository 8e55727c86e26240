"""Loading, configuration, SIGTERM, dying workers, what it takes."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from .conftest import ROOT, Serve, eventually

OK = "def handler(event, context):\n    return 'ok'\n"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def handler(:\n", "SyntaxError in fn.py, line 1: "),
        ("def other(event, context): pass\ndef _x(): pass\n",
         "module 'fn' has no function 'handler'; it has: other"),
        ("x = 1\n", "module 'fn' has no function 'handler'; it defines no functions"),
        ("handler = 3\n", "'handler' in module 'fn' is not a function but a int"),
        ("import no_such_thing\n",
         "module 'fn' needs 'no_such_thing', which is not installed: name it in"),
        ("import sys\nsys.exit(4)\n", "ended the process while it was imported (exit code 4)"),
        ("1 / 0\n", "failed while it was imported: ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
def test_module_that_does_not_load(launch: Serve, source: str, reason: str) -> None:
    server = launch(source)
    assert server.process.wait(timeout=10) == 1
    for text in (server.output(), server.termination.read_text()):
        first, _, trace = text.partition("\n")
        assert first.startswith("kubeless: ")
        assert reason in first
        assert "kubeless_runtime" not in trace
    if "1 / 0" in source:
        assert 'fn.py", line 1, in <module>' in server.output()


def test_missing_file(launch: Serve) -> None:
    server = launch({"other.py": OK})
    assert server.process.wait(timeout=10) == 1
    assert f"there is no {server.volume}/fn.py; {server.volume} has: other.py" in server.output()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("FUNC_TIMEOUT", "abc", "FUNC_TIMEOUT is 'abc': expected a number of seconds"),
        ("FUNC_TIMEOUT", "-1", "FUNC_TIMEOUT is '-1': expected a number of seconds"),
        ("FUNC_TIMEOUT", "nan", "FUNC_TIMEOUT is 'nan': expected a number of seconds"),
        ("FUNC_PORT", "70000", "FUNC_PORT is '70000': expected a whole number from 1 to 65535"),
        ("FUNC_CONCURRENCY", "1.5", "FUNC_CONCURRENCY is '1.5': expected a whole number"),
        ("FUNC_CORS", "maybe", "FUNC_CORS is 'maybe': expected true or false"),
        ("KUBELESS_ACCESS_LOG", "x", "KUBELESS_ACCESS_LOG is 'x': expected true or false"),
        ("FUNC_MEMFILE_MAX", "1MB", "FUNC_MEMFILE_MAX is '1MB': expected a whole number"),
        ("MOD_NAME", "UNSET", "MOD_NAME is not set"),
        ("FUNC_HANDLER", "", "FUNC_HANDLER is not set"),
        ("MOD_NAME", "../x", "MOD_NAME is '../x': expected the module's name, not a path"),
    ],
)
def test_wrong_configuration_is_one_line_and_exit_1(
    launch: Serve, name: str, value: str, expected: str
) -> None:
    server = launch(OK, env={name: value})
    assert server.process.wait(timeout=10) == 1
    assert server.output().startswith(f"kubeless: {expected}")
    assert server.output().count("\n") == 1


def test_port_in_use(launch: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        server = launch(OK, env={"FUNC_PORT": port})
        assert server.process.wait(timeout=10) == 1
        assert f"can't use port {port} (FUNC_PORT): Address already in use" in server.output()


def test_module_with_a_hyphen(serve: Serve) -> None:
    assert serve(OK, module="pubsub-python").get().text == "ok"


@pytest.mark.parametrize("module", ["json", "select", "calendar", "app", "flask"])
def test_module_named_like_a_library(serve: Serve, module: str) -> None:
    source = "import json, select, calendar, flask\ndef handler(event, context):\n    return json.dumps([1])"
    if module in ("calendar", "flask"):
        source = OK
    assert serve(source, module=module).get().status == 200


def test_modules_beside_the_source_and_installed_packages(serve: Serve) -> None:
    import sys

    version = "3.13" if ROOT else f"{sys.version_info.major}.{sys.version_info.minor}"
    if ROOT:
        version = next(Path(ROOT, "usr/lib").glob("python3.[0-9]*")).name.removeprefix("python")
    packages = f"lib/python{version}/site-packages"
    server = serve(
        {
            "fn.py": "import beside, click, helped\n"
            "def handler(event, context):\n    return [beside.a, click.a, helped.a]",
            "beside.py": "a = 1",
            f"{packages}/click.py": "a = 2",  # the server's own click stays behind
            f"{packages}/more.pth": "extra\n",
            f"{packages}/extra/helped.py": "a = 3",
        }
    )
    assert server.get().json() == [1, 2, 3]


def test_module_of_the_same_name_as_its_dependency(serve: Serve) -> None:
    import sys

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if ROOT:
        version = next(Path(ROOT, "usr/lib").glob("python3.[0-9]*")).name.removeprefix("python")
    server = serve(
        {
            "redis.py": "import redis\ndef handler(event, context):\n    return redis.real",
            f"lib/python{version}/site-packages/redis.py": "real = 'yes'",
        },
        module="redis",
    )
    assert server.get().text == "yes"


def test_sigterm_drains(serve: Serve) -> None:
    server = serve(
        """
        import time
        def handler(event, context):
            time.sleep(float(event["data"] or 0))
            return "done"
        """,
        env={"KUBELESS_DRAIN_DELAY": "0.6"},
    )
    replies = []
    long = threading.Thread(target=lambda: replies.append(server.post("1.2")))
    long.start()
    time.sleep(0.1)
    start = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: server.get("/healthz").status == 503)
    during = server.post("0")
    assert (during.text, during.headers["connection"]) == ("done", "close")
    time.sleep(max(0, 0.75 - (time.monotonic() - start)))
    with pytest.raises(OSError):  # noqa: PT011 (refused or reset)
        server.get()
    assert server.process.wait(timeout=10) == 0
    long.join()
    assert replies[0].text == "done"
    assert 1.0 < time.monotonic() - start < 2.0


def test_sigterm_without_requests_exits_0_at_once(serve: Serve) -> None:
    server = serve(OK)
    server.get()
    with socket.create_connection(("127.0.0.1", server.port)):  # an idle connection
        start = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - start < 1


def test_sigterm_while_the_module_loads(launch: Serve) -> None:
    server = launch("import time\nprint('loading')\ntime.sleep(60)\n")
    eventually(lambda: "loading" in server.output())
    start = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - start < 1


def test_sigterm_ends_a_stuck_call_with_its_time(serve: Serve) -> None:
    server = serve("import time\ndef handler(event, context):\n    time.sleep(60)", timeout=0.6)
    replies = []
    stuck = threading.Thread(target=lambda: replies.append(server.get()))
    stuck.start()
    time.sleep(0.1)
    assert server.stop() == 0
    stuck.join()
    assert replies[0].status == 408


def test_worker_that_dies_is_replaced(serve: Serve) -> None:
    server = serve(
        "import os\ndef handler(event, context):\n    os._exit(7) if event['data'] else None\n    return 'ok'"
    )
    with pytest.raises((http.client.HTTPException, OSError)):
        server.post("die")
    assert eventually(lambda: _text(server)) == "ok"
    assert "ended unexpectedly (exit code 7)" in server.output()


def _text(server: object) -> str:
    try:
        return server.get().text  # type: ignore[attr-defined,no-any-return]
    except (OSError, http.client.HTTPException):
        return ""


def test_counters_outlive_their_worker(serve: Serve) -> None:
    server = serve(OK)
    server.get()
    os.kill(next(iter(server.workers())), signal.SIGKILL)
    assert eventually(lambda: _text(server)) == "ok"
    assert server.metric("function_calls_total", method="GET") >= 2


def test_workers_that_keep_dying_end_the_server(serve: Serve) -> None:
    server = serve("import os\ndef handler(event, context):\n    os._exit(7)")
    for _ in range(40):
        if server.process.poll() is not None:
            break
        try:
            server.get()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
    assert server.process.wait(timeout=5) == 1
    assert "giving up" in server.output()


def test_workers_go_when_the_supervisor_is_killed(serve: Serve) -> None:
    server = serve(OK)
    workers = server.workers()
    server.process.kill()
    eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))


def test_a_function_named_handler_of_another_name(serve: Serve) -> None:
    server = serve("def run(event, context):\n    return context['function-name']", handler="run")
    assert server.get().text == "run"


def test_process_start_to_first_answer(launch: Serve) -> None:
    best = 9.0
    for _ in range(5):
        start = time.monotonic()
        server = launch(OK)

        def answered(server: object = server) -> bool:
            return _text(server) == "ok"

        eventually(answered)
        best = min(best, time.monotonic() - start)
    assert best < 0.25, f"{best:.3f} s"  # 0.15 on a quiet machine


def test_idle_memory(serve: Serve) -> None:
    server = serve(OK)
    server.get()
    total = 0
    for pid in (server.pid, *server.workers()):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    assert total < 45 * 1024, f"{total} KiB"
