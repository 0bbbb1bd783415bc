"""Mail by SMTP: plain text, one recipient, one purpose, and the files that go with it."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from sla_manager.kernel.errors import GatewayFailed

TIMEOUT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A PDF that goes with a mail."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail ready to go. `key` is the same each time this mail is tried."""

    recipient: str
    subject: str
    body: str
    key: str
    attachments: tuple[AttachedFile, ...] = ()


Send = Callable[[Mail], None]
"""Takes a mail; raises `GatewayFailed` when it was not taken."""


def smtp_sender(server: str, sender: str) -> Send:
    """Return a function that sends mail through `host:port`. The key becomes the Message-ID, so that a mail that
    is sent twice after a crash is recognised as the same one."""
    host, _, port = server.partition(":")

    def send(mail: Mail) -> None:
        message = written(mail, sender)
        try:
            with smtplib.SMTP(host, int(port or "25"), timeout=TIMEOUT_SECONDS) as connection:
                connection.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise GatewayFailed(f"The mail server {server} did not take the mail: {error}") from error

    return send


def written(mail: Mail, sender: str) -> EmailMessage:
    """Return a mail as it goes over the wire; a header with a line end in it is a `ValueError`.

    >>> file = AttachedFile("contract.pdf", b"%PDF-1.7")
    >>> mail = Mail(recipient="a@school.example", subject="S", body="B", key="k:1", attachments=(file,))
    >>> [part.get_filename() for part in written(mail, "council@council.example").iter_attachments()]
    ['contract.pdf']
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, mail.recipient, mail.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(idstring=mail.key.replace(":", "."), domain=sender.rpartition("@")[2])
    message.set_content(mail.body)
    for file in mail.attachments:
        message.add_attachment(file.content, maintype="application", subtype="pdf", filename=file.filename)
    return message
