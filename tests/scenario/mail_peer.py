# SPDX-License-Identifier: Apache-2.0
# A strict mail receiver for tests on aiosmtpd (Debian python3-aiosmtpd): STARTTLS or TLS from the start, AUTH demanded where a user is given.
# usage: mail_peer.py PORT MODE CERT KEY [USER PASSWORD]     MODE: plain, starttls, tls
# Prints one JSON line per mail taken. Receivers never@... are refused for good (550); later@... for now (451), the first two times.
import asyncio, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult

port, mode, cert, key = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
user, password = (sys.argv[5], sys.argv[6]) if len(sys.argv) > 6 else (None, None)
context = None
if mode != 'plain':
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
later = {}

class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('never@'):
            return '550 5.1.1 no such mailbox'
        if address.startswith('later@') and later.setdefault(address, 0) < 2:
            later[address] += 1
            return '451 4.3.0 come back'
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({'from': envelope.mail_from, 'to': envelope.rcpt_tos, 'data': envelope.original_content.decode('ascii'),
                          'tls': session.ssl is not None or mode == 'tls', 'user': getattr(session, 'who', None)}), flush=True)
        return '250 OK'

def authenticate(server, session, envelope, mechanism, data):
    good = data.login == user.encode() and data.password == password.encode()
    session.who = data.login.decode() if good else None
    return AuthResult(success=good, handled=False)

def factory():
    return SMTP(Handler(), hostname='mail.test', tls_context=context if mode == 'starttls' else None, require_starttls=mode == 'starttls',
                authenticator=authenticate if user else None, auth_required=bool(user), auth_require_tls=mode == 'starttls', enable_SMTPUTF8=False)

async def main():
    server = await asyncio.get_running_loop().create_server(factory, '127.0.0.1', port, ssl=context if mode == 'tls' else None)
    print('ready', flush=True)
    async with server:
        await server.serve_forever()

asyncio.run(main())
