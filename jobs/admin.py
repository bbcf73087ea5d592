"""The desk's view of jobs and files: read, and stop what runs away. `jobs.lifecycle` stays the only writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import lifecycle
from .models import Artifact, Job

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    ModelAdmin = admin.ModelAdmin[Any]
    ArtifactTable = admin.TabularInline[Artifact, Job]
else:  # generic only for the type checker
    ModelAdmin = admin.ModelAdmin
    ArtifactTable = admin.TabularInline


class ReadOnlyAdmin(ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # rows end by the purge, which takes their files along


class ArtifactInline(ArtifactTable):
    model = Artifact
    extra = 0
    can_delete = False
    fields = readonly_fields = ("role", "content_type", "size", "width", "height", "sha256", "purge_after")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "state", "stage", "attempt", "device", "worker", "owner", "created", "took")
    list_filter = ("state", "kind", "device", "error_code", "created")
    list_select_related = ("owner",)
    search_fields = ("id", "error_id", "worker", "owner__email")
    date_hierarchy = "created"
    exclude = ("session_key", "owner_key", "address_hash")
    inlines = (ArtifactInline,)
    actions = ("cancel",)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.change_job")

    @admin.display(description=_("seconds"))
    def took(self, job: Job) -> str:
        if job.started is None or job.finished is None:
            return "-"
        return f"{(job.finished - job.started).total_seconds():.1f}"

    @admin.action(description=_("Cancel the selected jobs"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        unfinished = [job.pk for job in queryset if job.is_unfinished]
        for job_id in unfinished:
            lifecycle.cancel(job_id)
        count = len(unfinished)
        text = ngettext("%(count)d job is being cancelled.", "%(count)d jobs are being cancelled.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


@admin.register(Artifact)
class ArtifactAdmin(ReadOnlyAdmin):
    list_display = ("id", "role", "content_type", "size", "owner", "job", "created", "purge_after")
    list_filter = ("role", "content_type", "created")
    list_select_related = ("owner", "job")
    search_fields = ("id", "sha256", "job__id", "owner__email")
    date_hierarchy = "created"
    exclude = ("session_key", "file")
    readonly_fields = ("download",)

    @admin.display(description=_("file"))
    def download(self, artifact: Artifact) -> str:
        return format_html('<a href="{}?download">{}</a>', artifact.url, artifact.public_name)
