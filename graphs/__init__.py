"""LangGraph state machines and their command lines."""

from graphs.environment import keep_private

# Before any library is imported that would read it.
keep_private()
