"""Addresses of the checks."""

from django.urls import include, path

from . import token_views, views

app_name = "detection"
urlpatterns = [
    path("", views.check, name="check"),
    path("checks/", views.history, name="history"),
    path("checks/<uuid:pk>/", views.result, name="result"),
    path("checks/<uuid:pk>/delete", views.delete, name="delete"),
    path("checks/<uuid:pk>/retry", views.retry, name="retry"),
    path("checks/<uuid:pk>/share", views.share, name="share"),
    path("checks/<uuid:pk>/unshare", views.unshare, name="unshare"),
    path("checks/<uuid:pk>/training", views.training, name="training"),
    path("checks/<uuid:pk>/report", views.report, name="report"),
    path("checks/<uuid:pk>/report.json", views.report_file, {"form": "json"}, name="report_json"),
    path("checks/<uuid:pk>/report.pdf", views.report_file, {"form": "pdf"}, name="report_pdf"),
    path("s/<str:token>/", views.shared, name="shared"),
    path("s/<str:token>/report.json", views.shared_report, {"form": "json"}, name="shared_report_json"),
    path("s/<str:token>/report.pdf", views.shared_report, {"form": "pdf"}, name="shared_report_pdf"),
    path("s/<str:token>/<uuid:artifact>/<str:name>", views.shared_file, name="shared_file"),
    path("how-it-works/", views.method, name="method"),
    path("review/", include("detection.desk.urls")),
    path("account/tokens/", token_views.tokens, name="tokens"),
    path("account/tokens/<int:pk>/revoke", token_views.revoke, name="token_revoke"),
]
