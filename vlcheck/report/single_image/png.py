"""Draws a figure as a PNG: panels side by side, with bars under them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw, PngImagePlugin

from vlcheck._util.image_files import opened
from vlcheck.errors import UsageError, printable
from vlcheck.report.heat import heated
from vlcheck.report.single_image.cells import draw_cells
from vlcheck.report.single_image.figure import TRUE_MEANS, Figure, Panel, Scores, ViewMap, score
from vlcheck.report.single_image.fonts import cut_to_width, legible, own_font, wrapped
from vlcheck.report.single_image.places import PlacedThing

WIDTH = 1280
SOFTWARE = "vlcheck look"  # written into the PNG: a file with this mark may be replaced

_MARGIN, _GAP, _TALLEST = 24, 20, 440
_LARGE, _NORMAL, _SMALL = 26, 18, 16
_LEADING = 1.35  # line height, in units of the font's size
_BAR = 18
_NUMBER = "0.000000"  # the longest number
_INK, _PALE, _TRACK, _FILL = "#1b1b1b", "#5a5a5a", "#e6e6e6", "#6b7785"  # of bars one color: nothing is decided
_MARK = 12  # pixels left of a word, where the mark of the true one is
_MOST_LINES = 8


def draw_png(figure: Figure) -> bytes:
    """Draw a figure, WIDTH pixels wide, and return a PNG."""
    width = (WIDTH - 2 * _MARGIN - _GAP * (len(figure.panels) - 1)) // len(figure.panels)
    tallest = min(_TALLEST, max(round(panel.image.height * width / panel.image.width) for panel in figure.panels))
    sheets = [_draw_panel(figure, panel, width, max(tallest, 1)) for panel in figure.panels]
    page = Sheet(WIDTH - 2 * _MARGIN)
    page.write(figure.text, _LARGE, _INK)
    page.write(figure.model, _SMALL, _PALE)
    for metric, heading in figure.headings.items():
        page.write(f"{metric.upper()}: {heading}", _SMALL, _PALE)
    if any(panel.true for panel in figure.panels):
        page.place(_legend(page.width))
    page.skip(_GAP // 2)
    page.place(_beside(sheets, page.width))
    if figure.places:
        _draw_places(page, figure.places)
    canvas = Image.new("RGB", (WIDTH, page.height + 2 * _MARGIN), "white")
    canvas.paste(page.image(), (_MARGIN, _MARGIN))
    return _png(canvas)


def is_figure_file(path: Path) -> bool:
    """Return True if a file is a figure that was drawn here."""
    try:
        with opened(path) as image:
            return image.format == "PNG" and image.info.get("Software") == SOFTWARE
    except UsageError:  # not a picture, or a damaged one
        return False


def _png(canvas: Image.Image) -> bytes:
    said = PngImagePlugin.PngInfo()
    said.add_text("Software", SOFTWARE)
    file = io.BytesIO()
    canvas.save(file, "PNG", pnginfo=said)
    return file.getvalue()


@dataclass
class Sheet:
    """A white column that is filled from top to bottom and grows with its content.

    Attributes:
        width: width in pixels.
        height: height in pixels so far.
    """

    width: int
    height: int = 0
    _placed: list[tuple[Image.Image, int]] = field(default_factory=list)

    def skip(self, pixels: int) -> None:
        """Leave some pixels empty."""
        self.height += pixels

    def place(self, picture: Image.Image) -> None:
        """Add a picture at the bottom."""
        self._placed.append((picture, self.height))
        self.height += picture.height

    def write(self, text: str, size: int, ink: str, most: int = _MOST_LINES) -> None:
        """Write a text in lines as wide as the sheet.

        Args:
            text: the text; characters that a terminal would obey are made visible.
            size: font size in pixels.
            ink: color, as Pillow names it.
            most: the most lines; a longer text is cut.
        """
        shown, font = legible(printable(text, 10 * len(text) + 10), size)
        lines = list(wrapped(shown, font, self.width))
        if len(lines) > most:
            lines = [*lines[: most - 1], f"{lines[most - 1][:-4]} ..."]
        for line in lines:
            strip = Image.new("RGB", (self.width, round(size * _LEADING)), "white")
            ImageDraw.Draw(strip).text((0, 0), line, ink, font)
            self.place(strip)

    def image(self) -> Image.Image:
        """Return the sheet as a picture."""
        sheet = Image.new("RGB", (self.width, max(self.height, 1)), "white")
        for picture, top in self._placed:
            sheet.paste(picture, (0, top))
        return sheet


def _beside(sheets: Sequence[Sheet], width: int) -> Image.Image:
    """Return sheets of one width side by side."""
    row = Image.new("RGB", (width, max(sheet.height for sheet in sheets)), "white")
    for at, sheet in enumerate(sheets):
        row.paste(sheet.image(), (at * (sheet.width + _GAP), 0))
    return row


def _draw_places(page: Sheet, places: PlacedThing) -> None:
    """Draw the thing that was cut out, and beside it the grid of each metric, or the reason why there is none."""
    page.skip(_GAP)
    page.write(places.title, _NORMAL, _INK)
    if places.meaning:
        page.write(places.meaning, _SMALL, _PALE)
    width = (page.width - _GAP * len(places.scores)) // (1 + len(places.scores))
    thing = Sheet(width)
    thing.write("in the middle", _NORMAL, _INK)
    thing.place(_fitted(places.image, width, min(_TALLEST, width * 2 // 3)))
    sheets = [thing]
    for metric, scores in places.scores.items():
        sheet = Sheet(width)
        sheet.write(metric.upper(), _NORMAL, _INK)
        if scores.by_cell:
            sheet.place(draw_cells(scores.cells, width))
        for reason in scores.reasons:
            sheet.write(reason, _SMALL, _PALE)
        sheets.append(sheet)
    page.place(_beside(sheets, page.width))


def _draw_panel(figure: Figure, panel: Panel, width: int, height: int) -> Sheet:
    sheet = Sheet(width)
    sheet.write(panel.name, _NORMAL, _INK)
    sheet.place(_fitted(panel.image, width, height))
    for title, explanation in panel.maps.items():
        sheet.skip(_GAP // 2)
        sheet.write(title, _SMALL, _INK)
        _draw_map(sheet, panel.image, explanation, height)
    for metric, scores in panel.scores.items():
        sheet.skip(_GAP // 2)
        sheet.write(metric.upper(), _NORMAL, _INK)
        _draw_scores(sheet, figure.words, scores, panel.true)
    if change := figure.change(panel):
        sheet.skip(_GAP // 2)
        sheet.write(change, _SMALL, _INK)
    for scores in panel.scores.values():
        _draw_likeliest(sheet, scores)
    return sheet


def _draw_map(sheet: Sheet, image: Image.Image, explanation: ViewMap, height: int) -> None:
    """Draw a map over the picture, and under it the tokens with their values; or write why there is no map.

    Args:
        sheet: the column to draw on.
        image: the picture.
        explanation: the explanation of its score.
        height: height of the field in pixels.
    """
    if explanation.cells is None:
        sheet.write(f"no map: {explanation.reason}", _SMALL, _PALE)
        return
    sheet.place(_fitted(heated(image, explanation.cells), sheet.width, height))
    if explanation.tokens:
        sheet.write(", ".join(f"{token} {score(value)}" for token, value in explanation.tokens), _SMALL, _PALE)


def _draw_scores(sheet: Sheet, words: Sequence[str], scores: Scores, true: str) -> None:
    """Draw a bar for each word, the true one marked, or write the reason why there is none.

    Args:
        sheet: the column to draw on.
        words: the words.
        scores: their scores.
        true: the word that is true; "" for none.
    """
    if not scores.shares:
        sheet.write(scores.reason, _SMALL, _PALE)
        return
    for word in words:
        strip = _bar(sheet.width, word, scores.shares[word])
        if word == true:
            _mark(strip)
        sheet.place(strip)
    if scores.together is not None and len(words) > 1:
        sheet.write(f"together {score(scores.together)} at the mask", _SMALL, _PALE)


def _draw_likeliest(sheet: Sheet, scores: Scores) -> None:
    if scores.top:
        sheet.skip(_GAP // 2)
        sheet.write("likeliest at the mask", _SMALL, _INK)
    for word, share in scores.top:
        sheet.write(f"{word} {score(share)}", _SMALL, _PALE, most=1)


def _mark(strip: Image.Image) -> None:
    """Draw the mark of the true word, a triangle that points to it."""
    ImageDraw.Draw(strip).polygon([(0, 4), (_MARK - 5, 10), (0, 16)], fill=_INK)


def _legend(width: int) -> Image.Image:
    """Draw the mark of the true word with its meaning."""
    strip = Image.new("RGB", (width, round(_SMALL * _LEADING)), "white")
    ImageDraw.Draw(strip).text((_MARK + 2, 0), TRUE_MEANS, _PALE, own_font(_SMALL))
    _mark(strip)
    return strip


def _bar(width: int, word: str, share: float) -> Image.Image:
    """Draw the word, a bar from 0 to 1, and the number; left of the word there is room for a mark."""
    left, right = width * 9 // 25, round(own_font(_SMALL).getlength(_NUMBER)) + 8
    strip = Image.new("RGB", (width, round(_BAR * 1.5)), "white")
    pen = ImageDraw.Draw(strip)
    shown, font = legible(printable(word, 80), _SMALL)
    pen.text((_MARK, 0), cut_to_width(shown, font, left - 6 - _MARK), _INK, font)
    span = width - left - right
    pen.rectangle((left, 2, left + span, _BAR), fill=_TRACK)
    if share > 0:  # False for NaN
        pen.rectangle((left, 2, left + max(1, round(span * min(share, 1.0))), _BAR), fill=_FILL)
    pen.text((width, 0), score(share), _INK, own_font(_SMALL), anchor="ra")
    return strip


def _fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """Return the picture as large as fits, in the middle of a pale field."""
    scale = min(width / image.width, height / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = image.resize(size, Image.Resampling.LANCZOS)
    field_ = Image.new("RGB", (width, height), "#f4f4f4")
    field_.paste(small, ((width - size[0]) // 2, (height - size[1]) // 2))
    return field_
