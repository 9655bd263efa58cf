"""Typed records: the lines of a results file, one class a kind of line.

A record's fields are the keys of its line. A key that a line may lack has a default. Keys that are not listed here are
ignored.
"""

from vlcheck.results.records.checks import DifferenceRecord, FaultRecord, IdentityRecord, PrecisionRecord, WordsLine
from vlcheck.results.records.evidence import EvidenceRecord, ExplanationRecord, ImageRecord
from vlcheck.results.records.fields import SCHEMA, Cells, LaterRecord, Record
from vlcheck.results.records.run import (
    UNMEASURED,
    ContractRecord,
    KnownBias,
    MethodRecord,
    PolicyInForce,
    RunRecord,
    StatedRecord,
    WrapperRecord,
)
from vlcheck.results.records.verdict import ExcuseRecord, ScaleRecord, ToldRecord, VerdictRecord, WordingRecord

__all__ = [
    "SCHEMA",
    "UNMEASURED",
    "Cells",
    "ContractRecord",
    "DifferenceRecord",
    "EvidenceRecord",
    "ExcuseRecord",
    "ExplanationRecord",
    "FaultRecord",
    "IdentityRecord",
    "ImageRecord",
    "KnownBias",
    "LaterRecord",
    "MethodRecord",
    "PolicyInForce",
    "PrecisionRecord",
    "Record",
    "RunRecord",
    "ScaleRecord",
    "StatedRecord",
    "ToldRecord",
    "VerdictRecord",
    "WordingRecord",
    "WordsLine",
    "WrapperRecord",
]
