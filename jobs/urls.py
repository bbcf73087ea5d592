from django.urls import path

from . import views

app_name = "jobs"

urlpatterns = [
    path("jobs/<uuid:job_id>.json", views.state, name="state"),
    path("jobs/<uuid:job_id>/cancel", views.cancel, name="cancel"),
    path("jobs/<uuid:job_id>/finish", views.finish, name="finish"),
    path("files/<uuid:artifact_id>/<str:name>", views.artifact, name="artifact"),
]
