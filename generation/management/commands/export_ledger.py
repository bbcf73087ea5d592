"""`manage.py export_ledger`: the ledger as JSON lines."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from generation import ledger


class Command(BaseCommand):
    help = "Print the ledger as JSON lines: hash, previous hash, and the body that was hashed, each line by itself."

    def handle(self, *args: Any, **options: Any) -> None:
        for line in ledger.export():
            self.stdout.write(line)
