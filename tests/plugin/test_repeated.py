"""A claim counts once, however often its test is run: again after a failure, or several times on purpose."""

import xml.etree.ElementTree as ElementTree
from collections import Counter

import pytest

AGAIN = """
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            if report.when == "call" and report.failed:
                item._initrequest()
                runtestprotocol(item, nextitem=nextitem)
                break
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True
"""
TWICE = """
    import pytest

    @pytest.hookimpl(trylast=True)
    def pytest_generate_tests(metafunc):
        metafunc.fixturenames.append("step")
        metafunc.parametrize("step", range(2), indirect=True, ids=lambda step: f"{step + 1}-2")

    @pytest.fixture
    def step(request):
        return request.param
"""


def test_a_test_that_is_run_again_has_its_figures_once(project):
    """A loop of pytest's own protocol, as plugins that rerun what failed have it."""
    project.pytester.makeconftest(AGAIN)
    result = project.run("--junit-xml=junit.xml", "-k", "grayscale", model="loves_color")
    result.assert_outcomes(failed=2)
    for case in ElementTree.parse(project.folder / "junit.xml").iter("testcase"):  # noqa: S314 - ours
        names = Counter(one.attrib["name"] for one in case.iter("property"))
        assert names["vlcheck_bias"] == 1
        assert set(names.values()) == {1}
    assert len(project.results("verdict")) == 2
    assert result.stdout.str().count("color, mlm: ") == 1


@pytest.mark.parametrize("last", [True, False])
def test_a_test_that_is_repeated_counts_once(project, last):
    """As plugins have it that make parameters of the repetitions, the last or the first ones."""
    once = project.run(model="loves_color").stdout.str()
    verdicts = project.results("verdict")
    project.pytester.makeconftest(TWICE if last else TWICE.replace("trylast", "tryfirst"))
    result = project.run(model="loves_color")
    name = "test_grayscale_preserves[mlm-1-2]" if last else "test_grayscale_preserves[1-2-mlm]"
    assert f"test_states.py::{name}" in result.stdout.str()
    assert project.results("verdict") == verdicts
    assert project.results("run")[0]["unjudged"] == []
    assert conclusion(result.stdout.str()) == conclusion(once)


def test_a_case_of_a_repeated_test_has_one_item(project):
    project.pytester.makeconftest(TWICE)
    result = project.run("--vl-cases", "--collect-only", "-q", "-k", "grayscale and mlm")
    names = [line for line in result.stdout.lines if "::" in line]
    assert len(names) == len(set(names)) == 2 + 40


def conclusion(text):
    return [line for line in text.splitlines() if line.startswith(("color ", "Fails ", "test_grayscale_preserves "))]


@pytest.mark.parametrize(
    ("plugin", "options"),
    [
        ("pytest_rerunfailures", ("--reruns=1",)),
        ("pytest_repeat", ("--count=2",)),
        ("pytest_flakefinder", ("--flake-finder", "--flake-runs=2")),
    ],
)
def test_with_the_plugin_itself(project, plugin, options):
    pytest.importorskip(plugin, reason=f"needs {plugin.replace('_', '-')}")
    project.run("-k", "grayscale", *options, "--junit-xml=junit.xml", model="loves_color", subprocess=True)
    cases = list(ElementTree.parse(project.folder / "junit.xml").iter("testcase"))  # noqa: S314 - ours
    assert len(cases) == 4  # a try that is run again has one of its own
    for case in cases:
        names = Counter(one.attrib["name"] for one in case.iter("property"))
        assert names["vlcheck_bias"] == 1
    assert len(project.results("verdict")) == 2
