"""Agents with a language model behind them: any OpenAI-compatible server, or the backbone."""
