"""Frames a second of an animation from files to a signed file, and the full-size network beside PyTorch.

PyTorch is no requirement of Unmask: where it is not installed its rows are left out, and the table says so.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measuring import Table, interleave, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

WANTED = 8.0
WANTED_RATIO = 1.3
FRAMES = 50
ROUNDS, FULL_ROUNDS = 3, 5


def measure() -> list[Table]:
    """Run the benchmark."""
    from ml import runtime

    runtime.configure()
    return [_whole(), _full_size(_torch(runtime.usable_cores()))]


def _whole() -> Table:
    """The shipped network, scikit-image's astronaut moved by a clip of herself, turned."""
    from ml.animate.animate import AnimateRequest, run
    from ml.animate.settings import Framing, MotionSettings
    from ml.media import encode_png
    from ml.provenance.authority import Authority
    from ml.provenance.plan import ConsentStatement, ManifestPlan, Work
    from ml.provenance.sealing import seal

    pixels, turned = _pictures()
    table = Table(
        f"Animation by a clip of {FRAMES} frames, the shipped network",
        (
            "result",
            "a frame: median (quartiles)",
            "frames a second",
            "of it: faces and keypoints",
            "frames, marks, H.264",
        ),
        about="From files to the signed MP4: decoding, faces, keypoints, network, paste, both marks, H.264, signature. "
        "Networks are warm.",
    )
    with tempfile.TemporaryDirectory() as folder:
        portrait, driver = Path(folder) / "portrait.png", Path(folder) / "driver.mp4"
        portrait.write_bytes(encode_png(pixels))
        _write_clip(driver, [turned[at % len(turned)] for at in range(FRAMES)])
        authority = Authority(Path(folder) / "keys")
        plan = ManifestPlan(
            Work.ANIMATION, "animation", "0" * 32, "0" * 12, "Unmask",
            consents=(ConsentStatement("00000000-0000-0000-0000-000000000000", "portrait", "synthetic", "1"),),
        )  # fmt: skip
        for framing in Framing:
            request = AnimateRequest(portrait, driver, settings=MotionSettings(framing=framing))
            timings: list[dict[str, float]] = []

            def once(request: AnimateRequest = request, timings: list[dict[str, float]] = timings) -> None:
                timings.append(run(request, lambda *_: None, lambda clip: seal(clip, plan, authority)).timings)

            (found,) = interleave({"all": once}, ROUNDS, warm_up=1).values()
            timings = timings[1:]
            stages = [float(np.median([each[name] for each in timings])) / FRAMES for name in ("faces", "animate")]
            rate = FRAMES / found.median
            low, high = (seconds / FRAMES for seconds in found.spread)
            table.rows.append((
                str(framing), f"{1e3 * found.median / FRAMES:.0f} ms ({1e3 * low:.0f}-{1e3 * high:.0f})", f"{rate:.1f}",
                *(f"{1e3 * stage:.0f} ms" for stage in stages),
            ))  # fmt: skip
            table.held.append((f"{framing}: {rate:.1f} frames a second, wanted {WANTED:.0f}", rate >= WANTED))
    return table


def _full_size(torch: Any) -> Table:
    """``vox-256`` with random weights: one driving frame, from its pixels to the picture."""
    import keras

    from ml.animate.model import MotionModel
    from ml.networks.fomm import VOX_256, FirstOrderMotion

    keras.utils.set_random_seed(0)
    network = FirstOrderMotion(VOX_256)
    model = MotionModel(network, {})
    random = np.random.default_rng(0)
    source, driving = random.integers(0, 256, (2, VOX_256.size, VOX_256.size, 3), np.uint8)
    portrait = model.portrait(source)
    calls: dict[str, Callable[[], object]] = {
        "Unmask": lambda: model.make(portrait, model.keypoints(driving[None])).pixels
    }
    if torch is not None:
        calls["PyTorch"] = _torch_frame(torch, network, source, driving)
        apart = np.abs(np.asarray(calls["Unmask"](), int) - np.asarray(calls["PyTorch"](), int)).max()
        if apart > 1:
            raise RuntimeError(f"the two networks compute different things: {apart} of 255")
    found = interleave(calls, FULL_ROUNDS, warm_up=1)
    table = Table(
        "First Order Motion Model at full size (vox-256), one frame",
        ("by", "a frame: median (quartiles)", "times PyTorch"),
        about=f"Random weights, the authors' shapes; keypoints of the driving frame included, the source's not. "
        f"{_about(torch)}",
    )
    for name, timing in found.items():
        ratio = f"{timing.ratio_to(found['PyTorch']):.2f}" if name == "Unmask" and torch is not None else ""
        table.rows.append((name, milliseconds(timing), ratio))
    if torch is not None:
        times = found["Unmask"].ratio_to(found["PyTorch"])
        table.held.append((f"{times:.2f} times PyTorch's time, wanted {WANTED_RATIO}", times <= WANTED_RATIO))
    return table


def _torch_frame(
    torch: Any, network: Any, source: NDArray[np.uint8], driving: NDArray[np.uint8]
) -> Callable[[], object]:
    from benchmarks.fomm_torch import TorchMotion

    model = TorchMotion(torch, network)

    def tensor(pixels: NDArray[np.uint8]) -> Any:
        return torch.from_numpy(pixels.astype(np.float32)[None] / 255).permute(0, 3, 1, 2).contiguous()

    with torch.inference_mode():
        first = tensor(source)
        own, features = model.keypoints(first), model.features(first)

    def run() -> object:
        with torch.inference_mode():
            made = model.generate(first, features, own, model.keypoints(tensor(driving)))
            return (made.clamp_(0, 1) * 255).round_().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()

    return run


def _pictures() -> tuple[NDArray[np.uint8], list[NDArray[np.uint8]]]:
    from skimage import data

    from ml.faces import FaceFinder
    from ml.swap.reposing import Pose, repose

    pixels = np.ascontiguousarray(data.astronaut()[:400, 30:430])
    with FaceFinder() as finder:
        (face,) = finder.find(pixels, 1)
    yaws = 12 * np.sin(np.linspace(0, 2 * np.pi, 10, endpoint=False))
    return pixels, [repose(pixels, face.landmarks, Pose(yaw=float(yaw)))[0] for yaw in yaws]


def _write_clip(path: Path, frames: list[NDArray[np.uint8]]) -> None:
    import av

    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for pixels in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))


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
