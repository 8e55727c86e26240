"""Kubeless' Python runtime: serves one function over HTTP.

The model: a small *supervisor* (process 1 of the container) holds the listening
socket and forks *workers*; a worker loads the function and answers requests on
threads of granian's pool. Both see one *board* of shared memory, on which every
running call has its deadline, so that a call that outlives it is ended by
whoever still can:

    the worker's watchdog   answers 408, interrupts the handler's thread
    the supervisor          replaces a worker whose handler can't be interrupted,
                            kills one whose interpreter is held by native code

    config      the environment, read and checked once
    board       shared memory: flags, deadlines, counters
    supervisor  socket, workers, signals, drain
    worker      one process: load, serve, stop
    loader      the source file -> the handler
    app         one request from its scope to its answer
    environ     its head
    upload      its body
    stream      an answer that is made while it is sent
    futures     granian's futures, without an event loop
    calls       slots, deadlines, the watchdog
    coroutines  async handlers on one event loop
    event       the (event, context) of a handler
    request     Flask's request with Bottle's accessors (imported when asked for)
    response    what a handler returned -> status, headers, body
    metrics     counters on the board, Prometheus text
    access      access log lines
"""
