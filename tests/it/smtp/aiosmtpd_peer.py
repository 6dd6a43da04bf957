"""An SMTP server for the tests: Debian's python3-aiosmtpd, told by its arguments how to behave.

Each event is a JSON line on standard output: listening, command, mail, closed. At the end of standard
input it takes no more connections, serves those that it has to their end, and stops.
"""

import argparse
import asyncio
import base64
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


# Broken handshakes are what some tests are about; tracebacks about them would only hide real failures.
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")


def tell(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


class Told(SMTP):
    """Tells of every command before it is carried out, and of the end of each connection."""

    live = set()

    def connection_made(self, transport):
        Told.live.add(self)
        super().connection_made(transport)

    def connection_lost(self, error):
        super().connection_lost(error)
        Told.live.discard(self)
        tell("closed")

    async def smtp_EHLO(self, hostname):
        tell("command", verb="EHLO")
        await super().smtp_EHLO(hostname)

    async def smtp_STARTTLS(self, arg):
        tell("command", verb="STARTTLS")
        await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg):
        tell("command", verb="AUTH", mechanism=arg.split()[0])
        await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg):
        tell("command", verb="MAIL")
        await super().smtp_MAIL(arg)


class Handler:
    def __init__(self, user, token):
        self.xoauth2 = base64.b64encode(
            f"user={user}\x01auth=Bearer {token}\x01\x01".encode()
        ).decode()

    async def auth_XOAUTH2(self, server, arguments):
        return AuthResult(success=arguments[1:] == [self.xoauth2], handled=False)

    async def handle_DATA(self, server, session, envelope):
        tell(
            "mail",
            sender=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            options=envelope.mail_options,
            is_encrypted=server.transport.get_extra_info("cipher") is not None,
            is_authenticated=bool(session.authenticated),
            message=base64.b64encode(envelope.original_content).decode(),
        )
        return "250 2.0.0 taken by aiosmtpd"


async def main():
    options = argparse.ArgumentParser()
    options.add_argument("--certificate")
    options.add_argument("--key")
    options.add_argument("--implicit", action="store_true")
    options.add_argument("--user")
    options.add_argument("--password")
    options.add_argument("--token")
    options.add_argument("--no", action="append", default=[])
    options = options.parse_args()

    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)

    def check(server, session, envelope, mechanism, data):
        wanted = LoginPassword(options.user.encode(), (options.password or "").encode())
        is_right = isinstance(data, LoginPassword) and data == wanted
        return AuthResult(success=is_right and options.password is not None, handled=False)

    starttls = context is not None and not options.implicit
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Told(
            Handler(options.user, options.token),
            hostname="aiosmtpd.example.net",
            enable_SMTPUTF8=True,
            tls_context=context if starttls else None,
            require_starttls=starttls,
            auth_required=options.user is not None,
            auth_require_tls=starttls,
            auth_exclude_mechanism=options.no,
            authenticator=check,
            loop=loop,
        ),
        "127.0.0.1",
        0,
        ssl=context if options.implicit else None,
    )
    tell("listening", port=server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()
    while Told.live:
        await asyncio.sleep(0.01)


asyncio.run(main())
