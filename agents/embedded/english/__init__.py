"""What can be told of an English sentence without a parser: tokens, names, noun phrases, clauses.

Everything is read from capitals, numerals, closed-class words and verb forms (`lexicon.toml`).
What is not understood for certain is left alone: a wrong question is worse than none.
"""
