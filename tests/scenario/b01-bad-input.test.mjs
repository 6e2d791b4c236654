// SPDX-License-Identifier: Apache-2.0
// Bad input against the running platform: each refusal is clear, names the field, and leaves nothing half written.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { createServer } from 'node:http';
import { platform, request, run, start, tempDir, freePort } from './kit.mjs';

const problem = (r, status) => {
  assert.equal(r.status, status, r.text);
  assert.match(r.headers['content-type'], /application\/problem\+json/);
  assert.ok(r.json.detail?.length > 10, r.text);
  return r.json;
};

// Bytes on a socket, as they are; the whole answer as text.
const raw = (port, bytes, ms = 3000) => new Promise((ok) => {
  let text = '';
  const s = net.connect(port, '127.0.0.1', () => s.write(bytes));
  s.on('data', (b) => { text += b; });
  s.on('close', () => ok(text));
  s.on('error', () => ok(text));
  setTimeout(() => { s.destroy(); ok(text); }, ms);
});

test('documents and fields', async (t) => {
  const p = await platform(t);
  const op = await p.operator();
  const count = async () => (await p.call(op, 'GET', '/api/v1/organisations')).json.organisations.length;
  const before = await count();
  const org = (body) => p.call(op, 'POST', '/api/v1/organisations', body, 'application/json');

  await t.test('malformed JSON is 400', async () => problem(await org('{"kind":"maker",'), 400));
  await t.test('a duplicate key is refused by name', async () => {
    const e = problem(await org('{"kind":"maker","kind":"lab","name":"A","slug":"a","contact":"a@b.example"}'), 400);
    assert.match(e.detail, /kind/);
  });
  await t.test('deep nesting is refused', async () => problem(await org('['.repeat(5000) + ']'.repeat(5000)), 400));
  await t.test('a truncated document is refused', async () => problem(await org('{"kind":"maker","name":"Example'), 400));
  await t.test('an oversized body is 413', async () => {
    const r = await org(`{"name":"${'x'.repeat(2 << 20)}"}`);
    assert.equal(r.status, 413);
  });
  await t.test('a wrong value names its field', async () => {
    const e = problem(await org({ kind: 'maker', name: 'Example', slug: 'Not A Slug!', contact: 'a@b.example' }), 422);
    assert.match(e.field, /slug/);
  });
  await t.test('an unknown member is refused by name', async () => {
    const e = problem(await org({ kind: 'maker', name: 'Example', slug: 'example', contact: 'a@b.example', rank: 1 }), 422);
    assert.match(e.field + e.detail, /rank/);
  });
  await t.test('text that is not UTF-8 is refused', async () => {
    const r = await p.call(op, 'POST', '/api/v1/organisations', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'application/json');
    assert.equal(r.status, 400);
  });
  await t.test('an unknown role is refused', async () => {
    const o = (await org({ kind: 'maker', name: 'Example', slug: 'example', contact: 'a@b.example' })).json;
    const person = (await p.call(op, 'POST', '/api/v1/people', { name: 'Pat Example', email: 'pat@b.example' })).json;
    problem(await p.call(op, 'POST', '/api/v1/memberships', { person_id: person.id, org_id: o.id, role: 'maker.emperor' }), 422);
  });
  await t.test('nothing was left half written', async () => assert.equal(await count(), before + 1));
});

test('who is asking', async (t) => {
  const p = await platform(t);
  const link = p.operatorLink();
  const token = await p.signIn(link.token);

  await t.test('a used link is refused', async () => assert.equal((await p.call(null, 'POST', '/api/v1/signin', { token: link.token })).status, 401));
  await t.test('an invented token is 401', async () => assert.equal((await p.call('A'.repeat(43), 'GET', '/api/v1/me')).status, 401));
  await t.test('nobody is 401 on the API and sent to sign in on pages', async () => {
    problem(await p.call(null, 'GET', '/api/v1/organisations'), 401);
    const page = await request(`${p.base}/cases`);
    assert.ok([302, 303].includes(page.status), String(page.status));
    assert.match(page.headers.location, /signin/);
  });
  await t.test('a role that may not is 403', async () => problem(await p.call(token, 'POST', '/api/v1/products', { name: 'X', model: 'X', category: 'camera', intended_use: 'home' }), 403));
  await t.test('the edge headers are not believed on the open port', async () => {
    const r = await request(`${p.base}/d/v1/state`, { method: 'POST', headers: { 'X-Client-Verify': 'SUCCESS', 'X-Client-Fingerprint': 'aa', 'Content-Type': 'application/json' }, body: '{}' });
    assert.ok([401, 403, 404].includes(r.status), String(r.status));
  });
});

test('addresses and bytes', async (t) => {
  const p = await platform(t);
  for (const path of ['/p/../ctm.db', '/log/../../ctm.json', '/log/%2e%2e/ctm.json', '/assets/..%2f..%2fkeys%2fca.pem', '/log/tile/0/..%2f..%2fctm.json', '/p/%00', '/p//etc/passwd', '/keys/ca.pem'])
    await t.test(`path trick ${path}`, async () => {
      const text = await raw(p.port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      assert.match(text, /^HTTP\/1\.[01] 4\d\d/, text.slice(0, 200));
      assert.doesNotMatch(text, /PRIVATE KEY|SQLite format|public_url/);
    });
  for (const [name, bytes] of [
    ['not HTTP', 'hello\r\n\r\n'], ['two lengths', 'POST /api/v1/signin HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'],
    ['huge header', `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(200000)}\r\n\r\n`], ['bad length', 'POST /api/v1/signin HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n']])
    await t.test(`bytes: ${name}`, async () => {
      const text = await raw(p.port, bytes);
      assert.doesNotMatch(text, /^HTTP\/1\.[01] 2\d\d/, text.slice(0, 200));
    });
  await t.test('a method that is not there is 405 with Allow', async () => {
    const r = await request(`${p.base}/healthz`, { method: 'DELETE' });
    assert.equal(r.status, 405);
    assert.match(r.headers.allow, /GET/);
  });
  await t.test('a malformed public id is refused, an unknown one is a plain page', async () => {
    assert.ok([404, 422].includes((await request(`${p.base}/p/not-an-id`)).status));
    const r = await request(`${p.base}/p/00000000000`);
    assert.equal(r.status, 404);
    assert.match(r.text, /<h1/);
  });
  await t.test('still serving', async () => assert.equal((await request(`${p.base}/healthz`)).status, 200));
});

test('a busy port and a missing state directory are one plain sentence', async (t) => {
  const dir = tempDir(t);
  const none = run('ctm', ['serve', '--state', `${dir}/none`]);
  assert.equal(none.code, 3);
  assert.match(none.err, /ctm init/);
  assert.equal(none.err.trim().split('\n').length, 1, none.err);
  const port = await freePort();
  const taken = createServer().listen(port, '127.0.0.1');
  t.after(() => taken.close());
  run('ctm', ['init', '--state', `${dir}/var`, '--public-url', `http://localhost:${port}`, '--listen', `127.0.0.1:${port}`, '--device-port', '1', '--origin', 'x/y']);
  const busy = start('ctm', ['serve', '--state', `${dir}/var`]);
  assert.equal(await busy.done, 3);
  assert.match(busy.log, new RegExp(`${port}`));
});
