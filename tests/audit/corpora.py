"""Small corpora for tests of the audit."""

from vlcheck.audit.audit import audit_corpus
from vlcheck.audit.caption import Caption
from vlcheck.audit.words import AuditWords
from vlcheck.datasets.lexicons.toml_files import load_lexicons
from vlcheck.suite.shipped import lexicons_path

WORDS = AuditWords(load_lexicons(lexicons_path()))


def rows(*texts, images=None, boxes=(), picture=None):
    """Return captions, each with a picture of its own unless `images` names them."""
    names = images or [f"{at}.jpg" for at in range(len(texts))]
    return [Caption(text, name, boxes, picture) for text, name in zip(texts, names, strict=True)]


def audited(captions, check, **options):
    """Return the finding of a check on captions."""
    (found,) = (one for one in audit_corpus([captions], **options).findings if one.check == check)
    return found
