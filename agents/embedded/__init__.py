"""Agents without a language model: they write from measured evidence alone."""
