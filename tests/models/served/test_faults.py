"""A served model whose server fails: it waits, dies, answers garbage, or is not what the spec says."""

from __future__ import annotations

import base64
import socket
import threading
import time
from contextlib import suppress

import pytest

from tests.models.served.running import running
from vlcheck.errors import UsageError
from vlcheck.models.served.address import Address
from vlcheck.models.served.client import Client
from vlcheck.models.served.key import ApiKey
from vlcheck.models.served.load import key_for, load
from vlcheck.models.served.patience import Patience
from vlcheck.models.served.prompts import Dialect
from vlcheck.models.served.refusals import refusal, said_in
from vlcheck.models.served.replies import first_token

TEXT = "a red bus"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_fault_that_passes_is_waited_for(open_served, server, pictures, status):
    model = open_served()
    server.faults(status=status, times=3)

    scores = model.itm(model.encode(pictures), [TEXT] * 4)

    assert ((scores > 0) & (scores < 1)).all()
    assert server.log["chats"] == 7


def test_the_pause_that_the_server_asks_for_is_kept_by_all(open_served, server, pictures):
    model = open_served(concurrency="4")
    server.faults(status=429, times=1, retry_after="0.4")
    began = time.monotonic()

    model.itm(model.encode(pictures * 2), [TEXT] * 8)

    assert 0.4 <= time.monotonic() - began < 5
    assert server.log["chats"] == 9


def test_after_all_tries_the_error_says_what_happened_and_the_endpoint_is_given_up(open_served, server, pictures):
    model = open_served(tries="2", concurrency="1")
    server.faults(status=503, times=-1)

    with pytest.raises(UsageError, match=r"gave no answer in 2 tries, at last: status 503\. It is not asked again"):
        model.itm(model.encode(pictures), [TEXT] * 4)
    with pytest.raises(UsageError, match="not asked again"):
        model.itm(model.encode(pictures), ["another text"] * 4)

    assert server.log["chats"] == 2


def test_a_slow_server_is_waited_for_as_long_as_the_spec_says(open_served, server, pictures):
    model = open_served(timeout="0.2", tries="2")
    server.faults(latency=30)
    began = time.monotonic()
    with pytest.raises(UsageError, match=r"gave no answer in 2 tries, at last: no answer within 0\.2 s"):
        model.itm(model.encode(pictures[:1]), [TEXT])
    assert time.monotonic() - began < 10


def test_a_server_that_drips_is_waited_for_as_long_as_the_spec_says(open_served, server, pictures):
    model = open_served(timeout="0.5", tries="1")
    server.faults(drip=0.1)
    began = time.monotonic()
    with pytest.raises(UsageError, match=r"gave no answer in 1 try, at last: no answer within 0\.5 s"):
        model.itm(model.encode(pictures[:1]), [TEXT])
    assert time.monotonic() - began < 5


def test_headers_that_drip_are_waited_for_as_long_as_the_spec_says():
    """A byte in time begins httpx's own timeout anew."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_drip_headers, args=(listening,), daemon=True).start()
        address = Address(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", "m")
        client = Client(address, ApiKey(), Patience(tries=1, timeout=0.5), 1)
        began = time.monotonic()
        with pytest.raises(UsageError, match=r"gave no answer in 1 try, at last: no answer within 0\.5 s"):
            client.get("/models")
    assert time.monotonic() - began < 5


def _drip_headers(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection, suppress(OSError):  # the client ends it
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100):
            connection.sendall(b"x: y\r\n")
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"error": null, "detail": "bad"}', "bad"),
        ('{"error": ["x"]}', '["x"]'),
        ('{"error": 5}', "5"),
        ("[" * 100_000, "[" * 100_000),
    ],
    ids=["null", "list", "number", "deep"],
)
def test_the_message_of_any_json_is_read(body, said):
    assert said_in(body) == said


def test_a_log_probability_beyond_all_floats_is_read_as_0():
    listed = [{"token": "Yes", "logprob": 0}, {"token": "No", "logprob": -(10**400)}]
    found = first_token({"choices": [{"logprobs": {"content": [{"top_logprobs": listed}]}}]})
    assert (found.of("yes"), found.of("no")) == (1, 0)


def test_how_a_model_is_asked_is_said():
    silent = Dialect(listed=5, more={"chat_template_kwargs": {"enable_thinking": False}})
    assert Dialect().said == "20 tokens listed"
    assert silent.said == '5 tokens listed, with {"chat_template_kwargs": {"enable_thinking": false}}'


@pytest.mark.parametrize("written", ["sk-very\\/secret", "sk\\u002dvery/secret", "sk-very%2Fsecret"])
def test_a_key_that_is_repeated_in_escapes_is_not_shown(monkeypatch, written):
    monkeypatch.setenv("NAMED", "sk-very/secret")
    address = Address.read("http://localhost/v1#m")
    error = refusal(401, f'{{"error": {{"message": "bad key {written}"}}}}', address, ApiKey("NAMED"))
    assert "It says: bad key [key]" in str(error)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("around", ["{}", "Bearer {}", "user:{}", ":{};", "{} and more"])
def test_a_key_in_base64_is_not_shown_wherever_it_stands(monkeypatch, encode, around):
    key = "sk-very/secret?key~81"
    monkeypatch.setenv("NAMED", key)
    written = encode(around.format(key).encode()).decode()
    shown = ApiKey("NAMED").scrubbed(f"bad header {written}.")
    assert "[key]" in shown
    rest = shown.removeprefix("bad header ").removesuffix(".").partition("[key]")
    assert max(len(rest[0]), len(rest[2])) <= len(written) - len(key)


@pytest.mark.parametrize(
    ("url", "key", "sent"),
    [
        ("http://other.example/v1", "", False),
        ("http://other.example/v1", "OPENAI_API_KEY", True),
        ("https://other.example/v1", "", False),
        ("https://other.example/v1", "OPENAI_API_KEY", True),
        ("https://api.openai.com/v1", "", True),
        ("https://eu.api.openai.com/v1", "", True),
        ("http://api.openai.com/v1", "", False),
        ("https://myapi.openai.com.example/v1", "", False),
        ("https://notapi.openai.com/v1", "", False),
        ("http://127.0.0.1:8000/v1", "", True),
        ("http://127.0.0.1.other.example/v1", "", False),
    ],
)
def test_the_key_is_sent_to_openai_and_this_machine_or_where_the_spec_says(monkeypatch, url, key, sent):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert key_for(key, Address.read(f"{url}#m")).is_set == sent


@pytest.mark.parametrize(
    ("garbage", "why"),
    [
        ("html", "it answers with an HTML page"),
        ("text", "'upstream said nothing', which is no JSON"),
        ("empty", "it has no choices"),
        ("list", "it has no choices"),
        ("shape", "a token has no text"),
        ("nan", "a log-probability is no number up to 0"),
        ("positive", "a log-probability is no number up to 0"),
        ("cut", "which is no JSON"),
    ],
)
def test_garbage_is_an_error_and_no_score(open_served, server, pictures, garbage, why):
    model = open_served()
    server.faults(garbage=garbage)
    with pytest.raises(UsageError, match=why):
        model.itm(model.encode(pictures[:1]), [TEXT])


def test_an_answer_of_another_model_is_an_error(open_served, server, pictures):
    model = open_served()
    server.faults(reply_model="org/other")
    with pytest.raises(UsageError, match=r"answers as 'org/other'; at the start of the run it was org/small-vlm"):
        model.itm(model.encode(pictures[:1]), [TEXT])


def test_a_server_that_dies_is_said(pictures):
    with running("drawn") as server:
        model = load(server.path, device="cpu", dtype="float32", tries="2")
        server.faults(die_after=2)
        with pytest.raises(UsageError, match=rf"http://127.0.0.1:{server.port}/v1 gave no answer in (1 try|2 tries)"):
            model.itm(model.encode(pictures * 4), [TEXT] * 16)


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ({"html": True}, r"is no endpoint of OpenAI's protocol: it answers with an HTML page"),
        ({"secret": "s3cret"}, r"needs a key: OPENAI_API_KEY has none \(status 401\)"),
        ({"served": ["org/small-vlm-2", "org/z"]}, r"serves no 'org/small-vlm'\. Did you mean 'org/small-vlm-2'\?"),
        ({"drop": True}, r"does not see the picture: .* drops or truncates pictures"),
        ({"drop": True, "noise": 1e-4}, r"does not see the .* of a picture|does not see the picture"),
        ({"crop": 0.5}, r"does not see the upper right, lower left and lower right of a picture"),
        ({"status": 403, "times": -1}, r"needs a key: OPENAI_API_KEY has none \(status 403\)"),
        ({"status": 301, "times": -1}, r"sends requests elsewhere \(status 301\)"),
        ({"status": 422, "times": -1}, r"refuses a request \(status 422\)\. It says: no"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_refused(open_served, server, faults, why):
    server.faults(**faults)
    with pytest.raises(UsageError, match=why):
        open_served(tries="1")


def test_the_models_are_listed_where_none_is_named(server):
    with pytest.raises(UsageError, match=r"no model is named\. .* serves org/small-vlm\. Say openai:URL#MODEL"):
        load(f"{server.root}/v1", device="cpu", dtype="float32")


def test_a_url_without_its_path_is_said(server):
    with pytest.raises(UsageError, match=r"Does the URL lack /v1\?"):
        load(f"{server.root}#org/small-vlm", device="cpu", dtype="float32")


@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "ftp://host/v1", "http://", "http://host:no/v1", "http://[::1/v1"]
)
def test_what_is_no_url_is_refused(url):
    with pytest.raises(UsageError, match=r"is not the URL of an endpoint\. Say openai:URL#MODEL"):
        load(f"{url}#m", device="cpu", dtype="float32")


def test_nobody_there_is_said():
    with pytest.raises(UsageError, match=r"gave no answer in 1 try, at last: .*refused"):
        load("http://127.0.0.1:1/v1#m", device="cpu", dtype="float32", tries="1")


@pytest.mark.parametrize(
    "options",
    [
        {"concurrency": "0"},
        {"concurrency": "many"},
        {"timeout": "0"},
        {"timeout": "-1"},
        {"tries": "0"},
        {"tries": "1.5"},
    ],
)
def test_an_option_out_of_range_is_refused(open_served, options):
    ((name, _),) = options.items()
    with pytest.raises(UsageError, match=f"{name}=.*: has to be a"):
        open_served(**options)


def test_a_picture_that_is_shrunk_on_the_way_is_found(open_served, server):
    before = open_served().setup().pictures
    server.faults(shrink=2)
    after = open_served().setup().pictures
    assert (before, after) == tuple(
        f"PNG, as they are, squares of {side} px in 224 are told apart" for side in (32, 56)
    )
