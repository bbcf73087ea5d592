"""Measure the enhancement networks beside their peers.

``python -m ml evaluate restore --data NATURAL --out docs/evaluation`` writes enhancement.json and enhancement.md.

NATURAL holds ``benchmarks/Set5`` and ``Set14`` (PNG, sides that are multiples of 4) and ``bsds500/`` (see
``ml.training.natural``). All goes through the workers and tiles that the product uses, in 8 bits.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.restore.tiling import Worker

    Bytes = NDArray[np.uint8]

NAME = "enhancement"
SETS = ("Set5", "Set14")
SCALES = (2, 4)
NOISES = (15, 25, 50)
QUALITIES = (10, 20, 40)
BLURS = (1.0, 1.5, 2.5)
SHARES = (0.0, 0.5, 1.0)
"""Of the slim ESRGAN: its weights between those for PSNR and those of the adversarial training."""

PUBLISHED = {
    ("Set5", 2): {"bicubic": 33.66, "SRCNN": 36.66, "FSRCNN": 37.00, "VDSR": 37.53},
    ("Set14", 2): {"bicubic": 30.24, "SRCNN": 32.42, "FSRCNN": 32.63, "VDSR": 33.03},
    ("Set5", 4): {"bicubic": 28.42, "SRCNN": 30.48, "FSRCNN": 30.71, "VDSR": 31.35, "RRDB": 32.73},
    ("Set14", 4): {"bicubic": 26.00, "SRCNN": 27.49, "FSRCNN": 27.59, "VDSR": 28.01, "RRDB": 28.99},
}
"""PSNR on Y in dB as their authors give it (SRCNN as given by VDSR's): Dong et al. 2014 and 2016, Kim et al. 2016,
Wang et al. 2018. Full-size networks, other training pictures, and in Set14 pictures that are cut otherwise."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--data", type=Path, required=True, help="folder that holds benchmarks/ and bsds500/")
    parser.add_argument("--out", type=Path, required=True, help="folder for enhancement.json and enhancement.md")
    parser.add_argument("--pictures", type=int, default=30, help="held-out photographs for noise, JPEG and blur (30)")


def run(options: argparse.Namespace) -> int:
    """Measure and write. Returns the process's exit code."""
    from ml import runtime

    runtime.configure()
    from ml.restore import shipped
    from ml.weights import entries

    started = time.perf_counter()
    networks = shipped.available()
    known = entries()
    result: dict[str, Any] = {
        "command": f"python -m ml evaluate restore --pictures {options.pictures}",
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "device": runtime.device_name(),
        "weights": {name: {"version": known[name].version, "sha256": known[name].sha256} for name in networks},
        "upscale": upscaling(options.data, networks),
        "faults": [],
        "pictures": 0,
    }
    if "restorer" in networks:
        pictures = held_out(options.data, options.pictures)
        result |= {"faults": faults(pictures), "pictures": len(pictures)}
    result["seconds"] = round(time.perf_counter() - started)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{NAME}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (options.out / f"{NAME}.md").write_text(markdown(result), encoding="utf-8")
    return 0


def upscaling(data: Path, networks: Sequence[str]) -> list[dict[str, Any]]:
    """Rows per set, scale and method: mean PSNR and SSIM on Y, a border of the scale left out."""
    from ml.restore.classical import Interpolation
    from ml.restore.fidelity import luma, psnr, ssim
    from ml.restore.perceptual import distance
    from ml.restore.resample import resampled_bytes
    from ml.restore.tiling import run_tiled

    def matlab(small: Bytes, scale: int) -> Bytes:
        return resampled_bytes(small, small.shape[0] * scale, small.shape[1] * scale)

    def lanczos(small: Bytes, scale: int) -> Bytes:
        return np.asarray(run_tiled(Interpolation(scale, lanczos=True), small), np.uint8)

    def compact(small: Bytes, scale: int) -> Bytes:
        from ml.restore import neural

        return np.asarray(run_tiled(neural.upscaler(scale, 1.0), small), np.uint8)

    def slim(share: float) -> Callable[[Bytes, int], Bytes]:
        from ml.restore import neural

        return lambda small, _: np.asarray(run_tiled(neural.esrgan(share), small), np.uint8)

    rows = []
    for name in SETS:
        truths = [_read(path) for path in sorted((data / "benchmarks" / name).glob("*.png"))]
        if not truths:
            raise FileNotFoundError(f"no pictures of {name} in {data}")
        for scale in SCALES:
            ways: dict[str, Callable[[Bytes, int], Bytes]] = {"bicubic": matlab, "lanczos": lanczos}
            if f"compact_x{scale}" in networks:
                ways["compact"] = compact
            if scale == 4 and {"esrgan_psnr_x4", "esrgan_gan_x4"} <= set(networks):
                ways |= {f"esrgan {share:g}": slim(share) for share in SHARES}
            smalls = [resampled_bytes(truth, truth.shape[0] // scale, truth.shape[1] // scale) for truth in truths]
            for way, call in ways.items():
                pictures = [call(small, scale) for small in smalls]
                pairs = list(zip(map(luma, pictures), map(luma, truths), strict=True))
                rows.append({
                    "set": name, "scale": scale, "method": way, "pictures": len(truths),
                    "psnr_y": float(np.mean([psnr(a, b, scale) for a, b in pairs])),
                    "ssim_y": float(np.mean([ssim(a, b, scale) for a, b in pairs])),
                    "perceptual": float(np.mean([distance(a, b) or 0 for a, b in zip(pictures, truths, strict=True)])),
                })  # fmt: skip
    return rows


def held_out(data: Path, number: int) -> list[Bytes]:
    """Held-out photographs, evenly picked, reduced so that their own JPEG noise is gone."""
    from ml.training import natural

    files = natural.paths(data, "held_out")
    return [natural.clean(files[round(i)]) for i in np.linspace(0, len(files) - 1, min(number, len(files)))]


def faults(pictures: Sequence[Bytes]) -> list[dict[str, Any]]:
    """Rows per fault and method: mean PSNR on RGB and on Y of the faulty picture and of what was made of it."""
    from ml.restore import neural
    from ml.restore.classical import MAX_BLUR, MAX_SIGMA, NonLocalMeans, UnsharpMask
    from ml.restore.measures import noise_sigma
    from ml.restore.methods import jpeg_strength
    from ml.training import natural

    def noisy(sigma: float) -> list[Bytes]:
        return [
            _bytes(natural.noisy(_unit(picture), sigma, np.random.default_rng(number)))
            for number, picture in enumerate(pictures)
        ]

    def always(worker: Worker) -> Callable[[Bytes], Worker]:
        return lambda _: worker

    def by_measuring(picture: Bytes) -> Worker:
        return neural.restorer((min(1.0, noise_sigma(picture) / MAX_SIGMA), 0.0, 0.0))

    rows = []
    for sigma in NOISES:
        worse = noisy(sigma)
        ways: dict[str, Callable[[Bytes], Worker]] = {
            "restorer": always(neural.restorer((sigma / MAX_SIGMA, 0.0, 0.0))),
            "restorer, sigma measured": by_measuring,
            "nlmeans": always(NonLocalMeans(sigma)),
        }
        rows += _compare(f"noise {sigma}", pictures, worse, ways)
    for quality in QUALITIES:
        worse = [_bytes(natural.jpeg(_unit(picture), quality)) for picture in pictures]
        rows += _compare(
            f"JPEG {quality}", pictures, worse,
            {"restorer": always(neural.restorer((0.0, jpeg_strength(quality), 0.0)))},
        )  # fmt: skip
    for blur in BLURS:
        worse = [_bytes(natural.blurred(_unit(picture), blur)) for picture in pictures]
        blur_ways: dict[str, Callable[[Bytes], Worker]] = {
            "restorer": always(neural.restorer((0.0, 0.0, blur / MAX_BLUR))),
            "unsharp": always(UnsharpMask(blur)),
        }
        rows += _compare(f"blur {blur}", pictures, worse, blur_ways)
    return rows


def _compare(
    fault: str, truths: Sequence[Bytes], worse: Sequence[Bytes], ways: dict[str, Callable[[Bytes], Worker]]
) -> list[dict[str, Any]]:
    from ml.restore.tiling import run_tiled

    def row(method: str, made: Sequence[Bytes]) -> dict[str, Any]:
        from ml.restore.fidelity import luma, psnr

        rgb = [psnr(a, b) for a, b in zip(made, truths, strict=True)]
        y = [psnr(luma(a), luma(b)) for a, b in zip(made, truths, strict=True)]
        return {"fault": fault, "method": method, "psnr_rgb": float(np.mean(rgb)), "psnr_y": float(np.mean(y))}

    rows = [row("none", worse)]
    for method, way in ways.items():
        rows.append(row(method, [np.asarray(run_tiled(way(picture), picture), np.uint8) for picture in worse]))
    for each in rows[1:]:
        each |= {f"gain_{what}": each[f"psnr_{what}"] - rows[0][f"psnr_{what}"] for what in ("rgb", "y")}
    return rows


def markdown(result: dict[str, Any]) -> str:
    """The evaluation as a page."""
    weights = ", ".join(f"{name} {entry['version']}" for name, entry in result["weights"].items())
    parts = [
        "# Enhancement, measured",
        f"Made {result['made']} by `{result['command']}` in {result['seconds']} s on {result['device']}. Weights: "
        f"{weights}.",
        "## Upscaling",
        *markdown_tables(result, "upscalers"),
        "Published, as their authors give them (PSNR Y; SRCNN as given by VDSR's). These are their networks and their "
        "figures; none was run here.",
        _table(
            ["set", "scale", "bicubic", "SRCNN", "FSRCNN", "VDSR", "RRDB (ESRGAN's PSNR network)"],
            [
                [name, f"x{scale}", *[figures.get(key) for key in ("bicubic", "SRCNN", "FSRCNN", "VDSR", "RRDB")]]
                for (name, scale), figures in PUBLISHED.items()
            ],
        ),
    ]
    if result["faults"]:
        parts += ["## Noise, JPEG and blur", *markdown_tables(result, "restorer")]
    return "\n\n".join(parts) + "\n"


def markdown_tables(result: Mapping[str, Any], network: str) -> list[str]:
    """What was measured and how, of one network, such as "restorer" or "compact_x2"; "upscalers" for all of them."""
    if network == "restorer":
        return [
            f"Means over {result['pictures']} photographs of the BSDS500 test part that neither trained nor chose the "
            "weights, reduced to .8 of their size. The faulty pictures are 8-bit, as people would give them: noise is "
            "clipped and rounded, JPEGs have colour at half size (4:2:0), blur is Gaussian (sigma in px). The restorer "
            'is told how strong the fault is; "sigma measured" is what happens when nobody tells it.',
            _table(
                ["fault", "method", "PSNR RGB", "gain RGB", "PSNR Y", "gain Y"],
                [
                    [r["fault"], r["method"], r["psnr_rgb"], r.get("gain_rgb"), r["psnr_y"], r.get("gain_y")]
                    for r in result["faults"]
                ],
            ),
        ]
    scale = int(network.rpartition("_x")[2]) if "_x" in network else None
    rows = [
        [
            r["set"], f"x{r['scale']}", r["method"], r["psnr_y"], r["psnr_y"] - _bicubic(result, r),
            f"{r['ssim_y']:.4f}", f"{r['perceptual']:.3f}",
        ]
        for r in result["upscale"]
        if scale in {None, r["scale"]}
    ]  # fmt: skip
    return [
        "Mean PSNR (dB) and SSIM on the Y channel (BT.601, 16 to 235), a border of the scale left out. Small pictures "
        'are made by bicubic reduction as MATLAB does it, rounded to 8 bits; "bicubic" is the same way back. These '
        "copies of Set14 are cut to multiples of 4, so their bicubic figure is not exactly the published one. "
        '"esrgan 0" is the slim RRDB with its weights for PSNR, "esrgan 1" with those of the adversarial training, '
        '"esrgan 0.5" half way. Perceptual: the distance of `ml/restore/perceptual.py`, smaller is more alike; grain '
        "counts much in it.",
        _table(["set", "scale", "method", "PSNR Y", "over bicubic", "SSIM Y", "perceptual"], rows),
    ]


def _bicubic(result: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    return next(
        float(each["psnr_y"])
        for each in result["upscale"]
        if (each["set"], each["scale"], each["method"]) == (row["set"], row["scale"], "bicubic")
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    def cell(value: Any) -> str:
        return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)

    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(cell, row))} |" for row in rows)])


def _read(path: Path) -> Bytes:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _unit(picture: Bytes) -> NDArray[np.float32]:
    return picture.astype(np.float32) / np.float32(255)


def _bytes(values: NDArray[np.float32]) -> Bytes:
    return np.asarray(np.clip(np.rint(values * 255), 0, 255), np.uint8)
