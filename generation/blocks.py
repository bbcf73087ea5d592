"""What is refused for good: faces of people who asked never to be swapped, and pictures that were taken down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs import outputs

if TYPE_CHECKING:
    from collections.abc import Collection


class BlockedFace(models.Model):
    """The descriptor of one face, float32 little-endian. It cannot be turned back into a picture by anything here, and
    it is kept for one purpose: to refuse."""

    descriptor = models.BinaryField()
    method = models.CharField(max_length=40)  # descriptors of different methods are never compared
    note = models.CharField(max_length=200, blank=True, default="")
    created = models.DateTimeField(default=timezone.now, editable=False)
    plea = models.ForeignKey(
        "generation.FacePlea", null=True, blank=True, on_delete=models.SET_NULL, related_name="blocked"
    )

    class Meta:
        verbose_name = _("blocked face")
        verbose_name_plural = _("blocked faces")
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.note or f"face {self.pk}"


class BlockedPicture(models.Model):
    """One picture by its bytes and, where it is known, by its looks (64-bit perceptual hash, 16 hex digits)."""

    sha256 = models.CharField(max_length=64, blank=True, default="", db_index=True)
    perceptual_hash = models.CharField(max_length=16, blank=True, default="", db_index=True)
    note = models.CharField(max_length=200, blank=True, default="")
    created = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("blocked picture")
        verbose_name_plural = _("blocked pictures")
        ordering = ["-created"]
        constraints = [
            models.CheckConstraint(name="blocked_picture_known", condition=~Q(sha256="") | ~Q(perceptual_hash=""))
        ]

    def __str__(self) -> str:
        return self.note or f"picture {self.pk}"

    @classmethod
    def block(cls, *, sha256: str = "", perceptual_hash: str = "", note: str = "") -> None:
        cls.objects.get_or_create(sha256=sha256, perceptual_hash=perceptual_hash, defaults={"note": note})

    @classmethod
    def looks(cls) -> list[str]:
        """The perceptual hashes of all such pictures, and of the same seen in a mirror."""
        known = cls.objects.exclude(perceptual_hash="").values_list("perceptual_hash", flat=True).distinct()
        return [each for look in known for each in (look, outputs.mirrored(look))]

    @classmethod
    def holds(cls, sha256: str = "", perceptual_hash: str = "") -> bool:
        """Whether a picture is refused: by its bytes, or by its looks."""
        return bool(cls.among([(sha256, perceptual_hash)]))

    @classmethod
    def among(cls, pictures: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these (sha256, perceptual hash; each may be empty) are refused; the queries do not grow."""
        wanted = {sha256 for sha256, _look in pictures} - {""}
        sums = set(cls.objects.filter(sha256__in=wanted).values_list("sha256", flat=True)) if wanted else set()
        looks = cls.looks() if any(look for _sum, look in pictures) else []
        return {
            (sha256, seen)
            for sha256, seen in pictures
            if sha256 in sums or (seen and any(outputs.distance(seen, look) <= outputs.LOOK_ALIKE for look in looks))
        }
