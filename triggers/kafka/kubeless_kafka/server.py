"""/status, /metrics, /healthz and /readyz."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from kubeless_kafka.service import Service


async def start(service: Service, port: int) -> web.AppRunner:
    """Serve on all addresses. Raises OSError when the port cannot be used."""

    async def healthz(_: web.Request) -> web.Response:
        return _check(service.stuck)

    async def readyz(_: web.Request) -> web.Response:
        return _check(service.unready)

    async def status(_: web.Request) -> web.Response:
        return web.json_response(service.status())

    async def metrics(_: web.Request) -> web.Response:
        service.report()
        return web.Response(
            body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/status", status),
            web.get("/metrics", metrics),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner


def _check(wrong: str) -> web.Response:
    return web.Response(status=503 if wrong else 200, text=wrong or "ok")
