"""The desk in Django's administration: what lies on it with filters and actions, and the trail of what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import claims, consequences, judgements
from .codes import OPEN, Reason, Verdict
from .models import Flag, Judgement, JudgementEntry, ReviewItem
from .permissions import SETTLE, may_judge

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class ReadOnly:
    """Verdicts are given at the desk or by the actions, never by editing a row."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # an item goes with its check, a line of the trail never


class ReasonFilter(admin.SimpleListFilter):
    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Reason.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[ReviewItem]) -> QuerySet[ReviewItem]:
        return queryset.filter(flags__reason=self.value()) if self.value() else queryset


class FlagInline(ReadOnly, admin.TabularInline):
    model = Flag
    extra = 0
    can_delete = False
    fields = readonly_fields = ("reason", "weight", "detail", "created")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_judge(request.user)


class JudgementInline(ReadOnly, admin.TabularInline):
    model = Judgement
    extra = 0
    can_delete = False
    fields = readonly_fields = ("created", "round", "reviewer", "role", "verdict", "reports", "note", "undone")

    def has_view_permission(self, request: HttpRequest, obj: ReviewItem | None = None) -> bool:
        # An opinion that waits for a second one is for nobody to read before they have theirs.
        waits = obj is not None and obj.state in OPEN and not request.user.has_perm(SETTLE)
        return may_judge(request.user) and not waits


@admin.register(ReviewItem)
class ReviewItemAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("subject", "urgency", "reasons", "state", "machine", "verdict", "flagged", "decided", "held")
    list_filter = ("state", ReasonFilter, "verdict", "subject__level", "subject__media", "flagged", "decided")
    list_select_related = ("subject", "claimed_by")
    list_per_page = 50
    search_fields = ("subject__id", "subject__title")
    date_hierarchy = "flagged"
    inlines = (FlagInline, JudgementInline)
    exclude = ("subject",)
    readonly_fields = ("at_the_desk",)
    actions = ("judge_authentic", "judge_manipulated", "judge_unsure", "free")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReviewItem]:
        return super().get_queryset(request).prefetch_related("flags")

    def has_judge_permission(self, request: HttpRequest) -> bool:
        return may_judge(request.user)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(SETTLE)

    @admin.display(description=_("reasons"))
    def reasons(self, item: ReviewItem) -> str:
        return ", ".join(str(flag.get_reason_display()) for flag in item.flags.all())

    @admin.display(description=_("the detectors"), ordering="subject__probability")
    def machine(self, item: ReviewItem) -> str:
        return str(item.subject.get_level_display())

    @admin.display(description=_("in whose hands"))
    def held(self, item: ReviewItem) -> str:
        return item.claimed_by.get_username() if item.is_held and item.claimed_by else "-"

    @admin.display(description=_("evidence"))
    def at_the_desk(self, item: ReviewItem) -> str:
        return format_html('<a href="{}">{}</a>', reverse("detection:desk_item", args=[item.pk]), item.subject)

    @admin.action(description=_("Judge the selected ones authentic"), permissions=["judge"])
    def judge_authentic(self, request: HttpRequest, queryset: QuerySet[ReviewItem]) -> None:
        self._judge(request, queryset, Verdict.AUTHENTIC)

    @admin.action(description=_("Judge the selected ones manipulated"), permissions=["judge"])
    def judge_manipulated(self, request: HttpRequest, queryset: QuerySet[ReviewItem]) -> None:
        self._judge(request, queryset, Verdict.MANIPULATED)

    @admin.action(description=_("Say of the selected ones that nobody can tell"), permissions=["judge"])
    def judge_unsure(self, request: HttpRequest, queryset: QuerySet[ReviewItem]) -> None:
        self._judge(request, queryset, Verdict.UNSURE)

    @admin.action(description=_("Take the selected ones out of people's hands"), permissions=["settle"])
    def free(self, request: HttpRequest, queryset: QuerySet[ReviewItem]) -> None:
        count = claims.release_all(queryset, request.user)
        text = ngettext("%(count)d item is free again.", "%(count)d items are free again.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    def _judge(self, request: HttpRequest, queryset: QuerySet[ReviewItem], verdict: Verdict) -> None:
        """Each for itself, as at the desk: one that is in other hands, or whose reports want an answer, is left."""
        done, left = 0, 0
        for item in queryset.select_related("subject"):
            try:
                if consequences.reports_to_decide(item.subject):
                    raise judgements.ReportsUndecided
                judgements.judge_at_once(item.pk, request.user, verdict)
                done += 1
            except (judgements.NotHeld, judgements.ReportsUndecided):
                left += 1
        if done:
            text = ngettext("%(count)d item was judged.", "%(count)d items were judged.", done)
            self.message_user(request, text % {"count": done}, messages.SUCCESS)
        if left:
            text = ngettext(
                "%(count)d item was left: in other hands, your own, off the desk, or with reports to answer.",
                "%(count)d items were left: in other hands, your own, off the desk, or with reports to answer.",
                left,
            )
            self.message_user(request, text % {"count": left}, messages.WARNING)


@admin.register(JudgementEntry)
class JudgementEntryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("created", "event", "who", "role", "verdict", "machine_level", "media", "check_ref", "about")
    list_filter = ("event", "role", "verdict", "machine_level", "media", "created")
    search_fields = ("check_ref",)
    date_hierarchy = "created"
    list_per_page = 50

    @admin.display(description=_("who"), ordering="actor")
    def who(self, entry: JudgementEntry) -> str:
        if entry.actor is None:
            return "-"
        names = self._names
        if entry.actor not in names:
            found = User.objects.filter(pk=entry.actor).values_list("username", flat=True).first()
            names[entry.actor] = found or f"#{entry.actor}"
        return names[entry.actor]

    def get_queryset(self, request: HttpRequest) -> QuerySet[JudgementEntry]:
        self._names: dict[int, str] = {}  # few people write the whole trail: one query each
        return super().get_queryset(request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}
