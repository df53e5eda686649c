"""A message as a MIME mail: text and HTML, pictures inline, the same bytes for the same message."""

from __future__ import annotations

import hashlib
from datetime import UTC, tzinfo
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from warning.errors import DeliveryError
from warning.model import Message

NAME = "木棉哨 Kapok Watch"


def mime(message: Message, sender: str, *, zone: tzinfo = UTC, simulated: bool = False) -> EmailMessage:
    """Return the message as a mail.

    Args:
        message: As it lies in the outbox; ``created`` becomes the Date header.
        sender: An address without a name.
        zone: Of the centre's wall clock, for the Date header.
        simulated: Whether to add ``X-Kapok-Simulated: yes``, for filters.

    Raises:
        DeliveryError: permanent, if an address or a header cannot stand in a mail.
    """
    mail = EmailMessage(policy=SMTP)
    try:
        mail["From"] = Address(NAME, addr_spec=sender)
        mail["To"] = Address(addr_spec=message.recipient)
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(message.created.astimezone(zone))
        mail["Message-ID"] = message.message_id
        if message.references:
            mail["In-Reply-To"] = message.references[-1]
            mail["References"] = " ".join(message.references)
        mail["Auto-Submitted"] = "auto-generated"
        mail["Content-Language"] = "zh-CN"
        mail["X-Kapok-Kind"] = message.kind
        if simulated:
            mail["X-Kapok-Simulated"] = "yes"
        _add_body(mail, message)
    except (MessageError, ValueError, IndexError) as error:  # a line break in a header, half an address
        raise DeliveryError(
            f"{message.message_id} to {message.recipient!r} cannot be written as a mail: {error}", permanent=True
        ) from error
    _fix_boundaries(mail, message.message_id)
    return mail


def _add_body(mail: EmailMessage, message: Message) -> None:
    mail.set_content(message.text, cte="base64")
    if not message.html:
        return
    mail.add_alternative(message.html, subtype="html", cte="base64")
    html = next(part for part in mail.iter_parts() if part.get_content_type() == "text/html")
    for picture in message.attachments:
        main, _, sub = picture.media_type.partition("/")
        html.add_related(
            picture.content,
            maintype=main,
            subtype=sub,
            cid=f"<{picture.cid}>",
            filename=picture.filename,
            disposition="inline",
        )


def _fix_boundaries(mail: EmailMessage, message_id: str) -> None:
    """Replace the random boundaries, so that a repeat is the same mail to the byte."""
    for number, part in enumerate(mail.walk()):
        if part.is_multipart():
            token = hashlib.sha256(f"{message_id} {number}".encode("utf-8", "replace")).hexdigest()[:32]
            part.set_boundary(f"kapok-{token}")
