"""Websockets are opened by this site's own pages only."""

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings


class SameOriginValidator:
    """Refuse a websocket whose Origin is not the host that it asks for.

    Browsers attach cookies to cross-site websockets and apply no CORS to them, so the Origin header is the only
    thing that keeps a foreign page from listening with a person's session. Channels' own AllowedHostsOriginValidator
    looks at the host name alone; this one compares scheme and port too.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if self.is_own(scope):
            return await self.application(scope, receive, send)
        return await WebsocketDenier()(scope, receive, send)

    @staticmethod
    def is_own(scope: dict[str, Any]) -> bool:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        origin = headers.get(b"origin", "").rstrip("/")
        if origin in settings.CSRF_TRUSTED_ORIGINS:
            return True
        parts = urlsplit(origin)
        secure = scope.get("scheme") == "wss"
        proxy = settings.SECURE_PROXY_SSL_HEADER
        if proxy:
            secure = headers.get(proxy[0].removeprefix("HTTP_").replace("_", "-").lower().encode()) == proxy[1]
        return parts.scheme == ("https" if secure else "http") and parts.netloc == headers.get(b"host", "")
