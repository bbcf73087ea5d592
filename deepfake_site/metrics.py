"""What Prometheus reads at /metrics: counts and latency of this process's requests, and the figures of the whole site.

Jobs, workers and storage come from the database, so any web process tells the same of them; requests are those of the
process that is asked, so each one is scraped by itself.
"""

from __future__ import annotations

import hmac
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from . import operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest

MAY_WATCH: Final = "jobs.view_workerheartbeat"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REGISTRY: Final = CollectorRegistry()
REQUESTS: Final = Counter(
    "unmask_http_requests", "Answered requests.", ["method", "route", "status"], registry=REGISTRY
)
LATENCY: Final = Histogram(
    "unmask_http_request_seconds",
    "Time until an answer was ready to be sent.",
    ["method", "route"],
    buckets=BUCKETS,
    registry=REGISTRY,
)
ProcessCollector(registry=REGISTRY)


class SiteCollector(Collector):
    """Asked at each scrape."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._jobs()
        yield from self._workers()
        yield from self._storage()

    def _jobs(self) -> Iterator[GaugeMetricFamily]:
        jobs = GaugeMetricFamily("unmask_jobs", "Jobs by kind and state.", labels=["kind", "state"])
        for (kind, state), count in operations.states_by_kind().items():
            jobs.add_metric([kind, state], count)
        yield jobs
        oldest = GaugeMetricFamily("unmask_queue_oldest_seconds", "Age of the job waiting longest.", labels=["kind"])
        seconds = GaugeMetricFamily(
            "unmask_job_seconds", "Duration of the jobs that succeeded within a day.", labels=["kind", "quantile"]
        )
        for figures in operations.by_kind():
            oldest.add_metric([figures.name], figures.oldest or 0.0)
            if figures.median is not None and figures.slow is not None:
                seconds.add_metric([figures.name, "0.5"], figures.median)
                seconds.add_metric([figures.name, "0.95"], figures.slow)
        yield oldest
        yield seconds
        day = timezone.now() - timedelta(days=1)
        failed = GaugeMetricFamily(
            "unmask_jobs_failed_last_day", "Jobs that failed within a day.", labels=["kind", "code"]
        )
        for (kind, code), count in operations.failures_by_code(day).items():
            failed.add_metric([kind, code], count)
        yield failed
        yield GaugeMetricFamily(
            "unmask_jobs_retried_last_day", "Jobs that needed another attempt.", operations.retried(day)
        )
        yield GaugeMetricFamily("unmask_jobs_purge_overdue", "Jobs that should be gone.", operations.overdue())

    def _workers(self) -> Iterator[GaugeMetricFamily]:
        alive = [worker for worker in operations.workers() if worker.is_alive]
        yield GaugeMetricFamily("unmask_workers", "Workers seen within a minute.", len(alive))
        yield GaugeMetricFamily(
            "unmask_worker_jobs", "Jobs that these workers run.", sum(worker.running for worker in alive)
        )

    def _storage(self) -> Iterator[GaugeMetricFamily]:
        held = GaugeMetricFamily("unmask_storage_bytes", "Stored files, by role.", labels=["role"])
        files = GaugeMetricFamily("unmask_storage_files", "Stored files, by role.", labels=["role"])
        for role, count, size in operations.stored():
            held.add_metric([role], size)
            files.add_metric([role], count)
        yield held
        yield files
        yield GaugeMetricFamily("unmask_disk_free_bytes", "Left under the data directory.", operations.disk().free)
        weights = GaugeMetricFamily("unmask_weights_info", "Shipped networks.", labels=["name", "version"])
        for each in operations.weights():
            weights.add_metric([each.name, each.version], 0 if each.bytes is None else 1)
        yield weights


REGISTRY.register(SiteCollector())


class MetricsMiddleware:
    """The first in the row, so that it sees what the others refuse."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        method = request.method if request.method in METHODS else "OTHER"
        route = route_of(request)
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        LATENCY.labels(method, route).observe(time.perf_counter() - began)
        return response


def route_of(request: HttpRequest) -> str:
    """The pattern, not the address: there are few of them, and they name nothing of anybody."""
    if request.resolver_match is not None:
        return f"/{request.resolver_match.route}"
    return "(static)" if request.path.startswith(settings.STATIC_URL) else "(none)"


def may_watch(request: HttpRequest) -> bool:
    """Whoever has the token of the settings, and staff who may see the workers."""
    scheme, _space, told = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return hmac.compare_digest(told.encode(), settings.METRICS_TOKEN.encode())
    user = request.user
    return bool(user.is_authenticated and user.is_staff and user.has_perm(MAY_WATCH))


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not may_watch(request):
        return HttpResponse("Not for you.\n", status=403, content_type="text/plain; charset=utf-8")
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
