"""A mail server for tests: python3 server.py MODE PORT PAPERS

MODE is starttls, where nothing is taken before it, tls, from the first byte, or bare, without TLS.
PAPERS is a file with a certificate and its key. It says what happens as lines of JSON, the port first.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

LOGIN = (b"ada@example.org", b"s@cret")
LATER = set()


def say(**what):
    print(json.dumps(what), flush=True)


def authenticate(server, session, envelope, mechanism, data):
    right = (data.login, data.password) == LOGIN
    say(login=right, sealed=is_sealed(server))
    return AuthResult(success=right, handled=False)


def is_sealed(server):
    return server.transport.get_extra_info("ssl_object") is not None


class Mails:
    """Takes every mail, but not for nobody@, and for later@ only when asked again."""

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.partition("@")[0]
        if name == "nobody":
            say(refused=550)
            return "550 no such mailbox"
        if name == "later" and address not in LATER:
            LATER.add(address)
            say(refused=451)
            return "451 come again"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        say(mail=envelope.content.decode(), to=envelope.rcpt_tos, sealed=is_sealed(server))
        return "250 ok"


async def main(mode, port, papers):
    context = None
    if mode != "bare":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(papers)
    always = mode == "tls"

    def conversation():
        return SMTP(
            Mails(),
            hostname="localhost",
            loop=loop,
            enable_SMTPUTF8=True,
            tls_context=None if always else context,
            require_starttls=mode == "starttls",
            authenticator=authenticate,
            auth_required=mode != "bare",
            # Under TLS from the first byte it has no other way to know that there is TLS.
            auth_require_tls=mode == "starttls",
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(conversation, "127.0.0.1", int(port), ssl=context if always else None)
    say(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
