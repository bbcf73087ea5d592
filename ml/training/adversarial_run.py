"""A run in which an upscaler is trained against a discriminator: relativistic average GAN, as in ESRGAN.

Wang et al., ESRGAN (ECCVW 2018), section 3.2; Jolicoeur-Martineau, The relativistic discriminator (ICLR 2019). VGG's
perceptual loss is replaced by the distance of this project's own restorer's features (``ml.restore.perceptual``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from ml.restore import perceptual
from ml.training.restorer_run import Plan, RestorerRun

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class AdversarialWeights:
    """What each part of the generator's loss counts."""

    error: float = 0.2
    features: float = 0.2
    adversary: float = 1e-2


class AdversarialRun(RestorerRun):
    """One run of both networks, step by step in turns."""

    def __init__(
        self,
        model: keras.Model,
        discriminator: keras.Model,
        out: Path,
        plan: Plan,
        weights: AdversarialWeights = AdversarialWeights(),
    ) -> None:
        self.discriminator, self.parts = discriminator, weights
        perceptual.features()  # made now, for what is first made while a step is traced cannot be used after it
        self.adversary = keras.optimizers.Adam(plan.rate, beta_1=0.9, beta_2=0.99)
        super().__init__(model, out, plan)

    def more(self) -> list[Any]:
        """The discriminator and its optimizer."""
        self.adversary.build(self.discriminator.trainable_variables)
        return [*self.discriminator.variables, *self.adversary.variables]

    def _one_step(self, inputs: Any, truth: Any) -> Any:
        self.adversary.learning_rate.assign(self.optimizer.learning_rate)
        with tf.GradientTape() as tape:
            made = self.model(inputs[0], training=True)
            true, false = self.discriminator(truth), self.discriminator(made)
            loss = (
                self.parts.error * tf.reduce_mean(tf.abs(made - truth))
                + self.parts.features * tf.reduce_mean(perceptual.difference(made, truth))
                + self.parts.adversary * relativistic(false, true)
            )
        self.optimizer.apply(tape.gradient(loss, self.model.trainable_variables), self.model.trainable_variables)
        made = tf.stop_gradient(made)
        with tf.GradientTape() as tape:
            against = relativistic(self.discriminator(truth, training=True), self.discriminator(made, training=True))
        variables = self.discriminator.trainable_variables
        self.adversary.apply(tape.gradient(against, variables), variables)
        return loss


def relativistic(higher: Any, lower: Any) -> Any:
    """How far logits ``higher`` are from lying above the mean of ``lower``, and these below the mean of those.

    Both are (N, 1); log 2 where the discriminator tells nothing.
    """
    cross = tf.nn.sigmoid_cross_entropy_with_logits
    above, below = higher - tf.reduce_mean(lower), lower - tf.reduce_mean(higher)
    return 0.5 * tf.reduce_mean(cross(tf.ones_like(above), above) + cross(tf.zeros_like(below), below))
