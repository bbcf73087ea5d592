"""The desk: checks and what people report about them. Evidence is read here, never edited; a report is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from . import services
from .desk import admin as desk_admin
from .models import ApiToken, Check, FaceFinding, Report

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from jobs.models import Artifact


__all__ = ["desk_admin"]  # registers the desk's own models


class ReadOnly:
    """Seen, not written: what the detectors said stays what they said."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def picture(artifact: Artifact | None, width: int) -> str:
    if artifact is None:
        return "-"
    return format_html('<a href="{0}"><img src="{0}" alt="" width="{1}" loading="lazy"></a>', artifact.url, width)


class FaceInline(ReadOnly, admin.TabularInline):
    model = FaceFinding
    fk_name = "subject"
    extra = 0
    can_delete = False
    fields = readonly_fields = (
        "number",
        "cut_out",
        "looked_at",
        "level",
        "probability",
        "detectors",
        "quality",
        "yaw",
        "reason",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[FaceFinding]:
        return super().get_queryset(request).select_related("crop", "gradcam")

    @admin.display(description=_("face"))
    def cut_out(self, face: FaceFinding) -> str:
        return picture(face.crop, 96)

    @admin.display(description=_("what the network looked at"))
    def looked_at(self, face: FaceFinding) -> str:
        return picture(face.gradcam, 96)


class ReportInline(ReadOnly, admin.TabularInline):
    model = Report
    fk_name = "subject"
    extra = 0
    can_delete = False
    fields = readonly_fields = ("reason", "comment", "status", "created")


@admin.register(Check)
class CheckAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("title", "level", "probability", "state", "owner", "created", "open_reports")
    list_filter = ("level", "job__state", "reason_code", "reports__status", "weights_version", "created")
    search_fields = ("id", "title", "owner__email", "job__id", "job__error_id")
    date_hierarchy = "created"
    inlines = (FaceInline, ReportInline)
    exclude = ("session_key", "share_token", "original", "display")
    readonly_fields = ("shown", "evidence")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Check]:
        return (
            super()
            .get_queryset(request)
            .prefetch_related("reports")
            .select_related("job", "owner", "display", "original")
        )

    @admin.display(description=_("state"), ordering="job__state")
    def state(self, check: Check) -> str:
        return str(check.job.state)

    @admin.display(description=_("open reports"))
    def open_reports(self, check: Check) -> int:
        return sum(report.status == Report.Status.OPEN for report in check.reports.all())

    @admin.display(description=_("picture"))
    def shown(self, check: Check) -> str:
        return picture(check.display, 480)

    @admin.display(description=_("original, as it was uploaded"))
    def evidence(self, check: Check) -> str:
        if check.original is None:
            return "-"
        return format_html('<a href="{}?download">{}</a>', check.original.url, check.original.sha256)

    # A check is never only a row: its files and its job go with it.
    def delete_model(self, request: HttpRequest, obj: Check) -> None:
        services.delete_check(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Check]) -> None:
        for check in queryset:
            services.delete_check(check)


@admin.register(Report)
class ReportAdmin(admin.ModelAdmin):
    list_display = ("reason", "subject", "verdict", "status", "reporter", "created")
    list_filter = ("status", "reason", "subject__level", "created")
    list_select_related = ("subject", "reporter")
    search_fields = ("subject__id", "subject__title", "comment", "reporter__email")
    date_hierarchy = "created"
    fields = ("subject", "shown", "verdict", "reason", "comment", "reporter", "created", "status")
    readonly_fields = ("subject", "shown", "verdict", "reason", "comment", "reporter", "created")
    actions = ("uphold", "dismiss")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("verdict"))
    def verdict(self, report: Report) -> str:
        return report.subject.get_level_display() or "-"

    @admin.display(description=_("picture"))
    def shown(self, report: Report) -> str:
        return picture(report.subject.display, 480)

    def save_model(self, request: HttpRequest, obj: Report, form: Any, change: bool) -> None:
        self._tell(request, services.decide_report(obj, obj.status, request.user))

    @admin.action(description=_("Uphold the selected reports"), permissions=["change"])
    def uphold(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self._decide(request, queryset, Report.Status.UPHELD)

    @admin.action(description=_("Dismiss the selected reports"), permissions=["change"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self._decide(request, queryset, Report.Status.DISMISSED)

    def _decide(self, request: HttpRequest, queryset: QuerySet[Report], status: str) -> None:
        done = [services.decide_report(report, status, request.user) for report in queryset.select_related("subject")]
        self._tell(request, all(done))

    def _tell(self, request: HttpRequest, done: bool) -> None:
        if not done:
            self.message_user(request, _("What is about your own upload somebody else decides."), messages.ERROR)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("name", "prefix", "owner", "created", "last_used", "revoked")
    list_select_related = ("owner",)
    search_fields = ("name", "prefix", "owner__email")
    exclude = ("token_hash",)
    actions = ("revoke",)

    @admin.action(description=_("Revoke the selected tokens"), permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            token.revoke()
