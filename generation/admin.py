"""The desk: what people ask for is decided here; consents, blocks and the ledger are read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from . import pleading, showing
from .models import (
    BlockedFace,
    BlockedPicture,
    Consent,
    FacePlea,
    Generation,
    GenerationInput,
    LedgerEntry,
    TakedownPlea,
    TermsAcceptance,
)
from .pleas import PleaStatus
from .withdrawal import take_down

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http.response import HttpResponseBase


class ReadOnly:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class InputInline(ReadOnly, admin.TabularInline):
    model = GenerationInput
    extra = 0
    fields = readonly_fields = ("role", "sha256", "identity", "consent")


class PublicFilter(admin.SimpleListFilter):
    title = _("public gallery")
    parameter_name = "public"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("waiting for approval")), ("public", _("public")), ("refused", _("refused"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Generation]) -> QuerySet[Generation]:
        if self.value() == "waiting":
            return queryset & Generation.objects.waiting_for_approval()
        if self.value() == "public":
            return queryset & Generation.objects.public()
        if self.value() == "refused":
            return queryset.filter(public_approved=False, public_decided__isnull=False)
        return queryset


@admin.register(Generation)
class GenerationAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("id", "kind", "title", "owner", "created", "standing", "withdrawn", "withdrawn_for")
    list_filter = (PublicFilter, "demo", "kind", "withdrawn_for", "created")
    list_select_related = ("owner",)
    search_fields = ("id", "job__id", "title", "owner__email")
    inlines = (InputInline,)
    exclude = ("share_token", "result", "poster")
    readonly_fields = ("shown",)
    actions = ("approve", "refuse", "make_example", "make_no_example", "take_down")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Generation]:
        return super().get_queryset(request).select_related("owner", "result", "poster")

    @admin.display(description=_("public gallery"))
    def standing(self, generation: Generation) -> str:
        if generation.demo:
            return str(_("example"))
        if generation.public_approved:
            return str(_("public"))
        if generation.public_decided is not None:
            return str(_("refused"))
        return str(_("waiting for approval")) if generation.public_wanted else "-"

    @admin.display(description=_("what was made, sealed"))
    def shown(self, generation: Generation) -> str:
        if generation.result is None:
            return "-"
        picture = generation.poster or (None if generation.is_video else generation.result)
        if picture is None:
            return format_html('<a href="{}">{}</a>', generation.result.url, generation.result.public_name)
        return format_html('<a href="{}"><img src="{}" alt="" width="480"></a>', generation.result.url, picture.url)

    def has_take_down_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("generation.change_takedownplea")

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("generation.approve_generation")

    @admin.action(description=_("Take the selected ones down, everywhere and at once"), permissions=["take_down"])
    def take_down(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        for generation in queryset:
            take_down(generation.job_id, by=request.user, note="by the desk")

    @admin.action(description=_("Show the selected ones in the public gallery"), permissions=["approve"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        self._tell(request, [showing.approve(each, request.user) for each in queryset])

    @admin.action(description=_("Refuse to show the selected ones, or stop showing them"), permissions=["approve"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        self._tell(request, [showing.refuse(each, request.user) for each in queryset])

    @admin.action(description=_("Put the selected public ones among the examples"), permissions=["approve"])
    def make_example(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        self._tell(request, [showing.set_demo(each, True) for each in queryset])

    @admin.action(description=_("Take the selected ones out of the examples"), permissions=["approve"])
    def make_no_example(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        self._tell(request, [showing.set_demo(each, False) for each in queryset])

    def _tell(self, request: HttpRequest, held: list[bool]) -> None:
        text = _("%(done)d done. %(left)d left as they are: their owners do not want them shown, or there is nothing.")
        self.message_user(request, text % {"done": sum(held), "left": len(held) - sum(held)}, messages.INFO)


@admin.register(Consent)
class ConsentAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("id", "relation", "owner", "version", "created", "revoked")
    list_filter = ("relation", "version", "created")
    list_select_related = ("owner",)
    search_fields = ("id", "owner__email", "sha256")
    exclude = ("evidence",)
    readonly_fields = ("evidence_file",)

    @admin.display(description=_("evidence"))
    def evidence_file(self, consent: Consent) -> str:
        if not consent.evidence:
            return "-"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:generation_consent_evidence", args=[consent.pk]), _("file")
        )

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.evidence_view)
        return [path("<uuid:pk>/evidence", view, name="generation_consent_evidence"), *super().get_urls()]

    def evidence_view(self, request: HttpRequest, pk: Any) -> HttpResponseBase:
        consent = get_object_or_404(Consent, pk=pk)
        return private_file(request, consent.evidence, self.has_view_permission(request))


def private_file(request: HttpRequest, stored: Any, allowed: bool) -> HttpResponseBase:
    """A file that somebody sent: for the desk only, never shown in place, never sniffed."""
    if not allowed or not stored:
        raise Http404
    response = FileResponse(stored.open("rb"), as_attachment=True, content_type="application/octet-stream")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


class PleaAdmin(admin.ModelAdmin):
    list_filter = ("status", "created")
    date_hierarchy = "created"
    actions = ("grant", "refuse")
    search_fields = ("id", "contact", "statement")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in self.get_fields(request, obj) if name not in ("answer", "job_ref")]

    def decide(self, request: HttpRequest, plea: Any, status: PleaStatus) -> bool:
        raise NotImplementedError

    @admin.action(description=_("Grant the selected requests"), permissions=["change"])
    def grant(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._decide_all(request, queryset, PleaStatus.GRANTED)

    @admin.action(description=_("Refuse the selected requests"), permissions=["change"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._decide_all(request, queryset, PleaStatus.REFUSED)

    def _decide_all(self, request: HttpRequest, queryset: QuerySet[Any], status: PleaStatus) -> None:
        for plea in queryset:
            if not self.decide(request, plea, status):
                text = _("Nothing made here was found for the request of %(contact)s. Fill in the job first.")
                if status == PleaStatus.REFUSED:
                    text = _(
                        "The request of %(contact)s is about your own work: somebody else refuses it, or you grant it."
                    )
                self.message_user(request, text % {"contact": plea.contact}, messages.ERROR)


@admin.register(TakedownPlea)
class TakedownPleaAdmin(PleaAdmin):
    list_display = ("contact", "address", "job_ref", "status", "created", "decided")
    fields = (
        "contact",
        "address",
        "statement",
        "sha256",
        "job_ref",
        "status",
        "created",
        "decided",
        "decided_by",
        "answer",
    )

    def has_change_permission(self, request: HttpRequest, obj: TakedownPlea | None = None) -> bool:
        # Nobody points what is asked about their own work somewhere else, and then refuses it.
        own = obj is not None and pleading.is_about_work_of(obj, request.user)
        return not own and super().has_change_permission(request, obj)

    def decide(self, request: HttpRequest, plea: TakedownPlea, status: PleaStatus) -> bool:
        return pleading.decide_takedown(plea, status, request.user)


@admin.register(FacePlea)
class FacePleaAdmin(PleaAdmin):
    list_display = ("contact", "status", "created", "decided")
    fields = ("contact", "statement", "portrait_file", "status", "created", "decided", "decided_by", "answer")

    @admin.display(description=_("portrait"))
    def portrait_file(self, plea: FacePlea) -> str:
        if not plea.portrait:
            return "-"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:generation_faceplea_portrait", args=[plea.pk]), _("file")
        )

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.portrait_view)
        return [path("<uuid:pk>/portrait", view, name="generation_faceplea_portrait"), *super().get_urls()]

    def portrait_view(self, request: HttpRequest, pk: Any) -> HttpResponseBase:
        plea = get_object_or_404(FacePlea, pk=pk)
        return private_file(request, plea.portrait, self.has_view_permission(request))

    def decide(self, request: HttpRequest, plea: FacePlea, status: PleaStatus) -> bool:
        pleading.decide_face(plea, status, request.user)
        return True


@admin.register(BlockedFace)
class BlockedFaceAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("note", "method", "created")
    exclude = ("descriptor",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("generation.delete_blockedface")  # who asked may change their mind


@admin.register(BlockedPicture)
class BlockedPictureAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("note", "sha256", "perceptual_hash", "created")
    search_fields = ("sha256", "note")


@admin.register(TermsAcceptance)
class TermsAcceptanceAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("user", "version", "accepted")
    list_select_related = ("user",)


@admin.register(LedgerEntry)
class LedgerAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("number", "event", "job_ref", "created", "hash")
    list_filter = ("event", "created")
    search_fields = ("job_ref", "hash", "body")
    fields = readonly_fields = ("number", "created", "event", "job_ref", "told", "previous", "hash")

    @admin.display(description=_("what is told"))
    def told(self, entry: LedgerEntry) -> str:
        return format_html("<pre>{}</pre>", json.dumps(entry.facts, indent=2, ensure_ascii=False))
