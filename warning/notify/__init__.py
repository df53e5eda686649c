"""Channels: how a message leaves the house.

A channel is one file here and one line in ``CHANNELS``; it raises ``DeliveryError`` when the other side says no.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from warning.model import Message
from warning.notify.email import Smtp
from warning.notify.file import Maildir

log = logging.getLogger(__name__)


class Channel(Protocol):
    """Somewhere a message can be handed to; handing the same one over twice must do no harm."""

    def send(self, message: Message) -> None:
        """Return when the other side has accepted the message.

        Raises:
            DeliveryError: if it has not; ``permanent`` when trying again is pointless.
        """


CHANNELS: dict[str, Callable[..., Channel]] = {"file": Maildir, "smtp": Smtp}


def deliver(message: Message, channel: Channel) -> None:
    """Send the message, and log that it was accepted.

    Raises:
        DeliveryError: as the channel.
    """
    channel.send(message)
    log.info(
        "message delivered id=%s kind=%s place=%s date=%s",
        message.message_id,
        message.kind,
        message.place,
        message.date,
    )
