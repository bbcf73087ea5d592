"""Upscaling and repairing pictures."""
