from django.urls import path
from django.views.generic import TemplateView

app_name = "generation"
urlpatterns = [path("", TemplateView.as_view(template_name="generation/home.html"), name="home")]
