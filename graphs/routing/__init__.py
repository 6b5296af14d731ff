"""The nodes of the router graph."""
