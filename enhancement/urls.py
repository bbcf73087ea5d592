"""Addresses of enhancement: the form, one's own list, one piece of work."""

from django.urls import path

from . import views

app_name = "enhancement"
urlpatterns = [
    path("", views.home, name="home"),
    path("history/", views.history, name="history"),
    path("history/delete", views.delete_many, name="delete_many"),
    path("history/download", views.download_all, name="download_all"),
    path("<uuid:pk>/", views.result, name="result"),
    path("<uuid:pk>/again/", views.again, name="again"),
    path("<uuid:pk>/download", views.download, name="download"),
    path("<uuid:pk>/delete", views.delete, name="delete"),
]
