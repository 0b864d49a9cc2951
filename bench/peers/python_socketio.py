#!/usr/bin/python3
"""Socket.IO on Python: python-socketio on aiohttp, its own suggestion for asyncio.

  python_socketio.py [--port N]
"""
import argparse
import asyncio
import socket

import socketio
from aiohttp import web

BACKLOG = 4096

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--port", type=int, default=0)
options = parser.parse_args()

io = socketio.AsyncServer(async_mode="aiohttp", http_compression=False)
application = web.Application()
io.attach(application)


@io.event
async def echo(_, data):
    return data


@io.event
async def subscribe(sid):
    io.enter_room(sid, "news")
    return {"success": True}


@io.event
async def publish(sid, data):
    await io.emit("news", data, room="news", skip_sid=sid)


async def serve():
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", options.port), backlog=BACKLOG)
    await web.SockSite(runner, listener, backlog=BACKLOG).start()
    print(f"listening {listener.getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


asyncio.run(serve())
