"""Seconds a picture through the enhancement networks, beside OpenCV's Lanczos and the same networks in PyTorch.

PyTorch is no requirement of Unmask: where it is not installed its rows are left out, and the table says so.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from benchmarks.measuring import Table, interleave, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras
    from numpy.typing import NDArray

SIZES = {2: (360, 640), 4: (180, 320)}
WANTED_SECONDS = {2: 0.6, 4: 0.5}
ROUNDS = 9
RRDB_SIDE = 64
RRDB_ROUNDS = 3
WANTED_RATIO = 1.3
WANTED_GIGABYTES = 3.0


def measure() -> list[Table]:
    """Run the benchmark."""
    from ml import runtime

    runtime.configure()
    torch = _torch(runtime.usable_cores())
    return [_compact(torch), _rrdbnet(torch), _memory()]


def _compact(torch: Any) -> Table:
    from ml.restore import neural, shipped
    from ml.restore.tiling import run_tiled

    table = Table(
        "Compact upscalers",
        ("picture", "by", "a picture: median (quartiles)", "times Lanczos", "times the same in PyTorch"),
        about=(
            "Whole pictures, uint8 to uint8, in the tiles that the product uses, warm. Lanczos is OpenCV's. "
            + _about(torch)
        ),
    )
    for scale, (height, width) in SIZES.items():
        picture = np.random.default_rng(scale).integers(0, 256, (height, width, 3), dtype=np.uint8)
        worker = neural.upscaler(scale, 1.0)
        calls: dict[str, Callable[[], object]] = {
            "compact": lambda p=picture, w=worker: run_tiled(w, p),  # type: ignore[misc]
            "lanczos": lambda p=picture, s=scale: cv2.resize(  # type: ignore[misc]
                p, (p.shape[1] * s, p.shape[0] * s), interpolation=cv2.INTER_LANCZOS4
            ),
        }
        if torch is not None:
            calls["PyTorch"] = _torch_compact(torch, shipped.warm(f"compact_x{scale}"), scale, picture)
        found = interleave(calls, ROUNDS)
        for name, timing in found.items():
            ours = name == "compact"
            table.rows.append((
                f"{width} x {height} x{scale}", name, milliseconds(timing),
                f"{timing.ratio_to(found['lanczos']):.1f}" if ours else "",
                f"{timing.ratio_to(found['PyTorch']):.2f}" if ours and torch is not None else "",
            ))  # fmt: skip
        seconds = found["compact"].median
        wanted = WANTED_SECONDS[scale]
        table.held.append((f"{width} x {height} x{scale}: {seconds:.2f} s, wanted {wanted:.1f} s", seconds <= wanted))
    return table


def _rrdbnet(torch: Any) -> Table:
    import keras

    from ml.networks.rrdbnet import build_rrdbnet
    from ml.restore import neural

    table = Table(
        "RRDBNet, 23 blocks (ESRGAN), x4",
        ("picture", "by", "a picture: median (quartiles)", "times PyTorch"),
        about=f"Random weights, the authors' shapes. {_about(torch)}",
    )
    keras.utils.set_random_seed(0)
    model = build_rrdbnet()
    picture = np.random.default_rng(0).random((1, RRDB_SIDE, RRDB_SIDE, 3), np.float32)
    graph = neural.graph(model)
    calls: dict[str, Callable[[], object]] = {"Unmask": lambda: np.asarray(graph(picture))}
    if torch is not None:
        calls["PyTorch"] = _torch_rrdbnet(torch, model, picture)
        apart = float(np.abs(np.asarray(graph(picture)) - calls["PyTorch"]()).max())  # type: ignore[operator]
        if apart > 1e-3:
            raise RuntimeError(f"the two networks compute different things: {apart}")
    found = interleave(calls, RRDB_ROUNDS, warm_up=1)
    for name, timing in found.items():
        ratio = f"{timing.ratio_to(found['PyTorch']):.2f}" if name == "Unmask" and torch is not None else ""
        table.rows.append((f"{RRDB_SIDE} x {RRDB_SIDE}", name, milliseconds(timing), ratio))
    if torch is not None:
        times = found["Unmask"].ratio_to(found["PyTorch"])
        table.held.append((f"{times:.2f} times PyTorch's time, wanted {WANTED_RATIO}", times <= WANTED_RATIO))
    return table


def _memory() -> Table:
    """The most memory that the command holds while it enhances a picture of 12 million pixels."""
    table = Table(
        "Memory of an enhancement",
        ("4000 x 3000 by", "most held"),
        about="The whole process of `python -m ml enhance`, from a JPEG to a PNG, by the most that was ever resident.",
    )
    ways = {
        "compact x2": ("--task", "upscale", "--scale", "2"),
        "compact x4": ("--task", "upscale", "--scale", "4"),
        "restorer, noise": ("--task", "denoise", "--strength", "0.3"),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.jpg"
        small = np.random.default_rng(12).integers(0, 256, (94, 125, 3), dtype=np.uint8)
        cv2.imwrite(str(path), cv2.resize(small, (4000, 3000), interpolation=cv2.INTER_CUBIC))
        for name, words in ways.items():
            held = _most_held([str(path), str(path.with_suffix(".png")), "--quiet", *words])
            table.rows.append((name, f"{held:.2f} GB"))
            table.held.append(
                (f"{name}: {held:.2f} GB, wanted under {WANTED_GIGABYTES:.0f} GB", held < WANTED_GIGABYTES)
            )
    return table


def _most_held(words: list[str]) -> float:
    """GB: of a child of its own child, for what a process is told of its children is the most of all so far."""
    code = (
        "import resource, subprocess, sys\n"
        "words = [sys.executable, '-m', 'ml', 'enhance', *sys.argv[1:]]\n"
        "subprocess.run(words, check=True, stdout=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(  # this interpreter, fixed words, no shell
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1]) * 1024 / 1e9


def _torch(threads: int) -> Any:
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    torch.set_num_threads(threads)
    return torch


def _about(torch: Any) -> str:
    if torch is None:
        return "PyTorch is not installed here: its rows are left out."
    return f"PyTorch {torch.__version__} runs the same weights on as many threads."


def _convolution(torch: Any, model: keras.Model, name: str) -> Callable[[Any], Any]:
    kernel, bias = model.get_layer(name).get_weights()
    weight, offset = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()), torch.from_numpy(bias)
    padding = kernel.shape[0] // 2
    return lambda x: torch.nn.functional.conv2d(x, weight, offset, padding=padding)


def _torch_compact(torch: Any, model: keras.Model, scale: int, picture: NDArray[np.uint8]) -> Callable[[], object]:
    names = sorted((each.name for each in model.layers if each.name.startswith("conv.")), key=lambda n: int(n[5:]))
    convs = [_convolution(torch, model, name) for name in names]
    linear = _convolution(torch, model, "linear")
    places = np.arange(3 * scale * scale).reshape(scale * scale, 3).T.reshape(-1).copy()  # PyTorch's shuffle order

    def run() -> object:
        with torch.inference_mode():
            start = torch.from_numpy(picture.astype(np.float32)[None] / 255).permute(0, 3, 1, 2)
            x = start
            for conv in convs[:-1]:
                x = torch.relu_(conv(x))
            x = torch.pixel_shuffle((convs[-1](x) + linear(start))[:, places], scale)
            return (x.clamp_(0, 1) * 255).round_().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()[0]

    from ml.restore import neural
    from ml.restore.tiling import run_tiled

    ours = run_tiled(neural.upscaler(scale, 1.0), picture).astype(int)
    if np.abs(ours - np.asarray(run(), int)).max() > 1:
        raise RuntimeError("the two networks compute different things")
    return run


def _torch_rrdbnet(torch: Any, model: keras.Model, picture: NDArray[np.float32]) -> Callable[[], object]:
    names = [each.name for each in model.layers if type(each).__name__ == "Conv2D"]
    convs = {name: _convolution(torch, model, name) for name in names}

    def active(x: Any) -> Any:
        return torch.nn.functional.leaky_relu(x, 0.2, inplace=True)

    def dense(x: Any, name: str) -> Any:
        known = [x]
        for index in range(1, 5):
            known.append(active(convs[f"{name}.conv{index}"](torch.cat(known, 1))))
        return x + convs[f"{name}.conv5"](torch.cat(known, 1)) * 0.2

    def run() -> object:
        with torch.inference_mode():
            first = convs["conv_first"](torch.from_numpy(picture).permute(0, 3, 1, 2))
            x = first
            for block in range(23):
                inner = x
                for index in (1, 2, 3):
                    inner = dense(inner, f"body.{block}.rdb{index}")
                x = x + inner * 0.2
            x = first + convs["conv_body"](x)
            for index in (1, 2):
                x = active(convs[f"conv_up{index}"](torch.nn.functional.interpolate(x, scale_factor=2, mode="nearest")))
            x = convs["conv_last"](active(convs["conv_hr"](x)))
            return x.permute(0, 2, 3, 1).numpy()

    return run
