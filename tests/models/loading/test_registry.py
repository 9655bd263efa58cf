"""The shipped families are listed in a file, so that no network's code is imported to name them."""

from importlib.metadata import EntryPoint

from benchmarks.families_page import listing
from vlcheck.models.loading.registry import (
    GROUP,
    LISTED,
    imported,
    list_models,
    registered_families,
    registered_tasks,
    registered_wrappers,
)


def test_the_list_says_what_the_families_say():
    assert LISTED.read_text(encoding="utf-8") == listing()
    found = {family.name: family for family in list_models()}
    assert found.keys() == registered_families().keys() | registered_tasks().keys() | registered_wrappers().keys()
    for name in ("albef", "CLIPModel", "BertForMaskedLM", "tiny", "SmolVLMForConditionalGeneration"):
        assert found[name] == imported(registered_families()[name])


def test_another_projects_family_is_imported(monkeypatch):
    mine = EntryPoint("albef", "tests.doubles:Competent", GROUP)
    gone = EntryPoint("gone", "absent.module:load", GROUP)
    monkeypatch.setattr("vlcheck.models.loading.registry.registered_families", lambda: {"albef": mine, "gone": gone})
    monkeypatch.setattr("vlcheck.models.loading.registry.registered_tasks", dict)
    monkeypatch.setattr("vlcheck.models.loading.registry.registered_wrappers", dict)
    albef, absent = list_models()
    assert albef.known == ()
    assert absent.problem.startswith("absent.module:load cannot be imported (")
