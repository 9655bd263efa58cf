"""An endpoint of OpenAI's protocol that answers each chat after the same time, whatever it is asked.

    python -m benchmarks.fixed_latency SECONDS

It prints its port. The answers follow from a checksum of the request, so that each picture has another one.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import uvicorn

MODEL = "fixed"
_WORDS = ("Yes", "No", *"ABCDEFGHIJKLMNOPQR")


@dataclass(frozen=True)
class FixedLatency:
    """The ASGI application.

    Attributes:
        seconds: the time that each chat takes.
    """

    seconds: float

    async def __call__(self, scope: Mapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Answer a request."""
        body = b""
        while (part := await receive()).get("more_body"):
            body += part["body"]
        chat = scope["path"] == "/v1/chat/completions"
        if chat:
            await asyncio.sleep(self.seconds)
        said = _chat(body + part["body"]) if chat else {"data": [{"id": MODEL}]}
        head = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
        await send(head)
        await send({"type": "http.response.body", "body": json.dumps(said).encode()})


def _chat(body: bytes) -> dict[str, Any]:
    yes = (zlib.crc32(body) % 900 + 50) / 1000
    shares = (yes, 1 - yes, *[1.0] * (len(_WORDS) - 2))
    logs = [math.log(share / sum(shares)) for share in shares]
    listed = [{"token": word, "logprob": log} for word, log in zip(_WORDS, logs, strict=True)]
    return {"model": MODEL, "choices": [{"logprobs": {"content": [{"top_logprobs": listed}]}}]}


def main() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(FixedLatency(float(sys.argv[1])), log_level="error", lifespan="off")
    asyncio.run(uvicorn.Server(config).serve([listening]))


if __name__ == "__main__":
    main()
