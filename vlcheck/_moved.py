"""New paths of the modules and names of vlcheck 0.1. `vlcheck` loads this only when an import finds nothing.

A module is written "package.module", a name "package.module:name". `KEPT` works for one more release, with a
DeprecationWarning; `MOVED` raises an ImportError that says the new path.

The tables hold every module that is elsewhere now. Of names that left a module which is still there, they hold those
that the README, the docs or a suite of 0.1 imported; all others were private, and are unknown to `import`.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from importlib import import_module
from importlib.machinery import ModuleSpec
from pkgutil import resolve_name
from types import MappingProxyType, ModuleType

KEPT: Mapping[str, str] = MappingProxyType(
    {
        "vlcheck.cases.open_source": "vlcheck:open_cases",
        "vlcheck.judge": "vlcheck.evaluation.evaluator",
        "vlcheck.models.albef": "vlcheck.models.original.albef.adapter",
        "vlcheck.models.bert": "vlcheck.models.hf.bert",
        "vlcheck.models.blip": "vlcheck.models.hf.blip",
        "vlcheck.models.blip2": "vlcheck.models.hf.blip2",
        "vlcheck.models.bridgetower": "vlcheck.models.hf.bridgetower",
        "vlcheck.models.contrastive": "vlcheck.models.hf.clip",
        "vlcheck.models.flava": "vlcheck.models.hf.flava",
        "vlcheck.models.generative": "vlcheck.models.hf.generative",
        "vlcheck.models.hosted": "vlcheck.models.adapters.huggingface",
        "vlcheck.models.load_model": "vlcheck:load_model",
        "vlcheck.models.lxmert": "vlcheck.models.hf.lxmert",
        "vlcheck.models.paligemma": "vlcheck.models.hf.paligemma",
        "vlcheck.models.pretrained": "vlcheck.models.loading.pretrained",
        "vlcheck.models.siglip": "vlcheck.models.hf.siglip",
        "vlcheck.models.vilbert": "vlcheck.models.original.vilbert.adapter",
        "vlcheck.models.vilt": "vlcheck.models.hf.vilt",
        "vlcheck.models.vilt_pretraining": "vlcheck.models.original.vilt.adapter",
        "vlcheck.models.visual_bert": "vlcheck.models.hf.visual_bert",
        "vlcheck.models.xvlm": "vlcheck.models.original.xvlm.adapter",
        "vlcheck.plugin.behavior": "vlcheck:behavior",
        "vlcheck.policy.Policy": "vlcheck.policy.policy:Policy",
        "vlcheck.suite.BIASES": "vlcheck.suite.shipped:BIASES",
        "vlcheck.tables": "vlcheck.behaviors.tables",
        "vlcheck.zoo.shelf": "vlcheck.zoo.pretrained",
    }
)

MOVED: Mapping[str, str] = MappingProxyType(
    {
        "vlcheck.behavior": "vlcheck.behaviors.behavior",
        "vlcheck.behavior.MOST_ASKED": "vlcheck.behaviors.trials:MOST_ASKED",
        "vlcheck.behavior.Question": "vlcheck.metrics.question:Question",
        "vlcheck.behavior.Trials": "vlcheck.behaviors.trials:Trials",
        "vlcheck.behavior.ask": "vlcheck.metrics.registry:ask",
        "vlcheck.betting": "vlcheck.stats.betting",
        "vlcheck.bounds": "vlcheck.stats.bounds",
        "vlcheck.calibrate": "vlcheck.studies.policy_calibration",
        "vlcheck.cases.all_but": "vlcheck.datasets.coco.complement_set",
        "vlcheck.cases.annotations": "vlcheck.datasets.coco.annotation_files",
        "vlcheck.cases.box_units": "vlcheck.datasets.box_units",
        "vlcheck.cases.boxes": "vlcheck.datasets.boxes",
        "vlcheck.cases.coco": "vlcheck.datasets.coco.reader",
        "vlcheck.cases.coco_bindings": "vlcheck.datasets.coco.bindings",
        "vlcheck.cases.coco_colors": "vlcheck.datasets.coco.colors",
        "vlcheck.cases.coco_hands": "vlcheck.datasets.coco.hands",
        "vlcheck.cases.coco_identity": "vlcheck.datasets.coco.identity",
        "vlcheck.cases.coco_instances": "vlcheck.datasets.coco.instances",
        "vlcheck.cases.coco_keypoints": "vlcheck.datasets.coco.keypoints",
        "vlcheck.cases.coco_objects": "vlcheck.datasets.coco.objects",
        "vlcheck.cases.coco_roles": "vlcheck.datasets.coco.roles",
        "vlcheck.cases.coco_sides": "vlcheck.datasets.coco.sides",
        "vlcheck.cases.complaints": "vlcheck.datasets.complaints",
        "vlcheck.cases.copies": "vlcheck.cases.duplicates",
        "vlcheck.cases.export": "vlcheck.datasets.jsonl_writer",
        "vlcheck.cases.fitness": "vlcheck.datasets.fitness",
        "vlcheck.cases.jsonl": "vlcheck.datasets.jsonl",
        "vlcheck.cases.lexicon": "vlcheck.datasets.lexicons.lexicon",
        "vlcheck.cases.lexicon_files": "vlcheck.datasets.lexicons.toml_files",
        "vlcheck.cases.limbs": "vlcheck.datasets.limbs",
        "vlcheck.cases.limits": "vlcheck.datasets.limits",
        "vlcheck.cases.looked_at": "vlcheck.cases.opened_images",
        "vlcheck.cases.meaning": "vlcheck.datasets.tags",
        "vlcheck.cases.photograph": "vlcheck.datasets.coco.photograph",
        "vlcheck.cases.provenance": "vlcheck.cases.image_notes",
        "vlcheck.cases.reasons": "vlcheck.cases.left_out",
        "vlcheck.cases.scene": "vlcheck.datasets.scenes.scene",
        "vlcheck.cases.scene_drawing": "vlcheck.datasets.scenes.rendering",
        "vlcheck.cases.scene_making": "vlcheck.datasets.scenes.sampling",
        "vlcheck.cases.scenes": "vlcheck.datasets.scenes.cases",
        "vlcheck.cases.source.ACCEPTED": "vlcheck.datasets.registry:ACCEPTED",
        "vlcheck.cases.source.open_source": "vlcheck.datasets.registry:open_source",
        "vlcheck.cli.data": "vlcheck.cli.cases",
        "vlcheck.cli.speech": "vlcheck.cli.console",
        "vlcheck.cli.training": "vlcheck.cli.train",
        "vlcheck.digest": "vlcheck._util.hashing",
        "vlcheck.drafts": "vlcheck._util.files",
        "vlcheck.endings": "vlcheck._util.process_end",
        "vlcheck.findings": "vlcheck.evaluation.outcomes",
        "vlcheck.foreign": "vlcheck._util.foreign_files",
        "vlcheck.foreign_code": "vlcheck._util.foreign_code",
        "vlcheck.installed": "vlcheck._util.installed",
        "vlcheck.judgement": "vlcheck.evaluation.evidence",
        "vlcheck.judgement.Top": "vlcheck.metrics.answer:Top",
        "vlcheck.lazy": "vlcheck._util.lazy",
        "vlcheck.looks": "vlcheck.behaviors.schedule",
        "vlcheck.matrix": "vlcheck.studies.power",
        "vlcheck.models.albef_config": "vlcheck.models.original.albef.config",
        "vlcheck.models.albef_network": "vlcheck.models.original.albef.network",
        "vlcheck.models.albef_text": "vlcheck.models.original.fusion.captions",
        "vlcheck.models.answering": "vlcheck.models.adapters.yes_no",
        "vlcheck.models.asking": "vlcheck.models.adapters.base",
        "vlcheck.models.autoregressive": "vlcheck.models.adapters.autoregressive",
        "vlcheck.models.chat": "vlcheck.models.adapters.chat",
        "vlcheck.models.checkpoint": "vlcheck.models.loading.checkpoint",
        "vlcheck.models.extents": "vlcheck.models.loading.extents",
        "vlcheck.models.families": "vlcheck.models.loading.registry",
        "vlcheck.models.features": "vlcheck.models.adapters.features",
        "vlcheck.models.folder": "vlcheck.models.loading.folder",
        "vlcheck.models.foreign_model": "vlcheck.models.loading.foreign_model",
        "vlcheck.models.fusing": "vlcheck.models.original.fusion.adapter",
        "vlcheck.models.fusion_bert": "vlcheck.models.original.fusion.text_encoder",
        "vlcheck.models.fusion_network": "vlcheck.models.original.fusion.network",
        "vlcheck.models.load": "vlcheck.models.loading.load",
        "vlcheck.models.loaded": "vlcheck.models.loading.loaded",
        "vlcheck.models.misfits": "vlcheck.models.loading.misfits",
        "vlcheck.models.original.check_multiple": "vlcheck.models.loading.layout:check_multiple",
        "vlcheck.models.original.check_size": "vlcheck.models.loading.layout:check_size",
        "vlcheck.models.original.check_weights": "vlcheck.models.loading.layout:check_weights",
        "vlcheck.models.original.find_checkpoint": "vlcheck.models.loading.layout:find_checkpoint",
        "vlcheck.models.original.fingerprint": "vlcheck.models.loading.layout:fingerprint",
        "vlcheck.models.original.is_size": "vlcheck.models.loading.layout:is_size",
        "vlcheck.models.original.named_path": "vlcheck.models.loading.layout:named_path",
        "vlcheck.models.original.naming": "vlcheck.models.loading.layout:naming",
        "vlcheck.models.original.read_json": "vlcheck.models.loading.layout:read_optional_json",
        "vlcheck.models.original.read_needed_json": "vlcheck.models.loading.layout:read_needed_json",
        "vlcheck.models.packages": "vlcheck.models.loading.packages",
        "vlcheck.models.pair": "vlcheck.models.loading.pair",
        "vlcheck.models.pixels": "vlcheck.models.original.fusion.pixels",
        "vlcheck.models.processed": "vlcheck.models.adapters.processor",
        "vlcheck.models.protocol.ANY": "vlcheck.metrics.kinds:ANY",
        "vlcheck.models.protocol.DEFAULT_KINDS": "vlcheck.metrics.registry:DEFAULT_KINDS",
        "vlcheck.models.protocol.MASSES": "vlcheck.metrics.reading:Reading.whole",
        "vlcheck.models.protocol.RELATIVE": "vlcheck.metrics.registry:RELATIVE",
        "vlcheck.models.protocol.WITH_REGIONS": "vlcheck.metrics.registry:WITH_REGIONS",
        "vlcheck.models.refusal": "vlcheck.models.adapters.refusal",
        "vlcheck.models.region_classes": "vlcheck.models.regions.classes",
        "vlcheck.models.region_detector": "vlcheck.models.regions.detector",
        "vlcheck.models.region_extractor": "vlcheck.models.regions.extractor",
        "vlcheck.models.region_files": "vlcheck.models.regions.precomputed",
        "vlcheck.models.region_readers": "vlcheck.models.adapters.regions",
        "vlcheck.models.regions.MOST_OVERLAP": "vlcheck.models.regions.regions:MOST_OVERLAP",
        "vlcheck.models.regions.RegionExtractor": "vlcheck.models.regions.regions:RegionExtractor",
        "vlcheck.models.regions.Regions": "vlcheck.models.regions.regions:Regions",
        "vlcheck.models.regions.SAID_BY": "vlcheck.models.regions.regions:SAID_BY",
        "vlcheck.models.regions.look": "vlcheck.models.regions.regions:regions_of",
        "vlcheck.models.regions.overlap": "vlcheck.models.regions.regions:overlap",
        "vlcheck.models.relative": "vlcheck.models.adapters.relative",
        "vlcheck.models.template_process": "vlcheck.models.adapters.template_process",
        "vlcheck.models.templates": "vlcheck.models.adapters.templates",
        "vlcheck.models.texts": "vlcheck.models.adapters.tokenizing",
        "vlcheck.models.texts.without_habits": "vlcheck.models.loading.tokenizer:without_habits",
        "vlcheck.models.thought": "vlcheck.models.adapters.thought",
        "vlcheck.models.tryout": "vlcheck.models.adapters.tryout",
        "vlcheck.models.vilbert_config": "vlcheck.models.original.vilbert.config",
        "vlcheck.models.vilbert_network": "vlcheck.models.original.vilbert.network",
        "vlcheck.models.vilbert_original": "vlcheck.models.original.vilbert.weights",
        "vlcheck.models.vilbert_regions": "vlcheck.models.original.vilbert.inputs",
        "vlcheck.models.vilt_network": "vlcheck.models.original.vilt.network",
        "vlcheck.models.vilt_original": "vlcheck.models.original.vilt.weights",
        "vlcheck.models.vilt_original.ViltNetwork": "vlcheck.models.original.vilt.network:ViltNetwork",
        "vlcheck.models.vocabulary": "vlcheck.models.original.wordpiece",
        "vlcheck.models.xvlm_config": "vlcheck.models.original.xvlm.config",
        "vlcheck.models.xvlm_network": "vlcheck.models.original.xvlm.network",
        "vlcheck.numerals": "vlcheck._util.numbers",
        "vlcheck.operating": "vlcheck.evaluation.calibration",
        "vlcheck.outside": "vlcheck.evaluation.session",
        "vlcheck.paired": "vlcheck.stats.paired",
        "vlcheck.paths": "vlcheck._util.paths",
        "vlcheck.perturb.view": "vlcheck.perturb.base",
        "vlcheck.perturb.view.View": "vlcheck.cases.view:View",
        "vlcheck.photograph": "vlcheck.explain.single_image",
        "vlcheck.pictures": "vlcheck._util.image_files",
        "vlcheck.plugin.explain": "vlcheck.plugin.reporters.failure",
        "vlcheck.plugin.extent": "vlcheck.plugin.scope",
        "vlcheck.plugin.foresight": "vlcheck.evaluation.preview",
        "vlcheck.plugin.github": "vlcheck.plugin.reporters.github",
        "vlcheck.plugin.html": "vlcheck.plugin.reporters.html",
        "vlcheck.plugin.lines": "vlcheck.plugin.reporters.lines",
        "vlcheck.plugin.mark.behavior": "vlcheck.behaviors.binding:behavior",
        "vlcheck.plugin.mark.sound": "vlcheck.behaviors.suite:sound",
        "vlcheck.plugin.mark.subjects": "vlcheck.behaviors.suite:subjects",
        "vlcheck.plugin.progress": "vlcheck.plugin.reporters.progress",
        "vlcheck.plugin.second_chance": "vlcheck.plugin.xdist_schedulers",
        "vlcheck.plugin.terminal": "vlcheck.plugin.reporters.terminal",
        "vlcheck.policy.BUILT_IN": "vlcheck.policy.policy:BUILT_IN",
        "vlcheck.policy.CHOICES": "vlcheck.policy.policy:Scaling",
        "vlcheck.policy.Consequence": "vlcheck.policy.policy:Consequence",
        "vlcheck.policy.Known": "vlcheck.policy.policy:Known",
        "vlcheck.policy.METRICS": "vlcheck.policy.policy:METRICS",
        "vlcheck.policy.RULE": "vlcheck.policy.policy:RULE",
        "vlcheck.policy.Rule": "vlcheck.policy.policy:Rule",
        "vlcheck.policy.SCALING": "vlcheck.policy.policy:SCALING",
        "vlcheck.policy.Scaling": "vlcheck.policy.policy:Scaling",
        "vlcheck.policy.Subject": "vlcheck.policy.policy:Subject",
        "vlcheck.policy.TOLERANCES": "vlcheck.policy.policy:TOLERANCES",
        "vlcheck.policy.Terms": "vlcheck.policy.policy:Terms",
        "vlcheck.policy.Tolerances": "vlcheck.metrics.tolerances:Tolerances",
        "vlcheck.policy.UNDECIDED": "vlcheck.policy.policy:UNDECIDED",
        "vlcheck.policy.Value": "vlcheck.policy.policy:Value",
        "vlcheck.policy_file": "vlcheck.policy.toml_file",
        "vlcheck.query": "vlcheck.metrics.query",
        "vlcheck.query.ImageEdit": "vlcheck.cases.picture:ImageEdit",
        "vlcheck.query.Metric": "vlcheck.metrics.kinds:Metric",
        "vlcheck.query.Picture": "vlcheck.cases.picture:Picture",
        "vlcheck.query.UNCHANGED": "vlcheck.cases.picture:UNCHANGED",
        "vlcheck.query.identity": "vlcheck.cases.picture:identity",
        "vlcheck.reading": "vlcheck.metrics.reading",
        "vlcheck.report.agreement": "vlcheck.results.agreement",
        "vlcheck.report.card": "vlcheck.report.markdown.model_card",
        "vlcheck.report.comparison": "vlcheck.results.comparison",
        "vlcheck.report.comparison_lines": "vlcheck.report.text.comparison",
        "vlcheck.report.conclusion": "vlcheck.results.conclusion",
        "vlcheck.report.drawing": "vlcheck.report.single_image.png",
        "vlcheck.report.figure": "vlcheck.report.single_image.figure",
        "vlcheck.report.gate": "vlcheck.results.gate",
        "vlcheck.report.markdown.row": "vlcheck.report.markdown.markdown:row",
        "vlcheck.report.markdown.rule": "vlcheck.report.markdown.markdown:rule",
        "vlcheck.report.markdown.summary": "vlcheck.report.markdown.markdown:summary",
        "vlcheck.report.markdown.text": "vlcheck.report.markdown.markdown:text",
        "vlcheck.report.page.beside": "vlcheck.report.page.control",
        "vlcheck.report.page.budget": "vlcheck.report.page.row_budget",
        "vlcheck.report.page.changes": "vlcheck.report.page.baseline",
        "vlcheck.report.page.drawings": "vlcheck.report.page.charts",
        "vlcheck.report.page.found": "vlcheck.report.page.failing_biases",
        "vlcheck.report.page.grids": "vlcheck.report.page.tables",
        "vlcheck.report.page.measures": "vlcheck.report.page.formatting",
        "vlcheck.report.page.pictures": "vlcheck.report.page.images",
        "vlcheck.report.page.run": "vlcheck.report.page.run_header",
        "vlcheck.report.page.verdicts": "vlcheck.report.page.verdict",
        "vlcheck.report.page.words": "vlcheck.report.page.escaping",
        "vlcheck.report.places": "vlcheck.results.places",
        "vlcheck.report.results": "vlcheck.results.file",
        "vlcheck.report.scales": "vlcheck.results.scales",
        "vlcheck.report.schema": "vlcheck.results.schema",
        "vlcheck.report.summary": "vlcheck.report.text.summary",
        "vlcheck.report.summary.moment": "vlcheck._util.numbers:moment",
        "vlcheck.report.unjudged": "vlcheck.results.unjudged",
        "vlcheck.repository": "vlcheck.suite.install",
        "vlcheck.run_id": "vlcheck.results.run_id",
        "vlcheck.scale": "vlcheck.stats.operating_scale",
        "vlcheck.scoring.answer": "vlcheck.metrics.answer",
        "vlcheck.scoring.leases": "vlcheck.scoring.engines.local",
        "vlcheck.scratch": "vlcheck._util.temporary",
        "vlcheck.specs": "vlcheck._util.spec_grammar",
        "vlcheck.statement": "vlcheck.behaviors.statement",
        "vlcheck.suite.FIXTURES": "vlcheck.suite.shipped:FIXTURES",
        "vlcheck.suite.fixtures_above": "vlcheck.suite.shipped:fixtures_above",
        "vlcheck.suite.lexicons_in": "vlcheck.suite.shipped:lexicons_in",
        "vlcheck.suite.lexicons_path": "vlcheck.suite.shipped:lexicons_path",
        "vlcheck.suite.policy_in": "vlcheck.suite.shipped:policy_in",
        "vlcheck.suite.policy_path": "vlcheck.suite.shipped:policy_path",
        "vlcheck.suite.suite_files": "vlcheck.suite.shipped:suite_files",
        "vlcheck.suite.suite_folder": "vlcheck.suite.shipped:suite_folder",
        "vlcheck.suite.tests_beside": "vlcheck.suite.shipped:tests_beside",
        "vlcheck.suite.tests_here": "vlcheck.suite.shipped:tests_here",
        "vlcheck.suite_copy": "vlcheck.suite.diff",
        "vlcheck.verdict": "vlcheck.stats.verdict",
        "vlcheck.verdict.BY_GRAVITY": "vlcheck.stats.decision:BY_GRAVITY",
        "vlcheck.verdict.Cause": "vlcheck.stats.decision:Cause",
        "vlcheck.verdict.Claim": "vlcheck.stats.decision:Claim",
        "vlcheck.verdict.DECIDED": "vlcheck.stats.decision:DECIDED",
        "vlcheck.verdict.HOLLOW": "vlcheck.stats.decision:HOLLOW",
        "vlcheck.verdict.MOST_CASES": "vlcheck.stats.power:MOST_CASES",
        "vlcheck.verdict.NOT_ASKED": "vlcheck.stats.decision:NOT_ASKED",
        "vlcheck.verdict.OF_A_BIAS": "vlcheck.stats.decision:OF_A_BIAS",
        "vlcheck.verdict.POWER": "vlcheck.stats.power:POWER",
        "vlcheck.verdict.Status": "vlcheck.stats.decision:Status",
        "vlcheck.verdict.bootstrap_interval": "vlcheck.stats.bootstrap:bootstrap_interval",
        "vlcheck.verdict.could_pass": "vlcheck.stats.power:could_pass",
        "vlcheck.verdict.detectable": "vlcheck.stats.power:detectable",
        "vlcheck.verdict.fewest_inside": "vlcheck.stats.power:fewest_inside",
        "vlcheck.verdict.fewest_that_pass": "vlcheck.stats.power:fewest_that_pass",
        "vlcheck.verdict.holm": "vlcheck.stats.multiple_testing:holm",
        "vlcheck.verdict.most_that_pass": "vlcheck.stats.power:most_that_pass",
        "vlcheck.verdict.needed_n": "vlcheck.stats.power:needed_n",
        "vlcheck.verdict.status_of_mean": "vlcheck.stats.decision:status_of_mean",
        "vlcheck.verdict.status_of_rate": "vlcheck.stats.decision:status_of_rate",
        "vlcheck.verdict.worst": "vlcheck.stats.decision:worst",
        "vlcheck.zoo.base": "vlcheck.zoo.initial_weights",
        "vlcheck.zoo.exam": "vlcheck.zoo.validation",
        "vlcheck.zoo.files": "vlcheck.zoo.export",
        "vlcheck.zoo.folder": "vlcheck.zoo.workspace",
        "vlcheck.zoo.lessons": "vlcheck.zoo.captions",
        "vlcheck.zoo.stage": "vlcheck.zoo.curriculum",
        "vlcheck.zoo.worlds": "vlcheck.zoo.planted_biases",
    }
)


class _MovedModule:
    """Loads a module under its old name: the same object as under the new one."""

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """Leave it to Python, which discards what it makes for the module that `exec_module` puts in its place."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        old = module.__name__
        _announce(old, stacklevel=3)
        sys.modules[old] = import_module(KEPT[old])


def find_spec(old: str) -> ModuleSpec | None:
    """Return how a module is loaded by its old name; None if no module had that name.

    Args:
        old: full name, e.g. "vlcheck.judge".
    """
    return ModuleSpec(old, _MovedModule()) if old in KEPT or old in MOVED else None  # type: ignore[arg-type]  # no Loader


def find_name(module: str, name: str) -> object:
    """Return what a module had under a name, with a DeprecationWarning.

    Args:
        module: full name of a module that is still there.
        name: a name that the module does not have.

    Raises:
        AttributeError: the module never had that name.
        ImportError: the name has moved for good; the message says where.
    """
    old = f"{module}.{name}"
    if old not in KEPT and old not in MOVED:
        raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name, obj=sys.modules[module])
    _announce(old, stacklevel=4)
    return resolve_name(KEPT[old])


def _announce(old: str, stacklevel: int) -> None:
    """Warn of an old path that still works. Raises ImportError for one that does not."""
    if old in KEPT:
        said = f"{old} is {_dotted(KEPT[old])} now; its old name goes with the next release."
        warnings.warn(said, DeprecationWarning, stacklevel=stacklevel)
        return
    homes = {new.partition(":")[0] for name, new in MOVED.items() if name.startswith(f"{old}.")}
    others = f"; some of its names are in {', '.join(sorted(homes))}" if homes else ""
    raise ImportError(f"{old} has moved to {_dotted(MOVED[old])}{others}.", name=old)


def _dotted(path: str) -> str:
    return path.replace(":", ".")
