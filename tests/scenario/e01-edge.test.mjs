// SPDX-License-Identifier: Apache-2.0
// The device port as `ctm edge nginx` writes it, with a real nginx: who is let in, what arrives at the platform, what is
// answered when the platform is away. (RFC 8446, RFC 5246, RFC 9113, RFC 6585, RFC 5280)
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { platform, existsTool, run, start, until } from './kit.mjs';
import { ask, ask2, device, handshake, issue, maker, report, strangerCa } from './edge_kit.mjs';

const missing = !existsTool('nginx') ? 'nginx is not installed' : !existsTool('openssl') ? 'openssl is not installed' : false;

test('client certificates: none, good, expired, of a stranger, of another key, of a retired unit', { skip: missing }, async (t) => {
  const p = await platform(t, { edge: true });
  const ca = JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca;
  const m = await maker(p);
  const post = (path, body, who) => ask(p.devicePort, ca, path, { method: 'POST', who, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const mine = device(p.dir, 'mine', m.serial), other = device(p.dir, 'other', m.serial);
  const caFile = join(p.dir, 'ca.pem');
  writeFileSync(caFile, ca);
  const own = { cert: caFile, key: join(p.state, 'keys/ca.pem') };

  await t.test('without a certificate a report is refused', async () => {
    const r = await post('/d/v1/state', report(1));
    assert.ok([401, 403].includes(r.status), `${r.status} ${r.text}`);
  });
  await t.test('without a certificate a unit may enrol with its code', async () => {
    const r = await post('/d/v1/enrol', { serial: m.serial, code: m.code, csr: mine.csr });
    assert.equal(r.status, 200, r.text);
    mine.cert = r.json.certificate;
  });
  const good = { key: mine.key, cert: mine.cert };
  await t.test('with its certificate the report is kept', async () => {
    const r = await post('/d/v1/state', report(1), good);
    assert.equal(r.status, 200, r.text);
  });
  await t.test('an expired certificate is refused by the edge', async () => {
    const r = await post('/d/v1/state', report(2), { key: mine.key, cert: issue(p.dir, own, mine.csrFile, -1) });
    assert.equal(r.status, 400, r.text);
    assert.match(r.text, /certificate/i);
  });
  await t.test('a certificate of a stranger\'s authority is refused by the edge', async () => {
    const r = await post('/d/v1/state', report(2), { key: mine.key, cert: issue(p.dir, strangerCa(p.dir), mine.csrFile) });
    assert.equal(r.status, 400, r.text);
    assert.match(r.text, /certificate/i);
  });
  await t.test('a good certificate over another key is refused by the platform, although TLS accepts it', async () => {
    const who = { key: other.key, cert: issue(p.dir, own, other.csrFile) };
    assert.equal((await ask(p.devicePort, ca, '/nothing', { who })).status, 404);
    const r = await post('/d/v1/state', report(2), who);
    assert.equal(r.status, 401, r.text);
    assert.match(r.text, /no enrolled device/);
  });
  await t.test('a retired unit is refused at its next request, although TLS accepts it', async () => {
    const device = (await p.call(m.token, 'GET', `/api/v1/devices?serial=${m.serial}`)).json.devices[0];
    assert.equal((await p.call(m.token, 'POST', `/api/v1/devices/${device.id}/retire`, {})).status, 200);
    assert.equal((await ask(p.devicePort, ca, '/nothing', { who: good })).status, 404);
    const r = await post('/d/v1/state', report(3), good);
    assert.equal(r.status, 401, r.text);
    assert.equal((await post('/d/v1/enrol', { serial: m.serial, code: m.code, csr: mine.csr }, undefined)).status, 401);
  });
});

test('units behind one address do not use up each other\'s rate', { skip: missing }, async (t) => {
  const p = await platform(t, { edge: true });
  const ca = JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca, caFile = join(p.dir, 'ca.pem');
  writeFileSync(caFile, ca);
  const units = ['PC1-1', 'PC1-2'].map((serial, i) => {
    const d = device(p.dir, `unit${i}`, serial);
    return { key: d.key, cert: issue(p.dir, { cert: caFile, key: join(p.state, 'keys/ca.pem') }, d.csrFile) };
  });
  const many = async (who, n) => (await Promise.all(Array.from({ length: n }, () => ask(p.devicePort, ca, '/d/v1/state', { who })))).map((r) => r.status);
  const loud = (await Promise.all([many(units[0], 30), many(units[0], 30)])).flat();
  assert.ok(loud.includes(429) || (await many(units[0], 60)).includes(429), 'a unit may not send without end');
  assert.ok((await many(units[1], 10)).every((s) => s === 401), 'the quiet one is asked who it is, as before');
  assert.ok((await many(undefined, 10)).every((s) => s === 401), 'and so is one without a certificate');
});

test('TLS of the device port', { skip: missing }, async (t) => {
  const p = await platform(t, { edge: true });
  const ca = JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca;
  const who = device(p.dir, 'unit', 'PC1-1');
  const caFile = join(p.dir, 'ca.pem');
  writeFileSync(caFile, ca);
  const cert = issue(p.dir, { cert: caFile, key: join(p.state, 'keys/ca.pem') }, who.csrFile);

  await t.test('1.1 is refused', async () => {
    await assert.rejects(handshake(p.devicePort, ca, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), /alert protocol version/i);
  });
  for (const v of ['TLSv1.2', 'TLSv1.3']) {
    const options = { minVersion: v, maxVersion: v, key: who.key, cert };
    await t.test(`${v.slice(4)} is accepted, and the session with the client certificate is resumed`, async () => {
      const first = await handshake(p.devicePort, ca, options);
      assert.equal(first.protocol, v);
      assert.equal(first.reused, false);
      assert.ok(first.session, 'a session to resume');
      const again = await handshake(p.devicePort, ca, { ...options, session: first.session });
      assert.equal(again.reused, true);
    });
  }
  await t.test('a suite without forward secrecy is refused', async () => {
    await assert.rejects(handshake(p.devicePort, ca, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:AES256-SHA:AES128-GCM-SHA256' }), /alert handshake failure/i);
  });
  await t.test('HTTP/2 is spoken where it is asked for', async () => {
    mkdirSync(join(p.state, 'public/p'), { recursive: true });
    writeFileSync(join(p.state, 'public/p/AAAAAAAAAAA.json'), '{"a":1}\n');
    const r = await ask2(p.devicePort, ca, '/p/AAAAAAAAAAA.json');
    assert.deepEqual([r.status, r.alpn, r.text], [200, 'h2', '{"a":1}\n']);
    assert.equal((await handshake(p.devicePort, ca, { ALPNProtocols: ['http/1.1'] })).alpn, 'http/1.1');
  });
});

// A listener in the platform's place that answers with what arrived.
const echo = (t, where) => new Promise((ok) => {
  const s = createServer((q, r) => r.writeHead(200, { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' }).end(JSON.stringify(q.headers)));
  t.after(() => new Promise((done) => { s.closeAllConnections(); s.close(done); }));
  s.listen(where, ok);
});

test('what a client says about itself never arrives, what the edge knows does', { skip: missing }, async (t) => {
  const p = await platform(t, { edge: true });
  const ca = JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca;
  await p.serve.stop();
  rmSync(join(p.state, 'run/device.sock'), { force: true });
  await echo(t, join(p.state, 'run/device.sock'));
  await echo(t, { port: p.port, host: '127.0.0.1' });
  const lies = { 'X-Client-Verify': 'SUCCESS', 'X-Client-Fingerprint': 'aa', 'X-Client-Cert': 'lie', 'X-Real-IP': '9.9.9.9', 'X-Forwarded-For': '9.9.9.9',
    'x_client_verify': 'SUCCESS', 'X_Client_Cert': 'lie' };

  await t.test('on the device address', async () => {
    const h = (await ask(p.devicePort, ca, '/d/v1/state', { headers: lies })).json;
    assert.equal(h['x-client-verify'], 'NONE');
    assert.equal(h['x-real-ip'], '127.0.0.1');
    for (const k of ['x-client-fingerprint', 'x-client-cert', 'x-forwarded-for', 'x_client_verify', 'x_client_cert']) assert.equal(h[k], undefined, k);
  });
  await t.test('on the public addresses', async () => {
    for (const path of ['/assets/x.css', '/.well-known/security.txt', '/p/AAAAAAAAAAA', '/log/unknown']) {
      const h = (await ask(p.devicePort, ca, path, { headers: lies })).json;
      for (const k of ['x-client-verify', 'x-client-fingerprint', 'x-client-cert', 'x-forwarded-for', 'x_client_verify', 'x_client_cert']) assert.equal(h[k], undefined, `${path} ${k}`);
    }
  });
  await t.test('a verified certificate arrives with its fingerprint', async () => {
    const who = device(p.dir, 'unit', 'PC1-1'), caFile = join(p.dir, 'ca.pem');
    writeFileSync(caFile, ca);
    const cert = issue(p.dir, { cert: caFile, key: join(p.state, 'keys/ca.pem') }, who.csrFile);
    const h = (await ask(p.devicePort, ca, '/d/v1/state', { who: { key: who.key, cert }, headers: lies })).json;
    assert.equal(h['x-client-verify'], 'SUCCESS');
    assert.match(h['x-client-fingerprint'], /^[0-9a-f]{40}$/);
    assert.equal(decodeURIComponent(h['x-client-cert']).trim(), cert.trim());
  });
});

test('limits, headers, and the platform away', { skip: missing }, async (t) => {
  const p = await platform(t, { edge: true });
  const ca = JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca;
  mkdirSync(join(p.state, 'public/p'), { recursive: true });
  mkdirSync(join(p.state, 'public/log'), { recursive: true });
  writeFileSync(join(p.state, 'public/p/AAAAAAAAAAA.html'), '<!doctype html><title>a record</title>');
  writeFileSync(join(p.state, 'public/log/checkpoint'), 'localhost/ctm-log\n0\n');
  const get = (path) => ask(p.devicePort, ca, path);
  const once = (r, name) => r.raw.filter((_, i) => i % 2 === 0 && r.raw[i].toLowerCase() === name).length;

  await t.test('every answer carries the security headers, each once', async () => {
    const sheet = (await get('/p/AAAAAAAAAAA')).status === 200;
    assert.ok(sheet);
    for (const path of ['/p/AAAAAAAAAAA', '/log/checkpoint', '/d/v1/state', '/assets/site.css', '/nothing', '/p/00000000000']) {
      const r = await get(path);
      for (const h of ['x-content-type-options', 'referrer-policy']) assert.equal(once(r, h), 1, `${path} ${h} (${r.status})`);
      assert.equal(r.headers['x-content-type-options'], 'nosniff', path);
      assert.equal(r.headers['strict-transport-security'], undefined, `${path}: people's pages are plain HTTP on this name`);
      assert.doesNotMatch(r.headers.server ?? '', /\d/, path);
    }
    assert.match((await get('/p/AAAAAAAAAAA')).headers['content-security-policy'], /default-src 'none'/);
  });
  await t.test('nothing else is opened to the device port', async () => {
    for (const path of ['/', '/api/v1/me', '/healthz', '/metrics', '/signin', '/p/../ctm.json', '/log/../../ctm.json', '/keys/ca.pem'])
      assert.ok([400, 404].includes((await get(path)).status), path);
    assert.equal((await ask(p.devicePort, ca, '/p/AAAAAAAAAAA', { method: 'POST', body: 'x' })).status, 403);
  });
  await t.test('a public record and the log are served while the platform is stopped; the rest says so plainly', async () => {
    await p.serve.stop();
    assert.match((await get('/p/AAAAAAAAAAA')).text, /a record/);
    assert.match((await get('/log/checkpoint')).text, /ctm-log/);
    const r = await get('/d/v1/state');
    assert.equal(r.status, 503);
    assert.equal(r.headers['retry-after'], '5');
    assert.match(r.text, /not running/);
  });
  await t.test('more than the rate is answered 429 with when to come again', async () => {
    const all = await Promise.all(Array.from({ length: 30 }, async () => [await get('/d/v1/state'), await get('/d/v1/state'), await get('/d/v1/state'), await get('/d/v1/state')]));
    const slow = all.flat().filter((r) => r.status === 429);
    assert.ok(slow.length > 0, 'no 429 among 120 requests at once');
    assert.equal(slow[0].headers['retry-after'], '1');
    assert.match(slow[0].text, /Too many/);
    assert.ok(all.flat().every((r) => [429, 503].includes(r.status)));
  });
});

test('where people come over HTTPS every answer sends Strict-Transport-Security, once (RFC 6797)', { skip: missing }, async (t) => {
  const p = await platform(t);
  const conf = JSON.parse(readFileSync(join(p.state, 'ctm.json')));
  writeFileSync(join(p.state, 'ctm.json'), JSON.stringify({ ...conf, public_url: 'https://localhost' }));
  const r = run('ctm', ['edge', 'nginx', '--state', p.state]);
  assert.equal(r.code, 0, r.err);
  mkdirSync(join(p.state, 'public/log'), { recursive: true });
  writeFileSync(join(p.state, 'public/log/checkpoint'), 'localhost/ctm-log\n0\n');
  const nginx = start(existsTool('nginx'), ['-p', join(p.state, 'edge'), '-c', 'nginx.conf', '-e', 'stderr']);
  t.after(() => nginx.stop());
  await until('edge', () => existsSync(join(p.state, 'edge/nginx.pid')));
  const ca = JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca;
  for (const path of ['/log/checkpoint', '/p/00000000000', '/d/v1/state', '/assets/site.css', '/nothing'])
    assert.equal((await ask(p.devicePort, ca, path)).headers['strict-transport-security'], 'max-age=31536000', path);
});
