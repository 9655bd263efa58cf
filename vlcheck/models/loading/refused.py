"""Types of models that transformers maps to a task, and that vlcheck cannot ask about a picture."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REFUSED: Mapping[str, str] = MappingProxyType(  # model type -> what it does in place of answering
    {
        "evolla": "it reads proteins, not pictures",
        "instructblipvideo": "it reads videos alone; InstructBLIP reads pictures",
        "kosmos-2.5": "it writes down the text of documents, and answers no question about a picture",
        "pi0": "it moves a robot, and writes no text",
        "pix2struct": "it reads screenshots and documents, with the question drawn into the picture",
        "pp_chart2table": "it writes the tables of charts, and answers no question about a picture",
        "pp_formulanet": "it writes the formulas of documents, and answers no question about a picture",
        "shieldgemma2": "it judges whether a picture keeps a safety policy, and answers no other question",
        "udop": "it reads the words and boxes of a document, which a program for OCR has to find first",
    }
)
