"""What the tests of the embedded model share."""

import pytest
import torch


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """So small a network is slower on two; and their number is part of what makes a training the same."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
