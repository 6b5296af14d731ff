"""The chat graph: messages in, messages out, over the router; what Studio and agents talk to.

hear -> router -> say
"""

from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

from graphs import router
from graphs.desk import Settings
from graphs.routing.state import RouterState, Turn
from tools.errors import InputError


class Said(TypedDict, total=False):
    """What a conversation is given: new messages, and the id of the NKR where only one is asked."""

    messages: Annotated[list[AnyMessage], add_messages]
    video: str | None


class ChatState(RouterState, total=False):
    """The conversation as messages, and what the router found for the last of them."""

    messages: Annotated[list[AnyMessage], add_messages]


def hear(state: ChatState) -> dict[str, Any]:
    """Return the question that the last message asks; raises InputError where it asks none."""
    messages = state.get("messages") or []
    text = str(messages[-1].text).strip() if messages else ""
    if not text or not isinstance(messages[-1], HumanMessage):
        raise InputError("The last message is no question: end with one from the user.")
    return {"question": text, "turns": []}


def say(state: ChatState) -> dict[str, Any]:
    """Return the router's answer as a message, and keep the turn for what follows.

    Where it comes from, how sure it is and its citations stand in `additional_kwargs`.
    """
    told = ("nkr", "route", "confidence", "supported", "citations")
    message = AIMessage(state["answer"], additional_kwargs={name: state.get(name) for name in told})
    if state["route"] == "small_talk":
        return {"messages": [message]}
    turn = Turn(question=state["standalone"], answer=state["answer"], nkr=state.get("nkr") or "")
    return {"messages": [message], "turns": [turn]}


def build() -> StateGraph[ChatState, Settings, Said, ChatState]:
    """Return the chat's builder, to be compiled with the memory that one wants."""
    builder = StateGraph(ChatState, context_schema=Settings, input_schema=Said)
    builder.add_node("hear", hear)
    builder.add_node("router", router.build().compile(), input_schema=RouterState)
    builder.add_node("say", say)
    builder.add_edge(START, "hear")
    builder.add_edge("hear", "router")
    builder.add_edge("router", "say")
    builder.add_edge("say", END)
    return builder


graph = build().compile()
