"""Load a served model: `openai:URL#MODEL`."""

from __future__ import annotations

import re
from dataclasses import replace

from vlcheck._util.hashing import digest
from vlcheck._util.numbers import figure
from vlcheck.errors import UsageError, printable
from vlcheck.models.served.address import Address
from vlcheck.models.served.client import Client
from vlcheck.models.served.identity import Identity, read_version
from vlcheck.models.served.key import VARIABLE, ApiKey
from vlcheck.models.served.line import CHAT, Line
from vlcheck.models.served.model import Served
from vlcheck.models.served.patience import Patience
from vlcheck.models.served.pictures import SentPicture
from vlcheck.models.served.pool import RequestPool
from vlcheck.models.served.probe import MOST_NOISE, TEXTS, Probed, ask_probe, finest, probe_pictures, unseen
from vlcheck.models.served.prompts import MOST_LISTED, Dialect, Prompts
from vlcheck.models.served.refusals import RefusedRequest
from vlcheck.models.served.register import known_as
from vlcheck.models.served.replies import Garbage, NoLogProbs, Origin, first_token, prompt_tokens

CONCURRENCY = 16
_MOST = 1024  # requests at a time
_LISTED = (MOST_LISTED, 5)  # tokens that are asked for; some endpoints refuse the larger number
_LIMITS = ("max_tokens", "max_completion_tokens")  # names of the limit on an answer's length, the older one first
_LITTLE = 0.5  # below this P(yes) + P(no), the answer may begin with a thought


def load(
    path: str,
    *,
    device: str,
    dtype: str,
    key: str = "",
    concurrency: str = str(CONCURRENCY),
    timeout: str = str(Patience.timeout),
    tries: str = str(Patience.tries),
) -> Served:
    """Load a served model: ask its endpoint who it is, and what its answers tell.

    Args:
        path: `URL#MODEL`.
        device: not used; the endpoint has its own.
        dtype: not used, likewise.
        key: name of the environment variable that has the endpoint's key; "" for OPENAI_API_KEY, which is sent to
            OpenAI's own endpoint and to this machine alone.
        concurrency: number of requests at a time, from 1.
        timeout: seconds that a request may take.
        tries: number of times that a request is sent at most.

    Raises:
        UsageError: the endpoint cannot be asked, does not serve the model, or does not see whole pictures.
    """
    size = _whole("concurrency", concurrency, _MOST)
    patience = Patience(tries=_whole("tries", tries, 100), timeout=_seconds(timeout))
    address = Address.read(path)
    client = Client(address, key_for(key, address), patience, size)
    version = read_version(client)
    prompts = Prompts(client.address.model, _dialect(client))
    line = Line(client, prompts, RequestPool(size))
    if not line.listed:
        return Served(line, Identity(client.address, version, Probed((), 0.0), ""), "choice")
    probed = ask_probe(line.match)
    _demand_quiet(client.address, probed)
    _demand_pictures_seen(line, probed.noise)
    named = digest(client.address.url, client.address.model, version.server, version.model)
    identity = Identity(client.address, version, probed, known_as(named, probed), finest(line.match, probed.noise))
    words = "candidates" if prompts.dialect.prompts else "choice"
    return Served(replace(line, origins=_origins(line)), identity, words)


def _dialect(client: Client) -> Dialect:
    """Find out what an endpoint accepts of the protocol. Raises UsageError if it answers no chat about a picture."""
    found = _listing(client)
    if not found.listed:
        return found
    found = _without_thoughts(client, found)
    return replace(found, prompts=_gives_prompts(client, Prompts(client.address.model, found)))


def _listing(client: Client) -> Dialect:
    """Return the first way of asking for log-probabilities that is not refused; without any if none is given."""
    refused: list[RefusedRequest] = []
    ways = [Dialect(limit, listed) for listed in (*_LISTED, 0) for limit in _LIMITS]
    for way in ways:
        try:
            first_token(_asked(client, way))
        except NoLogProbs:
            return replace(way, listed=0)
        except RefusedRequest as error:
            if error.status not in (400, 422):
                raise
            refused.append(error)
        else:
            return way
    raise refused[0]


def _without_thoughts(client: Client, dialect: Dialect) -> Dialect:
    """Return a dialect that asks for answers without thoughts, if only these begin with yes or no."""
    silent = replace(dialect, more={"chat_template_kwargs": {"enable_thinking": False, "thinking": False}})
    before = _yes_or_no(client, dialect)
    try:
        return silent if before < _LITTLE and _yes_or_no(client, silent) > before else dialect
    except RefusedRequest:
        return dialect


def _yes_or_no(client: Client, dialect: Dialect) -> float:
    """Return P(yes) + P(no) of the answer to a question of the probe."""
    listed = first_token(_asked(client, dialect))
    return listed.of("yes") + listed.of("no")


def _asked(client: Client, dialect: Dialect) -> object:
    """Return the answer to a question of the probe."""
    picture = SentPicture(probe_pictures()[0])
    return client.post(CHAT, Prompts(client.address.model, dialect).match(picture.url, TEXTS[0])).body


def _gives_prompts(client: Client, prompts: Prompts) -> bool:
    """Return True if an endpoint gives the log-probabilities of prompts that end with the answer that is given."""
    url = SentPicture(probe_pictures()[0]).url
    try:
        ends = [prompt_tokens(client.post(CHAT, prompts.answered(url, text)).body)[-1:] for text in TEXTS]
    except (RefusedRequest, Garbage):
        return False
    return all(ends) and len({token for ((token, _),) in ends}) == len(ends)


def _origins(line: Line) -> frozenset[Origin]:
    """Return what answers say of the model that gave them."""
    sent = [line.origin(SentPicture(picture), TEXTS[0]) for picture in probe_pictures() * 2]
    return frozenset(future.result() for future in sent)


def _demand_quiet(address: Address, probed: Probed) -> None:
    if probed.noise > MOST_NOISE:
        raise UsageError(
            f"{address.url} answers the same question with probabilities that differ by {figure(probed.noise)}, so that"
            f" one model cannot be told from another. Accepted: differences up to {figure(MOST_NOISE)}."
        )


def _demand_pictures_seen(line: Line, noise: float) -> None:
    if hidden := unseen(line.match, noise):
        raise UsageError(
            f"{line.client.address.url} does not see {hidden}: other pixels there change no answer by more than its"
            " noise, so that it drops or truncates pictures. Accepted: an endpoint that shows whole pictures to its"
            " model."
        )


def key_for(variable: str, address: Address) -> ApiKey:
    """Return the place of an endpoint's key.

    Args:
        variable: the environment variable that the spec names; "" for none.
        address: the endpoint.
    """
    key = ApiKey(variable or VARIABLE, sent=bool(variable) or address.is_openai)
    key.demand_sendable()
    return key


def _whole(name: str, said: str, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", said) or not 1 <= int(said) <= most:
        raise UsageError(f"{name}={printable(said)}: has to be a whole number from 1 to {most}.")
    return int(said)


def _seconds(said: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", said) or not float(said):
        raise UsageError(f"timeout={printable(said)}: has to be a number of seconds above 0.")
    return float(said)
