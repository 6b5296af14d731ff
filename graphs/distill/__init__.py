"""Distil a video into an NKR: the state machine, its nodes, its state and what a run keeps."""
