"""A check asks nobody: a file may name addresses, and none of them is visited."""

from __future__ import annotations

import io
import threading
from contextlib import contextmanager
from socket import create_server
from typing import TYPE_CHECKING

import c2pa
import pytest

from ml.provenance import c2pa_reading
from ml.provenance.manifest import ManifestState
from ml.provenance.validation import Problem
from tests.ml.provenance.signed_files import GENERATED, Studio, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.ml.provenance.conftest import Read


class Listener:
    """Counts who connects, and hangs up."""

    def __init__(self) -> None:
        self._server = create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.visits = 0
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.visits += 1
            connection.close()

    def close(self) -> None:
        # Closing alone does not wake the thread that waits for the next visitor.
        self._server.shutdown(2)
        self._server.close()
        self._thread.join(5)


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()
    try:
        yield listener
    finally:
        listener.close()


@pytest.fixture
def remote() -> Callable[[int], bytes]:
    def make(port: int) -> bytes:
        return Studio.open().sign(encoded(), GENERATED, remote_url=f"http://127.0.0.1:{port}/manifest.c2pa")

    return make


def test_a_manifest_that_is_kept_elsewhere_is_not_fetched(remote: Callable[[int], bytes], read: Read) -> None:
    with listening() as listener:
        data = remote(listener.port)
        # The library by itself would go there: that is what makes this a test.
        with pytest.raises(c2pa.C2paError):
            c2pa.Reader("image/jpeg", io.BytesIO(data)).json()
        assert listener.visits > 0
        before = listener.visits
        found = read(data)
        assert listener.visits == before
    assert found.manifest is not None
    assert (found.manifest.state, found.manifest.problem) == (ManifestState.UNREADABLE, Problem.REMOTE)
    assert found.manifest.remote_host == "127.0.0.1"
    assert found.says_generated is False


def test_revocation_is_not_asked_for(read: Read) -> None:
    with listening() as listener:
        studio = Studio.open(ocsp=f"http://127.0.0.1:{listener.port}/ocsp")
        data = studio.sign(encoded(), GENERATED)
        asking = {"verify": {"ocsp_fetch": True}, "trust": {"trust_anchors": studio.anchor}}
        c2pa.Reader("image/jpeg", io.BytesIO(data), context=c2pa.Context.from_dict(asking)).json()
        assert listener.visits > 0
        before = listener.visits
        found = read(data, studio.anchor).manifest
        assert listener.visits == before
    assert found is not None
    assert (found.state, found.trusted) == (ManifestState.VALID, True)
    assert "signingCredential.ocsp.skipped" in {each.code for each in found.checks}


@pytest.mark.parametrize("shut", ["verify", "core"])
def test_each_lock_holds_alone(remote: Callable[[int], bytes], shut: str) -> None:
    with listening() as listener:
        context = c2pa.Context.from_dict({shut: c2pa_reading._OFFLINE[shut]})
        with pytest.raises(c2pa.C2paError):
            c2pa.Reader("image/jpeg", io.BytesIO(remote(listener.port)), context=context).json()
        assert listener.visits == 0
