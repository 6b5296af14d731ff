"""NKRs as models of an OpenAI-compatible server, and the page that asks them."""
