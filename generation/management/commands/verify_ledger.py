"""`manage.py verify_ledger`: is the ledger whole?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from generation import ledger
from generation.models import LedgerEntry

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Follow the ledger from its first line and say what is wrong with it; ends with status 1 where anything is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head",
            default="",
            metavar="HASH",
            help="a last hash that was noted earlier: it must still be in the chain",
        )

    def handle(self, *args: Any, head: str = "", **options: Any) -> None:
        found = list(ledger.faults())
        if head and not LedgerEntry.objects.filter(hash=head).exists():
            found.append(f"the line with the hash {head} is gone")
        for fault in found:
            self.stderr.write(fault)
        if found:
            raise CommandError(f"the ledger is broken: {len(found)} faults")
        last = LedgerEntry.objects.order_by("-number").first()
        self.stdout.write("0 lines" if last is None else f"{last.number} lines, whole; last hash {last.hash}")
