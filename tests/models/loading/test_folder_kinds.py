"""A folder that transformers cannot load is told for what it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from tests.models import checkpoints
from tests.models.loading.changed_folders import WHOLE, Change, say, write
from vlcheck.errors import UsageError
from vlcheck.models.loading.folder import check_files
from vlcheck.models.loading.load import load_model


@pytest.mark.parametrize(
    ("family", "architecture", "accepted"),
    [("clip", "MetaClip2Model", "metaclip_2"), ("llava", "LlavaNextForConditionalGeneration", "llava_next")],
)
def test_a_config_that_names_two_kinds_is_refused(
    family: str, architecture: str, accepted: str, tmp_path: Path
) -> None:
    from tests.models import chats

    folder = (getattr(checkpoints, family, None) or getattr(chats, family))(tmp_path)
    say(folder / "config.json", architectures=[architecture])
    with pytest.raises(
        UsageError, match=rf'"model_type" \'\w+\' and "architectures" {architecture} differ; .*{accepted}'
    ):
        load_model(str(folder))


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def open_clip(folder: Path) -> None:
    empty(folder)
    torch.save({"visual.conv1.weight": torch.ones(2)}, folder / "open_clip_pytorch_model.bin")


def inner(*names: str) -> Change:
    def change(folder: Path) -> None:
        for name in names:
            shutil.copytree(folder, folder.parent / "new" / name)
        shutil.rmtree(folder)
        (folder.parent / "new").rename(folder)
        say(folder / "trainer_state.json", epoch=1)

    return change


def adapters_inside(folder: Path) -> None:
    empty(folder)
    (folder / "checkpoint-10").mkdir()
    say(folder / "checkpoint-10" / "adapter_config.json", r=2)


def diffusers(folder: Path) -> None:
    empty(folder)
    say(folder / "model_index.json", unet=[])


def original(folder: Path) -> None:
    empty(folder)
    torch.save({"model": {}}, folder / "ALBEF.pth")


def authors_own(folder: Path) -> None:
    empty(folder)
    say(folder / "params.json", dim=8)
    write(folder / "consolidated.safetensors", {"a": torch.ones(1)})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (open_clip, "weights of open_clip, .* name the architecture, too: open_clip:ARCH/FILE"),
        (
            inner("checkpoint-500", "checkpoint-1000"),
            r"in its folders checkpoint-500, checkpoint-1000: .* e\.g\. .*checkpoint-1000",
        ),
        (inner("0_CLIPModel"), r"in its folders 0_CLIPModel: name one"),
        (adapters_inside, "Adapters are in its folders checkpoint-10: name one of them, e.g. "),
        (diffusers, "a pipeline of diffusers"),
        (original, r"holds ALBEF\.pth\. A checkpoint of a model's original code is named with its family: albef:PATH"),
        (authors_own, "layout of its authors' own code"),
        (empty, r"config\.json: no such file; a checkpoint of transformers has one\.$"),
    ],
)
def test_a_folder_without_a_config_is_told_for_what_it_is(folder: Path, change: Change, said: str) -> None:
    change(folder)
    with pytest.raises(UsageError, match=rf"config\.json: no such file; .*{said}|{said}"):
        load_model(str(folder))


def test_a_run_whose_own_folder_has_no_weights_points_to_its_checkpoints(folder: Path) -> None:
    shutil.copytree(folder, folder / "checkpoint-500")
    (folder / WHOLE).unlink()
    with pytest.raises(UsageError, match=rf"no weights; .* in its folders checkpoint-500: .* {folder}/checkpoint-500"):
        check_files(folder, {})


def test_a_file_in_the_place_of_its_folder_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match=rf"model\.safetensors: a file; .* name the folder: {folder}\."):
        load_model(str(folder / WHOLE))
    open_clip(folder)
    with pytest.raises(UsageError, match=r"open_clip_pytorch_model\.bin: a file; .*weights of open_clip"):
        load_model(str(folder / "open_clip_pytorch_model.bin"))
