"""Every address, asked by everybody. How to add one: addresses/__init__.py."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.cache import cache
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver

from deepfake_site.api import api
from generation import identities
from jobs import kinds
from tests.generation.mirror import MIRROR
from tests.security.addresses import ADDRESSES, desk
from tests.security.addresses.address import PEOPLE, STRANGERS
from tests.security.addresses.house import build

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from django.http.response import HttpResponseBase

    from tests.security.addresses.address import Address
    from tests.security.addresses.house import House

METHODS = ("get", "post", "put", "patch", "delete")


# --- The table and the program ----------------------------------------------------------------------------------------
def names(patterns: Iterable[URLPattern | URLResolver], namespace: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = ":".join(part for part in (namespace, pattern.namespace or "") if part)
            yield from names(pattern.url_patterns, inner)
        elif pattern.name:
            yield f"{namespace}:{pattern.name}" if namespace else pattern.name
        else:
            assert namespace == "admin", f"{pattern} has no name"  # the admin's own redirect and its 404


def test_no_address_is_missing_in_the_table_and_none_stands_there_in_vain() -> None:
    assert {address.name for address in ADDRESSES} == set(names(get_resolver().url_patterns))


def test_every_model_of_the_desk_is_in_its_table() -> None:
    registered = {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}
    assert set(desk.MODELS) == registered


def test_every_method_of_the_api_is_in_the_table() -> None:
    operations = {
        (f"api:{operation.url_name or view.url_name}", method.lower())
        for _prefix, router in api._routers
        for view in router.path_operations.values()
        for operation in view.operations
        for method in operation.methods
    }
    assert operations
    assert operations <= {(address.name, address.method) for address in ADDRESSES}


def test_no_line_is_there_twice() -> None:
    lines = Counter(str(address) for address in ADDRESSES if not str(address).startswith("get admin:"))
    assert [line for line, times in lines.items() if times > 1] == []


# --- Asking -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def houses(db: None, media_root: Path, settings: Any, tmp_path: Path) -> Iterator[tuple[House, House]]:
    settings.GENERATION_AUTHORITY_DIR = tmp_path / "authority"
    logging.getLogger("django.request").setLevel(logging.CRITICAL)  # a thousand refusals are what is asked for
    kinds.register(MIRROR)
    identities.register(identities.Identity("nobody-1", "Nobody the First"))
    yield build()
    logging.getLogger("django.request").setLevel(logging.NOTSET)
    kinds.unregister(MIRROR.name)
    identities.unregister("nobody-1")


def ask(house: House, address: Address, person: str, method: str, path: str) -> tuple[HttpResponseBase, str]:
    cache.clear()  # limits of how often one may ask are counted there
    client = house.client(person)
    options: dict[str, Any] = {"headers": {"Accept": address.accept}}
    if method == "post":
        options["data"] = address.sent(house)
    response = getattr(client, method)(path, **options)
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return response, body.decode("utf-8", "replace")


def rows() -> dict[str, dict[Any, dict[str, Any]]]:
    """Every row of the site's own tables, as it stands."""
    ours = ("jobs", "detection", "generation", "enhancement", "auth", "account", "mfa", "usersessions")
    return {
        model._meta.label: {row[model._meta.pk.attname]: row for row in model._base_manager.values()}
        for model in apps.get_models()
        if model._meta.app_label in ours and not model._meta.proxy
    }


def changes(before: dict[str, dict[Any, Any]]) -> list[str]:
    after = rows()
    return [f"{label} {pk}" for label, old in before.items() for pk, row in old.items() if after[label].get(pk) != row]


def question(house: House, address: Address, person: str) -> Iterator[str]:
    """What is wrong with the answer that this person gets; nothing of it stays."""
    with transaction.atomic():
        path = address.path(house)
        stranger = person in STRANGERS
        # At the desk strangers get no further than its door, the same for all of it.
        before = rows() if stranger and not address.name.startswith("admin:") else {}
        response, body = ask(house, address, person, address.method, path)
        expected = getattr(address.access, person)
        if response.status_code != expected:
            yield f"{address}: {person} gets {response.status_code} instead of {expected}"
        if stranger:
            yield from (f"{address}: {person} changed {row}" for row in changes(before))
        if stranger and not address.told and response.status_code != 404:
            # Their own question may be repeated to them.
            words = [word for word in house.words() if word in body.replace(path, "")]
            yield from (f"{address}: {person} reads {word!r}" for word in words)
        transaction.set_rollback(True)


def test_each_of_five_people(houses: tuple[House, House]) -> None:
    wrong = [line for address in ADDRESSES for person in PEOPLE for line in question(houses[0], address, person)]
    assert not wrong, "\n".join(wrong)


def test_a_visitors_things_are_theirs_alone(houses: tuple[House, House]) -> None:
    of_visitors = [address for address in ADDRESSES if address.visitors]
    wrong = [line for address in of_visitors for person in PEOPLE for line in question(houses[1], address, person)]
    assert not wrong, "\n".join(wrong)


def other_methods(house: House, address: Address, person: str) -> Iterator[str]:
    with transaction.atomic():
        path = address.path(house)
        before = rows()
        for method in METHODS:
            response, _body = ask(house, address, person, method, path)
            asked = f"{method} {address.name} by {person}"
            if response.status_code not in (302, 400, 401, 403, 404, 405):
                yield f"{asked}: {response.status_code}"
            if response.status_code == 302 and "login" not in response["Location"]:
                yield f"{asked}: sent to {response['Location']}"
        yield from (f"{address.name}: {person} changed {row}" for row in changes(before))
        transaction.set_rollback(True)


def test_no_other_method_opens_a_door(houses: tuple[House, House]) -> None:
    """What belongs to one person is asked for by strangers with every method that HTTP has."""
    private = [a for a in ADDRESSES if not a.told and a.access.owner != a.access.other]
    wrong = [
        line
        for address in {address.name: address for address in private}.values()
        for house in (houses if address.visitors else houses[:1])
        for person in STRANGERS
        for line in other_methods(house, address, person)
    ]
    assert not wrong, "\n".join(wrong)
