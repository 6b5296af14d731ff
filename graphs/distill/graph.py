"""Distil a video into an NKR: the LangGraph state machine of Agentic Knowledge Distillation.

probe -> perceive (each span) and listen -> plan -> approve_plan -> describe (each span) ->
write_questions -> verify -> review (-> revise -> verify) -> assemble -> approve_corpus -> train ->
examine (-> augment -> train) -> restore -> check -> publish.
The last branch of writing is the one over the whole video.
"""

from langgraph.graph import END, START, StateGraph
from langgraph.types import CachePolicy, Send

from graphs.distill.alone import alone
from graphs.distill.context import Context
from graphs.distill.failing import retried
from graphs.distill.nodes.approve import approve_corpus, approve_plan
from graphs.distill.nodes.assemble import assemble
from graphs.distill.nodes.augment import augment
from graphs.distill.nodes.check import check
from graphs.distill.nodes.describe import describe
from graphs.distill.nodes.examine import examine
from graphs.distill.nodes.listen import listen
from graphs.distill.nodes.perceive import perceive
from graphs.distill.nodes.plan import plan
from graphs.distill.nodes.probe import probe
from graphs.distill.nodes.publish import publish
from graphs.distill.nodes.restore import restore
from graphs.distill.nodes.review import review
from graphs.distill.nodes.revise import revise
from graphs.distill.nodes.train import train
from graphs.distill.nodes.verify import verify
from graphs.distill.nodes.write_questions import write_questions
from graphs.distill.parts import code_hash, work_key
from graphs.distill.spread import spread
from graphs.distill.state import DistillInput, DistillOutput, DistillState, SpanWork

by_content = CachePolicy(key_func=work_key)
# The settings that decide on what is heard.
RECOGNISERS = ("whisper", "align", "diarize")


def send_spans(state: DistillState) -> list[Send]:
    """Send every span to be looked at, and the whole video to be listened to."""
    works = [
        SpanWork(
            video_path=state["video_path"],
            sha256=state["video"]["sha256"],
            run=state["run"],
            index=index,
            span=span,
            total=len(state["spans"]),
            code=code_hash("tools"),
        )
        for index, span in enumerate(state["spans"])
    ]
    settings = state["settings"]
    heard = SpanWork(
        video_path=state["video_path"],
        sha256=state["video"]["sha256"],
        run=state["run"],
        index=0,
        code=" ".join(
            [code_hash("tools"), *(str(settings[name]) for name in ("subtitles", *RECOGNISERS))]
        ),
    )
    return [Send("listen", heard), *(Send("perceive", works[i]) for i in spread(len(works)))]


def build() -> "StateGraph[DistillState, Context, DistillInput, DistillOutput]":
    """Return the graph, not yet compiled."""
    builder = StateGraph(
        DistillState,
        context_schema=Context,
        input_schema=DistillInput,
        output_schema=DistillOutput,
    )
    builder.add_node(probe)
    builder.add_node(alone(perceive), cache_policy=by_content)
    builder.add_node(alone(listen), cache_policy=by_content)
    builder.add_node(alone(plan), retry_policy=retried)
    builder.add_node(alone(approve_plan))
    builder.add_node(alone(describe), cache_policy=by_content, retry_policy=retried)
    builder.add_node(alone(write_questions), cache_policy=by_content, retry_policy=retried)
    builder.add_node(alone(verify), cache_policy=by_content, retry_policy=retried)
    builder.add_node(alone(review))
    builder.add_node(alone(revise), cache_policy=by_content, retry_policy=retried)
    builder.add_node(alone(assemble))
    builder.add_node(alone(approve_corpus))
    builder.add_node(alone(train))
    builder.add_node(alone(examine))
    builder.add_node(alone(augment), retry_policy=retried)
    builder.add_node(alone(restore))
    builder.add_node(alone(check))
    builder.add_node(alone(publish))

    builder.add_edge(START, "probe")
    builder.add_conditional_edges("probe", send_spans, ["perceive", "listen"])
    builder.add_edge("perceive", "plan")
    builder.add_edge("listen", "plan")
    builder.add_edge("plan", "approve_plan")
    builder.add_edge("verify", "review")
    builder.add_edge("assemble", "approve_corpus")
    builder.add_edge("approve_corpus", "train")
    builder.add_edge("train", "examine")
    builder.add_edge("restore", "check")
    builder.add_edge("check", "publish")
    builder.add_edge("publish", END)
    return builder


# Without a checkpointer: Studio brings its own, the command line its SQLite file.
graph = build().compile()
