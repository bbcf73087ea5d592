"""Django's administration: for staff, each as far as their permissions go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.core.files.base import ContentFile
from django.db import transaction

from detection import services
from detection.models import ApiToken, JudgementEntry, ReviewItem
from generation import ledger
from generation.models import BlockedFace, BlockedPicture, FacePlea, TakedownPlea
from tests.enhancement import factories as enhancements

from .address import Access, Address, staff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Model

    from .house import House


@dataclass(frozen=True, slots=True)
class Rights:
    """Letters of what a role may do with the rows of a model: v(iew), a(dd), c(hange), d(elete)."""

    reviewer: str
    administrator: str


# One line a model that is registered in the admin; tests fail for one that is not here.
MODELS: Final = {
    "account_emailaddress": Rights("", "vacd"),
    "auth_group": Rights("", "vacd"),
    "auth_user": Rights("", "vacd"),
    "detection_apitoken": Rights("", "vd"),
    "detection_check": Rights("v", "vd"),
    "detection_judgemententry": Rights("v", "v"),
    "detection_report": Rights("vc", "vcd"),
    "detection_reviewitem": Rights("v", "v"),
    "enhancement_enhancement": Rights("", "vd"),
    "generation_blockedface": Rights("", "vd"),
    "generation_blockedpicture": Rights("", "v"),
    "generation_consent": Rights("", "v"),
    "generation_faceplea": Rights("vc", "vcd"),
    "generation_generation": Rights("v", "v"),
    "generation_ledgerentry": Rights("", "v"),
    "generation_takedownplea": Rights("vc", "vcd"),
    "generation_termsacceptance": Rights("", "v"),
    "jobs_artifact": Rights("v", "v"),
    "jobs_job": Rights("v", "v"),
    "mfa_authenticator": Rights("", "vacd"),
    "usersessions_usersession": Rights("", "vacd"),
}


def _first(model: type[Model]) -> Callable[[House], list[object]]:
    def row(house: House) -> list[object]:
        make = ROWS.get(f"{model._meta.app_label}_{model._meta.model_name}")
        found = make(house) if make is not None else model._default_manager.first()
        assert found is not None, f"a row of {model.__name__} to look at: add one to ROWS in {__name__}"
        return [found.pk]

    row.__name__ = ""
    return row


def _blocked_face(house: House) -> Model:
    return BlockedFace.objects.create(descriptor=b"\0" * 4, method="tests", note="somebody")


def _blocked_picture(house: House) -> Model:
    return BlockedPicture.objects.create(sha256="0" * 64)


def _face_plea(house: House) -> Model:
    plea = FacePlea(contact="p@example.org", statement="please")
    plea.portrait.save("portrait.jpg", ContentFile(b"a portrait"))
    return plea


def _line(house: House) -> Model:
    with transaction.atomic():
        return ledger.append("made", user=house.owner)


def _desk_item(house: House) -> Model:
    return ReviewItem.objects.get(pk=services.report_check(house.check, house.requester, "other").subject_id)


def _trail(house: House) -> Model:
    _desk_item(house)
    return JudgementEntry.objects.get()


def _token(house: House) -> Model:
    return ApiToken.issue(house.member, house.SECRET)[0]


# What the House does not hold already.
ROWS: Final[dict[str, Callable[[House], Model]]] = {
    "account_emailaddress": lambda house: EmailAddress.objects.create(user=house.member, email=house.member.email),
    "detection_apitoken": _token,
    "detection_judgemententry": _trail,
    "detection_reviewitem": _desk_item,
    "detection_report": lambda house: services.report_check(house.check, house.requester, "other"),
    "enhancement_enhancement": lambda house: enhancements.queued(house.requester),
    "generation_blockedface": _blocked_face,
    "generation_blockedpicture": _blocked_picture,
    "generation_faceplea": _face_plea,
    "generation_ledgerentry": _line,
    "generation_takedownplea": lambda house: TakedownPlea.objects.create(contact="p@example.org", statement="please"),
    "usersessions_usersession": lambda house: UserSession.objects.create(
        user=house.member, ip="203.0.113.0", session_key="a-session", user_agent="a browser"
    ),
    "mfa_authenticator": lambda house: Authenticator.objects.create(user=house.member, type="totp", data={}),
}


def evidence(house: House) -> list[object]:
    assert house.generation is not None
    consent = house.generation.consent
    consent.evidence.save("letter.pdf", ContentFile(b"%PDF-1.4"), save=False)
    type(consent).objects.filter(pk=consent.pk).update(evidence=consent.evidence.name)
    return [consent.pk]


def portrait(house: House) -> list[object]:
    return [_face_plea(house).pk]


def a_user(house: House) -> list[object]:
    return [house.member.pk]


def _of_models() -> Iterator[Address]:
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        rights = MODELS.get(name)
        if rights is None:
            continue  # test_addresses names it

        def may(letters: str, rights: Rights = rights) -> Access:
            reviewer, administrator = (bool(set(letters) & set(of)) for of in (rights.reviewer, rights.administrator))
            return staff(200 if reviewer else 403, 200 if administrator else 403)

        row = _first(model)
        yield Address(f"admin:{name}_changelist", "get", may("vc"))
        yield Address(f"admin:{name}_add", "get", may("a"))
        yield Address(f"admin:{name}_change", "get", may("vc"), of=row)
        yield Address(f"admin:{name}_history", "get", may("vc"), of=row)
        yield Address(f"admin:{name}_delete", "get", may("d"), of=row)


ADDRESSES: Final = (
    *_of_models(),
    Address("admin:index", "get", staff()),
    Address("admin:login", "get", staff(302, 302, stranger=403).but(visitor=302)),
    Address("admin:logout", "post", staff(302, 302)),
    Address("admin:password_change", "get", staff()),
    Address("admin:password_change_done", "get", staff()),
    Address("admin:autocomplete", "get", staff(403, 403)),
    Address("admin:jsi18n", "get", staff()),
    Address("admin:view_on_site", "get", staff(404, 404), of=lambda house: [0, 0]),
    Address("admin:app_list", "get", staff(404, 200), of=lambda house: ["auth"]),
    Address("admin:auth_user_password_change", "get", staff(403, 200), of=a_user),
    Address("admin:generation_consent_evidence", "get", staff(404, 200), of=evidence),
    Address("admin:generation_faceplea_portrait", "get", staff(), of=portrait),
)
