import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from PIL import Image, ImageDraw, ImageFont

from evals.clips import steady, write_video
from tools.as_langchain import video_tools
from tools.evidence import Evidence, EvidenceStore
from tools.shared_reader import SharedReader
from tools.video import open_video


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, BaseTool]]:
    """The tools of a clip that shows a title on blue for four seconds."""
    folder = tmp_path_factory.mktemp("tools")
    picture = Image.new("RGB", (320, 180), (20, 40, 200))
    ImageDraw.Draw(picture).text(
        (20, 60), "Harbour Lights", fill="white", font=ImageFont.load_default(size=32)
    )
    clip = write_video(folder / "clip.mp4", [np.asarray(picture)] * 20, steady(20, fps=5))
    store = EvidenceStore(folder / "evidence")
    spoken = [(0.0, "The harbour is quiet."), (2.0, "A boat comes home.")]
    store.add(
        [
            Evidence(
                id=f"e{start}",
                kind="speech",
                start=start,
                end=start + 2,
                value=text,
                source="test",
                score=1.0,
            )
            for start, text in spoken
        ]
    )
    reader = SharedReader(lambda: open_video(clip))
    yield {tool.name: tool for tool in video_tools(reader, store)}
    reader.close()


def test_each_tool_tells_a_model_what_it_does(tools: dict[str, BaseTool]) -> None:
    assert list(tools) == [
        "frames_at",
        "zoom_at",
        "read_text_at",
        "speech_between",
        "look_between",
        "search_evidence",
    ]
    for tool in tools.values():
        function: dict[str, Any] = convert_to_openai_tool(tool)["function"]
        assert len(function["description"]) > 20
        assert "Args:" not in function["description"]
        assert all(field["description"] for field in function["parameters"]["properties"].values())


def test_frames_are_pictures_with_their_times(tools: dict[str, BaseTool]) -> None:
    text, image, *rest = tools["frames_at"].invoke({"times": [1.5]})
    assert text == {"type": "text", "text": "1.40 s"}
    assert Image.open(io.BytesIO(base64.b64decode(image["base64"]))).size == (320, 180)
    assert rest == []
    assert len(tools["frames_at"].invoke({"times": [0.1 * i for i in range(30)]})) == 32


def test_a_region_is_seen_enlarged(tools: dict[str, BaseTool]) -> None:
    label, image = tools["zoom_at"].invoke({"time": 1.5, "box": [0.0, 0.25, 0.5, 0.75]})
    assert label["text"] == "1.40 s, enlarged"
    assert Image.open(io.BytesIO(base64.b64decode(image["base64"]))).size == (768, 432)
    with pytest.raises(ValueError, match="box is empty"):
        tools["zoom_at"].invoke({"time": 1.5, "box": [0.5, 0.0, 0.5, 1.0]})


def test_text_look_and_speech(tools: dict[str, BaseTool]) -> None:
    (line,) = tools["read_text_at"].invoke({"time": 2.0})
    assert line["text"] == "Harbour Lights"
    look = tools["look_between"].invoke({"start": 0.0, "end": 4.0})
    assert (look["colour"], look["motion"]) == ("blue", "none")
    speech = tools["speech_between"].invoke({"start": 2.5, "end": 9.0})
    assert [row["value"] for row in speech] == ["A boat comes home."]
    (found,) = tools["search_evidence"].invoke({"query": "a ship returns", "k": 1})
    assert (found["value"], found["id"]) == ("A boat comes home.", "e2.0")
    assert tools["search_evidence"].invoke({"query": "ship", "kinds": ["title"]}) == []
