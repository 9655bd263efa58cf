from __future__ import annotations

import pytest

from vlcheck._util.spec_secrets import refuse_secrets
from vlcheck.errors import UsageError

SHOWN = "hunter2"


@pytest.mark.parametrize(
    "spec",
    [
        "openai:http://user:hunter2,w@host/v1#m",
        "openai:http://user:hunter2/ss@host/v1#m",
        "openai:http://user:hunter2#ss@host/v1#m",
        "openai:user:hunter2@host/v1#m",
        "OPENAI:http://user:hunter2@host/v1#m",
        "openai:http://host/v1#m,api_key=hunter2",
        "openai:http://host/v1#m,token=hunter2",
        "openai:http://host/v1#m,key=hunter2",
        "itm=openai:http://host/v1#a,mlm=openai:http://user:hunter2@host/v1#b",
    ],
)
def test_what_may_show_a_key_is_refused_and_not_repeated(spec):
    with pytest.raises(UsageError, match="The spec is not repeated here") as refused:
        refuse_secrets(spec)
    assert SHOWN not in str(refused.value)


@pytest.mark.parametrize(
    "spec",
    ["openai:http://host/v1#org/m,concurrency=4,tries=2", "itm=openai:http://host/v1#a,mlm=vilt:folder,size=4", "tiny"],
)
def test_other_specs_pass(spec):
    refuse_secrets(spec)
