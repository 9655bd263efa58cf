"""Types of models that transformers maps to a task, and that vlcheck cannot ask about a picture."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_OF_SOUND = (
    "fun_asr_nano", "glmasr", "granite_speech", "granite_speech_plus", "kyutai_speech_to_text",
    "moss_transcribe_diarize", "nemo_speechlm", "omniasr", "qwen2_audio", "qwen3_asr", "vibevoice_asr", "voxtral",
    "voxtral_realtime",
)  # fmt: skip
_THINKER = "it also speaks; save its thinker alone, which answers in words, as a checkpoint of model type"
REFUSED: Mapping[str, str] = MappingProxyType(  # model type -> what it does in place of answering
    {
        **dict.fromkeys(_OF_SOUND, "it reads sound, and no pictures"),
        "neomme": "it reads a picture or a text, and never both together",
        "qwen2_5_omni": f"{_THINKER} qwen2_5_omni_thinker",
        "qwen3_omni_moe": f"{_THINKER} qwen3_omni_moe_thinker",
        "diffusion_gemma": "it writes a block of words at once, by diffusion, so that no word comes first",
        "evolla": "it reads proteins, not pictures",
        "fuyu": "its processor writes the prompt around a text by itself, and takes no chat template",
        "instructblipvideo": "it reads videos alone; InstructBLIP reads pictures",
        "kosmos-2.5": "it writes down the text of documents, and answers no question about a picture",
        "mistral4": "it reads texts alone; Mistral 3 (mistral3) reads pictures with it",
        "pi0": "it moves a robot, and writes no text",
        "pix2struct": "it reads screenshots and documents, with the question drawn into the picture",
        "pp_chart2table": "it writes the tables of charts, and answers no question about a picture",
        "pp_formulanet": "it writes the formulas of documents, and answers no question about a picture",
        "shieldgemma2": "it judges whether a picture keeps a safety policy, and answers no other question",
        "udop": "it reads the words and boxes of a document, which a program for OCR has to find first",
    }
)
