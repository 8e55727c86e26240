"""A function that fails 5 of 100 times, sleeps, and never takes poison; it is killed all the time.

What it processed is in the clerk's ledger before it answers. Half of the poison is refused (422), the other half
fails again and again (500).
"""

import asyncio
import json
import os
import random

import aiohttp
from aiohttp import web

FAILING = 0.05
QUICK_SECONDS = 0.005
# The part that takes longer, and how long.
SLOW, SLOW_SECONDS = float(os.environ["SLOW"]), float(os.environ["SLOW_SECONDS"])
CLERK = os.environ["CLERK"]


async def handle(request):
    record = json.loads(await request.read())
    slow = random.random() < SLOW
    await asyncio.sleep(SLOW_SECONDS if slow else random.uniform(0, 2 * QUICK_SECONDS))
    if record["poison"]:
        return web.Response(status=422 if record["number"] % 2 else 500, text="I never take this")
    if random.random() < FAILING:
        return web.Response(status=500, text="by chance")
    # No success without a line in the ledger: when the clerk does not answer, this is a 500.
    async with request.app["session"].post(
        f"{CLERK}/done", data=request.headers["event-id"]
    ) as got:
        got.raise_for_status()
    return web.Response(text="processed")


async def application():
    app = web.Application()
    app["session"] = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
    app.add_routes([web.post("/", handle)])
    return app


if __name__ == "__main__":
    web.run_app(application(), port=8080, access_log=None, print=None)
