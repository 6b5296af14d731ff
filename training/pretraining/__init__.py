"""What the pretraining of the embedded backbone is made of: its size, curriculum and rules."""
