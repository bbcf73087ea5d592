"""What `asgi.py` routes here: the sockets of jobs, and the channel on which workers are nudged."""

from django.urls import path

from .consumers import JobSocket, JobWorker
from .wake import JOBS_CHANNEL

websocket_urlpatterns = [path("ws/jobs/<uuid:job_id>/", JobSocket.as_asgi())]
channel_consumers = {JOBS_CHANNEL: JobWorker.as_asgi()}
