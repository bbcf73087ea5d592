"""Every address of the site, by door."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from . import dashboard, health, legal, metrics
from .api import api

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("robots.txt", health.robots, name="robots"),
    path("", include("detection.urls")),
    path("", include("jobs.urls")),
    path("create/", include("generation.urls")),
    path("enhance/", include("enhancement.urls")),
    path("account/", include("deepfake_site.account.urls")),
    path("language/", set_language, name="set_language"),
    path("terms/", legal.terms, name="terms"),
    path("privacy/", legal.privacy, name="privacy"),
    path("imprint/", legal.imprint, name="imprint"),
    path("api/", api.urls),
    path("accounts/", include("allauth.urls")),
    path("admin/operations/", admin.site.admin_view(dashboard.operations_page), name="operations"),
    path("admin/", admin.site.urls),
]
