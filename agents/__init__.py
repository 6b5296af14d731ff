"""The agents that write and check the corpus: planner, describer, question-writer, verifier."""
