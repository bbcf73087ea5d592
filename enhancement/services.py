"""Everything that changes an enhancement: submit, do it again otherwise, delete. Views and API call only these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs import books, intake, lifecycle, outputs, quotas
from jobs.errors import IntakeError
from jobs.models import Artifact, Job

from . import wishes
from .kinds import NAME, VIDEO, kind_for
from .models import Enhancement
from .refusals import Gone, NotSignedIn, WrongWish

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.core.files.uploadedfile import UploadedFile

    from jobs.requester import Requester

    from .wishes import Wish


def submit_enhancement(
    requester: Requester,
    upload: UploadedFile[bytes],
    wish: Wish,
    truth: UploadedFile[bytes] | None = None,
) -> Enhancement:
    """Take a picture in and queue its enhancement. Raises PersonError (IntakeError for a file, WrongWish for what is
    wanted, NotSignedIn) and QuotaExceeded; then nothing is kept."""
    if requester.user is None:
        raise NotSignedIn
    if intake.is_video(upload):
        wish = wishes.checked_for_video(wish)
        _no_truth(truth)
        return _queue(requester, intake.accept_video(upload, requester, VIDEO), wish, None, is_video=True)
    wish = wishes.checked(wish)
    return _queue(requester, intake.accept_picture(upload, requester, NAME), wish, truth)


def _no_truth(truth: UploadedFile[bytes] | None) -> None:
    if truth is not None:
        raise WrongWish(_("A true picture to compare with can be given for pictures only."), "wrong_wish", "truth")


def enhance_again(
    enhancement: Enhancement, requester: Requester, wish: Wish, truth: UploadedFile[bytes] | None = None
) -> Enhancement:
    """Queue the same picture once more, with other settings; the earlier work stays. Raises as `submit_enhancement`,
    and Gone where the picture is not kept any more."""
    if requester.user is None or enhancement.owner_id != requester.user.pk:
        raise NotSignedIn
    is_video = enhancement.media == Enhancement.Media.VIDEO
    wish = wishes.checked_for_video(wish) if is_video else wishes.checked(wish)
    if is_video:
        _no_truth(truth)
    if enhancement.source is None or enhancement.withdrawn is not None:
        raise Gone
    quotas.check(requester, NAME)
    source = _copy(enhancement.source, requester)
    kept_truth = enhancement.truth if truth is None and _same_size(enhancement, wish) else None
    return _queue(requester, source, wish, truth, kept_truth, is_video=is_video)


def _same_size(enhancement: Enhancement, wish: Wish) -> bool:
    """A truth is as large as the result: for another scale another one is needed."""
    return (wish.scale or 1) == (enhancement.scale or 1)


def _queue(
    requester: Requester,
    source: Artifact,
    wish: Wish,
    truth: UploadedFile[bytes] | None,
    kept_truth: Artifact | None = None,
    *,
    is_video: bool = False,
) -> Enhancement:
    stored = [source.id]
    try:
        width, height = source.width or 0, source.height or 0
        if is_video:
            wishes.check_frame(wish, width, height)
        else:
            wishes.check_size(wish, width, height)
            wishes.check_time(wish, width, height)
        true_picture: Artifact | None = None
        if truth is not None:
            true_picture = _accept_truth(truth, requester)
        elif kept_truth is not None:
            true_picture = _copy(kept_truth, requester)
        files = [source] if true_picture is None else [source, true_picture]
        stored = [artifact.id for artifact in files]
        with transaction.atomic():
            told = {"source": str(source.pk), "truth": str(true_picture.pk) if true_picture else ""}
            kind = VIDEO if is_video else kind_for(wish, width, height)
            job = lifecycle.submit(kind, requester, files, told)
            return Enhancement.objects.create(
                job=job,
                owner=requester.user,
                media=Enhancement.Media.VIDEO if is_video else Enhancement.Media.PICTURE,
                title=source.original_name or _("Picture"),
                task=wish.task,
                methods=list(wish.methods),
                methods_index=f"|{'|'.join(wish.methods)}|"[:600],
                scale=wish.scale,
                strength=wish.strength,
                file_format=wish.file_format,
                source=source,
                truth=true_picture,
                created=job.created,
            )
    except BaseException:
        # The transaction took back whatever was done to the artifacts inside it, their deletion too.
        for artifact in Artifact.objects.filter(pk__in=stored):
            artifact.delete()
        raise


def _accept_truth(upload: UploadedFile[bytes], requester: Requester) -> Artifact:
    try:
        return intake.accept_picture(upload, requester, NAME)
    except IntakeError as error:
        raise WrongWish(error.message, error.code, "truth") from error


def _copy(original: Artifact, requester: Requester) -> Artifact:
    """The same bytes for another job: each job's files go with it, and with nothing else."""
    try:
        return original.copy(owner=requester.user, purge_after=timezone.now() + lifecycle.keep_for(requester))
    except FileNotFoundError:
        raise Gone from None


def can_go_again(enhancement: Enhancement) -> bool:
    return enhancement.source_id is not None and enhancement.withdrawn is None


def delete_enhancement(enhancement: Enhancement) -> None:
    """Take it away now: its rows and its files, and its job if that still goes on."""
    with transaction.atomic():
        lifecycle.forget(enhancement.job_id)
        # A job that runs has been told to stop, and ends without publishing. Nothing of the picture waits for that.
        for artifact in Artifact.objects.filter(job_id=enhancement.job_id):
            artifact.delete()
        Enhancement.objects.filter(pk=enhancement.pk).delete()


def delete_all(enhancements: Iterable[Enhancement]) -> int:
    """Take several away; returns how many."""
    count = 0
    for enhancement in enhancements:
        delete_enhancement(enhancement)
        count += 1
    return count


def take_back(enhancement: Enhancement, *, block: bool) -> None:
    """What it was made of was taken down, or it was itself: its files go, and whoever made something of it is told.
    block: the picture that was sent is refused from now on."""
    with transaction.atomic():
        # In the order in which publishing takes them, or each would wait for the other.
        list(Job.objects.select_for_update().filter(pk=enhancement.job_id).values_list("pk", flat=True))
        if not Enhancement.objects.filter(pk=enhancement.pk, withdrawn=None).update(
            withdrawn=timezone.now(), title="", figures={}
        ):
            return
        lifecycle.cancel(enhancement.job_id)
        if block and enhancement.source is not None:
            books.kept().block(enhancement.source.sha256, enhancement.perceptual_hash)
        for artifact in Artifact.objects.filter(job_id=enhancement.job_id):
            artifact.delete()
        outputs.withdraw(enhancement.job_id)
        books.take_back(enhancement.job_id)
