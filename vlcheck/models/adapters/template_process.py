"""The process that fills chat templates in: run as a file, one request and one reply a line, as JSON.

A template is foreign code. It may not leave Jinja's sandbox, and it can take all time and memory; here the system ends
it, which in a process of pytest's nothing could.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from typing import Any

MEMORY = 1 << 30  # bytes
MOST = 1 << 20  # characters of what a template writes


def reply(request: dict[str, Any]) -> dict[str, str]:
    """Fill a template in: `{"text": ...}`, or `{"raised": ...}`, or `{"refused": ...}` where it writes too much."""
    from transformers.utils.chat_template_utils import render_jinja_template

    try:
        text = render_jinja_template(**request)[0][0]
    except MemoryError:
        return {"refused": f"takes more than {MEMORY >> 30} GB of memory"}
    except Exception as error:  # noqa: BLE001 - a template raises errors of any kind
        return {"raised": f"{type(error).__name__}: {error}"[:MOST]}
    if len(text) > MOST:
        return {"refused": f"writes {len(text)} characters; at most {MOST} are accepted"}
    return {"text": text}


def main(seconds: float) -> None:
    """Answer requests until there are no more; each may take so many seconds of the processor."""
    import transformers.utils.chat_template_utils  # noqa: F401 - before the limits

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, seconds)  # whose signal ends the process, also within one long step
        answer = reply(json.loads(line))
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(float(sys.argv[1]))
