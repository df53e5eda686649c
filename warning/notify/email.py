"""Mail by SMTP; the only module that knows smtplib.

A refusal is permanent only when the server refuses *this message* for good (5xx to its sender, recipient or
content).  A wrong password, an untrusted certificate or a silent server is a fault of the line: the outbox
keeps the message, and it goes out once an operator has mended that.
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from email.message import EmailMessage
from pathlib import Path

from warning.errors import DeliveryError
from warning.model import Message
from warning.notify.message import mime

SECURITY = ("starttls", "tls", "none")


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server.

    Args:
        sender: Address the mails come from.
        host, port: Of the server.
        security: "starttls" (usually port 587), "tls" (usually 465) or "none".
        user, password: For AUTH; no AUTH when ``user`` is "".
        timeout: Seconds for each step of the conversation.
        ca_file: Certificates to trust instead of the system's, PEM.
        simulated: Whether mails carry ``X-Kapok-Simulated``.
        zone: Of the centre's wall clock, for the Date header.

    Raises:
        ValueError: if ``security`` is none of the three.
    """

    sender: str
    host: str = "localhost"
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 20.0  # seconds
    ca_file: Path | None = None
    simulated: bool = False
    zone: tzinfo = UTC

    def __post_init__(self) -> None:
        if self.security not in SECURITY:
            raise ValueError(f"security must be one of {', '.join(SECURITY)}, found {self.security!r}")

    def send(self, message: Message) -> None:
        """Hand the message to the server.

        Raises:
            DeliveryError: with what the server answered.
        """
        mail = mime(message, self.sender, zone=self.zone, simulated=self.simulated)
        server = self._connect()
        try:
            self._hand_over(server, mail, message.recipient)
        finally:
            # The server has answered already: a quarrel over good-bye does not undo that.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _connect(self) -> smtplib.SMTP:
        """Return a connection, encrypted and logged in as far as the settings say."""
        here = self.sender.rpartition("@")[2]  # EHLO; the machine's own name would be looked up
        trust = None if self.security == "none" else self._trust()
        server: smtplib.SMTP | None = None
        try:
            if self.security == "tls":
                server = smtplib.SMTP_SSL(
                    self.host, self.port, local_hostname=here, timeout=self.timeout, context=trust
                )
            else:
                server = smtplib.SMTP(self.host, self.port, local_hostname=here, timeout=self.timeout)
            if self.security == "starttls":
                server.starttls(context=trust)
            if self.user:
                server.login(self.user, self.password)
        except (smtplib.SMTPException, OSError) as error:
            if server is not None:
                server.close()
            raise DeliveryError(self._line_fault(error), permanent=False) from error
        return server

    def _hand_over(self, server: smtplib.SMTP, mail: EmailMessage, recipient: str) -> None:
        try:
            server.send_message(mail, from_addr=self.sender, to_addrs=[recipient])
        except smtplib.SMTPRecipientsRefused as error:
            code, text = error.recipients[recipient]
            raise DeliveryError(f"{self.host} answered {code} {_words(text)}", permanent=code >= 500) from error
        except smtplib.SMTPResponseException as error:
            answer = f"{self.host} answered {error.smtp_code} {_words(error.smtp_error)}"
            raise DeliveryError(answer, permanent=error.smtp_code >= 500) from error
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryError(self._line_fault(error), permanent=False) from error

    def _trust(self) -> ssl.SSLContext:
        """Raises DeliveryError if ``ca_file`` cannot be used."""
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            reason = f"{self.ca_file}: mail.smtp.ca_file holds no certificates: {error.strerror or error}"
            raise DeliveryError(reason, permanent=False) from error

    def _line_fault(self, error: Exception) -> str:
        """Return who did not do what, and the setting to look at."""
        where = f"{self.host}:{self.port}"
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return (
                f"{self.host} answered {error.smtp_code} {_words(error.smtp_error)}; check mail.smtp.user and password"
            )
        if isinstance(error, smtplib.SMTPResponseException):
            return f"{self.host} answered {error.smtp_code} {_words(error.smtp_error)}"
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return f"{where} cannot do what is asked of it: {error}; check mail.smtp.security and user"
        if isinstance(error, ssl.SSLCertVerificationError):
            found = f"{where} shows a certificate that is not trusted: {error.verify_message}"
            return f"{found}; name its authority in mail.smtp.ca_file"
        if isinstance(error, ssl.SSLError):
            return f"{where} does not speak TLS as expected: {error.reason or error}; check mail.smtp.security and port"
        if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):  # smtplib wraps it
            return f"{where} did not answer within {self.timeout:g} s"
        if isinstance(error, ConnectionRefusedError):
            return f"{where} refused the connection; is a mail server running there?"
        if isinstance(error, OSError) and error.strerror:
            return f"{where} cannot be reached: {error.strerror}"
        return f"{where} broke off: {error}"


def _words(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())
