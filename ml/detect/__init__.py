"""From a picture to a verdict: detectors, calibration, explanation, and when to abstain."""
