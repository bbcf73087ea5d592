"""The First Order Motion Model as one thing: a still picture moved by the motion of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import layers, ops

from ml.networks.fomm.dense_motion import build_dense_motion
from ml.networks.fomm.generator import build_generator_decoder, build_generator_encoder
from ml.networks.fomm.geometry import Warp, resize_bilinear
from ml.networks.fomm.keypoint_detector import build_keypoint_detector
from ml.networks.fomm.keypoints import Keypoints, normalise
from ml.networks.fomm.motion_config import VOX_256

if TYPE_CHECKING:
    import keras

    from ml.networks.fomm.blocks import Normalization
    from ml.networks.fomm.motion_config import MotionConfig

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Generated:
    """A generated picture and how it came about; N pictures, s the shrunk side, K keypoints, all float32.

    ``prediction`` (N, size, size, 3) in [0, 1]; ``deformed`` (N, size, size, 3): the source's own pixels where the
    flow takes them; ``deformation`` (N, s, s, 2) in [-1, 1]; ``occlusion`` (N, s, s, 1) in [0, 1]; ``mask`` (N, s, s,
    K + 1).
    """

    prediction: Array
    deformed: Array
    deformation: Array
    occlusion: Array
    mask: Array


class FirstOrderMotion:
    """Keypoint detector, dense motion and generator (Siarohin et al., NeurIPS 2019), with weights yet to be given.

    Pictures are float32 (N, size, size, 3) RGB in [0, 1]. The four parts are Keras models (``keypoint_detector``,
    ``dense_motion``, ``encoder``, ``decoder``) for training and saving; the methods take and give numpy arrays.
    """

    def __init__(
        self, config: MotionConfig = VOX_256, normalization: Normalization = layers.BatchNormalization
    ) -> None:
        self.config = config
        self.keypoint_detector = build_keypoint_detector(config, normalization)
        self.dense_motion = build_dense_motion(config, normalization)
        self.encoder = build_generator_encoder(config, normalization)
        self.decoder = build_generator_decoder(config, normalization)
        self._warp = Warp(dtype="float32")

    def keypoints(self, image: Any) -> Keypoints:
        """Find the keypoints of pictures (N, size, size, 3)."""
        value, jacobian = self.keypoint_detector(self._checked(image), training=False)
        return Keypoints(_numpy(value), _numpy(jacobian))

    @staticmethod
    def normalise(source: Keypoints, driving: Keypoints, driving_initial: Keypoints, **options: bool) -> Keypoints:
        """Turn a driver's keypoints into motion relative to its first frame: see ``ml.networks.fomm.normalise``."""
        return normalise(source, driving, driving_initial, **options)

    def source_features(self, source: Any) -> Any:
        """Encode the source once, to be handed to ``generate`` for frame after frame."""
        return self.encoder(self._checked(source), training=False)

    def generate(
        self, source: Any, source_keypoints: Keypoints, driving_keypoints: Keypoints, *, features: Any = None
    ) -> Array:
        """Move ``source`` from its keypoints to the driver's: (N, size, size, 3) in [0, 1].

        One source may be moved to N sets of driving keypoints. ``features`` saves encoding it again.
        """
        return self.explain(source, source_keypoints, driving_keypoints, features=features, deform=False).prediction

    def explain(
        self,
        source: Any,
        source_keypoints: Keypoints,
        driving_keypoints: Keypoints,
        *,
        features: Any = None,
        deform: bool = True,
    ) -> Generated:
        """Generate, and say how: flow, occlusion, masks and (with ``deform``) the source's pixels moved."""
        source = self._checked(source)
        features = self.source_features(source) if features is None else features
        count = len(driving_keypoints.value)
        source, features = _repeated(source, count), _repeated(features, count)
        theirs = [_repeated(ops.convert_to_tensor(part, "float32"), count) for part in source_keypoints]
        inputs = [source, *theirs, *(ops.convert_to_tensor(part, "float32") for part in driving_keypoints)]
        deformation, occlusion, mask = self.dense_motion(inputs, training=False)
        parts = [features, deformation, occlusion]
        prediction = self.decoder([*parts, source] if self.config.keeps_source else parts, training=False)
        deformed = np.zeros((0, self.config.size, self.config.size, 3), np.float32)
        if deform:
            flow = deformation
            if self.config.inner_size != self.config.size:
                flow = resize_bilinear(deformation, self.config.size, self.config.size)
            deformed = _numpy(self._warp([source, flow]))
        return Generated(_numpy(prediction), deformed, _numpy(deformation), _numpy(occlusion), _numpy(mask))

    def parts(self) -> tuple[keras.Model, ...]:
        """The four models, in the order in which their weights are kept."""
        return (self.keypoint_detector, self.dense_motion, self.encoder, self.decoder)

    def count_params(self) -> dict[str, int]:
        """Count the trainable parameters of the three networks of the paper."""
        return {
            "keypoint_detector": _trainable(self.keypoint_detector),
            "dense_motion": _trainable(self.dense_motion),
            "generator": _trainable(self.encoder) + _trainable(self.decoder),
        }

    def _checked(self, image: Any) -> Any:
        image = ops.convert_to_tensor(image, "float32")
        side = self.config.size
        if tuple(image.shape[1:]) != (side, side, 3):
            raise ValueError(f"pictures must be (N, {side}, {side}, 3), not {tuple(image.shape)}")
        return image


def _repeated(array: Any, count: int) -> Any:
    if array.shape[0] not in (1, count):
        raise ValueError(f"{array.shape[0]} sources cannot be moved to {count} sets of keypoints")
    return array if array.shape[0] == count else ops.repeat(array, count, axis=0)


def _numpy(tensor: Any) -> Array:
    return np.asarray(ops.convert_to_numpy(tensor), np.float32)


def _trainable(model: Any) -> int:
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
