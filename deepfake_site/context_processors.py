"""What every template may name."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    languages = settings.LANGUAGES if len(settings.LANGUAGES) > 1 else []
    return {"site_name": settings.SITE_NAME, "languages": languages}
