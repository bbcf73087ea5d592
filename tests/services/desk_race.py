"""Run by test_desk in a process of its own, on the database that DATABASE_URL names: reviewers who want the same items.

Prints one JSON object. A module of its own because the suite's Django is bound to SQLite.
"""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import django

django.setup()

from django.contrib.auth.models import Group, User
from django.db import connection, connections

from detection.desk import claims, flags, judgements
from detection.desk.codes import Reason, Verdict
from detection.models import Check, JudgementEntry, ReviewItem
from jobs.models import Job

PEOPLE = 8


def person(number: int) -> User:
    user = User.objects.create_user(f"r{number}", f"r{number}@unmask.example", is_staff=True)
    user.groups.add(Group.objects.get(name="reviewer"))
    return user


def item(number: int) -> str:
    job = Job.objects.create(kind="check", owner_key=f"session:v{number}")
    check = Check.objects.create(job=job, session_key=f"v{number}", title=f"{number}", level="inconclusive")
    flags.put(check, [flags.Found(Reason.INCONCLUSIVE, 15)])
    return str(check.pk)


def work(barrier: threading.Barrier, user: User, judged: dict[str, list[int]], lock: threading.Lock) -> None:
    """Take the most urgent item and judge it, until nothing is left; everybody starts at the same moment."""
    try:
        barrier.wait(30)
        while (pk := claims.claim_next(user)) is not None:
            try:
                judgements.judge(pk, user, Verdict.AUTHENTIC)
            except judgements.NotHeld:
                continue
            with lock:
                judged.setdefault(str(pk), []).append(user.pk)
    finally:
        connections.close_all()


def one_item(people: list[User], pk: str) -> int:
    """How many of all who ask for one item at the same moment get it."""
    barrier = threading.Barrier(len(people))

    def take(user: User) -> bool:
        try:
            barrier.wait(30)
            return claims.claim(pk, user)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(people)) as pool:
        return sum(pool.map(take, people))


def held_twice() -> list[str]:
    """What the trail tells of items that somebody took up while they were in another's hands."""
    found, holder = [], {}
    for entry in JudgementEntry.objects.filter(event__in=("claimed", "released", "judged")).order_by("pk"):
        if entry.event == "claimed" and entry.check_ref in holder:
            found.append(str(entry.check_ref))
        if entry.event == "claimed":
            holder[entry.check_ref] = entry.actor
        else:
            holder.pop(entry.check_ref, None)
    return found


def main(items: int) -> dict[str, object]:
    people = [person(number) for number in range(PEOPLE)]
    alone = [one_item(people, item(1000 + number)) for number in range(20)]
    ReviewItem.objects.all().delete()
    laid = [item(number) for number in range(items)]
    barrier, judged, lock = threading.Barrier(PEOPLE), {}, threading.Lock()
    with ThreadPoolExecutor(PEOPLE) as pool:
        list(pool.map(lambda user: work(barrier, user, judged, lock), people))
    return {
        "vendor": connection.vendor,
        "alone": alone,
        "laid": sorted(laid),
        "judged": sorted(judged),
        "by": [len(who) for who in judged.values()],
        "people": len({user for who in judged.values() for user in who}),
        "settled": ReviewItem.objects.filter(state="settled").count(),
        "held_twice": held_twice(),
    }


if __name__ == "__main__":
    json.dump(main(int(sys.argv[1])), sys.stdout)
