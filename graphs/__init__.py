"""LangGraph state machines and their command lines."""
