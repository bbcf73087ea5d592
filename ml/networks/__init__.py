"""The networks, as Keras 3 models."""
