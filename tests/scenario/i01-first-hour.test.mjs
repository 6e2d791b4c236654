// SPDX-License-Identifier: Apache-2.0
// The first hour on the command line: what ctm init says and refuses, ctm doctor and ctm config check with each thing turned bad and good again,
// ctm ca trust installed below a root of its own, believed by a TLS client, and undone; times in the reader's zone.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import https from 'node:https';
import { join } from 'node:path';
import { existsTool, freePort, platform, request, run, start, tempDir, until } from './kit.mjs';

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };

async function init(t, ...more) {
  const dir = tempDir(t, 'ctm-hour-'), state = join(dir, 'var'), port = await freePort(), devicePort = await freePort();
  const r = run('ctm', ['init', '--state', state, '--public-url', `http://localhost:${port}`, '--listen', `127.0.0.1:${port}`, '--device-port', String(devicePort),
    '--origin', 'localhost/ctm-log', ...more]);
  return { dir, state, port, devicePort, r };
}

test('ctm init: a private directory, a link for 15 minutes, what to do next; refusals name the option', async (t) => {
  const { state, r, dir } = await init(t), before = Date.now();
  assert.equal(r.code, 0, r.err);
  const [, until_, url] = r.out.match(/works once, until (\S+)\):\n {2}(\S+)/);
  assert.ok(Math.abs(Date.parse(until_) - before - 15 * 60e3) < 60e3, until_);
  assert.match(url, /^http:\/\/localhost:\d+\/signin\?token=[\w-]{43}$/);
  assert.match(r.out, /Next: +ctm signer --state .* and +ctm serve --state/);
  assert.equal(statSync(state).mode & 0o777, 0o700);
  for (const k of readdirSync(join(state, 'keys'))) assert.equal(statSync(join(state, 'keys', k)).mode & 0o777, 0o600, k);
  const again = run('ctm', ['init', '--state', state]);
  assert.match(again.out, /nothing was changed but a new sign-in link/);
  for (const [args, say] of [[['--public-url', 'mark.example'], /public_url must be an address/], [['--public-url', 'https://mark.example/ctm'], /host and port only/],
    [['--device-port', '99999'], /device_port/], [['--listen', 'everywhere'], /numeric address/], [['--origin', 'two words'], /without spaces/]]) {
    const bad = run('ctm', ['init', '--state', join(dir, 'bad'), ...args]);
    assert.ok(bad.code === 1 || bad.code === 2, args.join(' '));
    assert.match(bad.err, say);
    assert.ok(!existsSync(join(dir, 'bad/ctm.json')));
  }
  assert.equal(run('ctm', ['init', '--state', join(dir, 'var/ctm.json/x')]).code, 3);
});

test('ctm config check names the member, for people and for programs', async (t) => {
  const { state } = await init(t), file = join(state, 'ctm.json'), good = readFileSync(file);
  const check = (...a) => run('ctm', ['config', 'check', '--state', state, ...a]);
  assert.equal(check().code, 0);
  assert.deepEqual(JSON.parse(check('--json').out), { good: true, field: '', detail: 'in order' });
  for (const [change, say] of [[{ listen: 'x' }, /listen/], [{ public_url: 'ftp://x' }, /public_url/], [{ device_port: 0 }, /device_port/], [{ surprise: 1 }, /surprise/],
    [{ second_factor: 'never' }, /second_factor/], [{ time_zone: 'Mars/Olympus' }, /time_zone/], [{ mail: { server: 'smtp://mail.example.org', from: 'nobody' } }, /mail\.from/],
    [{ mail: { server: 'smtp://mail.example.org', from: 'a@b.example', tls: 'none' } }, /without TLS/], [{ format: 'ctm.config/9' }, /format/]]) {
    writeFileSync(file, JSON.stringify({ ...JSON.parse(good), ...change }));
    assert.equal(check().code, 1, JSON.stringify(change));
    assert.match(check().err, say);
    const j = check('--json');
    assert.equal(j.code, 1);
    assert.match(JSON.parse(j.out).detail, say);
  }
  writeFileSync(file, JSON.stringify({ ...JSON.parse(good), second_factor: 'optional', time_zone: 'Europe/Madrid', mail: { server: 'smtps://mail.example.org', from: 'a@b.example', user: 'u' } }));
  assert.equal(check().code, 0);
  writeFileSync(file, '{');
  assert.equal(check('--json').code, 1);
});

test('ctm doctor: each thing turned bad says so and what to do, and good again', { timeout: 120000 }, async (t) => {
  const { dir, state, port, devicePort } = await init(t), file = (n) => join(state, n);
  const doctor = (args = [], env = {}) => {
    const r = run('ctm', ['doctor', '--state', state, '--json', ...args], { env: { ...process.env, ...env } });
    const o = JSON.parse(r.out);
    assert.equal(r.code, o.good ? 0 : 1);
    assert.equal(o.good, o.checks.every((c) => c.good));
    return o;
  };
  const bad = (o) => o.checks.filter((c) => !c.good);
  assert.deepEqual(bad(doctor()), []);
  const one = async (what, say, break_, mend, args, env) => {
    await break_();
    const b = bad(doctor(args, env));
    await mend();
    assert.ok(b.some((c) => c.what === what && say.test(c.detail)), `${what}: ${JSON.stringify(b)}`);
    assert.deepEqual(bad(doctor()), [], `${what} was mended`);
  };
  const none = () => {};
  const conf = readFileSync(file('ctm.json')), changed = (o) => () => writeFileSync(file('ctm.json'), JSON.stringify({ ...JSON.parse(conf), ...o })), back = () => writeFileSync(file('ctm.json'), conf);
  await one('ctm.json', /surprise/, changed({ surprise: 1 }), back);
  for (const k of ['ca.pem', 'cla.pem', 'log.pem', 'people.key']) await one(`keys/${k}`, /chmod 600/, () => chmodSync(file(`keys/${k}`), 0o644), () => chmodSync(file(`keys/${k}`), 0o600));
  await one('keys/people.key', /is missing/, () => renameSync(file('keys/people.key'), file('away')), () => renameSync(file('away'), file('keys/people.key')));
  await one('keys', /chmod 700/, () => chmodSync(file('keys'), 0o755), () => chmodSync(file('keys'), 0o700));
  await one('keys fit', /another key than the one in trust.json/, () => { copyFileSync(file('keys/log.pem'), file('away')); copyFileSync(file('keys/lab.pem'), file('keys/log.pem')); },
    () => renameSync(file('away'), file('keys/log.pem')));
  await one('ctm.db', /chmod 600/, () => chmodSync(file('ctm.db'), 0o644), () => chmodSync(file('ctm.db'), 0o600));
  for (const [what, n] of [['pages', port], ['device port', devicePort]]) {
    let other;
    await one(what, /in use by another program/, () => new Promise((ok) => { other = createServer().listen(n, '127.0.0.1', ok); }), () => new Promise((ok) => other.close(ok)));
  }
  await one('signer', /granted records wait; start: ctm signer/, () => writeFileSync(file('run/serve.pid'), '1\n'), () => rmSync(file('run/serve.pid')));
  if (process.env.CTM_TEST_BUILD !== 'build')              // production builds cannot move time
    await one('tls', /ends 20..-..-..; run ctm edge nginx/, none, none, [], { CTM_TIME_SHIFT_MS: String(40 * 365 * 86400e3) });
  await one('tls', /makes a new certificate/, () => renameSync(file('edge/server.pem'), file('away')), () => renameSync(file('away'), file('edge/server.pem')));
  await one("pages' TLS", /no passkeys there/, changed({ public_url: 'http://mark.example.org' }), back);
  await one('tls', /is for localhost, not for mark\.example\.org/, changed({ public_url: 'https://mark.example.org' }), back);
  await one('disk', /less than 1000000000; make room/, none, none, ['--min-free', '1000000000']);
  await one('mail', /cannot be used/, changed({ mail: { server: 'smtp://localhost:1', from: 'a@b.example' } }), back);
  await one('mail', /no mail server is configured/, none, none, ['--mail', 'a@b.example']);
  await one('fonts', /Debian package fonts/, none, none, [], { PATH: dir });
  if (existsTool('nginx')) {
    assert.equal(run('ctm', ['edge', 'nginx', '--state', state]).code, 0);
    const nginx = readFileSync(file('edge/nginx.conf'));
    await one('edge', /nginx refuses edge\/nginx.conf; run ctm edge nginx: .*surprise/, () => writeFileSync(file('edge/nginx.conf'), `surprise;\n${nginx}`), () => writeFileSync(file('edge/nginx.conf'), nginx));
  }
  const sqlite = existsTool('sqlite3');
  if (sqlite) {
    const sql = (text) => assert.equal(run(sqlite, [file('ctm.db'), text]).code, 0);
    await one('clock', /before the newest line of the audit chain/, () => sql(`UPDATE audit SET at_ms = at_ms + 86400000 WHERE seq = (SELECT max(seq) FROM audit)`),
      () => sql(`UPDATE audit SET at_ms = at_ms - 86400000 WHERE seq = (SELECT max(seq) FROM audit)`));
  }
});

test('ctm ca trust: explained, installed below a root, believed, undone', { timeout: 60000 }, async (t) => {
  if (!existsSync('/usr/sbin/update-ca-certificates') || !existsTool('nginx') || !existsTool('openssl')) return t.skip('ca-certificates, openssl or nginx is not installed');
  const p = await platform(t, { edge: true }), root = join(p.dir, 'root'), trust = (...a) => run('ctm', ['ca', 'trust', '--state', p.state, ...a]);
  const said = trust('--root', root);
  assert.equal(said.code, 0, said.err);
  for (const w of [/for any name/, /certutil -d sql:/, /Firefox/, /--install/, /--remove/, /is not installed/]) assert.match(said.out, w);
  assert.equal(trust('--pem').out, JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca);
  assert.match(trust('--install', '--dry-run', '--root', root).out, /would write/);
  assert.ok(!existsSync(root), 'a dry run changes nothing');
  assert.equal(trust('--remove', '--root', root).code, 1);
  assert.equal(trust('--install', '--remove').code, 2);
  mkdirSync(join(root, 'etc'), { recursive: true });
  writeFileSync(join(root, 'etc/ca-certificates.conf'), '');
  mkdirSync(join(root, 'usr/local/share/ca-certificates'), { recursive: true });       // another authority, which stays
  run(existsTool('openssl'), ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(p.dir, 'k'), '-out', join(root, 'usr/local/share/ca-certificates/other.crt'), '-days', '9', '-subj', '/CN=other']);
  const done = trust('--install', '--root', root);
  assert.equal(done.code, 0, done.err + done.out);
  const bundle = join(root, 'etc/ssl/certs/ca-certificates.crt');
  const ask = (ca) => new Promise((ok) => https.get({ host: '127.0.0.1', servername: 'localhost', port: p.devicePort, path: '/', ca, headers: { Host: 'localhost' } }, (r) => { r.resume(); ok(r.statusCode); }).on('error', (e) => ok(e.code)));
  await until('the edge', async () => typeof await ask(readFileSync(bundle)) === 'number');
  assert.match(trust('--root', root).out, /It is installed/);
  assert.equal(trust('--remove', '--root', root).code, 0);
  assert.equal(readFileSync(bundle, 'utf8').split('BEGIN').length, 2, 'the other authority alone is left');
  assert.equal(typeof await ask(readFileSync(bundle)), 'string', 'and believed no more');
});

test('times are shown in the reader\'s zone: the platform\'s, or their own', { timeout: 60000 }, async (t) => {
  const p = await platform(t), sign = async () => (await request(`${p.base}/signin`, { method: 'POST', headers: FORM, body: `token=${p.operatorLink().token}` })).headers['set-cookie'][0].split(';')[0];
  const page = async (Cookie) => (await request(`${p.base}/account`, { headers: { Cookie, Accept: 'text/html' } })).text;
  const now = (text) => text.match(/<section id="zone">.*?<time[^>]*>([^<]*)<\/time>/s)[1];
  const post = async (Cookie, zone) => request(`${p.base}/account/zone`, { method: 'POST', headers: { ...FORM, Cookie }, body: new URLSearchParams({ zone, csrf: (await page(Cookie)).match(/name="csrf" value="([^"]+)"/)[1] }).toString() });
  const cookie = await sign();
  assert.match(now(await page(cookie)), /, \d\d:\d\d UTC$/);
  assert.equal((await post(cookie, 'Asia/Kolkata')).status, 303);
  assert.match(now(await page(cookie)), /UTC\+5:30$/);
  const bad = await post(cookie, 'Mars/Olympus');
  assert.equal(bad.status, 422);
  assert.match(bad.text, /no time zone of that name/);
  assert.equal((await post(cookie, '../../etc/passwd')).status, 422);
  assert.equal((await post(cookie, '')).status, 303);
  const file = join(p.state, 'ctm.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file)), time_zone: 'Asia/Tokyo' }));
  await p.serve.stop();
  const serve = start('ctm', ['serve', '--state', p.state]);
  t.after(() => serve.stop());
  await until('serve', async () => (await request(`${p.base}/healthz`)).status === 200);
  assert.match(now(await page(cookie)), /UTC\+9$/);
});

test('guessing is braked by the address that a proxy on this machine names last', { timeout: 60000 }, async (t) => {
  const p = await platform(t);
  const guess = async (from) => (await request(`${p.base}/signin/password`, { method: 'POST', headers: { ...FORM, ...(from ? { 'X-Forwarded-For': from } : {}) },
    body: 'email=owner%40nowhere.example&password=some+other+words' })).status;
  const rests = async (from) => { for (let i = 0; i < 15; i++) if (await guess(from) === 429) return i; return 99; };
  const first = await rests('192.0.2.1');
  assert.ok(first >= 6 && first < 15, `the first five are free: ${first}`);
  assert.equal(await guess('192.0.2.2'), 422, 'another address has a lane of its own');
  assert.ok(await rests('192.0.2.2, 192.0.2.1') < 3, 'what the client itself wrote before does not count');
  assert.equal(await guess('not an address'), 422, 'and nonsense is no address');
});
