"""A run's results as lines of text: the matrix of biases and metrics, the verdicts, and the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from vlcheck._util.bars import share_bar
from vlcheck._util.numbers import between, chance, counted, figure, share, signed, whole
from vlcheck.metrics.registry import OF_PICTURES
from vlcheck.perturb.place import CELLS
from vlcheck.report.glossary import legend
from vlcheck.report.study import study_figure
from vlcheck.report.text.columns import aligned
from vlcheck.report.text.modalities import shares_of_modalities, synergy_of
from vlcheck.report.text.words import words_lines
from vlcheck.results import scales
from vlcheck.results.agreement import agreements
from vlcheck.results.bias_matrix import Standing, matrix_of
from vlcheck.results.comparison import ALPHA, Comparison
from vlcheck.results.conclusion import conclude
from vlcheck.results.control import ControlVerdicts, is_on_one_scale
from vlcheck.results.explained_cases import explained_lines
from vlcheck.results.file import ResultLines
from vlcheck.results.foils import MARK, mark_of, without_picture
from vlcheck.results.records import Cells, RunRecord, VerdictRecord
from vlcheck.results.words import WordsRecord
from vlcheck.results.wrapped import setup_line, wrapper_lines
from vlcheck.stats.multiple_testing import holm

_TWO_BY_TWO = {
    "original_hint": "original, with hint",
    "blocked_hint": "blocked, with hint",
    "original_bare": "original, without hint",
    "blocked_bare": "blocked, without hint",
    "interaction": "interaction",
    "balance": "balance, picture alone minus words alone",
}

# Start of the cells' names of each row of both tables of cross-modal ablation.
ABLATIONS = {
    "vision_for_language": {"hint_": "vision for language, with hint", "bare_": "vision for language, without hint"},
    "language_for_vision": {"": "language for vision"},
}

_LEGEND = (
    f"{legend('n')} observed: The share of them that violates, or a mean. interval: Its one-sided bounds."
    f" {legend('detectable', 'p', 'p (Holm)')}"
)


def summary_lines(
    results: ResultLines, beside: ResultLines | None = None, comparison: Comparison | None = None
) -> Iterator[str]:
    """Yield everything that the terminal shows at the end of a run, the conclusion last.

    Args:
        results: the run's results.
        beside: another run's results, to be shown beside.
        comparison: the comparison with the release before.
    """
    verdicts = list(results.verdicts.values())
    yield subject(results.run)
    if line := setup_line(results.run):
        yield f"set up with {line}"
    yield from matrix_lines(results)
    yield ""
    yield from each(verdicts, beside)
    if beside:
        yield from beside_lines(results, beside)
    yield from tables(verdicts)
    yield ""
    yield from disagreement_lines(results)
    yield from saving(results)
    yield from explained_lines(results)
    found = conclude(results, comparison)
    yield from wrapper_lines(results.run)
    yield from scales.scale_lines(verdicts)
    yield from found.notes
    yield f"{found.sentence} {found.counts}"


def tables(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the tables that verdicts have, each after an empty line."""
    for table in (
        vision_and_language,
        color_and_grey,
        against_noise,
        left_and_right,
        under_each,
        map_by_cell,
        modality_shares,
        each_modality_alone,
        ablation,
        beside_words,
    ):
        rows = list(table(verdicts))
        if rows:
            yield ""
            yield from rows


def subject(run: RunRecord) -> str:
    """Return the model, the data, and the kind of score of each metric, in one line."""
    kinds = ", ".join(f"{metric} {kind}" for metric, kind in run.score_kinds.items())
    return f"{run.name} on {run.data} ({kinds})"


def matrix_lines(results: ResultLines) -> Iterator[str]:
    """Yield biases by metrics; each cell shows its worst verdict."""
    yield from aligned(biases(results))


def biases(results: ResultLines) -> list[list[str]]:
    """Return the cells of `matrix`, a list a row."""
    found = matrix_of(results)
    cells = ([found.cells.get((bias, metric)) for metric in found.metrics] for bias in found.biases)
    rows = ([cell.said if cell else "-" for cell in row] for row in cells)
    return [["bias", *found.metrics], *([bias, *row] for bias, row in zip(found.biases, rows, strict=True))]


def each(
    verdicts: Sequence[VerdictRecord],
    beside: ResultLines | None = None,
    among: Sequence[VerdictRecord] | None = None,
) -> Iterator[str]:
    """Yield one line a verdict, with its p-value before and after Holm's correction over the run.

    Args:
        verdicts: the verdicts' lines in the results.
        beside: the results of a control; its verdicts are shown beside.
        among: all verdicts of the run, if some of them have no line.
    """
    among = verdicts if among is None else among
    p_values = {id(one): p_holm for one, p_holm in zip(among, corrected(among), strict=True)}
    control = ControlVerdicts(beside) if beside else None
    rows = [["test", "metric", "verdict", "n", "observed", "interval", "allowed", "detectable", "p", "p (Holm)"]]
    rows[0] += [beside.run.name] if beside else []
    for verdict in verdicts:
        p_holm = p_values[id(verdict)]
        name = verdict.test.rpartition("::")[2].rpartition("[")[0] or verdict.behavior
        p = (chance(one, verdict.alpha) for one in (verdict.p, p_holm))
        seen = whole(verdict.n), *held(verdict), figure(verdict.detectable)
        rows.append([name, verdict.metric, Standing((verdict,)).said, *seen, *p])
        rows[-1] += [_of_control(verdict, control)] if control else []
    yield from aligned(rows)
    yield _LEGEND
    yield from _disputed(among)


def beside_lines(results: ResultLines, beside: ResultLines) -> Iterator[str]:
    """Yield sentences about a control, and its table of what words alone tell.

    Args:
        results: the results of the model.
        beside: the results of the control.
    """
    yield from ControlVerdicts(beside).notes(results)
    if beside.words:
        yield ""
        yield from words_lines(WordsRecord(beside.run.name, beside.run.fingerprint, tuple(beside.words.found)))


def corrected(verdicts: Sequence[VerdictRecord]) -> list[float | None]:
    """Return the p-value of each verdict after Holm's correction over the run; None if nothing was tested.

    Source:
        Holm 1979, A simple sequentially rejective multiple test procedure.
    """
    found = iter(holm([verdict.p for verdict in verdicts if verdict.p is not None]))
    return [None if verdict.p is None else next(found) for verdict in verdicts]


def is_disputed(verdict: VerdictRecord, p_holm: float | None) -> bool:
    """Return True if a verdict fails, but would not by the corrected p-value.

    Args:
        verdict: its line in the results.
        p_holm: its corrected p-value in [0, 1]; None if nothing was tested.
    """
    return verdict.status == "fail" and p_holm is not None and p_holm >= (verdict.alpha or ALPHA)


def _disputed(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield a sentence that says which p-value decides, if the two differ for some verdict."""
    disputed = [one for one, p_holm in zip(verdicts, corrected(verdicts), strict=True) if is_disputed(one, p_holm)]
    if disputed:
        yield (
            f"{counted(len(disputed), 'test fails', 'tests fail')} by p and would not by p (Holm): p decides, and of as"
            " many tests as these one may fail by chance"
        )


def _of_control(verdict: VerdictRecord, control: ControlVerdicts) -> str:
    """Return the verdict of a control and its observed value, unless that is a mean on another scale; "-" for none."""
    other = control.of(verdict)
    if other is None:
        return "-"
    metric = "" if other.metric == verdict.metric else f"{other.metric}:"
    seen = held(other)[0] if is_on_one_scale(verdict, other) else ""
    return " ".join(part for part in (metric, other.status, seen) if part and part != "-")


def disagreement_lines(results: ResultLines) -> Iterator[str]:
    """Yield a table of the behaviors on which mlm and itm disagree, with the numbers of cases."""
    rows = [["where mlm and itm disagree", "mlm", "itm", "both hold", "mlm alone violates", "itm alone", "both", "n"]]
    for one in agreements(results):
        if one.disagrees:
            counts = map(str, (one.neither, one.mlm, one.itm, one.both, one.n))
            rows.append([one.behavior, *one.statuses, *counts])
    if len(rows) > 1:
        yield from aligned(rows)
        yield ""


def saving(results: ResultLines) -> Iterator[str]:
    """Yield how many images a sequential run asked about, of all."""
    if results.run.sequential:
        asked = sum(verdict.asked or 0 for verdict in results.verdicts.values())
        offered = sum(verdict.offered or 0 for verdict in results.verdicts.values())
        of, part = counted(offered, "image"), share(asked / max(offered, 1), decimals=0)
        were = counted(asked, "was", "were")
        yield f"sequential: of {of}, summed over the tests, {were} asked about ({part})"


def vision_and_language(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the table after figure 1 of the study: the mean score of a word by picture (blocked or not) and hint."""
    tables = {verdict.metric: cells for verdict, cells in _tables(verdicts, "vision_language")}
    if not tables:
        return
    yield f"vision and language ({study_figure(1)}), mean score{_over(tables.values())}"
    rows = [["", *(metric.upper() for metric in OF_PICTURES)]]
    for cell, name in _TWO_BY_TWO.items():
        rows.append([name, *(figure(tables.get(metric, {}).get(cell)) for metric in OF_PICTURES)])
    yield from aligned(rows)


def color_and_grey(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the table after figure 2 of the study: the mean score of a word in color and in grey."""
    rows: dict[str, dict[str, Cells]] = defaultdict(dict)
    for verdict, cells in _tables(verdicts, "color_grey"):
        rows[verdict.behavior][verdict.metric] = cells
    if rows:
        yield f"color and grey ({study_figure(2)}), mean score"
        yield from _pairs(rows, ("color", "grey"))


def against_noise(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the table that compares an edit's loss of score with the loss under noise of the same size."""
    rows = [["", "edit", "noise", "difference", "interval", "n"]]
    for verdict, cells in _tables(verdicts, "against_noise"):
        costs = (figure(cells[cell]) for cell in ("cost", "noise_cost", "difference"))
        interval = between(cells["difference_low"], cells["difference_high"], 2)
        rows.append([f"{verdict.behavior} {verdict.metric.upper()}", *costs, interval, whole(cells["n"])])
    if len(rows) > 1:
        yield "loss under the edit, and under noise of the same size, mean score"
        yield from aligned(rows)


def left_and_right(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the table after figure 3 of the study: mean scores of "left" and "right", original and mirrored."""
    rows: dict[str, dict[str, Cells]] = defaultdict(dict)
    for verdict, cells in _tables(verdicts, "left_right"):
        for true in ("left", "right"):
            for arm in ("original", "mirrored"):
                start = f"{true}_is_true"
                if f"{start}_n" not in cells:
                    continue
                here = {word: cells[f"{start}_{arm}_{word}"] for word in ("left", "right")}
                name = f"{verdict.behavior}: {true} is true, {arm}"
                rows[name][verdict.metric] = here | {"n": cells[f"{start}_n"]}
    if rows:
        yield f"left and right ({study_figure(3)}), mean score"
        yield from _pairs(rows, ("left", "right"))


def under_each(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the mean loss of score under each of several perturbations."""
    rows: dict[str, Cells] = defaultdict(dict)
    for verdict, cells in _tables(verdicts, "under_each"):
        for name in (cell for cell in cells if cell != "n"):
            rows[f"{verdict.behavior}: {name}"][verdict.metric] = cells[name]
    if rows:
        yield "under each perturbation, mean score"
        body = [[name, *(figure(row.get(metric)) for metric in OF_PICTURES)] for name, row in rows.items()]
        yield from aligned([["", *(metric.upper() for metric in OF_PICTURES)], *body])


def map_by_cell(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the mean share of a map in each cell of the picture."""
    for verdict, cells in _tables(verdicts, "map_by_cell"):
        yield f"{verdict.behavior}: share of the map in each cell; of the objects, each has {figure(1 / len(CELLS))}"
        rows = [CELLS[start : start + 3] for start in range(0, len(CELLS), 3)]
        yield from aligned([["", *map(figure, map(cells.get, row))] for row in rows])


def modality_shares(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield a bar for each claim about shares: what the words and the picture contribute, and their synergy."""
    rows = [["", "T-SHAP", "interval", "V-SHAP", "synergy", "interval", "n"]]
    bars = [""]
    for verdict in verdicts:
        shares, cells = shares_of_modalities(verdict), synergy_of(verdict) or {}
        if shares:
            synergy = signed(cells.get("synergy")), between(cells.get("synergy_low"), cells.get("synergy_high"), 2)
            each = figure(shares.text), between(*shares.interval, 2), figure(1 - shares.text)
            rows.append([verdict.behavior, *each, *synergy, whole(verdict.n)])
            bars.append(share_bar(*shares.interval))
    if len(rows) > 1:
        yield "what the words (T-SHAP) and the picture (V-SHAP) contribute; bar: # words, = interval, - picture"
        yield from (f"{line}  {bar}".rstrip() for line, bar in zip(aligned(rows), bars, strict=True))


def each_modality_alone(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the mean match score of a text with its picture, of each alone, and of neither."""
    rows = [["mean match score", "both", "words", "picture", "neither", "Shapley: words", "picture", "n"]]
    for verdict, cells in _tables(verdicts, "modalities"):
        means = (figure(cells.get(cell)) for cell in ("both", "text", "picture", "neither"))
        shapley = (signed(cells.get(cell)) for cell in ("of_text", "of_picture"))
        rows.append([verdict.behavior, *means, *shapley, whole(cells.get("n"))])
    if len(rows) > 1:
        yield from aligned(rows)


def ablation(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the contrast of Frank et al. 2021: mean scores with nothing, the object or all removed from a modality."""
    rows = [["", "none", "object", "all", "object costs", "interval", "all costs", "interval", "n"]]
    for name, directions in ABLATIONS.items():
        for verdict, cells in _tables(verdicts, name):
            for row, direction in directions.items():
                means = (figure(cells.get(f"{row}{removed}")) for removed in ("none", "object", "all"))
                costs = (text for removed in ("object", "all") for text in _costs(cells, f"{row}{removed}_costs"))
                title = f"{direction}: {verdict.behavior} {verdict.metric.upper()}"
                rows.append([title, *means, *costs, whole(cells.get("n"))])
    if len(rows) > 1:
        yield "cross-modal ablation (Frank et al. 2021), mean score with nothing, the object or all removed"
        yield from aligned(rows)


def beside_words(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the share of right answers on foils, of the model and of the best choices without the picture."""
    rows = [["foils", "right", "chance", "words alone", "by", "its lead", "interval", "least lead", "over", "n"]]
    for verdict in verdicts:
        if found := without_picture(verdict):
            words, least = found.by_words, min(found.choices, key=lambda one: one.low)
            mark = f" {MARK}" if mark_of(verdict) else ""
            of_words = f"{figure(words.right)}{mark}", words.name, signed(words.lead), between(words.low, words.high, 2)
            name = f"{verdict.behavior} {verdict.metric.upper()}"
            rows.append([name, figure(found.right), figure(found.chance), *of_words])
            rows[-1] += [signed(least.lead), least.name, whole(found.n)]
    if len(rows) > 1:
        yield "share of captions that beat their foils, against choices without the picture; (!): words alone tell many"
        yield from aligned(rows)


def _costs(cells: Cells, cell: str) -> tuple[str, str]:
    """Return a loss of score and its interval, as texts."""
    return figure(cells.get(cell)), between(cells.get(f"{cell}_low"), cells.get(f"{cell}_high"), 2)


def _pairs(rows: Mapping[str, Mapping[str, Cells]], columns: tuple[str, str]) -> Iterator[str]:
    head = ["", *(f"{metric.upper()} {column}" for metric in OF_PICTURES for column in columns), "n"]
    body = []
    for name, by_metric in rows.items():
        figures = [by_metric.get(metric, {}).get(column) for metric in OF_PICTURES for column in columns]
        n = dict.fromkeys(whole(by_metric[metric]["n"]) for metric in OF_PICTURES if metric in by_metric)
        body.append([name, *map(figure, figures), " and ".join(n)])
    yield from aligned([head, *body])


def _tables(verdicts: Iterable[VerdictRecord], name: str) -> Iterator[tuple[VerdictRecord, Cells]]:
    for verdict in verdicts:
        cells = verdict.tables.get(name)
        if cells:
            yield verdict, cells


def _over(tables: Iterable[Cells]) -> str:
    counts = sorted({int(cells["n"] or 0) for cells in tables})
    return f" over {' or '.join(map(whole, counts[:-1]))}{' or ' if counts[1:] else ''}{counted(counts[-1], 'row')}"


def held(verdict: VerdictRecord) -> tuple[str, str, str]:
    """Return the observed value, its interval, and the allowed value or band, as texts."""
    if verdict.claim == "mean":
        band = verdict.band or ()
        low, high = verdict.band or (None, None)
        return figure(verdict.effect, apart=band), between(*verdict.interval, 2, band), between(low, high, 2)
    limits = () if verdict.allowed is None else (verdict.allowed,)
    return figure(verdict.rate, apart=limits), between(*verdict.interval, 2, limits), figure(verdict.allowed)
