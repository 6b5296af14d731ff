"""What a training of an adapter is made of: what it reads, its batches, loss and steps."""
