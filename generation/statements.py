"""The consent step of a wizard: for each file either a statement that holds already, or the form to make one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import uploads
from .forms import ConsentForm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import QueryDict
    from django.utils.datastructures import MultiValueDict

    from jobs.models import Artifact
    from jobs.requester import Requester

    from .consents import Consent


@dataclass(slots=True)
class Step:
    """`held`: what the member has stated about these very bytes before; then there is nothing to fill in."""

    role: str
    title: str
    artifact: Artifact
    form: ConsentForm
    held: Consent | None

    def is_valid(self) -> bool:
        return self.held is not None or self.form.is_valid()

    def save(self, requester: Requester) -> Consent:
        """Raises Refused for words that are not those in force."""
        return self.held or self.form.save(requester, self.artifact)


def steps(
    requester: Requester,
    files: Mapping[str, tuple[str, Artifact]],
    posted: QueryDict | None = None,
    sent: MultiValueDict[str, Any] | None = None,
) -> list[Step]:
    """One step a file, in their order. `files`: by role, what is asked about it and the file."""
    user = requester.user
    made = []
    for role, (title, artifact) in files.items():
        held = None if user is None else uploads.consent_for(user, artifact)
        made.append(Step(role, str(title), artifact, ConsentForm(posted, sent, prefix=role), held))
    return made
