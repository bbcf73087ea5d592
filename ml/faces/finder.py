"""Finding faces with MediaPipe 0.10.21, whose models lie inside its wheel (nothing is downloaded)."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ml.faces.face import LANDMARK_COUNT, Box, Face, overlap
from ml.faces.quiet import quiet_native_logs

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

_MESH_SIDE = 1280  # the mesh graph looks at 128 px of the whole picture; more pixels than this only cost time
_TILE_FROM = 640  # up to this longer side the longer-ranged detector sees faces of 48 px in the whole picture
_TILE_OVERLAP = 0.3
_MAX_TILES_A_SIDE = 5
_SAME_FACE = 0.35  # overlap (intersection over union) above which two boxes are one face
_RIGHT_EYE, _LEFT_EYE, _FOREHEAD, _CHIN = 33, 263, 10, 152  # mesh points that span the head's own axes


class FaceFinder:
    """Finds faces and their mesh.

    The mesh is tried on the whole picture first; it misses faces under a seventh of it. So a second, longer-ranged
    detector looks at the whole too and, in pictures longer than 640 px, at overlapping tiles, and every face that it
    adds gets a mesh of its own; a box in which no mesh is found is dropped, which also removes most false alarms. Keep
    one instance and use it from one thread: the graphs are costly to build and are not thread-safe.

    min_confidence: 0 to 1, for both the detectors and the mesh.
    """

    def __init__(self, min_confidence: float = 0.5) -> None:
        self._min_confidence = min_confidence
        self._met = False
        self._mesh: Any = None
        self._single: Any = None
        self._detector: Any = None

    def __enter__(self) -> FaceFinder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release MediaPipe's graphs; the finder builds them again when it is used again."""
        for graph in (self._mesh, self._single, self._detector):
            if graph is not None:
                graph.close()
        self._mesh = self._single = self._detector = None

    def find(self, pixels: NDArray[np.uint8], max_faces: int = 20) -> list[Face]:
        """The faces of a picture, largest first.

        pixels: uint8 (H, W, 3) RGB. Returns at most ``max_faces`` faces; an empty list when there are none.
        Raises ValueError when the array is not such a picture.
        """
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise ValueError(f"expected uint8 (H, W, 3), got {pixels.dtype} {pixels.shape}")
        if min(pixels.shape[:2]) < 16 or max_faces < 1:
            return []
        self._build()
        faces = self._mesh_faces(self._mesh, pixels)
        faces += self._small_faces(pixels, faces)
        faces = _without_doubles(faces)
        faces.sort(key=lambda face: face.size, reverse=True)
        return faces[:max_faces]

    def _build(self) -> None:
        if self._mesh is not None:
            return
        with quiet_native_logs():
            from mediapipe.python.solutions import face_detection

            self._mesh = _mesh_graph(20, self._min_confidence)
            self._single = _mesh_graph(1, self._min_confidence)
            self._detector = face_detection.FaceDetection(
                model_selection=1, min_detection_confidence=self._min_confidence
            )
            # The first run prints once more what building prints; do it now, on nothing.
            blank = np.zeros((64, 64, 3), np.uint8)
            for graph in (self._mesh, self._single, self._detector):
                graph.process(blank)

    def _mesh_faces(self, graph: Any, pixels: NDArray[np.uint8]) -> list[Face]:
        height, width = pixels.shape[:2]
        small = pixels
        if max(height, width) > _MESH_SIDE:
            factor = _MESH_SIDE / max(height, width)
            size = (max(1, round(width * factor)), max(1, round(height * factor)))
            small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        # The graph projects the points of a tilted head rightly in square pictures only, so it is given one.
        small_height, small_width = small.shape[:2]
        square = max(small_height, small_width)
        small = np.asarray(
            cv2.copyMakeBorder(small, 0, square - small_height, 0, square - small_width, cv2.BORDER_CONSTANT), np.uint8
        )
        side = max(height, width)
        # The first mesh in a process prints a note about rectangles that are not square, though these are.
        with nullcontext() if self._met else quiet_native_logs():
            result = graph.process(small)
        self._met = self._met or bool(result.multi_face_landmarks)
        detections = [_detection_box(d, side, side) for d in result.face_detections or []]
        faces = []
        for mesh in result.multi_face_landmarks or []:
            points = np.array([(p.x * side, p.y * side, p.z * side) for p in mesh.landmark], np.float64)
            if points.shape != (LANDMARK_COUNT, 3):
                continue
            faces.append(_face(points, detections, self._min_confidence))
        return faces

    def _small_faces(self, pixels: NDArray[np.uint8], known: list[Face]) -> list[Face]:
        found: list[Face] = []
        height, width = pixels.shape[:2]
        for x0, y0, x1, y1 in _tiles(width, height):
            tile = np.ascontiguousarray(pixels[y0:y1, x0:x1])
            result = self._detector.process(tile)
            for detection in result.detections or []:
                box, score = _detection_box(detection, x1 - x0, y1 - y0)
                moved = (box[0] + x0, box[1] + y0, box[2] + x0, box[3] + y0)
                if any(overlap(moved, face.box) > _SAME_FACE for face in (*known, *found)):
                    continue
                face = self._mesh_in(pixels, moved, score)
                if face is not None:
                    found.append(face)
        return found

    def _mesh_in(self, pixels: NDArray[np.uint8], box: Box, score: float) -> Face | None:
        height, width = pixels.shape[:2]
        cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        half = max(box[2] - box[0], box[3] - box[1])  # a crop of twice the face: the mesh's detector wants context
        x0, y0 = max(0, round(cx - half)), max(0, round(cy - half))
        x1, y1 = min(width, round(cx + half)), min(height, round(cy + half))
        if x1 - x0 < 16 or y1 - y0 < 16:
            return None
        faces = [
            face
            for face in self._mesh_faces(self._single, np.ascontiguousarray(pixels[y0:y1, x0:x1]))
            if face.box[0] + x0 <= cx <= face.box[2] + x0 and face.box[1] + y0 <= cy <= face.box[3] + y0
        ]
        if not faces:
            return None
        face = faces[0]
        left, top, right, bottom = face.box
        return replace(
            face,
            box=(left + x0, top + y0, right + x0, bottom + y0),
            landmarks=face.landmarks + np.array([x0, y0], np.float32),
            score=max(score, face.score),
        )


def _mesh_graph(max_faces: int, confidence: float) -> Any:
    """MediaPipe's FaceMesh for still pictures that also hands out its detections, whose scores FaceMesh hides."""
    from mediapipe.python.solutions import face_mesh

    class _ScoredFaceMesh(face_mesh.FaceMesh):  # type: ignore[misc]
        def _initialize_graph_interface(
            self, graph_config: Any, side_inputs: Any = None, outputs: Any = None, *rest: Any
        ) -> Any:
            return super()._initialize_graph_interface(
                graph_config, side_inputs, [*(outputs or []), "face_detections"], *rest
            )

    return _ScoredFaceMesh(
        static_image_mode=True, max_num_faces=max_faces, refine_landmarks=True, min_detection_confidence=confidence
    )


def _detection_box(detection: Any, width: int, height: int) -> tuple[Box, float]:
    box = detection.location_data.relative_bounding_box
    x0, y0 = box.xmin * width, box.ymin * height
    return (x0, y0, x0 + box.width * width, y0 + box.height * height), float(detection.score[0])


def _face(points: NDArray[np.float64], detections: list[tuple[Box, float]], floor: float) -> Face:
    (x0, y0), (x1, y1) = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    box = (float(x0), float(y0), float(x1), float(y1))
    # Mesh and detection do not share an index; the one that overlaps most proposed the mesh. Every mesh has passed
    # the detector, so its confidence is at least the threshold.
    score = max(((overlap(box, other), value) for other, value in detections), default=(0.0, floor))[1]
    across = points[_LEFT_EYE] - points[_RIGHT_EYE]
    down = points[_CHIN] - points[_FOREHEAD]
    return Face(
        box=box,
        landmarks=points[:, :2].astype(np.float32),
        score=min(1.0, score),
        yaw=-math.degrees(math.atan2(across[2], math.hypot(across[0], across[1]))),
        pitch=math.degrees(math.atan2(down[2], math.hypot(down[0], down[1]))),
        roll=math.degrees(math.atan2(across[1], across[0])),
    )


def _without_doubles(faces: list[Face]) -> list[Face]:
    kept: list[Face] = []
    for face in sorted(faces, key=lambda f: f.score, reverse=True):
        if all(overlap(face.box, other.box) <= _SAME_FACE for other in kept):
            kept.append(face)
    return kept


def _tiles(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """The whole picture, then overlapping squares of about a third of it, so that a face of 48 px still fills some."""
    tiles = [(0, 0, width, height)]
    if max(width, height) <= _TILE_FROM:
        return tiles
    side = max(_TILE_FROM // 2, math.ceil(max(width, height) / 3))
    step = side * (1 - _TILE_OVERLAP)
    columns = min(_MAX_TILES_A_SIDE, max(1, math.ceil((width - side) / step) + 1))
    rows = min(_MAX_TILES_A_SIDE, max(1, math.ceil((height - side) / step) + 1))
    for row in range(rows):
        for column in range(columns):
            x0 = 0 if columns == 1 else round(column * max(0, width - side) / (columns - 1))
            y0 = 0 if rows == 1 else round(row * max(0, height - side) / (rows - 1))
            tiles.append((x0, y0, min(width, x0 + side), min(height, y0 + side)))
    return tiles
