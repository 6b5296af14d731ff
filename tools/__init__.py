"""Instruments that measure a video: frames, shots, text, speech, looks, and the evidence store."""
