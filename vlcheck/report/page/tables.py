"""A verdict's tables as rows and columns: the three of the study, and those that a behavior adds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from vlcheck._util.numbers import between, counted, figure, signed, span, whole
from vlcheck.cases.foils import PARTS, WITHOUT_PICTURE
from vlcheck.perturb.place import CELLS
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.study import study_figure
from vlcheck.results.foils import mark_of
from vlcheck.results.records import VerdictRecord

Cells = Mapping[str, float | None]


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        caption: the caption.
        head: names of the columns; the first is that of the rows' names.
        rows: each row's name and its cells.
    """

    caption: str
    head: tuple[ShownText, ...]
    rows: tuple[tuple[ShownText, tuple[str, ...]], ...]


def grids(verdict: VerdictRecord) -> Iterator[Grid]:
    """Yield the tables of a verdict that are not empty."""
    for name, cells in verdict.tables.items():
        if cells:
            grid = _KNOWN.get(name, _unknown(name))(cells)
            mark = mark_of(verdict) if name == WITHOUT_PICTURE else ""
            yield replace(grid, caption=f"{grid.caption} {mark}".rstrip())


def _vision_language(cells: Cells) -> Grid:
    body = [
        (name, [cells.get(f"original_{key}"), cells.get(f"blocked_{key}")])
        for key, name in (("hint", "with its hint"), ("bare", "without its hint"))
    ]
    interaction, balance = figure(cells.get("interaction")), figure(cells.get("balance"))
    caption = (
        f"Vision and language ({study_figure(1)}), mean score{_over(cells)}: interaction {interaction},"
        f" balance (picture alone minus words alone) {balance}"
    )
    return _grid(caption, ("caption", "picture as it is", "picture blocked"), body)


def _color_grey(cells: Cells) -> Grid:
    body = [("the same word", [cells.get("color"), cells.get("grey")])]
    caption = f"Color and grey ({study_figure(2)}), mean score{_over(cells)}"
    return _grid(caption, ("", "in color", "in grey"), body)


def _against_noise(cells: Cells) -> Grid:
    body = [("mean score", [cells.get(key) for key in ("cost", "noise_cost", "difference")])]
    low, high = cells.get("difference_low"), cells.get("difference_high")
    interval = "" if low is None or high is None else f": the difference is {span(low, high)}"
    caption = f"Loss under the edit, and under noise of the same size{_over(cells, 'image')}{interval}"
    return _grid(caption, ("", "edit", "noise", "difference"), body)


def _left_right(cells: Cells) -> Grid:
    body = [
        (f"{true} is true, {arm}{_count(cells, f'{true}_is_true_n')}", _sides(cells, f"{true}_is_true_{arm}"))
        for true in ("left", "right")
        if f"{true}_is_true_n" in cells
        for arm in ("original", "mirrored")
    ]
    return _grid(f"Left and right ({study_figure(3)}), mean score", ("picture", "left", "right"), body)


def _sides(cells: Cells, start: str) -> list[float | None]:
    return [cells.get(f"{start}_{word}") for word in ("left", "right")]


def _under_each(cells: Cells) -> Grid:
    body = [(name, [mean]) for name, mean in cells.items() if name != "n"]
    return _grid(f"Under each perturbation{_over(cells)}", ("perturbation", "mean score"), body)


def _modalities(cells: Cells) -> Grid:
    body = [
        (name, [cells.get(cell) for cell in row])
        for name, row in (("caption", ("both", "text")), ("another caption", ("picture", "neither")))
    ]
    shapley = f"words {signed(cells.get('of_text'))}, picture {signed(cells.get('of_picture'))}"
    caption = (
        f"Each modality alone, mean score{_over(cells)}; Shapley values: {shapley}; synergy {_synergy_said(cells)}"
    )
    return _grid(caption, ("", "picture as it is", "black picture"), body)


def _synergy(cells: Cells) -> Grid:
    body = [("together beyond each alone", [cells.get("synergy")])]
    return _grid(f"Synergy of words and picture{_over(cells)}: {_synergy_said(cells)}", ("", "synergy"), body)


def _synergy_said(cells: Cells) -> str:
    low, high = cells.get("synergy_low"), cells.get("synergy_high")
    return f"{signed(cells.get('synergy'))} ({between(low, high)})"


def _map_by_cell(cells: Cells) -> Grid:
    rows = [CELLS[start : start + 3] for start in range(0, len(CELLS), 3)]
    body = [
        (name, [cells.get(cell) for cell in row]) for name, row in zip(("top", "middle", "bottom"), rows, strict=True)
    ]
    each = figure(1 / len(CELLS))
    caption = f"Share of the map in each cell of the picture{_over(cells)}; of the objects, each cell has {each}"
    return _grid(caption, ("", "left", "middle", "right"), body)


def _vision_for_language(cells: Cells) -> Grid:
    head = ("caption", "nothing hidden", "the thing hidden", "all hidden")
    return _ablation(cells, "Vision for language", head, {"hint_": "with its hint", "bare_": "without its hint"})


def _language_for_vision(cells: Cells) -> Grid:
    head = ("the thing is hidden", "whole caption", "without its phrase", "without the caption")
    return _ablation(cells, "Language for vision", head, {"": "of the thing"})


def _ablation(cells: Cells, direction: str, head: tuple[str, ...], rows: Mapping[str, str]) -> Grid:
    body = [
        (name, [cells.get(f"{row}{removed}") for removed in ("none", "object", "all")]) for row, name in rows.items()
    ]
    losses = [_losses(cells, row, name, head[2:]) for row, name in rows.items()]
    caption = f"{direction} (Frank et al. 2021), mean score{_over(cells)}"
    return _grid("; ".join(filter(None, [caption, *losses])), head, body)


def _losses(cells: Cells, row: str, name: str, columns: Sequence[str]) -> str:
    """Return what both removals cost in a row, with intervals; "" if it was not measured."""
    costs = [f"{row}{removed}_costs" for removed in ("object", "all")]
    if any(cells.get(cost) is None for cost in costs):
        return ""
    said = (
        f"{column} {figure(cells[cost])} ({between(cells.get(f'{cost}_low'), cells.get(f'{cost}_high'), 2)})"
        for column, cost in zip(columns, costs, strict=True)
    )
    return f"loss {name}: {', '.join(said)}"


def _without_picture(cells: Cells) -> Grid:
    names = [name.removesuffix(": lead") for name in cells if name.endswith(": lead")]
    body = [("the model", [cells.get("right"), *[None] * (len(PARTS) - 1)])]
    body += [(name, [cells.get(f"{name}{part}") for part in PARTS]) for name in names]
    caption = f"Right answers with the picture and without it{_over(cells, 'image')}"
    return _grid(
        caption, ("choice", "right", "at least", "at most", "lead of the model", "at least", "at most", "n"), body
    )


def _unknown(name: str) -> Callable[[Cells], Grid]:
    return lambda cells: _grid(shown_text(name).text, ("", ""), [(cell, [value]) for cell, value in cells.items()])


def _grid(caption: str, head: tuple[str, ...], body: Sequence[tuple[str, Sequence[float | None]]]) -> Grid:
    rows = tuple((shown_text(name), tuple(map(figure, cells))) for name, cells in body)
    return Grid(caption, tuple(map(shown_text, head)), rows)


def _over(cells: Cells, what: str = "row") -> str:
    """Return the number of rows or images that a mean is taken over, in words."""
    n = cells.get("n")
    return "" if n is None else f" over {counted(round(n), what)}"


def _count(cells: Cells, key: str) -> str:
    n = cells.get(key)
    return "" if n is None else f" (n = {whole(n)})"


_KNOWN: Mapping[str, Callable[[Cells], Grid]] = {
    "vision_language": _vision_language,
    "color_grey": _color_grey,
    "against_noise": _against_noise,
    "left_right": _left_right,
    "under_each": _under_each,
    "modalities": _modalities,
    "synergy": _synergy,
    "map_by_cell": _map_by_cell,
    "vision_for_language": _vision_for_language,
    "language_for_vision": _language_for_vision,
    WITHOUT_PICTURE: _without_picture,
}
