"""The list of what lies on the desk: filtered, ordered, by pages. However long it is, the number of queries stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.paginator import Paginator
from django.db.models import Count, Exists, F, OuterRef

from detection import pictures
from detection.desk import claims, judgements

from .codes import OPEN, Stand
from .forms import View
from .models import Flag, Judgement, ReviewItem

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import QueryDict

    from .models import ReviewItemQuerySet

PAGE_SIZE: Final = 25
ORDERS: Final = {
    "urgent": ("-urgency", "flagged", "subject"),
    "oldest": ("flagged", "subject"),
    "newest": ("-flagged", "subject"),
}


def chosen_items(view: dict[str, str], user: User) -> ReviewItemQuerySet:
    items = ReviewItem.objects.all()
    state = view["state"]
    if state == "mine":
        own = Judgement.objects.filter(item=OuterRef("pk"), reviewer=user, undone=None)
        items = items.filter(Exists(own)).order_by(F("decided").desc(nulls_first=True), "subject")
    else:
        items = items.filter(state=state)
        items = items.order_by("-decided") if state == Stand.SETTLED else items.order_by(*ORDERS[view["order"]])
    if "reason" in view:
        items = items.filter(Exists(Flag.objects.filter(item=OuterRef("pk"), reason=view["reason"])))
    for field in ("level", "media"):
        if field in view:
            items = items.filter(**{f"subject__{field}": view[field]})
    return items


def counts() -> dict[str, int]:
    """How many items stand how, in one look."""
    found = ReviewItem.objects.filter(state__in=[*OPEN, Stand.SETTLED, Stand.CLOSED]).order_by()
    return dict(found.values_list("state").annotate(Count("pk")))


def context(query: QueryDict, user: User) -> dict[str, Any]:
    form = View(query)
    view = form.chosen()
    items = chosen_items(view, user).select_related("subject", "subject__display", "claimed_by")
    page = Paginator(items.prefetch_related("flags"), PAGE_SIZE).get_page(query.get("page"))
    for item in page:
        pictures.address(item.subject, [], pictures.for_owner)
    kept = query.copy()
    kept.pop("page", None)
    return {
        "form": View(initial=view),
        "view": view,
        "page_obj": page,
        "counts": counts(),
        "held": claims.held_by(user),
        "recent": judgements.recent(user),
        "kept_query": kept.urlencode(),
        "filtered": bool({"reason", "level", "media"} & view.keys()),
    }
