"""The process that fills in chat templates. It is run as a file; each line is a request or a reply, as JSON.

A template is foreign code. Jinja's sandbox confines it, but does not limit its time and memory; in a process of its own
the operating system does.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from typing import Any

MEMORY = 1 << 30  # bytes
MOST = 1 << 20  # largest number of characters that a template may write


def reply(request: dict[str, Any]) -> dict[str, str]:
    """Fill in a template.

    Args:
        request: keyword arguments of transformers' `render_jinja_template`.

    Returns:
        `{"text": ...}`, `{"raised": ...}` if the template raises, or `{"refused": ...}` if it writes too much.
    """
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
    """Answer requests until the input ends.

    Args:
        seconds: processor time that each request may take.
    """
    import transformers.utils.chat_template_utils  # noqa: F401 - before the limits

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, seconds)  # its signal ends the process, also within one long step
        answer = reply(json.loads(line))
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(float(sys.argv[1]))
