"""Mail by SMTP: plain text, one recipient, one purpose."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from sla_manager.kernel.errors import GatewayFailed

TIMEOUT_SECONDS = 20

Send = Callable[[str, str, str, str], None]
"""Takes recipient, subject, body and the message's key; raises `GatewayFailed` when it was not taken."""


def smtp_sender(server: str, sender: str) -> Send:
    """Return a function that sends mail through `host:port`. The key becomes the Message-ID, so that a mail that
    is sent twice after a crash is recognised as the same one."""
    host, _, port = server.partition(":")

    def send(recipient: str, subject: str, body: str, key: str) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, recipient, subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(idstring=key.replace(":", "."), domain=sender.rpartition("@")[2])
        message.set_content(body)
        try:
            with smtplib.SMTP(host, int(port or "25"), timeout=TIMEOUT_SECONDS) as connection:
                connection.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise GatewayFailed(f"The mail server {server} did not take the mail: {error}") from error

    return send
