"""Files of a folder that would make other pixels or other texts of the same question are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.models.loading.changed_folders import say
from vlcheck.errors import UsageError
from vlcheck.models.loading.documents import check_one_template
from vlcheck.models.loading.folder import check_files
from vlcheck.models.loading.load import load_model


def test_two_files_that_make_other_pixels_are_refused(folder: Path) -> None:
    said = json.loads((folder / "preprocessor_config.json").read_text())
    say(folder / "processor_config.json", image_processor=said | {"image_processor_type": "CLIPImageProcessorFast"})
    check_files(folder, {})
    say(folder / "processor_config.json", image_processor=said | {"image_mean": [0, 0, 0]})
    with pytest.raises(UsageError, match=r"preprocessor_config\.json: says another image_mean than processor_config\."):
        check_files(folder, {})


@pytest.mark.parametrize(
    ("whole", "part"),
    [
        ({"max_pixels": 100}, {"max_pixels": 200}),
        ({"do_pad": True}, {"do_pad": False}),
        ({"do_convert_rgb": True}, {"do_convert_rgb": False}),
        ({"rescale_factor": 1}, {"rescale_factor": 0.5}),
        ({"size": 32}, {"size": {"height": 64, "width": 64}}),
    ],
)
def test_every_setting_of_pixels_is_compared(folder: Path, whole: dict[str, Any], part: dict[str, Any]) -> None:
    say(folder / "processor_config.json", image_processor=whole)
    say(folder / "preprocessor_config.json", **part)
    with pytest.raises(UsageError, match=rf"preprocessor_config\.json: says another {next(iter(part))} than"):
        check_files(folder, {})


def test_settings_that_make_the_same_pixels_are_no_two_views(folder: Path) -> None:
    more = {"image_mean": 0.5, "size": 32, "data_format": "channels_last", "return_tensors": "pt", "do_pad": None}
    said = {
        "image_mean": [0.5] * 3,
        "size": {"height": 32, "width": 32},
        "data_format": "channels_first",
        "do_pad": True,
    }
    say(folder / "processor_config.json", image_processor=more)
    say(folder / "preprocessor_config.json", **said)
    check_files(folder, {})


def test_two_chat_templates_that_differ_are_refused(tmp_path: Path) -> None:
    from tests.models import chats

    folder = chats.llava(tmp_path)
    template = (folder / "chat_template.jinja").read_text()
    say(folder / "chat_template.json", chat_template=template)
    say(folder / "tokenizer_config.json", chat_template="of words alone")
    check_one_template(folder)
    for name in ("chat_template.json", "processor_config.json"):
        say(folder / name, chat_template=f"{template} And more.")
        with pytest.raises(UsageError, match=rf"{name}.* and chat_template\.jinja hold chat templates that differ"):
            load_model(str(folder))
        say(folder / name, chat_template=template)
