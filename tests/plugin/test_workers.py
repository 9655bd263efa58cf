"""What the workers of pytest-xdist share: the weights of the model, and the scoring."""

import sys

import pytest

LARGE = """
    import os, pathlib
    import torch
    from tests.doubles import {double}

    def make(device, dtype):
        model = {double}(device=device, dtype=dtype)
        model.network = torch.nn.Linear(4200, 4200)
        encode = model.encode

        def writes_what_is_mapped(images):
            name = os.environ.get("PYTEST_XDIST_WORKER", "main")
            with pathlib.Path({log!r}).open("a") as log:
                print(name, "/weights-" in pathlib.Path("/proc/self/maps").read_text(), file=log)
            return encode(images)

        model.encode = writes_what_is_mapped
        return model
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc/PID/maps, which Linux has")
@pytest.mark.parametrize(("workers", "mapped"), [((), "False"), (("-n", "2"), "True")])
def test_workers_map_one_file_of_weights_and_one_process_none(project, log, workers, mapped):
    project.pytester.makepyfile(large=LARGE.format(double="competent", log=str(log)))

    result = project.run(f"--vl-model={project.folder}/large.py:make", *workers, model="", subprocess=True)

    assert result.ret == 0
    lines = log.read_text().splitlines()
    assert {line.split()[1] for line in lines} == {mapped}
    assert len({line.split()[0] for line in lines}) == (2 if workers else 1)
