"""Production as deploy/ sets it up: TLS at nginx with the shipped configuration, plain http to the site behind it."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.live_site import REPOSITORY, Process, Visitor, free_port, manage_command, site_environment, wait_for_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.scaled_out_site import Database

pytestmark = [
    pytest.mark.services,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]


class SecureSite:
    """One web process under the production settings, nginx before it, and the certificate to trust."""

    def __init__(self, folder: Path, database: Database, redis_url: str) -> None:
        self.web_port, self.http_port, self.https_port = free_port(), free_port(), free_port()
        self.url = f"https://localhost:{self.https_port}"
        self.folder = folder
        self.certificate = folder / "fullchain.pem"
        self.environment = site_environment(
            folder / "data",
            {
                "UNMASK_ENV": "production",
                "UNMASK_SECRET_KEY": "an-example-of-a-key-that-is-long-enough-and-random-enough-0123456789",
                "UNMASK_ALLOWED_HOSTS": "localhost",
                "DATABASE_URL": database.url,
                "REDIS_URL": redis_url,
                "JOBS_TRUSTED_PROXIES": "1",
                "UNMASK_STATIC_DIR": str(folder / "static"),
                "DJANGO_SETTINGS_MODULE": "deepfake_site.settings",
            },
        )
        self.processes: list[Process] = []

    def start(self) -> None:
        self._make_certificate()
        for arguments in (
            ("migrate", "--noinput", "--verbosity", "0"),
            ("collectstatic", "--noinput", "--verbosity", "0"),
        ):
            subprocess.run(manage_command(*arguments), env=self.environment, cwd=REPOSITORY, check=True)
        serve = manage_command("serve", "--no-worker", "--port", str(self.web_port))
        web = Process("web", serve, self.environment, self.folder / "web.log")
        self.processes.append(web)
        wait_for_page(f"http://localhost:{self.web_port}/healthz", web, 90)
        nginx = Process(
            "nginx", ["nginx", "-c", str(self._configuration())], self.environment, self.folder / "nginx.log"
        )
        self.processes.append(nginx)
        deadline = time.monotonic() + 30
        while True:
            try:
                requests.get(f"{self.url}/healthz", verify=str(self.certificate), timeout=5).raise_for_status()
                return
            except requests.RequestException:
                assert nginx.alive, nginx.output()
                assert time.monotonic() < deadline, nginx.output() + web.output()
                time.sleep(0.1)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.stop()

    def visitor(self) -> Visitor:
        visitor = Visitor(self.url)
        visitor.http.verify = str(self.certificate)
        return visitor

    def _make_certificate(self) -> None:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", self.folder / "privkey.pem",
             "-out", self.certificate],
            check=True, capture_output=True,
        )  # fmt: skip

    def _configuration(self) -> Path:
        """The shipped file; only addresses and places are this test's own."""
        text = (REPOSITORY / "deploy" / "nginx.conf").read_text(encoding="utf-8")
        for shipped, here in (
            ("web:8000", f"127.0.0.1:{self.web_port}"),
            ("listen 80;", f"listen 127.0.0.1:{self.http_port};"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.https_port} ssl;"),
            ("/etc/nginx/certificates", str(self.folder)),
        ):
            assert shipped in text
            text = text.replace(shipped, here)
        path = self.folder / "nginx.conf"
        path.write_text(f"daemon off;\npid {self.folder}/nginx.pid;\n{text}", encoding="utf-8")
        return path


@pytest.fixture
def secure_site(redis_url: str, database: Database, tmp_path: Path) -> Iterator[SecureSite]:
    site = SecureSite(tmp_path, database, redis_url)
    try:
        site.start()
        yield site
    finally:
        site.stop()


def test_a_photo_and_its_socket_through_nginx(secure_site: SecureSite, astronaut_jpeg: bytes) -> None:
    plain = requests.get(f"http://localhost:{secure_site.http_port}/checks/", allow_redirects=False, timeout=30)
    assert plain.status_code == 301
    assert plain.headers["Location"].startswith("https://")

    visitor = secure_site.visitor()
    page = visitor.http.get(f"{secure_site.url}/", headers={"Accept": "text/html"}, timeout=30)
    assert page.status_code == 200
    assert "max-age" in page.headers["Strict-Transport-Security"]
    assert all(cookie.secure for cookie in visitor.http.cookies)
    styles = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
    assert styles, "the page names its style sheets"
    for style in styles:
        found = visitor.http.get(secure_site.url + style, timeout=30)
        assert found.status_code == 200
        assert "immutable" in found.headers["Cache-Control"], "named after its content, so it is kept for good"

    # Larger than nginx's own default of 1 MB: the shipped limit is the site's.
    response = visitor.upload(astronaut_jpeg + b"\0" * 2_000_000)
    assert response.status_code == 202, response.text
    accepted = response.json()["checks"][0]

    trust = ssl.create_default_context(cafile=str(secure_site.certificate))
    address = secure_site.url.replace("https:", "wss:") + accepted["socket"]
    cookie = {"Cookie": visitor.cookie_header}
    with connect(address, origin=secure_site.url, additional_headers=cookie, ssl=trust, proxy=None) as socket:
        message = json.loads(socket.recv(timeout=20))
    assert (message["type"], message["state"]) == ("snapshot", "queued")
    with pytest.raises(InvalidStatus) as refused:  # a page that some network attacker served over plain http
        connect(
            address, origin=secure_site.url.replace("https:", "http:"), additional_headers=cookie, ssl=trust, proxy=None
        )
    assert refused.value.response.status_code == 403


def test_an_address_that_a_client_made_up_is_not_believed(
    secure_site: SecureSite, database: Database, astronaut_jpeg: bytes
) -> None:
    """nginx appends whom it really talks to, and the site believes that last entry alone."""
    for made_up in ("203.0.113.1", "203.0.113.2"):
        visitor = secure_site.visitor()
        visitor.http.headers["X-Forwarded-For"] = made_up
        assert visitor.upload(astronaut_jpeg).status_code == 202
    hashes = {row["address_hash"] for row in database.rows("SELECT address_hash FROM jobs_job WHERE kind = 'check'")}
    assert len(hashes) == 1
    assert hashes != {""}
