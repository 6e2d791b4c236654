// SPDX-License-Identifier: Apache-2.0
// The wire below the messages: requests that are none, framing that two readers could read in two ways, clients that are slow,
// leave half-way or send several requests at once, against the people's door, the edge's socket and the edge itself. Each gets a
// clear answer or is let go, nobody else notices, and no connection is left behind. (RFC 9110, RFC 9112)
import { test } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import tls from 'node:tls';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { existsTool, platform, request, until } from './kit.mjs';

const missing = !existsTool('nginx') && 'nginx is not installed';

// Bytes on a connection: what came back and how it ended: 'answered' (with `first`: the first answer is enough), 'closed', 'reset' or,
// after `ms`, 'open'. half: we close our side; drip: one more byte each so many ms.
const talk = (open, bytes, { ms = 5000, half = false, drip, first = !half && !drip } = {}) => new Promise((ok) => {
  const s = open();
  let text = '', over = false, timer;
  const end = (how) => {
    if (over) return;
    over = true;
    clearInterval(timer);
    clearTimeout(limit);
    s.destroy();
    ok({ text, how, status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0) });
  };
  const limit = setTimeout(() => end('open'), ms);
  s.on(s.encrypted ? 'secureConnect' : 'connect', () => {
    s.write(bytes);
    if (half) s.end();
    if (drip) timer = setInterval(() => s.write('x'), drip);
  });
  s.on('data', (b) => {
    text += b.toString('latin1');
    if (first && text.includes('\r\n\r\n')) end('answered');
  });
  s.on('close', () => end('closed'));
  s.on('error', () => end('reset'));
});

const sockets = (pid) => readdirSync(`/proc/${pid}/fd`).filter((f) => { try { return readlinkSync(`/proc/${pid}/fd/${f}`).startsWith('socket:'); } catch { return false; } }).length;
const get = (path, more = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
const post = (path, head, body) => `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${head}\r\n${body}`;

// What no reader may take for a request, and what it is answered (the edge's word in the third place where it is another one).
const bad = (path) => [
  ['no version', `GET ${path}\r\n\r\n`, [400]],
  ['another protocol', 'EHLO localhost\r\n\r\n', [400]],
  ['a version to come', `GET ${path} HTTP/9.9\r\nHost: localhost\r\n\r\n`, [505]],
  ['HTTP/2 without TLS', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505]],
  ['bytes of a TLS handshake', Buffer.concat([Buffer.from('160301000501', 'hex'), Buffer.from('\r\n\r\n')]), [0, 400]],
  ['a header without a colon', get(path, 'colon\r\n'), [400], [400, 401]],
  ['white space before the colon', get(path, 'Content-Length : 5\r\n'), [400]],
  ['a lone CR in a header', get(path, 'X-A: b\rX-B: c\r\n'), [400]],
  ['two hosts', get(path, 'Host: evil\r\n'), [400]],
  ['no host', `GET ${path} HTTP/1.1\r\n\r\n`, [400]],
  ['length and chunks', post(path, 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), [400]],
  ['two lengths', post(path, 'Content-Length: 2\r\nContent-Length: 3\r\n', '{} '), [400]],
  ['a length with a sign', post(path, 'Content-Length: +2\r\n', '{}'), [400]],
  ['a hexadecimal length', post(path, 'Content-Length: 0x2\r\n', '{}'), [400]],
  ['a length beyond 64 bits', post(path, 'Content-Length: 99999999999999999999999\r\n', '{}'), [400, 413]],
  ['a length beyond every file', post(path, 'Content-Length: 9223372036854775807\r\n', '{}'), [400, 413]],
  ['a chunk of size ZZ', post(path, 'Transfer-Encoding: chunked\r\n', 'ZZ\r\n{}\r\n0\r\n\r\n'), [400]],
  ['a chunk of size -1', post(path, 'Transfer-Encoding: chunked\r\n', '-1\r\n{}\r\n0\r\n\r\n'), [400]],
  ['a chunk size that overflows', post(path, 'Transfer-Encoding: chunked\r\n', 'FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n'), [400, 413]],
  ['a chunk longer than it says', post(path, 'Transfer-Encoding: chunked\r\n', '2\r\n{}XX0\r\n\r\n'), [400]],
  ['another coding', post(path, 'Transfer-Encoding: gzip\r\n', '{}'), [501]],
  ['a coding over chunks', post(path, 'Transfer-Encoding: chunked, gzip\r\n', '2\r\n{}\r\n0\r\n\r\n'), [501]],
  ['two codings', post(path, 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '2\r\n{}\r\n0\r\n\r\n'), [400, 501]],
  ['chunks in HTTP/1.0', `POST ${path} HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, [400]],
  ['an address of 100 KB', get(`/${'a'.repeat(100000)}`), [414]],
  ['a header of 200 KB', get(path, `X-A: ${'a'.repeat(200000)}\r\n`), [431], [400]],
  ['two thousand headers', get(path, 'X-A: b\r\n'.repeat(2000)), [431], [400]],
  ['a tunnel', 'CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n', [400, 404, 405]],
  ['TRACE', `TRACE ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`, [405]],
];

test('the wire', { skip: missing }, async (t) => {
  const p = await platform(t, { edge: true });
  const ca = JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca;
  const nginx = Number(readFileSync(join(p.state, 'edge/nginx.pid'), 'utf8'));
  const workers = () => readFileSync(`/proc/${nginx}/task/${nginx}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  const doors = {
    people: { path: '/healthz', good: 200, open: () => net.connect(p.port, '127.0.0.1') },
    socket: { path: '/d/v1/state', good: 401, open: () => net.connect(join(p.state, 'run/device.sock')) },
    edge: { path: '/d/v1/state', good: 401, open: () => tls.connect({ host: '127.0.0.1', port: p.devicePort, servername: 'localhost', ca }) },
  };
  const held = () => [sockets(p.serve.pid), ...workers().map(sockets)];
  await until('two workers', () => workers().length === 2);
  await request(`${p.base}/healthz`);
  const before = held();

  // The slow ones begin now and are looked at last: they are cut off while everything else goes on.
  const slow = Object.entries(doors).flatMap(([name, d]) => [
    [`${name}: a head that drips`, talk(d.open, `GET ${d.path} HTTP/1.1\r\nHost: localhost\r\nX-A: `, { ms: 40000, drip: 400 })],
    ...(name === 'edge' ? [] : [[`${name}: a body that drips`, talk(d.open, post(d.path, 'Content-Length: 1000\r\n', '{'), { ms: 40000, drip: 400 })]]),
    [`${name}: silence`, talk(d.open, '', { ms: 40000 })],
    [`${name}: half a head and the end`, talk(d.open, get(d.path).slice(0, 20), { ms: 40000, half: true })],
    [`${name}: half a body and the end`, talk(d.open, post(d.path, 'Content-Length: 100\r\n', '{"a":'), { ms: 40000, half: true })],
  ]);
  const crowd = Array.from({ length: 200 }, () => { const s = doors.people.open(); s.on('error', () => {}); s.write('GET /heal'); return s; });

  for (const [name, d] of Object.entries(doors)) {
    await t.test(`${name}: what is no request`, async () => {
      for (const [what, bytes, status, atEdge] of bad(d.path)) {
        const r = await talk(d.open, bytes);
        const wanted = name === 'edge' && atEdge ? atEdge : status;
        assert.ok(wanted.includes(r.status), `${what}: ${JSON.stringify(r.text.slice(0, 160))} (${r.how}), not ${wanted}`);
        assert.doesNotMatch(r.text, /microhttpd|nginx\/\d|\/src\//i, what);
      }
    });
    await t.test(`${name}: a header block that just fits, and one that does not, are answered`, async () => {
      const seen = new Set();
      for (let n = 3000; n < 17000; n += 250) {
        const r = await talk(d.open, get(d.path, `X-A: ${'a'.repeat(n)}\r\n`));
        assert.ok([d.good, 431, 400].includes(r.status), `${n} bytes: ${JSON.stringify(r.text.slice(0, 100))} (${r.how})`);
        seen.add(r.status);
      }
      assert.ok(seen.has(d.good) && seen.size > 1, [...seen].join());
    });
    await t.test(`${name}: requests sent at once are answered in their order`, async () => {
      const r = await talk(d.open, get(d.path) + get('/nothing-here') + get(d.path, 'Connection: close\r\n'), { first: false });
      const codes = [...r.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((m) => Number(m[1]));
      assert.deepEqual(codes, [d.good, 404, d.good]);
      assert.equal(r.how, 'closed');
    });
    await t.test(`${name}: what follows a refused request is not taken for a request`, async () => {
      const r = await talk(d.open, post(d.path, 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${get('/healthz')}`), { first: false });
      assert.equal(r.text.match(/HTTP\/1\.1 /g)?.length, 1, r.text);
      assert.equal(r.how, 'closed');
    });
    await t.test(`${name}: a client that closes its half`, async () => {
      const r = await talk(d.open, get(d.path), { half: true });
      assert.notEqual(r.how, 'open');
      assert.ok([d.good, ...(name === 'edge' ? [0] : [])].includes(r.status), `${r.text} (${r.how})`);      // nginx takes it for a client that left
    });
    await t.test(`${name}: clients that vanish`, async () => {
      await Promise.all(Array.from({ length: 40 }, (_, i) => new Promise((ok) => {
        const s = d.open();
        s.on('error', () => {});
        s.on('close', ok);
        s.on(s.encrypted ? 'secureConnect' : 'connect', () => s.write(i % 2 ? post(d.path, 'Content-Length: 500\r\n', '{"a":"') : get(d.path).slice(0, 1 + i), () => s.destroy()));
      })));
    });
  }

  await t.test('others are served meanwhile', async () => assert.equal((await request(`${p.base}/healthz`)).status, 200));
  for (const [what, told] of slow)
    await t.test(`${what} is cut off`, async () => {
      const r = await told;
      assert.notEqual(r.how, 'open', 'still connected after 40 seconds');
      assert.ok([0, 400, 401, 405, 408].includes(r.status), r.text);
    });
  await t.test('no connection is left behind', async () => {
    for (const s of crowd) s.destroy();
    // The edge keeps its own connections to the platform for a while: those are counted on both sides and are not clients.
    await until('as many sockets as before', () => held().every((n, i) => n <= before[i] + 10), 30000);
    for (const d of Object.values(doors)) assert.equal((await talk(d.open, get(d.path))).status, d.good);
  });
});

test('a body that drips at the edge holds nothing of the platform', { skip: missing }, async (t) => {
  const p = await platform(t, { edge: true });
  const ca = JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca;
  await request(`${p.base}/healthz`);
  const before = sockets(p.serve.pid);
  const all = await Promise.all(Array.from({ length: 30 }, () => new Promise((ok) => {
    const s = tls.connect({ host: '127.0.0.1', port: p.devicePort, servername: 'localhost', ca }, () => s.write(post('/d/v1/state', 'Content-Length: 1000\r\n', '{'), () => ok(s)));
    s.on('error', () => {});
  })));
  const r = await talk(() => tls.connect({ host: '127.0.0.1', port: p.devicePort, servername: 'localhost', ca }), get('/d/v1/state'));
  assert.equal(r.status, 401, r.text);
  assert.ok(sockets(p.serve.pid) <= before + 2, `${sockets(p.serve.pid)} sockets, ${before} before`);
  for (const s of all) s.destroy();
});
