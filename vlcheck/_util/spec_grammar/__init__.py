"""The grammar of specs of data and models; docs/reference/specs.md describes it with examples.

    data   = source [":" N [":" SEED]]
    source = SCHEME [":" PATH] ["@" SPLIT | "@" source | "@" PATH]
    model  = single | METRIC "=" single "," METRIC "=" single | WRAPPER ":" model
    single = what {"," KEY "=" VALUE} | WRAPPER ":" single
    what   = FAMILY [":" PATH] | place ["+" place] | FILE ":" NAME | MODULE ":" NAME
    place  = PATH ["@" REVISION]

PATH, SPLIT, REVISION, FILE and VALUE are texts. A text in double quotes is taken literally, with `""` for a quote. A
text without quotes ends at the end of the longest existing file or folder name, else at the first character that can
end it. `str()` of a parsed spec is a spec again, with quotes where they are needed.
"""

from vlcheck._util.spec_grammar.data import Scheme, accepted, parse_data
from vlcheck._util.spec_grammar.forms import Adapted, DataSpec, Factory, Reference, Several, Single, Wrapped
from vlcheck._util.spec_grammar.model import parse_model

__all__ = [
    "Adapted",
    "DataSpec",
    "Factory",
    "Reference",
    "Scheme",
    "Several",
    "Single",
    "Wrapped",
    "accepted",
    "parse_data",
    "parse_model",
]
