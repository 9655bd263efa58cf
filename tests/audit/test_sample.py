"""The samples of distinct keys: bounded, uniform, and whole for each key."""

from collections import Counter

import pytest

from vlcheck.audit.sample import HashSample, PictureCounter


def sampled(keys, capacity, seed=0):
    sample = HashSample(capacity, seed)
    for key in keys:
        if (place := sample.admit(key)) is not None:
            sample.kept.setdefault(place, Counter())[key] += 1
            sample.shrink()
    return sample


def test_a_sample_with_places_enough_has_every_key():
    sample = sampled(map(str, range(100)), capacity=100)
    assert sample.complete
    assert sample.distinct == 100


def test_a_sample_never_has_more_keys_than_places_and_counts_each_from_first_to_last():
    sample = sampled((str(number) for _ in range(3) for number in range(5000)), capacity=256)
    assert 128 <= len(sample.kept) <= 256
    assert {count for counts in sample.values() for count in counts.values()} == {3}
    assert not sample.complete


def test_the_number_of_distinct_keys_is_estimated():
    sample = sampled((str(number % 20_000) for number in range(40_000)), capacity=4096)
    assert sample.distinct == pytest.approx(20_000, rel=0.06)


def test_the_sample_does_not_depend_on_the_order_but_on_the_seed():
    keys = [str(number) for number in range(2000)]
    forth, back, other = (sampled(*args) for args in ((keys, 64), (keys[::-1], 64), (keys, 64, 1)))
    assert [*forth.values()] == [*back.values()]
    assert [*forth.values()] != [*other.values()]


def test_every_key_is_as_likely_in_the_sample():
    drawn = Counter(
        key for seed in range(60) for counts in sampled(map(str, range(200)), 50, seed).values() for key in counts
    )
    expected = drawn.total() / 200
    assert sum((drawn[str(at)] - expected) ** 2 / expected for at in range(200)) < 260  # chi square of 199, p = 0.002


def test_captions_without_pictures_count_as_one_each():
    pictures = PictureCounter()
    assert pictures.per == 1.0
    for _ in range(7):
        pictures.see("")
    assert pictures.per == 1.0
    pictures.see("1.jpg")
    pictures.see("1.jpg")
    assert pictures.per == (7 + 4) / 9


def test_a_picture_weighs_by_its_captions():
    pictures = PictureCounter()
    for number in range(20_000):
        pictures.see(f"{number % 10_000}.jpg", 3)
    assert pictures.per == pytest.approx(6.0), "also where the pictures are a sample"
    for _ in range(60_000):
        pictures.see("", 1)
    assert pictures.per == pytest.approx(3.5, rel=0.1)
