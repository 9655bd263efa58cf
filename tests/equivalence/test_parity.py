"""Two models that should be the same, from Python: asked, kept, and compared again without being asked."""

import pytest

import vlcheck
from benchmarks.parity_faults import FAULTS
from tests.equivalence.ruled import Changing, Failing, Ruled, solids
from vlcheck.datasets.registry import open_source
from vlcheck.equivalence.kept import Kept
from vlcheck.equivalence.questions import OWN
from vlcheck.errors import UsageError
from vlcheck.zoo.pretrained import tiny

DATA, ENOUGH = solids(20), solids(150)
RULED = "tests/equivalence/ruled.py"


def test_a_model_is_the_same_as_itself_once_there_are_images_enough():
    report = vlcheck.parity(Ruled(), Ruled(), ENOUGH)
    assert (report.status, report.images, report.causes, report.worst) == ("same", 150, (), ())
    assert vlcheck.parity(Ruled(), Ruled(), DATA).status == "inconclusive"


def test_a_model_whose_scores_are_moved_is_another_one():
    report = vlcheck.parity(Ruled(), Ruled("moved", moved=0.2), DATA)
    assert report.status == "different"
    shift = next(one for one in report.metrics[0].criteria if one.name == "shift")
    assert 0.1 < shift.mean <= 0.2


def test_the_same_model_is_asked_twice_and_in_its_own_batches(tmp_path):
    a, b = Ruled(), Ruled()
    report = vlcheck.parity(a, b, DATA, batch_size=16, batch_size_b=5, store=tmp_path / "s.sqlite")
    assert (report.a.batch_size, report.b.batch_size) == (16, 5)
    assert 0 < max(b.encoded) <= 5 < max(a.encoded)
    assert report.differs == ("batch_size: 16 and 5",)


def test_nothing_is_asked_again_with_a_store(tmp_path):
    model, store = Ruled(), tmp_path / "scores.sqlite"
    first = vlcheck.parity(model, model, DATA, store=store)
    asked = len(model.encoded)
    assert vlcheck.parity(model, model, DATA, store=store) == first
    assert len(model.encoded) == asked > 0


def test_no_more_pictures_are_in_memory_with_more_cases():
    few, many = Ruled(), Ruled()
    for model, data in ((few, DATA), (many, ENOUGH)):
        vlcheck.parity(model, model, data)
    assert max(many.encoded) <= max(few.encoded) <= 16
    assert len(many.encoded) > 2 * len(few.encoded)


def test_kept_answers_stand_in_for_a_model_and_name_its_data(tmp_path):
    a, b = tmp_path / "a.parity", tmp_path / "b.parity"
    vlcheck.keep_answers(Ruled(), a, ENOUGH)
    vlcheck.keep_answers(Ruled(), b, ENOUGH)
    assert vlcheck.parity(a, Ruled(), ENOUGH).status == "same"
    assert vlcheck.parity(Ruled(), b, ENOUGH).status == "same"
    assert vlcheck.parity(str(a), str(b)).status == "same"
    assert Kept.open(a).head.images == 150


def test_kept_answers_to_other_data_are_refused_before_a_model_is_asked(tmp_path):
    kept, model = tmp_path / "a.parity", Ruled()
    vlcheck.keep_answers(Ruled(), kept, DATA)
    with pytest.raises(UsageError, match="are not asked the same questions"):
        vlcheck.parity(kept, model, solids(20, seed=1))
    assert model.encoded == []


def test_a_model_that_changes_while_it_is_asked_gives_no_report(tmp_path):
    model, kept = Changing(), tmp_path / "a.parity"
    for side in ((model, Ruled()), (Ruled(), model)):
        with pytest.raises(UsageError, match=r"[ab]='ruled': is not shown to be one model .*: small 1 and small 2"):
            vlcheck.parity(*side, DATA)
    vlcheck.keep_answers(Ruled(), kept, solids(5))
    before = kept.read_bytes()
    with pytest.raises(UsageError, match="is not shown to be one model"):
        vlcheck.keep_answers(model, kept, DATA)
    assert kept.read_bytes() == before


def test_a_store_keeps_no_answer_of_a_model_that_changed(tmp_path):
    store, own = tmp_path / "s.sqlite", Ruled()
    with pytest.raises(UsageError, match="is not shown to be one model"):
        vlcheck.keep_answers(Changing(moved=0.3), tmp_path / "a.parity", DATA, store=store)
    vlcheck.keep_answers(own, tmp_path / "b.parity", DATA, store=store)
    vlcheck.keep_answers(Ruled(), tmp_path / "c.parity", DATA)
    kept, fresh = (Kept.open(tmp_path / f"{name}.parity") for name in "bc")
    assert own.encoded
    assert [*kept.cases()] == [*fresh.cases()]


def test_an_error_of_a_model_is_kept_apart_from_a_refusal(tmp_path):
    kept = tmp_path / "a.parity"
    vlcheck.keep_answers(Failing(), kept, solids(5))
    answers = [answer for one in Kept.open(kept).cases() for answer in one.answers if answer.view == OWN]
    assert {(answer.metric, answer.refused, answer.failed) for answer in answers} == {
        ("itm", "", "the endpoint gave no answer"),
        ("mlm", "no such word", ""),
    }


def test_an_older_file_of_kept_answers_is_replaced_and_no_other_file(tmp_path):
    kept, mine = tmp_path / "a.parity", tmp_path / "mine.txt"
    vlcheck.keep_answers(Ruled(), kept, solids(5))
    vlcheck.keep_answers(Ruled(), kept, solids(6))
    assert Kept.open(kept).head.images == 6
    mine.write_text("mine")
    with pytest.raises(UsageError, match="is no file of kept answers"):
        vlcheck.keep_answers(Ruled(), mine, solids(5))
    assert mine.read_text() == "mine"


def test_margins_are_the_policys(tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text("[parity]\nchanged = 0.5\nshift = 0.5\ndifference = 0.5\n")
    report = vlcheck.parity(Ruled(), Ruled(), DATA, policy=policy)
    assert (report.status, report.margins["changed"], report.margins["tie"]) == ("same", 0.5, 0.001)


@pytest.mark.parametrize(
    ("a", "b", "data", "said"),
    [
        ("absent.parity", "tiny", DATA, "a=absent.parity: absent.parity: cannot be read"),
        ("tiny", "tinny", None, "data=None: has to be a spec"),
        (Ruled(), "tinny", solids(5), "b='tinny': no such model. Did you mean 'tiny'"),
        (f"{RULED}:absent", Ruled(), solids(5), "a='tests/equivalence/ruled.py:absent'"),
        (Ruled(), object(), solids(5), "object"),
    ],
)
def test_what_cannot_be_used_is_refused(a, b, data, said):
    with pytest.raises(UsageError) as refused:
        vlcheck.parity(a, b, data)
    assert said in str(refused.value)


def test_a_batch_of_no_picture_is_refused():
    with pytest.raises(UsageError, match="batch_size=0: has to be a whole number from 1 on"):
        vlcheck.parity(Ruled(), Ruled(), DATA, batch_size=0)


@pytest.fixture(scope="module")
def kept_tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("parity") / "tiny.parity"
    vlcheck.keep_answers(tiny(), path, "scenes:40:0")
    return path


EXPLAINED = {
    "channel swap": "with red and blue exchanged",
    "resize": "look at how pictures are resized",
    "no normalisation": "without normalisation (by CLIP's",
    "text order": "with the second half of the words before the first",
    "stale prefix": "pictures are mixed up",
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught_and_its_cause_named(kept_tiny, fault):
    report = vlcheck.parity(kept_tiny, FAULTS[fault](tiny()), open_source("scenes:40:0"))
    assert report.status == "different"
    assert EXPLAINED[fault] in report.causes[-1]
