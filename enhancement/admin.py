"""The desk's view of enhancements: seen, deleted, never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from . import services
from .models import EnhancedPicture, Enhancement, Parent

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from jobs.models import Artifact


class ReadOnly:
    """What was made, and of what, stays as it was told."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def picture(artifact: Artifact | None, width: int) -> str:
    if artifact is None:
        return "-"
    return format_html('<a href="{0}"><img src="{0}" alt="" width="{1}" loading="lazy"></a>', artifact.url, width)


class PictureInline(ReadOnly, admin.TabularInline):
    model = EnhancedPicture
    extra = 0
    can_delete = False
    fields = readonly_fields = ("look", "label", "origin", "strength", "source_type", "figures", "notes", "seconds")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EnhancedPicture]:
        return super().get_queryset(request).select_related("file", "shown")

    @admin.display(description=_("result"))
    def look(self, made: EnhancedPicture) -> str:
        return picture(made.page_picture, 160)


class ParentInline(ReadOnly, admin.TabularInline):
    model = Parent
    extra = 0
    can_delete = False
    fields = readonly_fields = ("job_ref", "kind", "by", "made")


@admin.register(Enhancement)
class EnhancementAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("title", "task", "methods", "state", "owner", "generated", "created")
    list_filter = ("task", "job__state", "generated", "withdrawn", "created")
    search_fields = ("id", "title", "owner__email", "job__id", "job__error_id")
    date_hierarchy = "created"
    inlines = (PictureInline, ParentInline)
    exclude = ("source", "truth", "before_picture", "poster")
    readonly_fields = ("before", "evidence")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enhancement]:
        return super().get_queryset(request).select_related("job", "owner", "before_picture", "source")

    @admin.display(description=_("state"), ordering="job__state")
    def state(self, enhancement: Enhancement) -> str:
        return str(enhancement.job.state)

    @admin.display(description=_("picture"))
    def before(self, enhancement: Enhancement) -> str:
        return picture(enhancement.before_picture, 480)

    @admin.display(description=_("original, as it was uploaded"))
    def evidence(self, enhancement: Enhancement) -> str:
        if enhancement.source is None:
            return "-"
        return format_html('<a href="{}?download">{}</a>', enhancement.source.url, enhancement.source.sha256)

    # It is never only a row: its files and its job go with it.
    def delete_model(self, request: HttpRequest, obj: Enhancement) -> None:
        services.delete_enhancement(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Enhancement]) -> None:
        services.delete_all(queryset)
