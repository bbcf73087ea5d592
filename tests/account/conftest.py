"""A member with everything in use, and another one beside them."""

from tests.generation.conftest import ada, ada_client, ben, house

__all__ = ["ada", "ada_client", "ben", "house"]
