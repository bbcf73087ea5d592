"""Addresses of the desk; included by those of the app, whose namespace they share."""

from django.urls import path

from . import figures_views, views

urlpatterns = [
    path("", views.desk, name="desk"),
    path("next", views.take_next, name="desk_next"),
    path("figures/", figures_views.figures, name="desk_figures"),
    path("export", figures_views.export, name="desk_export"),
    path("judgements/<int:pk>/undo", views.undo, name="desk_undo"),
    path("<uuid:pk>/", views.item, name="desk_item"),
    path("<uuid:pk>/claim", views.claim, name="desk_claim"),
    path("<uuid:pk>/renew", views.renew, name="desk_renew"),
    path("<uuid:pk>/release", views.release, name="desk_release"),
    path("<uuid:pk>/skip", views.skip, name="desk_skip"),
    path("<uuid:pk>/judge", views.judge, name="desk_judge"),
]
