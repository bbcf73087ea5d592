"""The states of a job and every legal move between them, as one table."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PURGED = "purged"


UNFINISHED: Final = frozenset({JobState.QUEUED, JobState.RUNNING})
TERMINAL: Final = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})

MOVES: Final = frozenset(
    {
        (JobState.QUEUED, JobState.RUNNING),  # claimed
        (JobState.QUEUED, JobState.CANCELLED),  # nobody had begun
        (JobState.RUNNING, JobState.SUCCEEDED),
        (JobState.RUNNING, JobState.FAILED),
        (JobState.RUNNING, JobState.CANCELLED),
        (JobState.RUNNING, JobState.QUEUED),  # lease lost, worker drained, or a passing trouble
        (JobState.SUCCEEDED, JobState.PURGED),
        (JobState.FAILED, JobState.PURGED),
        (JobState.CANCELLED, JobState.PURGED),
    }
)


def legal(old: JobState, new: JobState) -> bool:
    return (old, new) in MOVES


class Standing(StrEnum):
    """What an attempt finds when it looks at its row: still its own, its own but no longer wanted, its own and
    to be finished with what there is, or another's."""

    OURS = "ours"
    CANCEL = "cancel"
    ENOUGH = "enough"
    LOST = "lost"
