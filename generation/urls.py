"""Addresses of what is made here, and of the safeguards around it."""

from django.urls import path

from . import animation_views, gallery_views, swap_views, views

app_name = "generation"
urlpatterns = [
    path("", views.home, name="home"),
    path("<uuid:pk>/", views.result, name="result"),
    path("<uuid:pk>/delete", views.delete, name="delete"),
    path("<uuid:pk>/share", gallery_views.share, name="share"),
    path("<uuid:pk>/unshare", gallery_views.unshare, name="unshare"),
    path("<uuid:pk>/public", gallery_views.want_public, name="want_public"),
    path("<uuid:pk>/private", gallery_views.withdraw_public, name="withdraw_public"),
    path("swap/", swap_views.start, name="swap"),
    path("swap/go/", swap_views.go, name="swap_go"),
    path("animate/", animation_views.start, name="animate"),
    path("animate/go/", animation_views.go, name="animate_go"),
    path("gallery/", gallery_views.own, name="gallery"),
    path("gallery/delete", gallery_views.delete_many, name="delete_many"),
    path("gallery/download", gallery_views.download_all, name="download_all"),
    path("public/", gallery_views.public, name="public"),
    path("public/<uuid:pk>/", gallery_views.public_piece, name="public_piece"),
    path("public/files/<uuid:artifact>/<str:name>", gallery_views.public_file, name="public_file"),
    path("public/waiting/", gallery_views.waiting, name="waiting"),
    path("public/waiting/<uuid:pk>", gallery_views.decide, name="decide"),
    path("s/<str:token>/", gallery_views.shared, name="shared"),
    path("s/<str:token>/<uuid:artifact>/<str:name>", gallery_views.shared_file, name="shared_file"),
    path("terms/", views.terms, name="terms"),
    path("consents/", views.consents, name="consents"),
    path("consents/<uuid:pk>/revoke", views.revoke, name="revoke"),
    path("never-me/", views.never_me, name="never_me"),
    path("takedown/", views.takedown, name="takedown"),
    path("authority.pem", views.authority, name="authority"),
]
