"""Kept answers of maps and of MM-SHAP are of one code of the network that is explained."""

import importlib.util

import vlcheck
from vlcheck.behaviors.trials import Trials
from vlcheck.cases.view import View
from vlcheck.explain.attribution.explained import WithMaps
from vlcheck.explain.attribution.saliency import Saliency
from vlcheck.explain.mm_shap.explained import WithMMShap
from vlcheck.explain.network_code import network_code

NETWORK = "class Network:\n    def logit(self):\n        return {}\n"


def given(folder, value):
    path = folder / "own.py"
    path.write_text(NETWORK.format(value))
    spec = importlib.util.spec_from_loader("own", None)
    module = importlib.util.module_from_spec(spec)
    exec(compile(path.read_text(), str(path), "exec"), vars(module))  # noqa: S102 - written above
    return module.Network()


def test_a_corrected_network_has_another_code(tmp_path):
    first = network_code(given(tmp_path, -1))
    assert first == network_code(given(tmp_path, -1))
    assert len({"", first, network_code(given(tmp_path, 1))}) == 3


def test_vlchecks_own_networks_need_none():
    assert network_code(vlcheck.load_model("tiny").differentiable()) == ""


def test_the_code_is_in_the_key_of_explained_metrics_alone():
    model = WithMMShap(WithMaps(vlcheck.load_model("tiny"), Saliency()))
    source = vlcheck.open_cases("scenes:1")
    keys = {}
    for code in ("", "old", "new"):
        model.network_code = code
        trials = Trials.for_model(source, model)
        for metric in ("itm", "map", "mm-shap"):
            question = trials.question(View.of(source.cases[0]), metric)
            keys.setdefault(metric, set()).update(query.key for query in question.queries.values())
    assert {metric: len(found) for metric, found in keys.items()} == {"itm": 1, "map": 3, "mm-shap": 3}
