"""--vl-engine: where a run asks its model."""

import pytest


def verdicts(project):
    left_out = ("started", "run_id")
    return [{key: value for key, value in one.items() if key not in left_out} for one in project.results("verdict")]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (("--vl-engine=locaal",), "ERROR: --vl-engine 'locaal': no such engine. Did you mean 'local'?"),
        (("--vl-engine=alone:1",), "ERROR: --vl-engine 'alone:1': alone takes no address; say alone."),
        (("--vl-engine=alone", "-n", "2"), "ERROR: --vl-engine 'alone': does not go with 2 processes: each would run"),
    ],
)
def test_an_engine_that_cannot_be_used_ends_the_run_before_it_begins(project, said, message):
    result = project.run(*said)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()


def test_without_ray_its_extra_is_named(project, monkeypatch):
    monkeypatch.setattr("vlcheck.scoring.engines.ray.find_spec", lambda name: None)

    result = project.run("--vl-engine=ray")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--vl-engine ray: needs the package ray. Install it: pip install 'vlcheck[[]ray[]]'*"]
    )


def test_alone_gives_the_verdicts_of_local(project):
    project.run()
    local = verdicts(project)
    project.run("--vl-engine=alone")

    assert verdicts(project) == local != []
