"""What a chart draws, read back from its SVG."""

import re
from xml.etree import ElementTree

from vlcheck.report.page.charts import charts_of
from vlcheck.results.schema import record_of

_MOVES = re.compile(r"M([\d.]+) ([\d.]+)")
_SVG = "{http://www.w3.org/2000/svg}"


def of(verdict, rows):
    """The charts of a verdict with these rows, as a page draws them."""
    charts = charts_of(record_of(verdict))
    for row in rows:
        found = record_of(row)
        if found.margin is not None:
            for chart in charts:
                chart.add(found)
    return [view for chart in charts if (view := chart.view())]


class Drawing:
    """A chart as XML: it is well-formed, and everything in it can be found by its class."""

    def __init__(self, drawing):
        self.root = ElementTree.fromstring(drawing)  # noqa: S314 - ours
        assert self.root.get("role") == "img"

    @property
    def kind(self):
        return self.root.get("class")

    @property
    def title(self):
        return self.root.findtext("title")

    @property
    def desc(self):
        return self.root.findtext("desc")

    @property
    def words(self):
        return [one.text for one in self.root.iter("text")]

    def paths(self, kind):
        """The `d` of the paths of a class, or None."""
        found = [one.get("d") for one in self.root.iter("path") if one.get("class") == kind]
        return found[0] if found else ""

    def points(self, kind):
        """Where the pieces of a path begin."""
        return [(float(x), float(y)) for x, y in _MOVES.findall(self.paths(kind))]

    def boxes(self, kind):
        """The rectangles of a class, as (x, y, width, height)."""
        names = ("x", "y", "width", "height")
        return [
            tuple(float(one.get(name)) for name in names) for one in self.root.iter("rect") if one.get("class") == kind
        ]


def back(at, first, last, low=0.0, high=1.0):
    """The value at a coordinate of an axis."""
    return low + (high - low) * (at - first) / (last - first)
