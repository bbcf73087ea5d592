"""Training of the networks that Unmask ships."""
