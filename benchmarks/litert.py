"""A detector as LiteRT runs it: the same folded function, converted, so that the two runtimes do the same work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras
    import numpy as np


def serve(model: keras.Model, size: int, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """The network under LiteRT with XNNPACK: uint8 (N, size, size, 3) -> logits (N, 1)."""
    import tensorflow as tf

    from ml.detect.folding import fold
    from ml.networks.detectors import logit

    folded = fold(model)

    def forward(crops: Any) -> Any:
        return logit(folded(tf.cast(crops, tf.float32) * (1.0 / 255.0)))

    traced = tf.function(forward, [tf.TensorSpec((None, size, size, 3), tf.uint8)], autograph=False)
    content = tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function()]).convert()
    interpreter = tf.lite.Interpreter(model_content=content, num_threads=threads)
    place, answer = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    shaped = 0

    def run(crops: np.ndarray) -> np.ndarray:
        nonlocal shaped
        if len(crops) != shaped:
            interpreter.resize_tensor_input(place, crops.shape)
            interpreter.allocate_tensors()
            shaped = len(crops)
        interpreter.set_tensor(place, crops)
        interpreter.invoke()
        found: np.ndarray = interpreter.get_tensor(answer)
        return found

    return run
