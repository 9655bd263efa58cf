"""The client of an endpoint: it sends requests, waits and tries again where that may help, and reads JSON."""

from __future__ import annotations

import json
import logging
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from vlcheck._util.numbers import counted
from vlcheck.errors import NotApplicable, UsageError, printable
from vlcheck.models.served.address import Address
from vlcheck.models.served.deadline import deadline_in, keep_deadlines
from vlcheck.models.served.http import httpx
from vlcheck.models.served.key import ApiKey, Bearer, WithoutKey
from vlcheck.models.served.patience import Gate, Patience
from vlcheck.models.served.refusals import PASSING, Unreached, not_the_protocol, refusal

# They log the headers of answers, in which a server may repeat the key.
_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")
_LONGEST = 64 * 2**20  # bytes of an answer


class Said(NamedTuple):
    """An answer of an endpoint.

    Attributes:
        body: its JSON.
        headers: its headers.
    """

    body: Any
    headers: Mapping[str, str]


class _Heard(NamedTuple):
    """The outcome of one try.

    Attributes:
        status: the HTTP status; 0 if there was no answer.
        text: the body, or the fault.
        headers: the headers.
    """

    status: int
    text: str
    headers: Mapping[str, str] = {}


class _State:
    """The state that the threads of a client share."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.given_up = ""
        self.answered = 0
        self._lock = threading.Lock()

    def count_answer(self) -> None:
        with self._lock:
            self.answered += 1


@dataclass(frozen=True, eq=False)
class Client:
    """Sends requests to one endpoint, from several threads at a time.

    Attributes:
        address: the endpoint and the model.
        key: the place of its key.
        patience: limits on waiting.
        connections: number of requests at a time at most.
    """

    address: Address
    key: ApiKey
    patience: Patience
    connections: int
    _state: _State = field(default_factory=_State, init=False, repr=False, compare=False)

    @cached_property
    def _http(self) -> httpx.Client:
        limits = httpx.Limits(max_connections=self.connections, max_keepalive_connections=self.connections)
        http = httpx.Client(auth=Bearer(self.key), limits=limits, timeout=self.patience.timeout)
        keep_deadlines(http)
        weakref.finalize(self, http.close)
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(WithoutKey(self.key))
        return http

    def get(self, path: str, *, tries: int | None = None) -> Said:
        """Ask for the JSON at a path of the endpoint; see `post`.

        Args:
            path: the path, below the endpoint's URL.
            tries: number of tries; that of `patience` if None.
        """
        return self._patiently("GET", self.address.url + path, None, tries)

    def get_root(self, path: str) -> Said:
        """Ask once for the JSON at a path of the server itself; see `post`."""
        return self._patiently("GET", self.address.root + path, None, 1)

    def post(self, path: str, body: Mapping[str, Any]) -> Said:
        """Send JSON to a path of the endpoint.

        Faults that may pass are tried again: no answer in time, no connection, and the statuses of `PASSING`.

        Args:
            path: the path, below the endpoint's URL.
            body: the JSON.

        Raises:
            Unreached: no answer, after all tries.
            RefusedRequest: the endpoint refuses the request.
            NotThere: it has no such path.
            UsageError: its answer is no JSON.
            NotApplicable: the text is too long for the model.
        """
        return self._patiently("POST", self.address.url + path, json.dumps(body).encode(), None)

    def _patiently(self, method: str, url: str, content: bytes | None, tries: int | None) -> Said:
        state, begun = self._state, self._state.answered
        tried, most = 0, tries or self.patience.tries
        if state.given_up:
            raise Unreached(state.given_up)
        while True:
            state.gate.wait()
            heard, tried = self._send(method, url, content), tried + 1
            if heard.status and heard.status not in PASSING:
                state.count_answer()
                return self._read(heard)
            if tried >= most or state.given_up:
                raise self._unreached(heard, tried, begun, gives_up=tries is None)
            self._hold(heard, tried)

    def _hold(self, heard: _Heard, tried: int) -> None:
        """Wait before another try; one that the endpoint asks for holds back all other requests, too."""
        pause = self.patience.pause(tried, heard.headers)
        if "retry-after" in heard.headers:
            self._state.gate.close_for(pause)
        else:
            time.sleep(pause)

    def _send(self, method: str, url: str, content: bytes | None) -> _Heard:
        """Send a request once. The exceptions of httpx end here: their frames hold headers."""
        headers = {"Content-Type": "application/json"} if content else {}
        try:
            with (
                deadline_in(self.patience.timeout),
                self._http.stream(method, url, content=content, headers=headers) as response,
            ):
                text = _whole(response)
        except httpx.TimeoutException:
            return _Heard(0, f"no answer within {self.patience.timeout:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            return _Heard(0, self.key.scrubbed(printable(str(error) or type(error).__name__)))
        kept = {name.lower(): self.key.scrubbed(value) for name, value in response.headers.items()}
        return _Heard(response.status_code, self.key.scrubbed(text), kept)

    def _read(self, heard: _Heard) -> Said:
        """Return an answer's JSON."""
        if not 200 <= heard.status < 300:
            raise refusal(heard.status, heard.text, self.address, self.key)
        try:
            return Said(json.loads(heard.text), heard.headers)
        except (ValueError, RecursionError):
            page = heard.text.lstrip().startswith("<")
        what = "an HTML page" if page else f"{printable(heard.text, 60)!r}, which is no JSON"
        raise UsageError(not_the_protocol(self.address, f"it answers with {what}"))

    def _unreached(self, heard: _Heard, tried: int, begun: int, *, gives_up: bool) -> UsageError | NotApplicable:
        """Return the error for a request without an answer; give the endpoint up if no other request had one."""
        what = f"status {heard.status}" if heard.status else heard.text
        message = f"{self.address.url} gave no answer in {counted(tried, 'try', 'tries')}, at last: {what}."
        if gives_up and self._state.answered == begun:
            self._state.given_up = (
                f"{message} It is not asked again in this run; kept scores are not lost, and a run with the same store"
                " asks for the others."
            )
            return Unreached(self._state.given_up)
        return Unreached(message)


def _whole(response: httpx.Response) -> str:
    """Return a body, up to the longest that is read."""
    parts, size = [], 0
    for part in response.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > _LONGEST:
            break
    return b"".join(parts)[:_LONGEST].decode(response.encoding or "utf-8", "replace")
