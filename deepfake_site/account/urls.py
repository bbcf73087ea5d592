"""Addresses of one's own account."""

from django.urls import path

from . import views

app_name = "member"
urlpatterns = [
    path("", views.profile, name="profile"),
    path("data.zip", views.data, name="data"),
    path("sessions/<int:pk>/end/", views.end_session, name="end_session"),
    path("delete/", views.leave, name="leave"),
]
