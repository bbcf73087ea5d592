"""A channel layer that is away."""

from channels.layers import InMemoryChannelLayer


class Broken(InMemoryChannelLayer):
    async def send(self, channel: str, message: object) -> None:
        raise ConnectionError("away")
