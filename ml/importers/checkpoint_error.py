"""What is wrong with a checkpoint file, said with the file's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class CheckpointError(ValueError):
    """A checkpoint that is broken, hostile, or of another network.

    ``path`` is the file, ``problem`` the sentence without its name; the message is both.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path.name}: {problem}")
        self.path = path
        self.problem = problem
