"""The First Order Motion Model's forward pass in PyTorch, on the weights of this project's networks: to time against.

Functional, in inference mode, batch norm by its moving statistics, in PyTorch's own order of axes, as its authors' code
runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

    from ml.networks.fomm import FirstOrderMotion


class TorchMotion:
    """The same network with the same weights; pictures are (N, 3, S, S) tensors in [0, 1]."""

    def __init__(self, torch: Any, network: FirstOrderMotion) -> None:
        self.torch, self.config = torch, network.config
        self._nn = torch.nn.functional
        self._detector, self._motion, self._encoder, self._decoder = (_arrays(torch, part) for part in network.parts())

    def keypoints(self, picture: Any) -> tuple[Any, Any]:
        """Values (N, K, 2) and jacobians (N, K, 2, 2)."""
        torch, config = self.torch, self.config
        x = self._hourglass(self._shrunk(picture, self._detector), self._detector, "predictor.")
        logits = self._conv(x, self._detector, "kp", 0)
        count, side = len(picture), logits.shape[-1]
        heat = torch.softmax(logits.reshape(count, config.keypoints, -1) / config.temperature, dim=2)
        grid = _grid(torch, side, side).reshape(-1, 2)
        maps = self._conv(x, self._detector, "jacobian", 0).reshape(count, config.keypoints, 4, -1)
        jacobian = (heat[:, :, None] * maps).sum(dim=-1).reshape(count, config.keypoints, 2, 2)
        return heat @ grid, jacobian

    def features(self, source: Any) -> Any:
        """The source's features."""
        x = self._block(source, self._encoder, "first", 3)
        for level in range(self.config.generator_levels):
            x = self._nn.avg_pool2d(self._block(x, self._encoder, f"down_blocks.{level}"), 2)
        return x

    def generate(self, source: Any, features: Any, own: tuple[Any, Any], driving: tuple[Any, Any]) -> Any:
        """The picture, (N, 3, S, S)."""
        flow, occlusion = self._flow(source, own, driving)
        side = features.shape[-1]
        if flow.shape[1] != side:
            flow = self._resized(flow.permute(0, 3, 1, 2), side).permute(0, 2, 3, 1)
            occlusion = self._resized(occlusion, side)
        x = self._warp(features.expand(len(flow), -1, -1, -1), flow) * occlusion
        for block in range(self.config.generator_blocks):
            inner = x
            for index in (1, 2):
                name = f"bottleneck.r{block}"
                inner = self.torch.relu_(self._norm(inner, self._decoder, f"{name}.norm{index}"))
                inner = self._conv(inner, self._decoder, f"{name}.conv{index}", 1)
            x = x + inner
        for index in range(self.config.generator_levels):
            x = self._nn.interpolate(x, scale_factor=2, mode="nearest")
            x = self._block(x, self._decoder, f"up_blocks.{index}")
        return self.torch.sigmoid(self._conv(x, self._decoder, "final", 3))

    def _flow(self, source: Any, own: tuple[Any, Any], driving: tuple[Any, Any]) -> tuple[Any, Any]:
        torch, config = self.torch, self.config
        small = self._shrunk(source, self._motion)
        count, side = len(driving[0]), small.shape[-1]
        grid = _grid(torch, side, side)[None, None]
        turn = own[1] @ torch.inverse(driving[1])
        away = grid - driving[0][:, :, None, None]
        moved = (turn[:, :, None, None] @ away[..., None])[..., 0] + own[0][:, :, None, None]
        motions = torch.cat([grid.expand(count, 1, side, side, 2), moved], dim=1)
        drawn = self._drawn(driving[0], grid) - self._drawn(own[0], grid)
        heat = torch.cat([torch.zeros_like(drawn[:, :1]), drawn], dim=1)[:, :, None]
        several = config.keypoints + 1
        copies = small.expand(count, -1, -1, -1)[:, None].expand(-1, several, -1, -1, -1).reshape(-1, 3, side, side)
        warped = self._warp(copies, motions.reshape(-1, side, side, 2)).reshape(count, several, 3, side, side)
        x = self._hourglass(torch.cat([heat, warped], dim=2).reshape(count, -1, side, side), self._motion, "hourglass.")
        mask = torch.softmax(self._conv(x, self._motion, "mask", 3), dim=1)
        occlusion = torch.sigmoid(self._conv(x, self._motion, "occlusion", 3))
        return (motions * mask[..., None]).sum(dim=1), occlusion

    def _drawn(self, points: Any, grid: Any) -> Any:
        away = grid - points[:, :, None, None]
        return self.torch.exp(-0.5 * (away * away).sum(dim=-1) / self.config.variance)

    def _shrunk(self, x: Any, arrays: dict[str, Any]) -> Any:
        if "down" not in arrays:
            return x
        kernel = arrays["down"]
        reach = kernel.shape[-1] // 2
        return self._nn.conv2d(x, kernel, stride=self.config.shrink, padding=reach, groups=3)

    def _hourglass(self, x: Any, arrays: dict[str, Any], name: str) -> Any:
        skips = [x]
        levels = self.config.levels
        for level in range(levels):
            skips.append(self._nn.avg_pool2d(self._block(skips[-1], arrays, f"{name}encoder.down_blocks.{level}"), 2))
        x = skips.pop()
        for index in range(levels):
            x = self._nn.interpolate(x, scale_factor=2, mode="nearest")
            x = self._block(x, arrays, f"{name}decoder.up_blocks.{index}")
            x = self.torch.cat([x, skips.pop()], dim=1)
        return x

    def _block(self, x: Any, arrays: dict[str, Any], name: str, padding: int = 1) -> Any:
        x = self._conv(x, arrays, f"{name}.conv", padding)
        return self.torch.relu_(self._norm(x, arrays, f"{name}.norm"))

    def _conv(self, x: Any, arrays: dict[str, Any], name: str, padding: int) -> Any:
        weight, bias = arrays[name]
        return self._nn.conv2d(x, weight, bias, padding=padding)

    def _norm(self, x: Any, arrays: dict[str, Any], name: str) -> Any:
        gamma, beta, mean, variance = arrays[name]
        return self._nn.batch_norm(x, mean, variance, gamma, beta, eps=1e-5)

    def _warp(self, x: Any, grid: Any) -> Any:
        return self._nn.grid_sample(x, grid, align_corners=True)

    def _resized(self, x: Any, side: int) -> Any:
        return self._nn.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)


def _grid(torch: Any, height: int, width: int) -> Any:
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    return torch.stack([x, y], dim=-1)


def _arrays(torch: Any, model: keras.Model) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for layer in model.layers:
        weights = [np.asarray(weight) for weight in layer.get_weights()]
        if type(layer).__name__ == "Conv2D":
            kernel, bias = weights
            found[layer.name] = (torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()), torch.from_numpy(bias))
        elif type(layer).__name__ == "DepthwiseConv2D":
            found[layer.name] = torch.from_numpy(weights[0].transpose(2, 3, 0, 1).copy())
        elif weights:
            found[layer.name] = tuple(torch.from_numpy(weight) for weight in weights)
    return found
