from django.urls import path
from django.views.generic import TemplateView

app_name = "enhancement"
urlpatterns = [path("", TemplateView.as_view(template_name="enhancement/home.html"), name="home")]
