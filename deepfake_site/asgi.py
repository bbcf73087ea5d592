"""One application for the three protocols: pages over http, progress over websockets, background work over channels."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepfake_site.settings")
http = get_asgi_application()  # loads the apps; what follows imports models

from channels.auth import AuthMiddlewareStack
from channels.routing import ChannelNameRouter, ProtocolTypeRouter, URLRouter

from deepfake_site.middleware import StaffSecondFactorSockets
from deepfake_site.origin import SameOriginValidator
from jobs.routing import channel_consumers, websocket_urlpatterns

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": SameOriginValidator(
            AuthMiddlewareStack(StaffSecondFactorSockets(URLRouter(websocket_urlpatterns)))
        ),
        "channel": ChannelNameRouter(channel_consumers),
    }
)
