"""The nodes of the distill graph, one verb a file."""
