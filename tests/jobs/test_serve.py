"""What the server keeps of a body before anybody is asked about it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from jobs.management.commands import serve

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper


def test_a_body_without_end_fills_no_disk(settings: SettingsWrapper) -> None:
    settings.JOBS_PICTURE_BYTES, settings.DETECTION_FILES_AT_ONCE, settings.JOBS_VIDEO_BYTES = 100, 2, 250
    request: Any = serve.UnparsedRequest.__new__(serve.UnparsedRequest)  # without a connection
    request.content = io.BytesIO()
    for number in range(1000):
        request.handleContentChunk(bytes([number % 256]) * 7)
    kept = request.content.getvalue()
    assert len(kept) == 500
    assert kept == b"".join(bytes([number]) * 7 for number in range(72))[:500]


def test_whatever_a_form_may_hold_is_kept_whole(settings: SettingsWrapper) -> None:
    from deepfake_site.middleware import BodyLimitMiddleware

    guard = BodyLimitMiddleware(lambda request: None)
    assert serve.largest_kept() > guard.limit
    settings.JOBS_VIDEO_BYTES = 10**9
    assert serve.largest_kept() > BodyLimitMiddleware(lambda request: None).limit
