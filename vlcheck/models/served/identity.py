"""The identity of a served model: its endpoint, id and version, and its answers to the probe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vlcheck._util.hashing import digest
from vlcheck._util.numbers import figure
from vlcheck.errors import NotApplicable, UsageError, printable
from vlcheck.models.served.address import Address
from vlcheck.models.served.client import Client
from vlcheck.models.served.line import Line
from vlcheck.models.served.probe import SIDE, Probed, ask_probe
from vlcheck.models.served.refusals import NotThere, another_model, not_the_protocol

_ANOTHER = "the model is not the one of the start of the run"
VERSION = "1"  # raise it when the scores of a served model change
_KEPT = (
    "owned_by",
    "root",
    "parent",
    "max_model_len",
    "quantization",
)  # of a model's entry: the rest changes by itself


@dataclass(frozen=True)
class Version:
    """The description that an endpoint gives of itself and of the model.

    Attributes:
        server: the server's name and version.
        model: the endpoint's entry of the model, as text.
    """

    server: str
    model: str

    def difference(self, later: Version) -> str:
        """Return what a later version differs in, in words; "" if in nothing."""
        pairs = (("server", self.server, later.server), ("model's entry", self.model, later.model))
        return "; ".join(f"the {what} was {old!r} and is {new!r}" for what, old, new in pairs if old != new)


@dataclass(frozen=True)
class Identity:
    """The facts by which a served model is known.

    Attributes:
        address: its endpoint and id.
        version: the endpoint's description of itself and of the model.
        probed: its answers to the probe at the start of the run.
        probe: the identity of these answers.
        finest: side in pixels of the smallest squares that it tells apart; 0 if that is not known.
    """

    address: Address
    version: Version
    probed: Probed
    probe: str
    finest: int = 0

    def fingerprint(self, *wordings: str) -> str:
        """Return a digest of the identity and of how questions are worded."""
        address, version = self.address, self.version
        return digest(
            "served", VERSION, address.url, address.model, version.server, version.model, self.probe, *wordings
        )

    @property
    def said(self) -> str:
        """The identity in words."""
        server = f", {self.version.server}" if self.version.server else ""
        noise = f"noise {figure(self.probed.noise)}" if self.probed.answers else "no log-probabilities"
        return f"{self.address.url}{server}, model {printable(self.address.model)}, {noise}, probe {self.probe[:8]}"

    @property
    def pictures(self) -> str:
        """The way in which pictures are sent, and the detail that is seen of them, in words."""
        seen = f", squares of {self.finest} px in {SIDE} are told apart" if self.finest else ""
        return f"PNG, as they are{seen}"

    def changed(self, line: Line) -> str:
        """Ask the endpoint and the probe again; return what is no more as it was, in words, or "".

        Args:
            line: the line to the model.
        """
        try:
            version = read_version(line.client)
            if found := self.version.difference(version):
                return f"{_ANOTHER}: {self.address.url} has changed during the run: {found}"
            distance = self.probed.distance(ask_probe(line.match)) if self.probed.answers else 0.0
        except (UsageError, NotApplicable) as error:
            why = str(error).rstrip(".")
            return f"it could not be checked that the model is still the one of the start of the run: {why}"
        if distance <= self.probed.tolerance:
            return ""
        return (
            f"{_ANOTHER}: the answers of {self.address.url} to the same questions differ by {figure(distance)} from"
            f" those at the start of the run, and by {figure(self.probed.noise)} among repeats: it is another model"
        )


def read_version(client: Client) -> Version:
    """Ask an endpoint for its models and its version.

    Args:
        client: the endpoint's client.

    Raises:
        UsageError: it does not serve the model, is no endpoint of OpenAI's protocol, or gives no answer.
    """
    address = client.address
    try:
        said = client.get("/models")
    except NotThere:  # an endpoint of chats alone, which lists no models
        return Version(_server(client, {}), "")
    listed = said.body.get("data") if isinstance(said.body, Mapping) else None
    if not isinstance(listed, list):
        raise UsageError(not_the_protocol(address, "its /models has no list of models under data"))
    entries = {str(one["id"]): one for one in listed if isinstance(one, Mapping) and "id" in one}
    if address.model not in entries:
        raise another_model(address, entries)
    return Version(_server(client, said.headers), _entry(entries[address.model]))


def _server(client: Client, headers: Mapping[str, str]) -> str:
    """Return the name of a server, as its headers say it, and the version that vLLM tells."""
    try:
        body = client.get_root("/version").body
    except (UsageError, NotApplicable):
        body = None
    version = body.get("version") if isinstance(body, Mapping) else None
    told = [headers.get("openai-version", ""), headers.get("server", ""), str(version or "")]
    return " ".join(printable(one, 80) for one in told if one)


def _entry(entry: Mapping[str, Any]) -> str:
    return printable(", ".join(f"{name} {entry[name]}" for name in _KEPT if entry.get(name) is not None))
