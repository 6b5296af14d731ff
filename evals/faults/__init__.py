"""What becomes of runs, files and folders when things go wrong."""
