"""The networks' side with the shipped weights: what is made, what it says of itself, what hostile pictures get."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from enhancement.exchange import EnhanceJobRequest, EnhanceJobResult
from enhancement.handlers.enhancing import NOT_TAKEN_OVER, enhance
from jobs.errors import Cancelled, PersonError
from ml.provenance import invisible_mark
from ml.provenance.authority import Authority
from ml.provenance.perceptual_hash import perceptual_hash
from ml.provenance.plan import ConsentStatement, Ingredient, ManifestPlan, Work
from ml.provenance.reading import read_provenance
from ml.provenance.sealing import Still, seal
from ml.provenance.verification import verify
from tests.ml.provenance import signed_files

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PLAIN, GENERATED = "algorithmicallyEnhanced", "compositeWithTrainedAlgorithmicMedia"
JOB = "11111111-1111-4111-8111-111111111111"
MARK = "0123456789ab"


@dataclass
class Bench:
    """Enhances bytes, as the worker would have it done."""

    folder: Path
    told: list[tuple[str, int, int]] = field(default_factory=list)

    def __call__(self, data: bytes, ends: str = ".jpg", **changes: Any) -> EnhanceJobResult:
        source = self.folder / "source"
        source.mkdir(exist_ok=True)
        path = source / f"picture{ends}"
        path.write_bytes(data)
        request = EnhanceJobRequest(
            path=path,
            task="upscale",
            methods=("bicubic",),
            job=JOB,
            kind="enhancement",
            mark=MARK,
            site="Unmask",
            authority=self.folder / "authority",
            networks=self.folder / "networks",
        )
        self.told.clear()
        return enhance(replace(request, **changes), lambda *step: self.told.append(step))

    def seal_of(self, result: EnhanceJobResult) -> Any:
        picture = result.results[0].picture
        return verify(picture.data, picture.content_type, self.folder / "authority")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(scope="module")
def small(astronaut: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(astronaut).resize((192, 192), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


class TestWhatIsMade:
    def test_several_methods_measured_against_the_truth(
        self, bench: Bench, astronaut: NDArray[np.uint8], tmp_path: Path
    ) -> None:
        truth = Image.fromarray(astronaut[:384, 64:448])
        (tmp_path / "truth.png").write_bytes(encoded(truth, "PNG"))
        half = truth.resize((192, 192), Image.Resampling.BICUBIC)
        result = bench(
            encoded(half, "PNG"), ".png", methods=("compact", "bicubic"), scale=2, truth=tmp_path / "truth.png"
        )
        network, plain = result.results
        assert (network.picture.width, network.picture.height) == (384, 384)
        assert opened(network.picture.data).size == (384, 384)
        assert network.measures.psnr is not None
        assert plain.measures.psnr is not None
        assert network.measures.psnr > plain.measures.psnr + 0.5
        assert network.measures.sharpness > plain.measures.sharpness
        assert (network.origin, plain.origin) == ("trained here", "classical")
        for each in (result.before_detector, network.detector, plain.detector):
            assert each.faces == 1
            assert each.probability is not None
        assert opened(result.before_copy).size == result.before_size == (192, 192)
        assert [step for step in bench.told if step[0] == "enhance"][-1] == ("enhance", 2, 2)
        assert list(dict.fromkeys(step[0] for step in bench.told)) == [
            "decode", "enhance", "measure", "seal",
        ]  # fmt: skip

    def test_a_plain_enhancement_says_so_and_names_its_picture(self, bench: Bench, small: Image.Image) -> None:
        result = bench(encoded(small))
        made = result.results[0]
        held = bench.seal_of(result)
        assert (held.work, held.job, held.kind, held.mark) == (Work.ENHANCEMENT, JOB, "enhancement", MARK)
        assert made.source_type == PLAIN
        assert held.source_type.endswith(PLAIN)
        assert b"algorithmicallyEnhanced" in made.picture.data
        assert made.picture.perceptual_hash == ""
        assert invisible_mark.read(np.asarray(opened(made.picture.data).convert("RGB"))) is None
        assert not result.generated

    @pytest.mark.parametrize(
        ("task", "method"),
        [("denoise", "restorer"), ("denoise", "nlmeans"), ("deblur", "unsharp"), ("jpeg", "restorer")],
    )
    def test_other_tasks_keep_the_size(self, bench: Bench, small: Image.Image, task: str, method: str) -> None:
        result = bench(encoded(small, quality=40), task=task, methods=(method,), strength=0.4)
        assert (result.results[0].picture.width, result.width) == (192, 192)
        assert result.results[0].strength == 0.4

    def test_the_picture_itself_as_truth(self, bench: Bench, small: Image.Image, tmp_path: Path) -> None:
        (tmp_path / "truth.png").write_bytes(encoded(small, "PNG"))
        result = bench(
            encoded(small, "PNG"),
            ".png",
            task="denoise",
            methods=("nlmeans",),
            strength=0.0,
            truth=tmp_path / "truth.png",
        )
        assert result.results[0].measures.psnr == 100.0
        assert result.results[0].measures.ssim == pytest.approx(1.0)

    def test_large_results_come_with_a_smaller_copy_that_is_signed_too(self, bench: Bench, small: Image.Image) -> None:
        result = bench(encoded(small.resize((1100, 700))), scale=2, suffix=".webp")
        (made,) = result.results
        assert made.picture.content_type == "image/webp"
        assert made.shown is not None
        assert max(made.shown.width, made.shown.height) == 2048
        assert result.poster is not None
        for copy in (made.shown, result.poster):
            assert opened(copy.data).size == (copy.width, copy.height)
            assert verify(copy.data, copy.content_type, bench.folder / "authority").job == JOB

    def test_stopped_between_two_tiles(self, tmp_path: Path, small: Image.Image) -> None:
        class Stopping(Bench):
            def __call__(self, data: bytes, ends: str = ".jpg", **changes: Any) -> EnhanceJobResult:
                self.told = Stop()
                return super().__call__(data, ends, **changes)

        class Stop(list[tuple[str, int, int]]):
            def append(self, step: tuple[str, int, int]) -> None:
                if step[:2] == ("enhance", 1):
                    raise Cancelled

        with pytest.raises(Cancelled):
            Stopping(tmp_path)(encoded(small), methods=("bicubic", "lanczos"))
        assert [path.name for path in (tmp_path / "source").iterdir()] == ["picture.jpg"]


class TestOrigin:
    """What was generated goes on saying so, whichever way it is known."""

    def swapped(self, folder: Path, pixels: NDArray[np.uint8]) -> bytes:
        consent = ConsentStatement("c1", "target", "synthetic", "1")
        parent = Ingredient("target", encoded(Image.fromarray(pixels)), "image/jpeg")
        plan = ManifestPlan(
            Work.SWAP, "swap", JOB, "fedcba987654", "Unmask", consents=(consent,), ingredients=(parent,)
        )
        return seal(Still(pixels), plan, Authority(folder / "other authority")).data

    def says_generated(self, bench: Bench, result: EnhanceJobResult) -> None:
        made = result.results[0]
        assert result.generated
        assert made.source_type in {GENERATED, "trainedAlgorithmicMedia"}
        assert bench.seal_of(result).work is Work.RESTORATION
        assert invisible_mark.read(np.asarray(opened(made.picture.data).convert("RGB")), cropped=False) == MARK
        assert len(made.picture.perceptual_hash) == 16

    def test_by_its_manifest_whose_history_is_taken_over(
        self, bench: Bench, astronaut: NDArray[np.uint8], tmp_path: Path
    ) -> None:
        made_here = self.swapped(tmp_path, astronaut[:320, 96:416])
        result = bench(made_here, methods=("lanczos",))
        self.says_generated(bench, result)
        assert result.mark == "fedcba987654"
        assert NOT_TAKEN_OVER not in result.results[0].notes
        path = tmp_path / "result.jpg"
        path.write_bytes(result.results[0].picture.data)
        told = read_provenance(path).as_dict()["manifest"]
        assert [step["action"] for step in told["history"]][-1] in {"c2pa.edited", "c2pa.transcoded"}
        assert any(each["says_generated"] for each in told["ingredients"])
        # The band of the swap is in the pixels, and black letters on it stay where they were.
        band = np.asarray(opened(result.results[0].picture.data).convert("L"))[-60:]
        assert band.min() < 30
        assert band.max() > 200

    def test_by_its_invisible_mark_alone(self, bench: Bench, astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
        made_here = opened(self.swapped(tmp_path, astronaut[:320, 96:416])).convert("RGB")
        result = bench(encoded(made_here, quality=90))
        assert result.mark == "fedcba987654"
        self.says_generated(bench, result)

    def test_by_its_bytes(self, bench: Bench, small: Image.Image) -> None:
        self.says_generated(bench, bench(encoded(small), made_here=True))

    def test_by_its_looks(self, bench: Bench, small: Image.Image) -> None:
        seen = int(perceptual_hash(np.asarray(small)), 16)
        near, far = seen ^ 0b111, seen ^ (2**40 - 1)
        looks = b"".join(value.to_bytes(8, "big") for value in (far, near))
        self.says_generated(bench, bench(encoded(small), looks=looks))
        assert not bench(encoded(small), looks=far.to_bytes(8, "big")).generated

    def test_by_somebody_elses_manifest(self, bench: Bench, small: Image.Image) -> None:
        studio = signed_files.Studio.open()
        self.says_generated(bench, bench(studio.sign(encoded(small), signed_files.GENERATED)))
        captured = bench(studio.sign(encoded(small), signed_files.CAPTURED))
        assert not captured.generated
        assert captured.results[0].source_type == PLAIN

    def test_a_broken_manifest_is_named_and_not_taken_over(self, bench: Bench, small: Image.Image) -> None:
        signed = bytearray(signed_files.Studio.open().sign(encoded(small), signed_files.GENERATED))
        start, _end = signed_files.app11(bytes(signed))
        signed[start + 200] ^= 0xFF
        result = bench(bytes(signed))
        assert NOT_TAKEN_OVER in result.results[0].notes
        assert bench.seal_of(result).job == JOB


class TestTakenDown:
    def test_refused_by_its_looks(self, bench: Bench, small: Image.Image) -> None:
        seen = perceptual_hash(np.asarray(small))
        with pytest.raises(PersonError, match="taken down"):
            bench(encoded(small, quality=60), blocked=("00000000000000ff", seen))


class TestHostilePictures:
    @pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 5)])
    @pytest.mark.parametrize("task", ["upscale", "denoise", "jpeg"])
    def test_tiny(self, bench: Bench, size: tuple[int, int], task: str) -> None:
        method = "compact" if task == "upscale" else "restorer"
        result = bench(encoded(Image.new("RGB", size, "olive"), "PNG"), ".png", task=task, methods=(method,))
        assert (result.width, result.height) == size

    @pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (320, 200)])
    def test_no_face_for_the_face_task(self, bench: Bench, size: tuple[int, int]) -> None:
        with pytest.raises(PersonError, match="No face was found in the picture") as refused:
            bench(encoded(Image.new("RGB", size, "olive"), "PNG"), ".png", task="face", methods=("dictionary",))
        assert refused.value.code == "no_face"

    def test_sixteen_bits_stay(self, bench: Bench) -> None:
        import cv2

        deep = np.tile(np.linspace(0, 65535, 96).astype(np.uint16), (64, 1))
        data = cv2.imencode(".png", deep)[1].tobytes()
        result = bench(data, ".png")
        made = cv2.imdecode(np.frombuffer(result.results[0].picture.data, np.uint8), cv2.IMREAD_UNCHANGED)
        assert (made.dtype, made.shape[:2]) == (np.uint16, (128, 192))

    def test_a_palette_with_transparency(self, bench: Bench) -> None:
        image = Image.new("P", (64, 48))
        image.putpalette([0, 0, 0, 250, 40, 10] + [0, 0, 0] * 254)
        image.paste(1, (16, 12, 48, 36))
        result = bench(encoded(image, "PNG", transparency=0), ".png")
        made = opened(result.results[0].picture.data).convert("RGBA")
        assert made.size == (128, 96)
        assert made.getpixel((2, 2))[3] == 0
        assert made.getpixel((64, 48)) == (250, 40, 10, 255)
        assert opened(result.before_copy).mode == "RGBA"

    def test_printing_colours(self, bench: Bench, small: Image.Image) -> None:
        result = bench(encoded(small.convert("CMYK"), quality=92))
        assert any("CMYK" in note for note in result.results[0].notes)
        assert opened(result.results[0].picture.data).mode == "RGB"

    def test_grey_with_a_profile_of_no_use(self, bench: Bench, small: Image.Image) -> None:
        assert bench(encoded(small.convert("L"), "PNG", icc_profile=b"no profile"), ".png").width == 192

    @pytest.mark.parametrize("cut", [0.3, 0.9])
    def test_cut_short(self, bench: Bench, small: Image.Image, cut: float) -> None:
        data = encoded(small)
        with pytest.raises(PersonError) as refused:
            bench(data[: int(cut * len(data))])
        assert refused.value.message.endswith(".")

    def test_a_truth_of_another_size(self, bench: Bench, small: Image.Image, tmp_path: Path) -> None:
        (tmp_path / "truth.png").write_bytes(encoded(small, "PNG"))
        with pytest.raises(PersonError, match="384 x 384"):
            bench(encoded(small), truth=tmp_path / "truth.png")

    @pytest.mark.parametrize("name", ["imported:gone.pth", "imported:../../etc/passwd", "imported:broken.pth"])
    def test_a_network_that_is_none(self, bench: Bench, small: Image.Image, name: str) -> None:
        (bench.folder / "networks").mkdir()
        (bench.folder / "networks" / "broken.pth").write_bytes(b"\x80\x02cos\nsystem\nq\x00.")
        with pytest.raises(PersonError) as refused:
            bench(encoded(small), methods=(name,))
        assert "passwd" not in refused.value.message or "no network file" in refused.value.message


def test_an_imported_network_may_invent(bench: Bench, small: Image.Image, shared_data: Path) -> None:
    networks = shared_data / "reference" / "realesrgan"
    names = sorted(path.name for path in networks.glob("*.pth")) if networks.is_dir() else []
    if not names:
        pytest.skip("no public checkpoint beside the research data")
    result = bench(encoded(small.resize((48, 48))), methods=(f"imported:{names[0]}",), networks=networks)
    (made,) = result.results
    assert made.source_type == GENERATED
    assert bench.seal_of(result).work is Work.RESTORATION
    assert not result.generated, "the photograph itself is still one"
    assert made.method == f"imported:{names[0]}"
