"""Measuring the detectors."""
