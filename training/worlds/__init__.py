"""Invented videos: the procedurally written worlds that the embedded backbone is pretrained on."""
