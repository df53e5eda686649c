"""Mail into a Maildir: for drills, tests, and machines without a mail server.

The name of a file follows from the Message-ID, so that a message written twice (a crash between sending
and noting it) is one file.  ``tmp`` to ``new`` by a rename, flushed to disk: a reader sees all or nothing.

Source: https://cr.yp.to/proto/maildir.html
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path

from warning.errors import DeliveryError
from warning.model import Message
from warning.notify.message import mime


@dataclass(frozen=True, slots=True)
class Maildir:
    """A folder with ``tmp``, ``new`` and ``cur``, made when the first message comes."""

    folder: Path
    sender: str
    simulated: bool = False
    zone: tzinfo = UTC

    def send(self, message: Message) -> None:
        """Write the message to ``new``; do nothing if a person has already read it.

        Raises:
            DeliveryError: temporary if the folder cannot be written, permanent if the message is no mail.
        """
        mail = mime(message, self.sender, zone=self.zone, simulated=self.simulated)
        content = mail.as_bytes(policy=mail.policy.clone(linesep="\n"))  # a Maildir holds lines as the machine does
        name = hashlib.sha256(message.message_id.encode()).hexdigest()[:32] + ".kapok"
        try:
            self._write(name, content)
        except OSError as error:
            reason = f"{self.folder}: the Maildir cannot be written: {error.strerror or error}"
            raise DeliveryError(reason, permanent=False) from error

    def _write(self, name: str, content: bytes) -> None:
        for part in ("tmp", "new", "cur"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        if any((self.folder / "cur").glob(f"{name}*")):  # readers move a mail there and append its flags
            return
        unfinished = self.folder / "tmp" / name
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.folder / "new" / name)
        folder = os.open(self.folder / "new", os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
