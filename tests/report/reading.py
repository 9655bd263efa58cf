"""What tests read of a page: its elements, and its views."""

from html.parser import HTMLParser

from vlcheck.report.page.document import page_view
from vlcheck.report.page.row_budget import Room

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>&amp; \u202egnirts\u202c \u0007\ud800 👩‍👧 {{ 7*7 }}"
)


class Elements(HTMLParser):
    """The elements of a page, with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]


def view(found, **options):
    return page_view(found, source="results.jsonl", room=options.pop("room", Room()), **options)


def views(found, **options):
    """The verdicts, by behavior and metric."""
    listed = [one for group in view(found, **options).groups for one in group.verdicts]
    return {(one.title.text, one.metric.text): one for one in listed}


def figures(one):
    return {figure.name: figure.value for figure in one.figures}
