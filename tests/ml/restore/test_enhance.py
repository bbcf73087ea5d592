"""A whole enhancement: what is kept of a picture, odd and hostile pictures, several methods, stopping."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from ml.errors import MediaError
from ml.restore import methods
from ml.restore.enhance import EnhanceRequest, EnhanceResult, run
from ml.restore.task import Task

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def enhance(path: Path, **options: Any) -> EnhanceResult:
    """Enlarge by the compact network into the picture's folder, or what the options say."""
    out = path.parent / "out"
    out.mkdir(exist_ok=True)
    task = options.pop("task", Task.UPSCALE)
    return run(EnhanceRequest(path, task, out, **options), lambda *_: None)


def saved(picture: Image.Image, path: Path, **options: Any) -> Path:
    picture.save(path, **options)
    return path


@pytest.fixture
def small(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(astronaut[60:124, 180:260])


def test_the_compact_upscaler_beats_interpolation_on_a_picture_with_a_truth(
    astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    from ml.restore.resample import resampled_bytes

    truth = saved(Image.fromarray(astronaut[:256, 128:384]), tmp_path / "truth.png")
    for scale in (2, 4):
        side = 256 // scale
        path = saved(Image.fromarray(resampled_bytes(astronaut[:256, 128:384], side, side)), tmp_path / "small.png")
        result = enhance(path, scale=scale, truth=truth, methods=("compact", "bicubic", "lanczos"))
        compact, bicubic, lanczos = (each.measures for each in result.results)
        assert compact.psnr > bicubic.psnr + 1.0
        assert compact.psnr > lanczos.psnr + 0.5
        assert compact.ssim > max(bicubic.ssim, lanczos.ssim)
        assert (result.results[0].width, result.results[0].height) == (256, 256)


def test_stages_are_reported_and_a_stop_leaves_nothing_behind(small: NDArray[np.uint8], tmp_path: Path) -> None:
    path = saved(Image.fromarray(small), tmp_path / "a.png")
    told: list[tuple[str, int, int]] = []
    request = EnhanceRequest(path, Task.UPSCALE, tmp_path, ("bicubic", "lanczos"))
    result = run(request, lambda *stage: told.append(stage))
    assert told == [("decode", 0, 1), ("decode", 1, 1), ("enhance", 0, 2), ("enhance", 1, 2), ("enhance", 2, 2)]
    assert [each.path.name for each in result.results] == ["1-bicubic.png", "2-lanczos.png"]
    assert {each.origin for each in result.results} == {"classical"}
    for each in result.results:
        each.path.unlink()

    class Stop(BaseException):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("enhance", 2):
            raise Stop

    with pytest.raises(Stop):
        run(request, stop)
    assert [each.name for each in tmp_path.iterdir()] == ["a.png"]


def test_alpha_and_profile_are_kept(small: NDArray[np.uint8], tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    alpha = np.full(small.shape[:2], 255, np.uint8)
    alpha[:, :40] = 0
    layered = Image.fromarray(np.dstack([small, alpha]))
    path = saved(layered, tmp_path / "a.png", icc_profile=profile)
    for suffix in (".png", ".webp"):
        with Image.open(enhance(path, suffix=suffix).results[0].path) as made:
            assert made.mode == "RGBA"
            assert made.info["icc_profile"] == profile
            opacity = np.asarray(made)[:, :, 3]
        assert (opacity[:, :78] == 0).all()
        assert (opacity[:, 82:] == 255).all()
    flat = enhance(path, suffix=".jpg").results[0]
    assert any("transparency" in note for note in flat.notes)
    with Image.open(flat.path) as made:
        assert (np.asarray(made)[20:100, 8:70] > 245).all(), "what was transparent lies over white"
        assert made.info["icc_profile"] == profile


def test_a_palette_with_transparency(small: NDArray[np.uint8], tmp_path: Path) -> None:
    palette = Image.fromarray(small).quantize(32)
    clear = int(np.asarray(palette)[0, 0])
    path = saved(palette, tmp_path / "p.png", transparency=clear)
    with Image.open(enhance(path).results[0].path) as made:
        assert made.mode == "RGBA"
        assert made.size == (160, 128)
        assert np.asarray(made)[0, 0, 3] == 0
        assert np.asarray(made)[:, :, 3].max() == 255


def test_sixteen_bits_are_kept_in_png_and_said_where_not(small: NDArray[np.uint8], tmp_path: Path) -> None:
    deep = small.astype(np.uint16) * 257 + 100
    path = tmp_path / "deep.png"
    cv2.imwrite(str(path), deep[:, :, ::-1])
    made = cv2.imread(str(enhance(path, methods=("bicubic",)).results[0].path), cv2.IMREAD_UNCHANGED)
    assert made.dtype == np.uint16
    exact = cv2.resize(deep, (160, 128), interpolation=cv2.INTER_CUBIC)[:, :, ::-1]
    assert np.abs(made.astype(int) - exact.astype(int)).max() <= 2
    assert len(np.unique(made % 257)) > 100, "the lower eight bits hold something"
    assert any("16" in note for note in enhance(path, suffix=".jpg").results[0].notes)
    grey = tmp_path / "grey.png"
    cv2.imwrite(str(grey), deep[:, :, 1])
    back = cv2.imread(str(enhance(grey).results[0].path), cv2.IMREAD_UNCHANGED)
    assert (back.dtype, back.shape) == (np.uint16, (128, 160))


def test_grey_stays_grey_and_cmyk_becomes_srgb(small: NDArray[np.uint8], tmp_path: Path) -> None:
    grey = enhance(saved(Image.fromarray(small).convert("L"), tmp_path / "g.png")).results[0]
    with Image.open(grey.path) as made:
        assert made.mode == "L"
    cmyk = enhance(saved(Image.fromarray(small).convert("CMYK"), tmp_path / "c.jpg"), methods=("bicubic",)).results[0]
    assert any("CMYK" in note for note in cmyk.notes)
    with Image.open(cmyk.path) as made:
        assert made.mode == "RGB"
        near = cv2.resize(small, (160, 128), interpolation=cv2.INTER_CUBIC)
        assert np.abs(np.asarray(made).astype(int) - near).mean() < 12


@pytest.mark.parametrize("size", [(1, 1), (1, 37), (37, 1), (2, 3)])
@pytest.mark.parametrize("task", [Task.UPSCALE, Task.DENOISE, Task.DEBLUR])
def test_tiny_pictures(size: tuple[int, int], task: Task, tmp_path: Path) -> None:
    path = saved(Image.new("RGB", size, (200, 40, 90)), tmp_path / "tiny.png")
    result = enhance(path, task=task, methods=methods.names(task), strength=0.5)
    for each in result.results:
        factor = (4 if each.method == "esrgan" else 2) if task is Task.UPSCALE else 1
        assert (each.width, each.height) == (size[0] * factor, size[1] * factor)
        with Image.open(each.path) as made:
            assert np.abs(np.asarray(made).astype(int) - (200, 40, 90)).max() <= 30


def test_results_that_are_too_large_are_refused_before_any_work(tmp_path: Path) -> None:
    path = saved(Image.new("L", (8000, 5000)), tmp_path / "40mpx.png")
    with pytest.raises(MediaError, match="640 million pixels; at most 213 million"):
        enhance(path, scale=4)
    strip = saved(Image.new("L", (9000, 2)), tmp_path / "strip.png")
    with pytest.raises(MediaError, match="WEBP holds at most 16383"):
        enhance(strip, suffix=".webp")
    assert enhance(strip, methods=("bicubic",)).results[0].width == 18_000


def test_forty_million_pixels_pass(tmp_path: Path) -> None:
    path = saved(Image.new("L", (8000, 5000), 90), tmp_path / "40mpx.png")
    result = enhance(path, task=Task.DEBLUR, methods=("unsharp",), suffix=".jpg")
    assert (result.results[0].width, result.results[0].height) == (8000, 5000)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scale": 3}, "enlarges by 2 and 4, not by 3"),
        ({"methods": ("gan",)}, "no method 'gan' for upscale; there is compact"),
        ({"task": Task.JPEG, "methods": ("imported:x.pth",)}, "do no jpeg"),
        ({"methods": ("imported:nowhere.pth",)}, "no network file called nowhere.pth"),
        ({"strength": 1.5}, "between 0 and 1"),
        ({"suffix": ".gif"}, "end its name in .png"),
        ({"methods": ("bicubic",) * 7}, "At most 6 methods"),
    ],
)
def test_wrong_requests_are_said_in_words(
    options: dict[str, Any], words: str, small: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = saved(Image.fromarray(small), tmp_path / "a.png")
    with pytest.raises(MediaError, match=words):
        enhance(path, **options)


def test_a_truth_of_another_size_is_refused(small: NDArray[np.uint8], tmp_path: Path) -> None:
    path = saved(Image.fromarray(small), tmp_path / "a.png")
    with pytest.raises(MediaError, match="160 x 128 px"):
        enhance(path, truth=path)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + bytes(40), b"\xff\xd8\xff\xe0nothing"])
def test_files_that_are_no_pictures(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(MediaError):
        enhance(path)


def test_a_network_file_that_is_none_is_refused(small: NDArray[np.uint8], tmp_path: Path) -> None:
    path = saved(Image.fromarray(small), tmp_path / "a.png")
    bad = tmp_path / "net.pth"
    bad.write_bytes(b"no network")
    with pytest.raises(MediaError, match=r"net\.pth is no upscaler"):
        enhance(path, methods=(f"imported:{bad}",))


def test_an_imported_network_enlarges_and_is_named(small: NDArray[np.uint8], tmp_path: Path) -> None:
    import hashlib

    import keras

    from ml.importers.converted import write_converted
    from ml.networks.srvgg import build_srvgg

    keras.utils.set_random_seed(3)
    net = tmp_path / "mine.npz"
    write_converted(net, "srvgg", build_srvgg(scale=4, features=4, convs=2), source="mine.pth", sha256="0" * 64)
    path = saved(Image.fromarray(small), tmp_path / "a.png")
    made = enhance(path, methods=(f"imported:{net}",)).results[0]
    assert (made.width, made.height) == (320, 256)
    assert made.origin == f"imported: mine.npz, {hashlib.sha256(net.read_bytes()).hexdigest()}"
    assert made.source_type == "compositeWithTrainedAlgorithmicMedia", "nobody knows what it invents"
    with pytest.raises(MediaError, match=r"mine\.npz enlarges by 4, not by 2"):
        enhance(path, methods=(f"imported:{net}",), scale=2)


def test_the_copy_says_what_it_is_and_nothing_of_the_original_metadata(
    small: NDArray[np.uint8], tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret description"
    path = saved(Image.fromarray(small), tmp_path / "a.jpg", exif=exif, quality=95)
    for suffix in (".png", ".jpg", ".webp"):
        data = enhance(path, suffix=suffix).results[0].path.read_bytes()
        assert b"digitalsourcetype/algorithmicallyEnhanced" in data
        assert b"secret" not in data


def test_a_generated_picture_stays_one(small: NDArray[np.uint8], tmp_path: Path) -> None:
    from ml.provenance.plan import SOURCE_TYPES
    from ml.provenance.source_statement import packet

    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet(f"{SOURCE_TYPES}trainedAlgorithmicMedia").decode())
    path = saved(Image.fromarray(small), tmp_path / "made.png", pnginfo=info)
    made = enhance(path).results[0]
    assert made.source_type == "trainedAlgorithmicMedia"
    assert b"digitalsourcetype/trainedAlgorithmicMedia" in made.path.read_bytes()


def test_a_turned_photo_comes_out_upright(small: NDArray[np.uint8], tmp_path: Path) -> None:
    from ml.media import decode

    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = saved(Image.fromarray(small), tmp_path / "t.png", exif=exif)
        upright = decode(path).pixels
        made = enhance(path, task=Task.DEBLUR, methods=("unsharp",), strength=0.0).results[0]
        with Image.open(made.path) as image:
            assert np.array_equal(np.asarray(image), upright), orientation


def test_noise_is_measured(astronaut: NDArray[np.uint8]) -> None:
    from ml.restore.measures import noise_sigma, sharpness

    random = np.random.default_rng(1)
    for sigma in (10, 25, 40):
        noisy = np.clip(astronaut + random.normal(0, sigma, astronaut.shape), 0, 255).astype(np.uint8)
        assert noise_sigma(noisy) == pytest.approx(sigma, rel=0.25)
    assert noise_sigma(astronaut) < 6
    soft = cv2.GaussianBlur(astronaut, (0, 0), 2)
    assert sharpness(soft) < 0.5 * sharpness(astronaut)


def test_strength_mixes_with_interpolation(small: NDArray[np.uint8], tmp_path: Path) -> None:
    path = saved(Image.fromarray(small), tmp_path / "a.png")

    def pixels(**options: Any) -> NDArray[np.int64]:
        with Image.open(enhance(path, **options).results[0].path) as made:
            return np.asarray(made).astype(int)

    none, half, all_of_it = (pixels(strength=s) for s in (0.0, 0.5, 1.0))
    assert np.array_equal(none, pixels(methods=("bicubic",)))
    inside = np.isin([none, half, all_of_it], (0, 255), invert=True).all(axis=0)  # clipping is no mixing
    assert inside.mean() > 0.9
    assert np.abs(half - (none + all_of_it) / 2)[inside].max() <= 2
    assert np.abs(all_of_it - none).max() > 20


def test_two_decoders_read_the_same_pixels(small: NDArray[np.uint8], tmp_path: Path) -> None:
    made = enhance(saved(Image.fromarray(small), tmp_path / "a.png")).results[0]
    with Image.open(io.BytesIO(made.path.read_bytes())) as image:
        by_pillow = np.asarray(image)
    by_opencv = cv2.imread(str(made.path))[:, :, ::-1]
    assert np.array_equal(by_pillow, by_opencv)
