"""The command lines: a command a file, from its arguments to its exit code."""
