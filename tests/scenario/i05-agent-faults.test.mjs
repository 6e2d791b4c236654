// SPDX-License-Identifier: Apache-2.0
// ctm-agent on a bad day: a network that truncates, stalls, drips, resets, redirects and lies; an outage that heartbeats must outlast;
// kill -9 again and again while its owner changes things. Evidence for NIST IR 8425: CSA (state awareness), SU, PC, DP.
import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { BEAT, Kit, Service, SIMPLE, sleep } from './agent_kit.mjs';
import { existsTool, until } from './kit.mjs';

const skip = !existsTool('openssl') && 'openssl is not installed';
const kit = skip ? null : new Kit();
after(() => kit?.end());

const beats = (s) => s.calls.filter((c) => c.path === BEAT);
const good = (r) => { r.setHeader('content-type', 'application/json'); r.end('{}'); };

// One row a fault: what the service does with a request instead of answering it.
const FAULTS = {
  'an answer that ends too early': (q, r) => { r.writeHead(200, { 'content-length': 400 }); r.write('{"cert'); setTimeout(() => q.socket.destroy(), 50); },
  'a length that is too short': (q, r) => { r.writeHead(500, { 'content-length': 1, connection: 'close' }); r.end('x'); },
  'a cut in the middle': (q, r) => { r.writeHead(200, { 'content-length': 400 }); r.write('{'); q.socket.destroy(); },
  'a cut before anything': (q) => q.socket.destroy(),
  'garbage instead of HTTP': (q) => { q.socket.write('\0\0\0 this is no HTTP\r\n\r\n'); q.socket.end(); },
  'a head without end': (q) => { q.socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(60000)}`); q.socket.end(); },
  'more than it can hold': (q, r) => r.end(Buffer.alloc(200000, 65)),
  '500': (q, r) => { r.writeHead(500); r.end('{}'); }, '503': (q, r) => { r.writeHead(503, { 'retry-after': '1' }); r.end('{}'); },
  'a status that does not exist': (q) => { q.socket.write('HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n'); q.socket.end(); },
  'a silence': () => {},
  'a drip': (q, r) => { const t = setInterval(() => q.socket.destroyed ? clearInterval(t) : q.socket.write('H'), 200); },
};

describe('a network that does not keep its word', { skip }, () => {
  test('each fault delays, none loses, repeats with another content, or ends the unit', { timeout: 240000 }, async (t) => {
    const s = await new Service(kit, 'faults').start();
    t.after(() => s.stop());
    const u = kit.unit({ platform: s.platform() });
    await u.start();
    await s.until((c) => c.path === BEAT);
    for (const [name, fault] of Object.entries(FAULTS)) {
      let met = 0;
      const before = beats(s).length;
      s.fault = (q, r) => { met++; fault(q, r); return true; };
      await until(name, () => met > 0, 40000);
      const asked = Date.now();
      assert.equal((await u.call('GET', '/ctm/v1/identity')).status, 200, `${name}: its own interface goes on`);
      assert.ok(Date.now() - asked < 7000, name);
      s.fault = null;
      await until(`${name}: it comes back`, () => beats(s).length > before + met, 60000);
      assert.ok(u.process, `${name}: ${u.err}`);
    }
    const heard = new Map();
    for (const c of beats(s)) {
      const seq = c.body.get(1), bytes = c.bytes.toString('hex');
      assert.equal(heard.get(seq) ?? bytes, bytes, `number ${seq} had two contents`);
      heard.set(seq, bytes);
    }
    const seqs = [...heard.keys()].sort((a, b) => a - b);
    assert.deepEqual(seqs, Array.from({ length: seqs.length }, (_, i) => i + 1), 'no number is missing');
    await u.stop();
  });

  test('a redirect is not followed, for enrolment or reports', { timeout: 60000 }, async (t) => {
    const s = await new Service(kit, 'redirect').start(), other = await new Service(kit, 'other').start();
    t.after(() => { s.stop(); other.stop(); });
    const there = `https://localhost:${other.server.address().port}`;
    s.fault = (q, r) => { r.writeHead(307, { location: there + q.url }); r.end(); return true; };
    const u = kit.unit({ platform: s.platform() });
    await u.start();
    await until('it was told to go elsewhere', () => s.calls.filter((c) => c.path === SIMPLE).length > 1, 20000);
    s.fault = null;
    await s.until((c) => c.path === BEAT, 20000);
    assert.equal(other.calls.length, 0);
    await u.stop();
  });
});

describe('an outage', { skip }, () => {
  test('heartbeats made meanwhile arrive afterwards, in order, also over a restart; the reason of the start is told', { timeout: 120000 }, async (t) => {
    const s = await new Service(kit, 'outage').start();
    t.after(() => s.stop());
    const u = kit.unit({ platform: s.platform() });
    await u.start();
    const [first] = await s.until((c) => c.path === BEAT);
    assert.equal(first.body.get(6), 1, 'switched on');
    let refused = 0;
    s.fault = (q, r) => { refused++; r.writeHead(503); r.end(); return true; };
    await until('several were refused', () => refused >= 3, 30000);
    await u.stop('SIGKILL');
    await u.start();
    await until('refused after the restart too', () => refused >= 5, 30000);
    await u.stop();
    await u.start();
    s.fault = null;
    const told = await until('the last start is heard', () => beats(s).find((c) => c.body.get(4) === 3), 30000);
    assert.equal(told.body.get(6), 2, 'stopped by its owner, started again: expected');
    const killed = beats(s).find((c) => c.body.get(4) === 2);
    assert.equal(killed.body.get(6), 128, 'killed: unexpected, for no reason that it knows');
    assert.equal(killed.body.get(5), 1, 'and likely degraded for it');
    const answered = beats(s).slice(-3).map((c) => c.body.get(1));
    assert.deepEqual(answered, [...answered].sort((a, b) => a - b));
    await u.stop();
  });
});

describe('kill -9', { skip }, () => {
  test('again and again while its owner changes things: one identity, whole settings, growing numbers', { timeout: 3500000 }, async (t) => {
    const rounds = process.env.CTM_LONG ? 1000 : 12;
    const s = await new Service(kit, 'kill').start();
    t.after(() => s.stop());
    const u = kit.unit({ platform: s.platform() });
    await u.start();
    await s.until((c) => c.path === BEAT);
    await u.own();
    const { spki_sha256: key } = (await u.call('GET', '/ctm/v1/identity')).body;
    let days = 7, note = null, asked = null;
    for (let i = 0; i < rounds; i++) {
      const want = i % 30, text = `round ${i}`;
      const going = Promise.all([u.call('PUT', '/ctm/v1/config', { recording_days: want }).catch(() => null), u.call('PUT', '/ctm/v1/userdata/note', { text }).catch(() => null)]);
      await sleep((i * 37) % 90);
      await u.stop('SIGKILL');
      const [config, data] = await going;
      await u.start();
      assert.equal((await u.login(u.password)).status, 200, `round ${i}: ${u.err}`);
      assert.equal((await u.call('GET', '/ctm/v1/identity')).body.spki_sha256, key);
      const now = (await u.call('GET', '/ctm/v1/config')).body.recording_days, got = await u.call('GET', '/ctm/v1/userdata/note');
      assert.ok(config?.status === 200 || config?.status === 204 ? now === want : [want, days].includes(now), `round ${i}: ${now}, not ${want} or ${days}`);
      if (got.status === 200) assert.ok([text, note, asked].includes(got.body.text), got.body.text);
      else assert.equal(note, null, `round ${i}: what was kept is gone`);
      if (data?.status === 204) assert.equal(got.body.text, text);
      const st = await u.state();
      assert.equal(st.version.booted, st.version.verified);
      [days, asked] = [now, text];
      note = got.status === 200 ? got.body.text : note;
    }
    const numbers = beats(s).map((c) => [c.body.get(1), c.bytes.toString('hex')]), seen = new Map();
    for (const [n, bytes] of numbers) {
      assert.equal(seen.get(n) ?? bytes, bytes, `number ${n} had two contents`);
      seen.set(n, bytes);
    }
    await u.stop();
  });
});
