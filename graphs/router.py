"""The router graph: a question about any of many videos, answered by the way that can.

contextualize -> greet | select_video -> recall -> gate: answer | search -> rewatch -> abstain
Nothing is recalled where the video ends before the moment that is asked about.
"""

from langgraph.graph import END, START, StateGraph

from graphs.desk import Settings
from graphs.routing import nodes
from graphs.routing.rewatch import rewatch
from graphs.routing.state import Asked, Replied, RouterState


def build() -> StateGraph[RouterState, Settings, Asked, Replied]:
    """Return the router's builder, to be compiled with the memory that one wants."""
    builder = StateGraph(
        RouterState, context_schema=Settings, input_schema=Asked, output_schema=Replied
    )
    builder.add_node("contextualize", nodes.contextualize)
    builder.add_node("greet", nodes.greet)
    builder.add_node("select_video", nodes.select_video)
    builder.add_node("recall", nodes.recall)
    builder.add_node("answer", nodes.answer)
    builder.add_node("search", nodes.search)
    builder.add_node("rewatch", rewatch)
    builder.add_node("abstain", nodes.abstain)
    builder.add_node("remember", nodes.remember)
    builder.add_edge(START, "contextualize")
    builder.add_conditional_edges(
        "contextualize",
        lambda state: "greet" if nodes.is_small_talk(state) else "select_video",
        ["greet", "select_video"],
    )
    builder.add_edge("greet", END)
    builder.add_conditional_edges(
        "select_video",
        lambda state: "recall" if state["candidates"] else "abstain",
        ["recall", "abstain"],
    )
    builder.add_conditional_edges("recall", nodes.gate, ["answer", "search"])
    builder.add_conditional_edges(
        "search",
        lambda state: "remember" if state["route"] else "rewatch",
        ["remember", "rewatch"],
    )
    builder.add_conditional_edges(
        "rewatch",
        lambda state: "remember" if state["route"] else "abstain",
        ["remember", "abstain"],
    )
    builder.add_edge("answer", "remember")
    builder.add_edge("abstain", "remember")
    builder.add_edge("remember", END)
    return builder


graph = build().compile()
