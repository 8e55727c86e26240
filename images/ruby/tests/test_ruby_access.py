"""The access log's thread: whole lines, none waited for, none lost at the end."""

from __future__ import annotations

import subprocess
from pathlib import Path

ACCESS = Path(__file__).resolve().parents[1] / "kubeless_runtime/access.rb"
ENV = (
    "{'REMOTE_ADDR' => '::ffff:10.0.0.1', 'REQUEST_METHOD' => 'GET', 'PATH_INFO' => \"/#{n}\","
    " 'QUERY_STRING' => 'b=c', 'SERVER_PROTOCOL' => 'HTTP/1.1'}"
)


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ruby", "--disable-gems", "-r", str(ACCESS), "-e", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


def test_lines_of_many_threads_come_once_and_whole() -> None:
    done = run(f"""
        log = KubelessRuntime::AccessLog.new
        8.times.map {{ |t| Thread.new {{ 500.times {{ |i| n = "#{{t}}-#{{i}}"; log.write({ENV}, 200, 11, 1.5) }} }} }}.each(&:join)
        log.close
    """)
    lines = done.stdout.splitlines()
    assert len(lines) == 4000
    assert len(set(lines)) == 4000
    assert all(line.startswith("10.0.0.1 - - [") for line in lines)
    assert all(line.endswith('?b=c HTTP/1.1" 200 11 "" "" 1/1500000') for line in lines)


def test_a_log_that_nobody_reads_keeps_nobody_waiting() -> None:
    done = run(f"""
        input, output = IO.pipe
        log = KubelessRuntime::AccessLog.new(output)
        30_000.times {{ |n| log.write({ENV}, 200, 11, 0.0) }} # more than the pipe and the log hold
        text = +''
        reader = Thread.new {{ text << input.readpartial(65_536) until text.include?('dropped') }}
        reader.join(20)
        print text
    """)
    assert "lines of the access log were dropped" in done.stdout
