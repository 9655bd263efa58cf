"""Time questions to a served model against a bare concurrent client that sends the same requests.

    python -m benchmarks.served [--rounds 7] [--questions 2000] [--latency 0.05] [--concurrency 16]

Both ask an endpoint of fixed latency in a process of its own, in turn. Of vlcheck the whole way is timed: pictures are
drawn and written as PNG, questions sent, answers read and kept in a store. The bare client has each request as bytes.
The figures go to benchmarks/served.json, from where `python -m benchmarks.table` writes them into
docs/explanation/speed.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import httpx

from benchmarks.fixed_latency import MODEL
from benchmarks.suite import ROOT, asked, machine, timed
from vlcheck.metrics.query import Query
from vlcheck.models.loading.load import load_model
from vlcheck.models.served.line import CHAT
from vlcheck.models.served.model import Served
from vlcheck.models.served.pictures import SentPicture
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.plan import Plan, make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore

RESULTS = Path(__file__).with_name("served.json")
DATA = "scenes:100"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="how often both are timed in turn")
    parser.add_argument("--questions", type=int, default=2000, help="number of questions, at most those of the suite")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds of the endpoint")
    parser.add_argument("--concurrency", type=int, default=16, help="requests at a time")
    chosen = parser.parse_args()
    with endpoint(chosen.latency) as url:
        figures = measured(url, chosen.rounds, chosen.questions, chosen.concurrency)
    figures |= {"latency": chosen.latency, "concurrency": chosen.concurrency, "machine": machine()}
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


def measured(url: str, rounds: int, most: int, concurrency: int) -> dict[str, object]:
    """Seconds of vlcheck and of the bare client, in turn, of the processor, too, and the load before."""
    model = cast(Served, load_model(f"openai:{url}#{MODEL},concurrency={concurrency}"))
    plan = questions(most)
    bodies = requests(model, plan)
    turns = []
    for _ in range(rounds):
        load = os.getloadavg()[0]
        turns.append((*both(lambda: scored(model, plan)), *both(lambda: bare(url, bodies, concurrency)), load))
    names = ("seconds", "cpu_seconds", "bare_seconds", "bare_cpu_seconds", "load")
    figures: dict[str, object] = dict(zip(names, zip(*turns, strict=True), strict=True))
    ratio = statistics.median(turn[0] / turn[2] for turn in turns)
    return {"requests": len(bodies), "over_bare": ratio, **figures}


def both(job: Callable[[], object]) -> tuple[float, float]:
    """Seconds that a job takes, and those of this process's processors."""
    before = time.process_time()
    return timed(job), time.process_time() - before


def questions(most: int) -> Plan:
    """Questions of the suite that are answered by yes or no, as a run plans them."""
    matches = [query for query in asked(DATA) if query.metric == "itm"]
    return make_plan(list({query.key: query for query in matches}.values())[:most], batch_size=16)


def requests(model: Served, plan: Plan) -> list[bytes]:
    """The requests that a plan takes, one for each picture and text, in its order."""
    return [json.dumps(one).encode() for chunk in plan.chunks for one in _chats(model, chunk.queries)]


def _chats(model: Served, queries: Sequence[Query]) -> Iterator[object]:
    urls = {query.picture.key: SentPicture(query.picture.render()).url for query in queries}
    for key, text in dict.fromkeys((query.picture.key, query.text) for query in queries):
        yield model.line.prompts.match(urls[key], text)


def scored(model: Served, plan: Plan) -> None:
    """Ask a plan as a run does, with a store that is empty."""
    with tempfile.TemporaryDirectory() as folder, ScoreStore(Path(folder) / "s.sqlite", model.fingerprint) as store:
        CachedScorer(Scorer(model), store).run(plan)


def bare(url: str, bodies: Sequence[bytes], concurrency: int) -> None:
    """Send requests, so many at a time, and read the answers."""

    async def send_all() -> None:
        left = iter(bodies)
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        async with httpx.AsyncClient(limits=limits, timeout=60) as client:

            async def send() -> None:
                for body in left:
                    answer = await client.post(url + CHAT, content=body, headers={"Content-Type": "application/json"})
                    answer.raise_for_status().json()

            await asyncio.gather(*(send() for _ in range(concurrency)))

    asyncio.run(send_all())


@contextmanager
def endpoint(latency: float) -> Iterator[str]:
    """Run the endpoint; yield its URL."""
    command = [sys.executable, "-m", "benchmarks.fixed_latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        port = int(cast(IO[str], process.stdout).readline())
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


if __name__ == "__main__":
    main()
