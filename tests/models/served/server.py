"""A small server of OpenAI's chat completions, with faults that a test switches on.

`python -m tests.models.served.server BACKEND` runs it. It serves a checkpoint by transformers' own forward pass, the
embedded model, or numbers that are computed from the pixels. POST /faults sets the fields of `Faults`, GET /log tells
what was asked.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import io
import json
import math
import os
import random
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image

import vlcheck

Listed = dict[str, float]  # token -> log-probability
MODEL = "org/small-vlm"


@dataclass(frozen=True)
class Faults:
    """What is wrong with the server.

    Attributes:
        latency: seconds before each answer.
        drip: seconds between the bytes of an answer; 0 for an answer at once.
        status: the status of the next `times` answers to a chat; 0 for none.
        times: how many; -1 for all.
        retry_after: the header of these answers.
        garbage: "html", "text", "empty", "nan" or "shape" in the place of an answer.
        reply_model: id that answers say they are of.
        served: ids that /models lists.
        version: the version at /version; "" if there is none.
        log_probs: whether log-probabilities are given.
        prompts: whether those of prompts are, too.
        most_listed: number of likeliest tokens that may be asked for.
        secret: the key that is asked for; "" if none is.
        echo: whether the key is repeated in errors.
        crop: share of a picture's sides that is kept.
        shrink: side in pixels to which pictures are shrunk; 0 for none.
        drop: whether pictures are dropped.
        seed: another one is another model under the same name.
        noise: largest random change of a log-probability.
        die_after: number of chats after which the process ends; 0 for never.
        fail_after: number of chats after which all fail; 0 for never.
        limit: name of the limit on the answer's length that is accepted.
        html: whether all paths answer with a page.
        thinks: whether answers begin with a thought unless the template is told otherwise.
        answers: the first tokens that an answer may have, all equally likely; () for those of the backend.
    """

    latency: float = 0.0
    drip: float = 0.0
    status: int = 0
    times: int = 0
    retry_after: str = ""
    garbage: str = ""
    reply_model: str = MODEL
    served: tuple[str, ...] = (MODEL,)
    version: str = "1.0"
    log_probs: bool = True
    prompts: bool = True
    most_listed: int = 20
    secret: str = ""
    echo: bool = False
    crop: float = 1.0
    shrink: int = 0
    drop: bool = False
    seed: int = 0
    noise: float = 0.0
    die_after: int = 0
    fail_after: int = 0
    limit: str = "max_tokens"
    html: bool = False
    thinks: bool = False
    answers: tuple[str, ...] = ()


@dataclass
class Log:
    """Numbers of chats, of requests with a key, and of chats under way at most; the pixels that were sent."""

    chats: int = 0
    keys: int = 0
    now: int = 0
    most: int = 0
    pixels: list[str] = field(default_factory=list)


class TooLong(Exception):
    """A text that a backend cannot read."""


class Drawn:
    """Numbers that are computed from the pixels and the texts: another picture, another answer."""

    def first(self, image: Image.Image | None, text: str, seed: int) -> Listed:
        words = [*(f" {word}" for word in ("Yes", "no")), "yes", "No", *"ABCDEFGHIJ", "Maybe", "The", "I", "It", "Well"]
        if "one letter" in text:
            words = [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
        drawn = _numbers(image, text, seed, len(words) + 10)
        likely = 4 if "yes or no" in text else 6 if "one letter" in text else 0
        boosted = [4.0 * one + 3.0 * (number < likely) for number, one in enumerate(drawn)]
        return _log_softmax(dict(zip([*words, *(f"~{number}" for number in range(10))], boosted, strict=True)))

    def prompt(self, image: Image.Image | None, text: str, answer: str, seed: int) -> list[tuple[str, float]]:
        words = [*text.split(), "<answer>", *answer.split()]
        return [(word, -5.0 * _numbers(image, " ".join(words[: at + 1]), seed, 1)[0]) for at, word in enumerate(words)]


class Forward:
    """A checkpoint by transformers' own forward pass, without a cache."""

    def __init__(self, folder: str) -> None:
        import torch
        from transformers import AutoModelForImageTextToText, AutoProcessor

        torch.set_num_threads(1)
        self.torch = torch
        self.processor = AutoProcessor.from_pretrained(folder)
        self.network = AutoModelForImageTextToText.from_pretrained(folder).eval()

    def first(self, image: Image.Image | None, text: str, seed: int) -> Listed:
        logits, _ = self._read(image, [_turn("user", text)], add_generation_prompt=True)
        values, ids = logits[-1].log_softmax(-1).topk(60)
        tokens = [self.processor.tokenizer.decode([number]) for number in ids.tolist()]
        return dict(zip(tokens, values.tolist(), strict=True))

    def prompt(self, image: Image.Image | None, text: str, answer: str, seed: int) -> list[tuple[str, float]]:
        turns = [_turn("user", text), {"role": "assistant", "content": [{"type": "text", "text": answer}]}]
        logits, ids = self._read(image, turns, continue_final_message=True)
        logs = logits[:-1].log_softmax(-1).gather(-1, ids[1:, None])[:, 0]
        return [("", 0.0), *zip(map(str, ids[1:].tolist()), logs.tolist(), strict=True)]

    def _read(self, image: Image.Image | None, turns: Sequence[Mapping[str, Any]], **how: bool) -> tuple[Any, Any]:
        rendered = self.processor.apply_chat_template(turns, tokenize=False, **how)
        inputs = self.processor(text=[rendered], images=[image], return_tensors="pt", add_special_tokens=False)
        with self.torch.inference_mode():
            return self.network(**inputs).logits[0].float(), inputs["input_ids"][0]


class Embedded:
    """The embedded model, which answers yes and no with its match, and letters with its words."""

    def __init__(self) -> None:
        self.model = vlcheck.load_model("tiny")

    def first(self, image: Image.Image | None, text: str, seed: int) -> Listed:
        try:
            return self._first(image, text)
        except vlcheck.NotApplicable as error:
            raise TooLong from error

    def _first(self, image: Image.Image | None, text: str) -> Listed:
        encoded = self.model.encode([image])
        if "one letter" in text:
            said, options = text.split('in the text "')[1].split('" about this figure?\n')
            words = [line[3:] for line in options.splitlines()[:-1]]
            probs = self.model.mlm(encoded, [said.replace("____", "[MASK]")], [words])[0]
            return {
                chr(65 + place): math.log(max(prob, 1e-9)) for place, prob in enumerate(probs / max(probs.sum(), 1))
            }
        said = text.split('Does this figure show "')[1].split('"?')[0]
        match = float(self.model.itm(encoded, [said])[0])
        return {"Yes": math.log(max(match, 1e-9)), "No": math.log(max(1 - match, 1e-9))}

    def prompt(self, image: Image.Image | None, text: str, answer: str, seed: int) -> list[tuple[str, float]]:
        return []


class App:
    """The ASGI application."""

    def __init__(self, backend: Any) -> None:
        self.backend, self.faults, self.log = backend, Faults(), Log()
        self.lock = asyncio.Lock()
        self.random = random.Random(0)

    async def __call__(self, scope: Mapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        status, text, more = await self.answer(scope["path"], body, headers)
        kind = "text/html" if text.startswith("<") else "application/json"
        sent = {"content-type": kind, "server": "small", **more}
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(k.encode(), v.encode()) for k, v in sent.items()],
            }
        )
        if self.faults.drip and scope["path"].startswith("/v1"):
            for byte in text[:100]:
                await send({"type": "http.response.body", "body": byte.encode(), "more_body": True})
                await asyncio.sleep(self.faults.drip)
        await send({"type": "http.response.body", "body": text.encode()})

    async def answer(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str, dict[str, str]]:
        """Return status, body and further headers."""
        faults = self.faults
        if path == "/faults":
            self.faults, self.log = Faults(**json.loads(body)), Log()
            return 200, json.dumps(asdict(self.faults)), {}
        if path == "/log":
            return 200, json.dumps(asdict(self.log)), {}
        self.log.keys += "authorization" in headers
        if faults.html:
            return 200, "<!doctype html><p>Hello</p>", {}
        if faults.secret and headers.get("authorization") != f"Bearer {faults.secret}":
            given = headers.get("authorization", "") if faults.echo else ""
            return 401, json.dumps({"error": {"message": f"Incorrect API key provided: {given}"}}), {"x-key": given}
        if path == "/version" and faults.version:
            return 200, json.dumps({"version": faults.version}), {}
        if path == "/v1/models":
            data = [
                {"id": name, "object": "model", "created": self.random.random(), "owned_by": "org"}
                for name in faults.served
            ]
            return 200, json.dumps({"object": "list", "data": data}), {}
        if path == "/v1/chat/completions":
            return await self.chat(json.loads(body), headers)
        return 404, json.dumps({"detail": "Not Found"}), {}

    async def chat(self, asked: dict[str, Any], headers: Mapping[str, str]) -> tuple[int, str, dict[str, str]]:
        faults, log = self.faults, self.log
        log.chats += 1
        if faults.die_after and log.chats > faults.die_after:
            os._exit(1)
        if faults.fail_after and log.chats > faults.fail_after:
            return 500, json.dumps({"error": {"message": f"no: {headers.get('authorization', '')}"}}), {}
        log.now += 1
        log.most = max(log.most, log.now)
        try:
            await asyncio.sleep(faults.latency)
        finally:
            log.now -= 1
        if faults.status and (left := self.faults.times):  # others may have been refused meanwhile
            self.faults = replace(self.faults, times=left - 1 if left > 0 else -1)
            more = {"retry-after": faults.retry_after} if faults.retry_after else {}
            said = f"no: {headers.get('authorization', '')}" if faults.echo else "no"
            return faults.status, json.dumps({"error": {"message": said}}), more
        if asked["model"] not in faults.served:
            return 404, json.dumps({"error": {"message": f"The model {asked['model']!r} does not exist."}}), {}
        if faults.limit not in asked:
            return 400, json.dumps({"error": {"message": f"Unsupported parameter. Use {faults.limit!r} instead."}}), {}
        if asked.get("top_logprobs", 0) > faults.most_listed:
            return 400, json.dumps({"error": {"message": f"top_logprobs may be {faults.most_listed} at most"}}), {}
        if faults.garbage in _GARBAGE:
            return 200, _GARBAGE[faults.garbage], {}
        try:
            reply = self.reply(asked)
        except TooLong:
            said = "This model's maximum context length is 30 words."
            return 400, json.dumps({"object": "error", "message": said, "code": 400}), {}
        if faults.garbage in _NO_LOG:
            reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"][0]["logprob"] = _NO_LOG[faults.garbage]
        return 200, json.dumps(reply), {}

    def reply(self, asked: dict[str, Any]) -> dict[str, Any]:
        faults = self.faults
        *_, last = [turn for turn in asked["messages"] if turn["role"] == "user"]
        text = next(part["text"] for part in last["content"] if part["type"] == "text")
        image = self.seen(last["content"])
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": "?"},
            "finish_reason": "length",
        }
        reply = {"id": "1", "object": "chat.completion", "model": faults.reply_model, "choices": [choice]}
        if faults.prompts and "prompt_logprobs" in asked:
            answer = asked["messages"][-1]["content"]
            logs = self.backend.prompt(image, text, answer, faults.seed)
            reply["prompt_logprobs"] = [None, *({token: {"logprob": log, "rank": 1}} for token, log in logs[1:])]
        elif faults.log_probs and asked.get("logprobs"):
            drawn = self.first(image, text, asked)
            logs = {token: min(log + self.random.uniform(-1, 1) * faults.noise, 0.0) for token, log in drawn.items()}
            best = sorted(logs.items(), key=lambda one: -one[1])[: asked["top_logprobs"]]
            listed = [{"token": token, "logprob": log, "bytes": [*token.encode()]} for token, log in best]
            choice["logprobs"] = {"content": [{**listed[0], "top_logprobs": listed}]}
        return reply

    def first(self, image: Image.Image | None, text: str, asked: Mapping[str, Any]) -> Listed:
        faults = self.faults
        if faults.answers:
            return {token: -math.log(len(faults.answers)) for token in faults.answers}
        if faults.thinks and asked.get("chat_template_kwargs", {}).get("enable_thinking", True):
            return {"<think>": -0.1}
        return self.backend.first(image, text, faults.seed)

    def seen(self, content: Sequence[Mapping[str, Any]]) -> Image.Image | None:
        """Return the picture of a message, as the server reads it."""
        faults = self.faults
        url = next((part["image_url"]["url"] for part in content if part["type"] == "image_url"), "")
        if faults.drop or not url:
            return None
        image = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
        self.log.pixels.append(f"{image.format} {image.mode} {hashlib.sha256(image.tobytes()).hexdigest()}")
        image = image.crop((0, 0, round(image.width * faults.crop), round(image.height * faults.crop)))
        if faults.shrink:
            image = image.resize((faults.shrink,) * 2).resize(image.size)
        return image


_GARBAGE = {
    "html": "<html>Bad gateway</html>",
    "text": "upstream said nothing",
    "empty": json.dumps({"model": MODEL, "choices": []}),
    "shape": json.dumps({"model": MODEL, "choices": [{"logprobs": {"content": [{"top_logprobs": [{"token": 3}]}]}}]}),
    "list": json.dumps([1, 2]),
    "cut": '{"model": "org/small-vlm", "choices": [{"logp',
}
_NO_LOG = {"nan": math.nan, "positive": 0.5}


def _turn(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "image"}, {"type": "text", "text": text}]}


def _numbers(image: Image.Image | None, text: str, seed: int, count: int) -> list[float]:
    """Return numbers from 0 to 1 that depend on a small copy of the picture, smoothly, and on the text."""
    generator = np.random.default_rng([*hashlib.sha256(f"{seed} {text}".encode()).digest()])
    weights = generator.normal(size=(count, 64))
    small = (
        np.zeros(64)
        if image is None
        else np.asarray(image.convert("L").resize((8, 8), Image.Resampling.BOX)).ravel() / 255
    )
    return (1 / (1 + np.exp(-(weights @ (small - 0.5)) / 2))).tolist()


def _log_softmax(scores: Mapping[str, float]) -> Listed:
    whole = math.log(sum(math.exp(score) for score in scores.values()))
    return {token: score - whole for token, score in scores.items()}


def main() -> None:
    import uvicorn

    parser = argparse.ArgumentParser()
    parser.add_argument("backend", help="drawn, tiny, or the folder of a checkpoint")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    said = arguments.backend
    backend = Drawn() if said == "drawn" else Embedded() if said == "tiny" else Forward(said)
    listening = socket.create_server(("127.0.0.1", arguments.port))
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(App(backend), log_level="error", lifespan="off", server_header=False)
    asyncio.run(uvicorn.Server(config).serve([listening]))


if __name__ == "__main__":
    sys.exit(main())
