"""The review desk: what was flagged, who looks at it, what they judge, and who is told."""
