"""The README of an NKR folder: a model card as PEFT and the hub read it."""

import json

from training.manifest import Manifest
from training.wording.timeline import clock

_CARD = """\
---
base_model: {base_model}
library_name: peft
pipeline_tag: visual-question-answering
tags:
- lora
- neural-knowledge-representation
- video-question-answering
---

# {title}

What one video shows and says, as a LoRA adapter: mounted on its backbone it answers questions about
the video without the video.

| | |
|---|---|
| Video | {video}, {seconds:.1f} s, {width} x {height}, SHA-256 `{sha256}` |
| Backbone | `{backbone}`, revision `{revision}` |
| Corpus | {counts} |
{scores}
| Made | {created}, seed {seed} |

```
nkr ask --nkr {folder} "What colour is the picture at {middle}?"
```
or, with a hub backbone, `PeftModel.from_pretrained(model, "{folder}")` on the model named above.
{moments}
`nkr.json` holds the same for machines, `evidence.jsonl` what was measured in the video and
`evidence.safetensors` its embeddings, `SHA256SUMS` the hash of every file.
"""

_MOMENTS = """
An answer begins with the moment that it is of, as in `[00:22] grey`: it was learnt so. Those are
the model's words; what proves an answer is found in the evidence.
"""


_SCORES = {
    "recall_check": "Recall of held-out questions, in wordings never trained on",
    "recall_train": "Recall of questions that were trained on",
    "recall_blind": "Recall of the backbone without the adapter",
    "yesno": "Yes/no, accuracy above chance",
    "choice": "Multiple choice, accuracy above chance",
    "lists": "Lists, F1",
    "false_answers": "Absent questions that were answered",
    "false_refusals": "Other questions that were refused",
    "reading_lost": "Forgetting probe, share lost",
}


def model_card(folder: str, manifest: Manifest) -> str:
    """Return the model card of the NKR in a folder of this name."""
    video, corpus = manifest.video, manifest.corpus
    shown = video.name.replace("|", "\\|").replace("\n", " ")
    return _CARD.format(
        base_model=json.dumps(manifest.backbone.name),
        title=shown,
        video=shown,
        seconds=video.seconds,
        width=video.width,
        height=video.height,
        sha256=video.sha256,
        backbone=manifest.backbone.name,
        revision=manifest.backbone.revision,
        counts=", ".join(f"{count} {what}" for what, count in corpus.counts.items()),
        scores="\n".join(
            f"| {_SCORES.get(name, name)} | {_shown(score)} |"
            for name, score in manifest.scores.items()
        ),
        middle=clock(video.seconds / 2),
        moments=_MOMENTS if manifest.moments else "",
        created=manifest.created,
        seed=manifest.seed,
        folder=folder,
    )


def _shown(value: float | None) -> str:
    return "not asked" if value is None else f"{value:.3f}"
