"""Addresses of what is made here, and of the safeguards around it."""

from django.urls import path

from . import views

app_name = "generation"
urlpatterns = [
    path("", views.home, name="home"),
    path("<uuid:pk>/", views.result, name="result"),
    path("<uuid:pk>/delete", views.delete, name="delete"),
    path("terms/", views.terms, name="terms"),
    path("consents/", views.consents, name="consents"),
    path("consents/<uuid:pk>/revoke", views.revoke, name="revoke"),
    path("never-me/", views.never_me, name="never_me"),
    path("takedown/", views.takedown, name="takedown"),
    path("authority.pem", views.authority, name="authority"),
]
