from vlcheck.report.page.word_list import word_list


def shown(*arguments):
    return [(one.word.text, one.score) for one in word_list(*arguments)]


def test_the_words_asked_about_and_the_likeliest_are_one_list_with_shares_beside_raw_scores():
    asked = {"left": 0.3, "right": 0.1}
    top = [("big", 0.5), ("left", 0.3)]
    assert shown(asked, top, ["right"]) == [("big", "0.500"), ("left", "0.300 (0.75)"), ("right", "0.100 (0.25)")]


def test_the_true_word_is_in_the_list_however_unlikely_it_is():
    asked = {f"word{n}": 0.1 - n / 1000 for n in range(9)} | {"bus": 1e-6}
    words = shown(asked, [], ["bus"])
    assert (len(words), words[-1]) == (7, ("bus", "1e-06 (1e-06)"))


def test_a_word_that_was_asked_about_alone_has_no_share_and_needs_no_list():
    assert shown({"bus": 0.9}, [], ["bus"]) == []
    assert shown({"bus": 0.2}, [("car", 0.7)], ["bus"]) == [("car", "0.700"), ("bus", "0.200")]


def test_scores_that_are_missing_or_all_0_have_no_shares():
    assert shown({"bus": None, "car": 0.5, "cow": 0.0}, [], ["bus"]) == [
        ("car", "0.500 (1.00)"),
        ("cow", "0.000 (0.00)"),
    ]
    assert shown({"bus": 0.0, "car": 0.0}, [], []) == [("bus", "0.000"), ("car", "0.000")]
