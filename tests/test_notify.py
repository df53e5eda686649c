"""Mails as they leave the house: against the standard library's reader, a Maildir, and a real server that says no."""

from __future__ import annotations

import email
import email.policy
import mailbox
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from hypothesis import given, settings
from hypothesis import strategies as st

from warning.errors import DeliveryError
from warning.model import Attachment, Message
from warning.notify import CHANNELS, deliver
from warning.notify.email import Smtp
from warning.notify.file import Maildir
from warning.notify.message import mime

SENDER = "kapok@example.invalid"
PICTURE = Attachment(
    "GZ-20261121-0007@kapok.invalid", "GZ-20261121-0007.png", "image/png", b"\x89PNG\r\n\x1a\n picture"
)
MESSAGE = Message(
    message_id="<3f2a@kapok.invalid>",
    kind="alert",
    place="440106",
    date=date(2026, 11, 21),
    recipient="duty.officer@example.invalid",
    subject="【模拟】【红色风险提示】天河区·电信网络诈骗警情数·11月21日（GZ-20261121-0007）",
    text="11月21日，天河区电信网络诈骗警情数47起。\n",
    html='<p lang="zh-CN">47起</p><img src="cid:GZ-20261121-0007@kapok.invalid" alt="图">',
    created=datetime(2026, 11, 21, 23, 30, tzinfo=UTC),
    references=("<first@kapok.invalid>", "<second@kapok.invalid>"),
    attachments=(PICTURE,),
)


def read(content: bytes) -> EmailMessage:
    """Return a mail as a mail program sees it."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def parts(mail: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in mail.walk()]


def test_a_mail_program_finds_text_html_and_the_picture_the_html_refers_to() -> None:
    mail = read(mime(MESSAGE, SENDER).as_bytes())

    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    picture = next(part for part in mail.walk() if part.get_content_type() == "image/png")

    assert parts(mail) == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    assert text is not None
    assert text.get_content().splitlines() == MESSAGE.text.splitlines()
    assert html is not None
    assert html.get_content().strip() == MESSAGE.html
    assert picture["Content-ID"] == f"<{PICTURE.cid}>"
    assert picture.get_content() == PICTURE.content
    assert picture.get_content_disposition() == "inline"


@pytest.mark.parametrize(
    ("zone", "date"),
    [("Asia/Shanghai", "Sun, 22 Nov 2026 07:30:00 +0800"), ("Asia/Urumqi", "Sun, 22 Nov 2026 05:30:00 +0600")],
)
def test_the_date_of_a_mail_is_by_the_deployments_own_clock(zone: str, date: str) -> None:
    assert mime(MESSAGE, SENDER, zone=ZoneInfo(zone))["Date"] == date


def test_the_headers_name_thread_and_local_time() -> None:
    mail = read(mime(MESSAGE, SENDER, simulated=True, zone=ZoneInfo("Asia/Shanghai")).as_bytes())

    assert mail["Subject"] == MESSAGE.subject
    assert mail["From"].addresses[0].addr_spec == SENDER
    assert mail["To"] == MESSAGE.recipient
    assert mail["Message-ID"] == MESSAGE.message_id
    assert mail["In-Reply-To"] == "<second@kapok.invalid>"
    assert mail["References"].split() == list(MESSAGE.references)
    assert mail["Date"] == "Sun, 22 Nov 2026 07:30:00 +0800"
    assert mail["X-Kapok-Simulated"] == "yes"


def test_every_line_of_the_mail_is_ascii_and_short() -> None:
    lines = mime(MESSAGE, SENDER).as_bytes().split(b"\r\n")

    assert max(len(line) for line in lines) <= 78
    assert all(line.isascii() for line in lines)


def test_the_same_message_gives_the_same_bytes() -> None:
    assert mime(MESSAGE, SENDER).as_bytes() == mime(replace(MESSAGE), SENDER).as_bytes()


@settings(deadline=None)
@given(st.text(st.characters(), max_size=60), st.sampled_from(["subject", "recipient", "message_id", "kind"]))
def test_no_header_can_be_smuggled_in(text: str, name: str) -> None:
    message = replace(MESSAGE, **{name: f"a{text}\r\nBcc: all@example.invalid"})  # type: ignore[arg-type]

    with pytest.raises(DeliveryError) as refused:
        mime(message, SENDER)

    assert refused.value.permanent


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co"]), max_size=120))
def test_any_printable_subject_arrives_as_it_was(text: str) -> None:
    subject = " ".join(f"题{text}".split())

    mail = read(mime(replace(MESSAGE, subject=subject), SENDER).as_bytes())

    assert " ".join(str(mail["Subject"]).split()) == subject
    assert len(mail.get_all("Subject", [])) == 1
    assert mail["Bcc"] is None


def test_a_repeated_message_is_one_file_in_the_maildir(tmp_path: Path) -> None:
    channel = CHANNELS["file"](tmp_path, SENDER)

    deliver(MESSAGE, channel)
    deliver(MESSAGE, channel)

    [mail] = mailbox.Maildir(tmp_path, create=False)
    [file] = (tmp_path / "new").iterdir()
    assert mail["Message-ID"] == MESSAGE.message_id
    assert b"\r" not in file.read_bytes()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_two_messages_are_two_files(tmp_path: Path) -> None:
    for number in ("<1@k>", "<2@k>"):
        deliver(replace(MESSAGE, message_id=number), Maildir(tmp_path, SENDER))

    assert len(list((tmp_path / "new").iterdir())) == 2


def test_a_message_already_read_is_not_put_there_again(tmp_path: Path) -> None:
    channel = Maildir(tmp_path, SENDER)
    deliver(MESSAGE, channel)
    [file] = (tmp_path / "new").iterdir()
    file.rename(tmp_path / "cur" / f"{file.name}:2,S")

    deliver(MESSAGE, channel)

    assert list((tmp_path / "new").iterdir()) == []


def test_a_maildir_that_cannot_be_written_is_tried_again_later(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file, no folder")

    with pytest.raises(DeliveryError, match="the Maildir cannot be written") as refused:
        deliver(MESSAGE, Maildir(tmp_path / "mail", SENDER))

    assert not refused.value.permanent


class Desk:
    """A mail server's desk: notes what it accepts, or answers as it is told to."""

    def __init__(self, *, to_recipient: str = "", to_content: str = "") -> None:
        self.accepted: list[Envelope] = []
        self.to_recipient, self.to_content = to_recipient, to_content

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if self.to_recipient:
            return self.to_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.to_content:
            return self.to_content
        self.accepted.append(envelope)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(desk: Desk, **options: Any) -> Iterator[Callable[..., Smtp]]:
    """Run a server; yield a function that makes a channel to it."""
    controller = Controller(desk, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:

        def channel(**keywords: Any) -> Smtp:
            keywords = {"security": "none", "timeout": 5.0, **keywords}
            return Smtp(SENDER, host="127.0.0.1", port=controller.port, **keywords)

        yield channel
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 by an authority nobody else knows, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    shown, key = folder / "shown.pem", folder / "key.pem"
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    key.write_bytes(issued.private_key_pem.bytes())
    shown.write_bytes(b"".join(part.bytes() for part in (*issued.cert_chain_pems, authority.cert_pem)))
    return shown, key


def server_context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


def sesame(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """Let in who knows the word."""
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"kapok", b"sesame")
    return AuthResult(success=right, handled=False)


def test_a_server_gets_the_mail_as_it_was_written() -> None:
    desk = Desk()

    with serving(desk) as channel:
        deliver(MESSAGE, channel())

    [envelope] = desk.accepted
    assert envelope.mail_from == SENDER
    assert envelope.rcpt_tos == [MESSAGE.recipient]
    assert isinstance(envelope.content, bytes)
    assert read(envelope.content)["Subject"] == MESSAGE.subject


def test_mail_goes_encrypted_and_logged_in(certificate: tuple[Path, Path]) -> None:
    desk = Desk()
    options = {"tls_context": server_context(certificate), "require_starttls": True}

    with serving(desk, **options, auth_required=True, authenticator=sesame) as channel:
        deliver(MESSAGE, channel(security="starttls", user="kapok", password="sesame", ca_file=certificate[0]))  # noqa: S106

    assert len(desk.accepted) == 1


def test_mail_goes_over_tls_from_the_first_byte(certificate: tuple[Path, Path]) -> None:
    desk = Desk()

    with serving(desk, ssl_context=server_context(certificate)) as channel:
        deliver(MESSAGE, channel(security="tls", ca_file=certificate[0]))

    assert len(desk.accepted) == 1


def test_a_wrong_password_loses_no_message(certificate: tuple[Path, Path]) -> None:
    desk = Desk()

    with (
        serving(desk, tls_context=server_context(certificate), authenticator=sesame) as channel,
        pytest.raises(
            DeliveryError, match=r"127\.0\.0\.1 answered 535 .*; check mail\.smtp\.user and password"
        ) as refused,
    ):
        deliver(MESSAGE, channel(security="starttls", user="kapok", password="open", ca_file=certificate[0]))  # noqa: S106

    assert not refused.value.permanent
    assert desk.accepted == []


def test_a_certificate_nobody_vouches_for_is_refused_and_the_setting_named(certificate: tuple[Path, Path]) -> None:
    desk = Desk()

    with (
        serving(desk, tls_context=server_context(certificate)) as channel,
        pytest.raises(
            DeliveryError, match=r"not trusted: self.signed certificate.*; .* mail\.smtp\.ca_file"
        ) as refused,
    ):
        deliver(MESSAGE, channel(security="starttls"))

    assert not refused.value.permanent
    assert desk.accepted == []


def test_a_server_without_starttls_gets_nothing_in_the_clear() -> None:
    desk = Desk()

    with serving(desk) as channel, pytest.raises(DeliveryError, match=r"check mail\.smtp\.security"):
        deliver(MESSAGE, channel(security="starttls"))

    assert desk.accepted == []


@pytest.mark.parametrize(
    ("desk", "said", "permanent"),
    [
        pytest.param(Desk(to_recipient="550 no such user"), "550 no such user", True, id="no-such-user"),
        pytest.param(Desk(to_recipient="451 try again later"), "451 try again later", False, id="busy"),
        pytest.param(Desk(to_content="554 looks like spam"), "554 looks like spam", True, id="content-refused"),
        pytest.param(Desk(to_content="452 disk full"), "452 disk full", False, id="disk-full"),
    ],
)
def test_what_a_server_refuses_is_told_in_its_own_words(desk: Desk, said: str, permanent: bool) -> None:
    with serving(desk) as channel, pytest.raises(DeliveryError) as refused:
        deliver(MESSAGE, channel())

    assert str(refused.value) == f"127.0.0.1 answered {said}"
    assert refused.value.permanent is permanent


def test_nobody_at_the_port_is_a_fault_that_passes() -> None:
    channel = Smtp(SENDER, host="127.0.0.1", port=free_port(), security="none", timeout=5.0)

    with pytest.raises(DeliveryError, match=r"refused the connection; is a mail server running there\?") as refused:
        deliver(MESSAGE, channel)

    assert not refused.value.permanent


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        channel = Smtp(SENDER, host="127.0.0.1", port=mute.getsockname()[1], security="none", timeout=0.2)

        with pytest.raises(DeliveryError, match=r"did not answer within 0\.2 s") as refused:
            deliver(MESSAGE, channel)

    assert not refused.value.permanent


def test_a_ca_file_without_certificates_is_named(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing")

    with (
        serving(Desk(), tls_context=server_context(certificate)) as channel,
        pytest.raises(DeliveryError, match=r"ca\.pem: mail\.smtp\.ca_file holds no certificates"),
    ):
        deliver(MESSAGE, channel(security="starttls", ca_file=empty))


def test_a_password_is_not_shown() -> None:
    assert "sesame" not in repr(Smtp(SENDER, user="kapok", password="sesame"))  # noqa: S106
