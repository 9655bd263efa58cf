"""A served model against a small server: its scores, what is sent, and how many questions are in flight."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from PIL import Image

from vlcheck.errors import NotApplicable, UsageError
from vlcheck.metrics.kinds import ANY
from vlcheck.models.served.model import _by_letters, _yes_no
from vlcheck.models.served.replies import TokenList

TEXT = "a red bus"
MASKED = "a [MASK] bus"


def test_match_is_the_share_of_yes_with_its_spellings_summed(open_served, server, pictures):
    model = open_served()
    encoded = model.encode(pictures)

    answers = model.answers(encoded, [TEXT] * 4)

    assert model.kinds == {"itm": "yes-no", "mlm": "candidates"}
    np.testing.assert_allclose(model.itm(encoded, [TEXT] * 4), answers.yes / (answers.yes + answers.no))
    assert len(set(answers.yes.tolist())) == 4
    assert all(0.5 < mass <= 1 for mass in answers.yes + answers.no)


def test_a_question_is_asked_once_about_encoded_pictures(open_served, server, pictures):
    model = open_served()
    encoded = model.encode(pictures)
    before = server.log["chats"]

    model.begin("itm", encoded, [TEXT] * 4, [()] * 4)
    model.itm(encoded, [TEXT] * 4)
    model.answers(encoded[[1, 1]], [TEXT] * 2)

    assert server.log["chats"] == before + 4


def test_the_question_is_asked_in_each_wording_about_the_same_pictures(open_served, server, pictures):
    model = open_served()
    encoded, before = model.encode(pictures), server.log["chats"]

    models = [model.in_wording(wording) for wording in model.wordings]
    for one in models:
        one.begin("itm", encoded, [TEXT] * 4, [()] * 4)
    found = [one.itm(encoded, [TEXT] * 4).tolist() for one in models]

    assert server.log["chats"] == before + 3 * 4
    assert found[0] == model.itm(encoded, [TEXT] * 4).tolist()
    assert len({tuple(one) for one in found}) == 3
    assert model.wordings[2] in models[2].setup().texts
    assert models[2].changed() == ""  # the probe is asked in the usual wording
    with pytest.raises(UsageError, match="has no wording 'What is it"):
        model.in_wording("What is it")


def test_pictures_arrive_pixel_by_pixel(open_served, server, pictures):
    model = open_served()
    clear = pictures[0].convert("RGBA")
    clear.putalpha(0)

    model.itm(model.encode([pictures[0], clear]), [TEXT] * 2)

    white = Image.new("RGB", clear.size, "white")
    sent = [f"PNG RGB {hashlib.sha256(image.tobytes()).hexdigest()}" for image in (pictures[0], white)]
    assert sorted(server.log["pixels"][-2:]) == sorted(sent)


def test_as_many_questions_are_in_flight_as_the_spec_says(open_served, server, pictures):
    model = open_served()
    server.faults(latency=0.02)

    model.itm(model.encode(pictures * 5), [TEXT] * 20)

    assert server.log["most"] == 4


def test_words_are_compared_by_likelihood_where_prompts_have_log_probabilities(open_served, pictures):
    model = open_served()
    encoded = model.encode(pictures[:1])

    shares = model.mlm(encoded, [MASKED], [("red", "blue", "red")])[0]

    red, blue = (model.line.answered(encoded.pictures[0], f"a {word} bus").result() for word in ("red", "blue"))
    weights = [math.exp(sum(log for _, log in one[-2:])) for one in (red, blue)]
    assert shares[0] == pytest.approx(weights[0] / sum(weights), abs=1e-12)
    assert shares.tolist() == pytest.approx([shares[0], 1 - shares[0], shares[0]])
    mass = sum(math.exp(one[-2][1]) for one in (red, blue))
    assert model.top(encoded, [MASKED], 5) == [[(ANY, pytest.approx(min(mass, 1)))]]


def test_words_are_chosen_by_letters_elsewhere_each_once_in_each_place(open_served, server, pictures):
    server.faults(prompts=False)
    model = open_served()
    encoded, words = model.encode(pictures[:1]), ("red", "blue", "green")

    shares = model.mlm(encoded, [MASKED], [words])[0]

    assert model.kinds["mlm"] == "choice"
    expected = np.zeros(3)
    for start in range(3):
        listed = model.line.choice(encoded.pictures[0], MASKED, (*words[start:], *words[:start])).result()
        probs = np.array([listed.of(letter, fold=False) for letter in "ABC"])
        expected[[(start + place) % 3 for place in range(3)]] += probs / probs.sum() / 3
    np.testing.assert_allclose(shares, expected, atol=1e-12)
    assert shares.sum() == pytest.approx(1)
    ((word, mass),) = model.top(encoded, [MASKED], 5)[0]
    assert word == ANY
    assert 0 < mass < 1


def test_the_order_in_which_words_are_asked_decides_nothing(open_served, server, pictures):
    server.faults(prompts=False)
    model = open_served()

    one, other = (model.mlm(model.encode(pictures[:1]), [MASKED], [words])[0] for words in ("abc", "bca"))

    assert one.tolist() == pytest.approx(other[[2, 0, 1]].tolist(), abs=1e-12)


@pytest.mark.parametrize(
    ("words", "why"),
    [(("red",), "only compares words"), ([f"w{number}" for number in range(27)], "more than 26 words")],
)
def test_words_that_cannot_be_compared_are_not_asked(open_served, pictures, words, why):
    model = open_served()
    with pytest.raises(NotApplicable, match=why):
        model.mlm(model.encode(pictures[:1]), [MASKED], [words])


def test_without_yes_and_no_in_the_list_there_is_no_score(open_served, server, pictures):
    model = open_served()
    server.faults(answers=["Maybe", "The"])
    with pytest.raises(NotApplicable, match=r"neither yes nor no is among the 2 likeliest .* below 0\.33"):
        model.itm(model.encode(pictures[:1]), [TEXT])


def listed(**probs: float) -> TokenList:
    return TokenList(tuple(probs.items()))


@pytest.mark.parametrize(
    ("found", "clear"),
    [
        (listed(Yes=0.97, Sure=0.02, Well=0.001), True),
        (listed(Yes=0.03, **{f"t{number}": 0.03 for number in range(19)}), False),
        (listed(Yes=0.5, a=0.1, b=0.1, c=0.1, d=0.1), False),
        (listed(Yes=0.5, No=0.1, a=0.1), True),
    ],
)
def test_a_share_is_read_only_if_what_is_not_listed_cannot_move_it(found, clear):
    if clear:
        assert _yes_no(found)[0] == found.of("yes")
        return
    with pytest.raises(NotApplicable, match="may have P up to"):
        _yes_no(found)


@pytest.mark.parametrize("found", [listed(x=0.5, y=0.4), listed(A=0.3, x=0.2, y=0.2)])
def test_letters_that_are_not_listed_give_no_shares(found):
    with pytest.raises(NotApplicable, match="likeliest first tokens"):
        _by_letters([found, found])


def test_an_endpoint_that_lists_few_tokens_is_asked_for_few(open_served, server, pictures):
    server.faults(most_listed=5, limit="max_completion_tokens")
    model = open_served()
    assert model.line.listed == 5
    assert 0 < model.itm(model.encode(pictures[:1]), [TEXT])[0] < 1


def test_without_log_probabilities_nothing_is_scored_and_nothing_asked(open_served, server, pictures):
    server.faults(log_probs=False, prompts=False)
    model = open_served()
    before = server.log["chats"]
    for ask in (
        lambda encoded: model.itm(encoded, [TEXT]),
        lambda encoded: model.mlm(encoded, [MASKED], [("red", "blue")]),
    ):
        with pytest.raises(UsageError, match="gives no log-probabilities of org/small-vlm"):
            ask(model.encode(pictures[:1]))
    model.begin("itm", model.encode(pictures), [TEXT] * 4, [()] * 4)
    assert server.log["chats"] == before


def test_pictures_of_another_model_are_refused(open_served, pictures):
    model, other = open_served(), open_served(concurrency="3")
    with pytest.raises(TypeError, match="encoded itself"):
        model.itm(other.encode(pictures), [TEXT] * 4)
    with pytest.raises(ValueError, match="1 texts for 4 images"):
        model.itm(model.encode(pictures), [TEXT])


def test_a_thought_is_asked_away_where_the_template_can(open_served, server, pictures):
    server.faults(thinks=True)
    model = open_served()
    assert model.line.prompts.dialect.more == {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}}
    assert sum(model.answers(model.encode(pictures[:1]), [TEXT]))[0] > 0.5


def test_the_setup_says_what_is_asked_and_where(open_served, server):
    said = open_served().setup().said()
    assert said["server"].startswith(f"{server.root}/v1, small 1.0, model org/small-vlm, noise 0.000, probe ")
    assert said["pictures"] == "PNG, as they are, squares of 32 px in 224 are told apart"
    assert "Please answer yes or no." in said["texts"]
