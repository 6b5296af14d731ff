"""The command lines, from their arguments to their exit codes."""
