// SPDX-License-Identifier: Apache-2.0
// Invitations: by a link to hand over where no mail server is configured, else by mail through a real SMTP dialogue (aiosmtpd: STARTTLS with
// verification, AUTH, refusals for good and for now); who may invite whom to what; that nobody can invite their way into another's account.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, existsTool, freePort, platform, request, run, start, until } from './kit.mjs';

const form = (o) => new URLSearchParams(o).toString();
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const cookieOf = (r) => r.headers['set-cookie']?.[0].split(';')[0];

async function cast(p) {
  const operator = await p.operator(), orgs = {}, tokens = {};
  const good = async (token, method, path, body) => { const r = await p.call(token, method, path, body); assert.equal(r.status, 200, `${path} ${r.text}`); return r.json; };
  for (const [slug, kind, role] of [['maker-a', 'maker', 'maker.owner'], ['maker-b', 'maker', 'maker.owner'], ['lab-a', 'lab', 'lab.manager'], ['cla-a', 'cla', 'cla.reviewer']]) {
    orgs[slug] = (await good(operator, 'POST', '/api/v1/organisations', { kind, name: `${slug} (fictional)`, slug, contact: '', facts: {} })).id;
    const { id } = await good(operator, 'POST', '/api/v1/people', { name: `Head of ${slug}`, email: `head@${slug}.example` });
    await good(operator, 'POST', '/api/v1/memberships', { person_id: id, org_id: orgs[slug], role });
    tokens[slug] = await p.signIn((await good(operator, 'POST', `/api/v1/people/${id}/link`, { org_id: orgs[slug] })).token);
  }
  return { operator, orgs, tokens, good };
}
const accept = (p, url, body, headers = {}) => request(`${p.base}/invitation`, { method: 'POST', headers: { ...FORM, ...headers }, body: form({ token: new URL(url).searchParams.get('token'), ...body }) });

test('invitations without a mail server', { timeout: 120000 }, async (t) => {
  const p = await platform(t), { operator, orgs, tokens, good } = await cast(p);
  const invite = (token, body) => p.call(token, 'POST', '/api/v1/invitations', body);
  const link = async (token, id) => (await good(token, 'GET', `/api/v1/invitations/${id}`)).url;

  await t.test('an owner invites into their own organisation, to its roles only', async () => {
    for (const [who, body, status] of [
      ['maker-a', { email: 'x@y.example', roles: 'lab.tester' }, 422], ['maker-a', { email: 'x@y.example', roles: 'platform.operator' }, 422], ['maker-a', { email: 'x@y.example' }, 422],
      ['maker-a', { email: 'x@y.example', roles: 'maker.viewer', org_id: orgs['maker-b'] }, 404], ['maker-a', { email: 'not an address', roles: 'maker.viewer' }, 422],
      ['maker-a', { email: 'x@y.example', roles: 'maker.emperor' }, 422], ['cla-a', { email: 'x@y.example', roles: 'cla.reviewer' }, 403]])
      assert.equal((await invite(tokens[who], body)).status, status, JSON.stringify(body));
    assert.equal((await invite(operator, { email: 'decider@cla.example', org_id: orgs['cla-a'], roles: 'cla.decider,cla.intake' })).status, 200);
  });
  await t.test('the link makes the person, gives the roles and signs in, once', async () => {
    const { id, mail } = (await invite(tokens['maker-a'], { email: 'eve@maker.example', name: 'Eve', maker_engineer: true, maker_viewer: true })).json;
    assert.equal(mail, 'none');
    const url = await link(tokens['maker-a'], id);
    assert.equal((await p.call(tokens['maker-b'], 'GET', `/api/v1/invitations/${id}`)).status, 404);
    const look = await request(url.replace('localhost', '127.0.0.1'), { headers: { Accept: 'text/html' } });
    assert.equal(look.status, 200);
    assert.match(look.text, /Head of maker-a invites you to work for maker-a/);
    const r = await accept(p, url, { name: 'Eve Engineer' });
    assert.equal(r.status, 303, r.text);
    assert.equal(r.headers.location, '/account?notice=invite.welcome');
    const me = (await request(`${p.base}/api/v1/me`, { headers: { Cookie: cookieOf(r) } })).json;
    assert.deepEqual([me.person.name, me.organisation.id, me.roles.sort()], ['Eve Engineer', orgs['maker-a'], ['maker.engineer', 'maker.viewer']]);
    assert.equal((await accept(p, url, { name: 'Second' })).status, 409);
    assert.equal((await p.call(tokens['maker-a'], 'GET', `/api/v1/invitations/${id}`)).status, 409, 'a used link is shown no more');
  });
  await t.test('two who accept at once are one person', async () => {
    const { id } = (await invite(tokens['lab-a'], { email: 'tess@lab.example', roles: 'lab.tester' })).json, url = await link(tokens['lab-a'], id);
    const all = await Promise.all([1, 2, 3, 4].map((i) => accept(p, url, { name: `Tess ${i}` })));
    assert.deepEqual(all.map((r) => r.status).sort(), [303, 409, 409, 409]);
  });
  await t.test('nobody is signed in to an account that exists', async () => {
    const { id } = (await invite(tokens['maker-a'], { email: 'HEAD@lab-a.example', roles: 'maker.viewer' })).json, url = await link(tokens['maker-a'], id);
    const stranger = await accept(p, url, { name: 'Impostor' });
    assert.equal(stranger.status, 403);
    assert.equal(stranger.headers['set-cookie'], undefined);
    const other = await accept(p, url, { name: 'Impostor' }, { Authorization: `Bearer ${tokens['maker-b']}` });
    assert.equal(other.status, 403, 'somebody else who is signed in is not the one either');
    assert.equal((await accept(p, url, {}, { Authorization: `Bearer ${tokens['lab-a']}` })).status, 303);
    const people = (await good(tokens['maker-a'], 'GET', '/api/v1/invitations')).people;
    assert.ok(people.some((x) => x.email === 'head@lab-a.example' && x.role === 'maker.viewer'));
  });
  await t.test('revoked, resent and expired links end', async () => {
    const { id } = (await invite(tokens['maker-a'], { email: 'late@maker.example', roles: 'maker.viewer' })).json, first = await link(tokens['maker-a'], id);
    for (const verb of ['revoke', 'resend']) assert.equal((await p.call(tokens['maker-b'], 'POST', `/api/v1/invitations/${id}/${verb}`, {})).status, 404, verb);
    await good(tokens['maker-a'], 'POST', `/api/v1/invitations/${id}/resend`, {});
    const second = await link(tokens['maker-a'], id);
    assert.notEqual(first, second);
    assert.equal((await accept(p, first, { name: 'Late' })).status, 404);
    const sqlite = existsTool('sqlite3');
    if (sqlite) {
      run(sqlite, ['-cmd', '.timeout 5000', join(p.state, 'ctm.db'), `UPDATE invitation SET expires_ms = 1 WHERE id = '${id}'`]);
      assert.match((await accept(p, second, { name: 'Late' })).text, /over after seven days/);
      await good(tokens['maker-a'], 'POST', `/api/v1/invitations/${id}/resend`, {});
    }
    const third = await link(tokens['maker-a'], id);
    await good(tokens['maker-a'], 'POST', `/api/v1/invitations/${id}/revoke`, {});
    assert.equal((await accept(p, third, { name: 'Late' })).status, 409);
    assert.equal((await p.call(tokens['maker-a'], 'POST', `/api/v1/invitations/${id}/revoke`, {})).status, 409);
    const bytes = readFileSync(join(p.state, 'ctm.db'), 'latin1') + readFileSync(join(p.state, 'ctm.db-wal'), 'latin1');
    for (const url of [first, second, third]) assert.ok(!bytes.includes(new URL(url).searchParams.get('token')), 'a link lies in the database');
  });
});

test('invitations by mail', { timeout: 120000 }, async (t) => {
  const python = '/usr/bin/python3', openssl = existsTool('openssl');
  if (!existsSync(python) || run(python, ['-c', 'import aiosmtpd']).code !== 0) return t.skip('python3-aiosmtpd is not installed');
  if (!openssl) return t.skip('openssl is not installed');
  const p = await platform(t), { tokens, good } = await cast(p), file = (n) => join(p.dir, n);
  run(openssl, ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('key.pem'), '-out', file('cert.pem'), '-days', '30', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']);
  async function peer(mode, ...auth) {
    const port = await freePort(), s = start(python, [join(ROOT, 'tests/scenario/mail_peer.py'), String(port), mode, file('cert.pem'), file('key.pem'), ...auth]);
    t.after(() => s.stop());
    await until('the mail server', () => { if (s.exitCode !== null) throw new Error(s.log); return s.log.includes('ready'); });
    s.mails = () => s.log.split('\n').filter((l) => l.startsWith('{')).map((l) => JSON.parse(l));
    return { s, port };
  }
  let serve = p.serve;
  async function configure(mail, secret) {
    const conf = JSON.parse(readFileSync(join(p.state, 'ctm.json')));
    writeFileSync(join(p.state, 'ctm.json'), JSON.stringify({ ...conf, mail }));
    if (secret) { writeFileSync(join(p.state, 'keys/mail.secret'), secret + '\n'); chmodSync(join(p.state, 'keys/mail.secret'), 0o600); }
    await serve.stop();
    serve = start('ctm', ['serve', '--state', p.state]);
    t.after(() => serve.stop());
    await until('serve', async () => (await request(`${p.base}/healthz`)).status === 200);
  }
  const state = async (id) => (await good(tokens['maker-a'], 'GET', '/api/v1/invitations')).invitations.find((i) => i.id === id);
  const invite = async (email) => (await good(tokens['maker-a'], 'POST', '/api/v1/invitations', { email, roles: 'maker.engineer' })).id;
  const doctorMail = (...args) => run('ctm', ['doctor', '--state', p.state, ...args]);
  const { s, port } = await peer('starttls', 'ctm', 'a password');
  const conf = { server: `smtp://localhost:${port}`, from: 'ctm@mark.example', user: 'ctm', ca_file: file('cert.pem') };

  await t.test('over STARTTLS with a user: the mail arrives, its link works, no secret is told', async () => {
    await configure(conf, 'a password');
    const id = await invite('ines@maker.example');
    const [mail] = await until('the mail', () => s.mails().length && s.mails());
    assert.deepEqual([mail.tls, mail.user, mail.from, mail.to], [true, 'ctm', 'ctm@mark.example', ['ines@maker.example']]);
    await until('sent', async () => (await state(id)).mail === 'sent');
    const [head, ...rest] = mail.data.split('\r\n\r\n'), text = rest.join('\r\n\r\n').replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, h) => String.fromCharCode(parseInt(h, 16)));
    assert.match(head, new RegExp(`^Message-ID: <${id}@mark\\.example>$`, 'm'));
    assert.match(head, /^To: <ines@maker\.example>\r?$/m);
    const url = text.match(/http:\/\/localhost:\d+\/invitation\?token=[\w-]+/)[0];
    assert.equal((await good(tokens['maker-a'], 'GET', `/api/v1/invitations/${id}`)).url, null, 'what was mailed is not shown');
    assert.equal((await accept(p, url, { name: 'Ines' })).status, 303);
    assert.ok(!serve.log.includes('a password') && !serve.log.includes(url.split('=')[1]));
  });
  await t.test('a mailbox that does not exist: refused for good, told to the inviter, who can hand the link over', async () => {
    const id = await invite('never@maker.example');
    await until('refused', async () => (await state(id)).mail === 'refused');
    assert.match((await state(id)).mail_why, /550/);
    assert.match((await good(tokens['maker-a'], 'GET', `/api/v1/invitations/${id}`)).url, /token=/);
  });
  await t.test('a server that says later: tried again until it takes it, once', async () => {
    const id = await invite('later@maker.example');
    await until('sent after two refusals', async () => (await state(id)).mail === 'sent', 30000);
    assert.equal(s.mails().filter((m) => m.to[0] === 'later@maker.example').length, 1);
  });
  await t.test('an invitation taken back before its mail left is not mailed', async () => {
    await s.stop();
    const id = await invite('gone@maker.example');
    await until('the first attempt', async () => /cannot be used/.test((await state(id)).mail_why));
    await good(tokens['maker-a'], 'POST', `/api/v1/invitations/${id}/revoke`, {});
  });
  await t.test('ctm doctor --mail sends a test mail and says what is wrong with each thing', async () => {
    const again = await peer('starttls', 'ctm', 'a password'), at = { ...conf, server: `smtp://localhost:${again.port}` };
    await configure(at, 'a password');
    assert.match(doctorMail('--mail', 'op@mark.example').out, /good +mail .*op@mark\.example/);
    await until('the test mail', () => again.s.mails().length === 1);
    await configure(at, 'another password');
    assert.match(doctorMail().out, /LOOK +mail .*refuses the user/);
    assert.ok(!doctorMail().out.includes('another password'));
    await configure({ ...at, ca_file: undefined }, 'a password');
    assert.match(doctorMail().out, /LOOK +mail .*no trusted connection/);
    chmodSync(join(p.state, 'keys/mail.secret'), 0o644);
    assert.match(doctorMail().out, /LOOK +mail .*others may read/);
    const clear = await peer('plain');
    await configure({ server: `smtp://localhost:${clear.port}`, from: 'ctm@mark.example' });
    assert.match(doctorMail().out, /LOOK +mail .*no trusted connection/, 'a server without STARTTLS gets nothing');
    await configure({ server: `smtp://127.0.0.1:${clear.port}`, from: 'ctm@mark.example', tls: 'none' });
    assert.match(doctorMail('--mail', 'op@mark.example').out, /good +mail/);
    const tls = await peer('tls');
    await configure({ server: `smtps://localhost:${tls.port}`, from: 'ctm@mark.example', ca_file: file('cert.pem') });
    assert.match(doctorMail('--mail', 'op@mark.example').out, /good +mail/);
    await configure({ server: 'smtp://localhost:1', from: 'ctm@mark.example' });
    assert.match(doctorMail().out, /LOOK +mail .*cannot be used/);
    assert.equal(doctorMail('--mail', 'two@mark.example\r\nBcc: x@y.example').code, 1);
  });
});
