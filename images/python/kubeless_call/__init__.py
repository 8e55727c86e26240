"""Calls a function once and says by its exit code whether that went well; the container of a trigger's Job.

It starts for each call, so it is small and quick: sockets and the few lines of
HTTP/1.1 that one call needs. The standard library's own client takes three
times the time and memory, most of it for what a call inside of a cluster has no
use for (TLS, mail headers, cookies).
"""
