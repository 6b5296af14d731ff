"""Benchmarks, baselines and reports."""
