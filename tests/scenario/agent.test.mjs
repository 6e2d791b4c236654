// SPDX-License-Identifier: Apache-2.0
//
// The device, run for real: first start, owner, settings, updates good and bad, log, reset, enrolment and reports, what it refuses.
// Evidence for NIST IR 8425: AI (identity), PC (configuration), DP (data), IAC (interfaces), SU (update), CSA (state awareness).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, createPublicKey, randomBytes, verify, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { Kit, program, sha256, sleep, BEAT, SIMPLE, Service } from './agent_kit.mjs';

const kit = new Kit();
after(() => kit.end());
const fresh = (o) => kit.unit(o).start();
const owned = async (o) => (await fresh(o)).own();

// The certificate shown, and what the handshake settled on.
function handshake(u, o = {}) {
  return new Promise((done, fail) => {
    const s = tls.connect({ host: u.address, port: u.port, rejectUnauthorized: false, ...o }, () => {
      const r = { cert: new X509Certificate(s.getPeerCertificate(true).raw), protocol: s.getProtocol() };
      s.destroy();
      done(r);
    });
    s.on('error', fail);
  });
}

// Bytes as they are over TLS, and everything that comes back until the end or `ms` of silence.
function raw(u, bytes, ms = 3000) {
  return new Promise((done, fail) => {
    let got = '';
    const s = tls.connect({ host: u.address, port: u.port, rejectUnauthorized: false }, () => s.write(bytes));
    s.setTimeout(ms, () => s.destroy());
    s.on('data', (d) => { got += d.toString('latin1'); });
    s.on('error', (e) => (got ? done(got) : fail(e)));
    s.on('close', () => done(got));
  });
}

function portOpen(address, port) {
  return new Promise((done) => {
    const s = net.connect({ host: address, port, timeout: 1000 }, () => { s.destroy(); done(true); });
    s.on('error', () => done(false));
    s.on('timeout', () => { s.destroy(); done(false); });
  });
}

describe('identity', () => {
  test('serial, certificate and key are one (IR 8425 AI)', async () => {
    const u = await fresh();
    const { body } = await u.call('GET', '/ctm/v1/identity');
    const { cert, protocol } = await handshake(u);
    assert.equal(body.serial, u.serial);
    assert.equal(body.model, 'PC-1');
    assert.equal(body.version, '1.0.0');
    assert.match(cert.subject, new RegExp(`CN=${u.serial}`));
    assert.match(cert.subject, new RegExp(`serialNumber=${u.serial}`));
    const spki = cert.publicKey.export({ type: 'spki', format: 'der' });
    assert.equal(body.spki_sha256, 'sha256:' + sha256(spki));
    assert.match(protocol, /TLSv1\.[23]/);
    const nonce = randomBytes(32).toString('base64url');
    const proof = await u.call('POST', '/ctm/v1/identity/proof', { nonce });
    const said = `ctm-identity-proof/1\n${u.serial}\n${nonce}\n`;
    assert.ok(verify('sha256', Buffer.from(said), { key: cert.publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(proof.body.signature, 'base64url')));
    for (const bad of ['', 'short', nonce + 'A', nonce.slice(0, 42) + '=', 5]) {
      const r = await u.call('POST', '/ctm/v1/identity/proof', { nonce: bad });
      assert.equal(r.status, 422);
      assert.equal(r.body.field, 'nonce');
    }
    await u.stop();
  });

  test('the key is made on the unit, kept over a restart and readable by its owner only', async () => {
    const u = await fresh();
    const first = (await u.call('GET', '/ctm/v1/identity')).body.spki_sha256;
    await u.stop();
    await u.start();
    assert.equal((await u.call('GET', '/ctm/v1/identity')).body.spki_sha256, first);
    assert.equal(fs.statSync(u.file('state/device-key.pem')).mode & 0o777, 0o600);
    assert.equal(fs.statSync(u.file('state')).mode & 0o777, 0o700);
    const other = await fresh();
    assert.notEqual((await other.call('GET', '/ctm/v1/identity')).body.spki_sha256, first);
    await u.stop();
    await other.stop();
  });

  test('one declared port is open and no other; TLS 1.1 is refused', async () => {
    const u = await fresh();
    assert.ok(await portOpen(u.address, u.port));
    for (const p of [22, 23, 80, 443, 2323, 8080, 8443]) assert.equal(await portOpen(u.address, p), false, `port ${p}`);
    await assert.rejects(handshake(u, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }));
    assert.equal((await handshake(u, { maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2');
    const inodes = fs.readdirSync(`/proc/${u.process.pid}/fd`).map((f) => { try { return fs.readlinkSync(`/proc/${u.process.pid}/fd/${f}`); } catch { return ''; } })
      .filter((l) => l.startsWith('socket:')).map((l) => l.slice(8, -1));
    const listening = ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((f) => fs.readFileSync(`/proc/net/${f}`, 'utf8').split('\n').slice(1)
      .map((l) => l.trim().split(/\s+/)).filter((c) => inodes.includes(c[9]) && (c[3] === '0A' || f.startsWith('udp'))));
    assert.equal(listening.length, 1);
    await u.stop();
  });
});

describe('password and session', () => {
  test('the printed password opens only its own change (IR 8425 IAC)', async () => {
    const u = await fresh();
    const r = await u.login(u.initial);
    assert.equal(r.status, 200);
    assert.equal(r.body.must_change, true);
    for (const [m, p, b] of [['GET', 'state'], ['GET', 'config'], ['PUT', 'config', {}], ['GET', 'log'], ['GET', 'userdata'], ['POST', 'reset', { confirm: u.serial }],
      ['POST', 'update', Buffer.alloc(10)]]) {
      const x = await u.call(m, `/ctm/v1/${p}`, b);
      assert.equal(x.status, 403, `${m} ${p}`);
      assert.equal(x.body.error, 'CHANGE');
    }
    for (const [body, field] of [[{ old: u.initial, new: 'short' }, 'new'], [{ old: u.initial, new: u.initial }, 'new'], [{ old: u.initial, new: 'a'.repeat(20) }, 'new'],
      [{ old: u.initial, new: 'x y z '.repeat(30) }, 'new'], [{ old: 'wrong', new: u.password }, 'old'], [{ old: u.initial }, 'new'], [{ old: u.initial, new: 5 }, 'new'],
      [{ old: u.initial, new: u.password, extra: 1 }, 'extra']]) {
      const x = await u.call('PUT', '/ctm/v1/password', body);
      assert.equal(x.status, 422, JSON.stringify(field));
      assert.equal(x.body.field, field);
    }
    assert.equal((await u.call('PUT', '/ctm/v1/password', { old: u.initial, new: u.password })).status, 204);
    assert.equal((await u.call('GET', '/ctm/v1/state')).status, 200);
    assert.equal((await u.login(u.initial)).status, 401);
    assert.equal((await u.login('admin')).status, 401);
    assert.equal((await u.login(u.password)).body.must_change, false);
    await u.stop();
  });

  test('wrong passwords lock, with Retry-After, and a restart gives no more tries', async () => {
    const u = await owned();
    for (let i = 0; i < 5; i++) assert.equal((await u.login('wrong')).status, 401);
    const r = await u.login(u.password);
    assert.equal(r.status, 429);
    assert.ok(Number(r.headers['retry-after']) >= 1 && Number(r.headers['retry-after']) <= 2);
    await u.stop('SIGKILL');
    await u.start();
    assert.equal((await u.login(u.password)).status, 429);
    await sleep(2200);
    assert.equal((await u.login(u.password)).status, 200);
    const events = await u.events();
    assert.equal(events.filter((e) => e === 'login.failed').length, 5);
    assert.ok(events.includes('login.locked'));
    await u.stop();
  });

  test('sessions end: by logout, by a change of password elsewhere; made-up tokens never begin', async () => {
    const u = await owned();
    const mine = u.token;
    await u.login(u.password);
    assert.equal((await u.call('DELETE', '/ctm/v1/session')).status, 204);
    assert.equal((await u.call('GET', '/ctm/v1/state')).status, 401);
    assert.equal((await u.call('GET', '/ctm/v1/state', undefined, { token: mine })).status, 200);
    await u.login(u.password);
    assert.equal((await u.call('PUT', '/ctm/v1/password', { old: u.password, new: 'another one of mine' })).status, 204);
    assert.equal((await u.call('GET', '/ctm/v1/state', undefined, { token: mine })).status, 401);
    assert.equal((await u.call('GET', '/ctm/v1/state')).status, 200);
    for (const t of ['x', randomBytes(32).toString('base64url'), mine.slice(0, 42), mine + 'A', '=', 'a'.repeat(127)])
      assert.equal((await u.call('GET', '/ctm/v1/log', undefined, { token: t })).status, 401);
    await u.stop();
  });
});

describe('settings and data', () => {
  test('settings are typed, whole or not at all, and kept (IR 8425 PC)', async () => {
    const u = await owned();
    const before = (await u.call('GET', '/ctm/v1/config')).body;
    assert.deepEqual(before, { live_view: true, recording_days: 7, video_quality: 'medium', porch_name: 'Front door' });
    for (const [change, field] of [[{ recording_days: 31 }, 'recording_days'], [{ recording_days: -1 }, 'recording_days'], [{ recording_days: '7' }, 'recording_days'],
      [{ recording_days: 7.5 }, 'recording_days'], [{ live_view: 1 }, 'live_view'], [{ video_quality: 'huge' }, 'video_quality'], [{ porch_name: 'x'.repeat(17) }, 'porch_name'],
      [{ porch_name: 'a\nb' }, 'porch_name'], [{ porch_name: null }, 'porch_name'], [{ live_view: false, shell: 'on' }, 'shell'], [{ live_view: false, recording_days: 99 }, 'recording_days']]) {
      const r = await u.call('PUT', '/ctm/v1/config', change);
      assert.equal(r.status, 422, JSON.stringify(change));
      assert.equal(r.body.field, field);
      assert.match(r.body.message, /nothing was changed/);
    }
    assert.deepEqual((await u.call('GET', '/ctm/v1/config')).body, before);
    const r = await u.call('PUT', '/ctm/v1/config', { recording_days: 30, video_quality: 'high', porch_name: 'Tür' });
    assert.deepEqual(r.body, { ...before, recording_days: 30, video_quality: 'high', porch_name: 'Tür' });
    assert.equal((await u.call('PUT', '/ctm/v1/config', { live_view: false }, { token: null })).status, 401);
    await u.stop('SIGKILL');
    await u.start();
    await u.login(u.password);
    assert.equal((await u.call('GET', '/ctm/v1/config')).body.porch_name, 'Tür');
    await u.stop();
  });

  test('user data is sealed at rest and gone after a reset (IR 8425 DP)', async () => {
    const u = await owned();
    const secret = 'the canary ' + randomBytes(8).toString('hex');
    assert.equal((await u.call('PUT', '/ctm/v1/userdata/note-1', { text: secret })).status, 204);
    assert.equal((await u.call('GET', '/ctm/v1/userdata/note-1')).body.text, secret);
    assert.deepEqual((await u.call('GET', '/ctm/v1/userdata')).body.names, ['note-1']);
    const onDisk = () => fs.readdirSync(u.file('state')).map((f) => fs.readFileSync(u.file(`state/${f}`))).filter((b) => b.includes(secret)).length;
    assert.equal(onDisk(), 0);
    for (const name of ['../x', 'A', 'a.b', 'x'.repeat(33), '%2e%2e'])
      assert.ok([400, 404, 422].includes((await u.call('PUT', `/ctm/v1/userdata/${name}`, { text: 'x' })).status), name);
    assert.equal((await u.call('PUT', '/ctm/v1/userdata/big', { text: 'x'.repeat(4097) })).status, 422);
    assert.equal((await u.call('PUT', '/ctm/v1/userdata/big', { text: 'x'.repeat(4096) })).status, 204);
    assert.equal((await u.call('DELETE', '/ctm/v1/userdata/big')).status, 204);
    assert.equal((await u.call('DELETE', '/ctm/v1/userdata/big')).status, 404);
    assert.equal((await u.call('POST', '/ctm/v1/reset', { confirm: u.serial })).status, 202);
    assert.ok(!fs.existsSync(u.file('state/data-key')));
    await u.own();
    assert.equal((await u.call('GET', '/ctm/v1/userdata/note-1')).status, 404);
    assert.deepEqual((await u.call('GET', '/ctm/v1/userdata')).body.names, []);
    await u.stop();
  });

  test('a reset restores the secure default, the printed password and ends sessions; the log goes on', async () => {
    const u = await owned();
    await u.call('PUT', '/ctm/v1/config', { recording_days: 30, live_view: true });
    for (const confirm of ['', 'yes', 'PC1-TEST', undefined]) {
      const r = await u.call('POST', '/ctm/v1/reset', { confirm });
      assert.equal(r.status, 422);
      assert.equal(r.body.field, 'confirm');
    }
    const old = u.token;
    assert.equal((await u.call('POST', '/ctm/v1/reset', { confirm: u.serial })).status, 202);
    assert.equal((await u.call('GET', '/ctm/v1/config', undefined, { token: old })).status, 401);
    assert.equal((await u.login(u.password)).status, 401);
    await u.own();
    assert.deepEqual((await u.call('GET', '/ctm/v1/config')).body, { live_view: false, recording_days: 7, video_quality: 'medium', porch_name: 'Front door' });
    const events = await u.events();
    assert.ok(events.includes('reset') && events.includes('password.changed') && events[0] === 'boot');
    await u.stop();
  });

  test('a reset that the plug interrupted is finished at the next start', async () => {
    const u = await owned();
    await u.call('PUT', '/ctm/v1/userdata/note', { text: 'left behind' });
    await u.stop();
    // What a power cut right after the first step of a reset leaves: the record that says one is under way.
    const body = Buffer.from('1'), head = Buffer.alloc(12);
    head.writeBigUInt64BE(1n, 0);
    head.writeUInt32BE(1, 8);
    const digest = createHash('sha256').update(head).update(body).digest();
    fs.writeFileSync(u.file('state/reset.0'), Buffer.concat([Buffer.from('CTMR'), head, digest, body]));
    await u.start();
    assert.equal((await u.login(u.password)).status, 401);
    await u.own();
    assert.equal((await u.call('GET', '/ctm/v1/userdata/note')).status, 404);
    assert.ok(!fs.existsSync(u.file('state/reset.0')));
    await u.stop();
  });
});

describe('update', () => {
  test('a good one boots, is confirmed and raises the floor; versions are told apart (IR 8425 SU)', async () => {
    const u = await owned();
    const pack = kit.package('1.1.0', 11, { bytes: 300000 });
    const r = await u.update(pack);
    assert.equal(r.status, 200);
    assert.deepEqual(r.body, { version: '1.1.0' });
    const s = await u.state();
    assert.deepEqual(s.version, { claimed: '1.1.0', booted: '1.1.0', verified: '1.1.0' });
    assert.equal(s.image_sha256, 'sha256:' + sha256(pack.subarray(4 + pack.readUInt32BE(0))));
    assert.equal(s.security_counter, 11);
    assert.equal(s.health, 'likely-normal');
    assert.ok((await u.events()).includes('update.installed'));
    await u.stop();
    await u.start();
    await u.login(u.password);
    assert.equal((await u.state()).version.booted, '1.1.0');
    await u.stop();
  });

  test('tampered, unsigned, foreign, older and broken ones are refused, and what runs is kept', async () => {
    const u = await owned();
    await u.update(kit.package('1.1.0', 11));
    const good = kit.package('1.2.0', 12), n = 4 + good.readUInt32BE(0);
    const changed = (at) => { const b = Buffer.from(good); b[at] ^= 1; return b; };
    const rows = [
      ['image changed', changed(good.length - 1), 'VERIFY', 'digest'],
      ['manifest changed', changed(n - 80), 'VERIFY', 'signature'],
      ['signature changed', changed(n - 1), 'VERIFY', 'signature'],
      ['image cut', good.subarray(0, good.length - 1), 'VERIFY', 'digest'],
      ['image longer', Buffer.concat([good, Buffer.from('x')]), 'VERIFY', 'digest'],
      ['another key', kit.package('1.2.0', 12, { key: kit.file('stranger.pem') }), 'VERIFY', 'signature'],
      ['another product', kit.package('1.2.0', 12, { cls: 'PC-2' }), 'OTHER', 'class'],
      ['another model inside', kit.package('1.2.0', 12, { model: 'PC-2', cls: 'PC-1' }), 'OTHER', 'header'],
      ['older counter', kit.package('1.2.0', 10), 'OLDER', 'counter'],
      ['older version', kit.package('1.0.0', 11), 'OLDER', 'version'],
      ['no package', Buffer.from('hello there, this is not a package'), 'TOOBIG', 'package'],
      ['empty', Buffer.alloc(0), 'TRUNCATED', 'package'],
      ['image without manifest', Buffer.concat([Buffer.alloc(4), good.subarray(n)]), 'SYNTAX', 'package'],
    ];
    for (const [what, bytes, error, reason] of rows) {
      const r = await u.update(bytes);
      assert.equal(r.status, 422, what);
      assert.equal(r.body.error, error, what);
      assert.equal(r.body.reason, reason, what);
    }
    assert.equal((await u.update(good, { token: null })).status, 401);
    const s = await u.state();
    assert.deepEqual([s.version.booted, s.security_counter], ['1.1.0', 11]);
    assert.equal((await u.events()).filter((e) => e === 'update.refused').length, rows.length);
    assert.equal((await u.update(good)).status, 200);
    await u.stop();
  });

  test('killed at any time during updates, it comes up with a version that verifies', { timeout: 120000 }, async () => {
    const u = await owned();
    const packs = ['2.0.0', '2.0.1', '2.0.2', '2.0.3', '2.0.4', '2.0.5'].map((v, i) => kit.package(v, 20 + i, { bytes: 2000000 }));
    let last = '1.0.0';
    for (const [i, p] of packs.entries()) {
      await u.login(u.password);
      const going = u.update(p).catch(() => null);
      await sleep(5 + 37 * i);
      await u.stop('SIGKILL');
      await going;
      await u.start();
      await u.login(u.password);
      const s = await u.state();
      assert.equal(s.version.booted, s.version.verified);
      assert.ok([last, `2.0.${i}`].includes(s.version.booted), s.version.booted);
      last = s.version.booted;
    }
    await u.stop();
  });

  test('a first start that the plug cuts short is done again', { timeout: 60000 }, async () => {
    for (let i = 0; i < 8; i++) {
      const u = kit.unit();
      u.spawn();
      await sleep(8 + 9 * i);
      await u.stop('SIGKILL');
      await u.start();
      await u.own();
      assert.equal((await u.state()).version.verified, '1.0.0');
      await u.stop();
    }
  });

  test('an image that rots in its slot is not run: the unit says degraded and takes a good one', async () => {
    const u = await owned();
    await u.stop();
    const b = fs.readFileSync(u.file('state/slot0'));
    b[b.length - 1] ^= 1;
    fs.writeFileSync(u.file('state/slot0'), b);
    await u.start();
    await u.login(u.password);
    const s = await u.state();
    assert.deepEqual(s.version, { claimed: 'none', booted: null, verified: null });
    assert.equal(s.health, 'likely-degraded');
    assert.equal((await u.update(kit.package('1.1.0', 11))).status, 200);
    assert.equal((await u.state()).health, 'likely-normal');
    await u.stop();
  });
});

describe('security log', () => {
  test('is for the owner only and chained (IR 8425 CSA)', async () => {
    const u = await owned();
    assert.equal((await u.call('GET', '/ctm/v1/log', undefined, { token: null })).status, 401);
    assert.equal((await u.call('GET', '/ctm/v1/state', undefined, { token: null })).status, 401);
    const { entries, head } = (await u.call('GET', '/ctm/v1/log')).body;
    assert.deepEqual(entries.map((e) => e.seq), entries.map((_, i) => i + 1));
    // hash(n) = SHA-256(hash(n-1) || CBOR [seq, at_ms, event, detail]), made here on its own
    const head5 = (major, n) => (n < 24 ? Buffer.from([major << 5 | n]) : n < 256 ? Buffer.from([major << 5 | 24, n]) : (() => {
      const b = Buffer.alloc(9);
      b[0] = major << 5 | 27;
      b.writeBigUInt64BE(BigInt(n), 1);
      return b;
    })());
    const text = (s) => Buffer.concat([head5(3, Buffer.byteLength(s)), Buffer.from(s)]);
    let h = Buffer.alloc(32);
    for (const e of entries) {
      h = createHash('sha256').update(h).update(Buffer.concat([head5(4, 4), head5(0, e.seq), head5(0, e.at_ms), text(e.event), text(e.detail)])).digest();
      assert.equal(h.toString('hex'), e.hash);
    }
    assert.equal(head, h.toString('hex'));
    const tail = (await u.call('GET', `/ctm/v1/log?after=${entries.length - 1}`)).body.entries;
    assert.equal(tail.length, 1);
    for (const q of ['after=-1', 'after=x', 'after=', 'before=1', 'after=1&after=2']) assert.equal((await u.call('GET', `/ctm/v1/log?${q}`)).status, 422, q);
    const said = JSON.stringify(entries) + u.out + u.err;
    for (const secret of [u.initial, u.password, u.token]) assert.ok(!said.includes(secret));
    await u.stop();
  });
});

describe('bad input', () => {
  test('malformed heads and bodies get a status and nothing else', async () => {
    const u = await owned();
    const host = `Host: ${u.address}\r\n`, auth = `Authorization: Bearer ${u.token}\r\n`;
    const rows = [
      ['GET /ctm/v1/identity HTTP/1.1\r\n\r\n', 400], ['GET  /ctm/v1/identity HTTP/1.1\r\n' + host + '\r\n', 400],
      ['GET /ctm/v1/../v1/identity HTTP/1.1\r\n' + host + '\r\n', 400], ['GET http://x/ctm HTTP/1.1\r\n' + host + '\r\n', 400],
      ['GET /ctm/v1/identity HTTP/2.0\r\n' + host + '\r\n', 505], ['GET /ctm/v1/identity HTTP/1.1\r\n' + host + host + '\r\n', 400],
      ['GET /ctm/v1/identity HTTP/1.1\r\n' + host + 'X : y\r\n\r\n', 400], ['GET /ctm/v1/identity HTTP/1.1\r\n' + host + ' folded\r\n\r\n', 400],
      ['POST /ctm/v1/session HTTP/1.1\r\n' + host + 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 411],
      ['POST /ctm/v1/session HTTP/1.1\r\n' + host + 'Content-Length: 1\r\nContent-Length: 1\r\n\r\nx', 400],
      ['POST /ctm/v1/session HTTP/1.1\r\n' + host + 'Content-Length: +1\r\n\r\nx', 400],
      ['POST /ctm/v1/session HTTP/1.1\r\n' + host + 'Content-Length: 99999999999\r\n\r\nx', 413],
      ['POST /ctm/v1/session HTTP/1.1\r\n' + host + 'Content-Length: 17000\r\n\r\nx', 413],
      ['POST /ctm/v1/update HTTP/1.1\r\n' + host + auth + 'Content-Length: 40000000\r\n\r\nx', 413],
      ['GET /ctm/v1/identity HTTP/1.1\r\n' + host + 'A: ' + 'b'.repeat(9000) + '\r\n\r\n', 431],
      ['GET /' + 'a'.repeat(300) + ' HTTP/1.1\r\n' + host + '\r\n', 414], ['get /ctm/v1/identity HTTP/1.1\r\n' + host + '\r\n', 400],
      ['TRACE /ctm/v1/identity HTTP/1.1\r\nConnection: close\r\n' + host + '\r\n', 405],
      ['GET /etc/passwd HTTP/1.1\r\nConnection: close\r\n' + host + '\r\n', 404],
      ['GET /ctm/v1/identity\u0000 HTTP/1.1\r\n' + host + '\r\n', 400], ['\r\n\r\n', 400],
    ];
    for (const [bytes, status] of rows) {
      const got = await raw(u, bytes);
      assert.match(got, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(bytes.slice(0, 60)));
    }
    for (const body of ['', 'x', '[]', '"a"', '{"password":"a","password":"b"}', '{"password":"a"', '{"password":"\\u0000"}', Buffer.from('{"password":"\xff"}', 'latin1'), '['.repeat(3000)])
      assert.equal((await u.call('POST', '/ctm/v1/session', body)).status, 400, body.slice(0, 40).toString());
    for (const body of [{}, { password: 1 }, { password: null }, { password: 'x', user: 'admin' }])
      assert.equal((await u.call('POST', '/ctm/v1/session', body)).status, 422);
    assert.equal((await u.call('GET', '/ctm/v1/state')).status, 200);
    await u.stop();
  });

  test('two requests in one write are both answered; idle and silent peers do not keep others out', async () => {
    const u = await fresh();
    const one = `GET /ctm/v1/identity HTTP/1.1\r\nHost: x\r\n`;
    const got = await raw(u, one + '\r\n' + one + 'Connection: close\r\n\r\n');
    assert.equal(got.match(/HTTP\/1\.1 200/g).length, 2);
    const idle = [];
    for (let i = 0; i < 12; i++) idle.push(await new Promise((done) => { const s = tls.connect({ host: u.address, port: u.port, rejectUnauthorized: false }, () => done(s)); s.on('error', () => {}); }));
    assert.equal((await u.call('GET', '/ctm/v1/identity')).status, 200);
    for (const s of idle) s.destroy();
    await u.stop();
  });

  test('on one connection each request has one answer, refusals too', async () => {
    const u = await owned();
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    for (let i = 0; i < 3; i++) {
      assert.equal((await u.call('GET', '/ctm/v1/state', undefined, { agent, token: null })).status, 401);
      assert.equal((await u.call('GET', '/ctm/v1/nothing', undefined, { agent })).status, 404);
      assert.equal((await u.call('DELETE', '/ctm/v1/identity', undefined, { agent })).status, 405);
      assert.equal((await u.call('GET', '/ctm/v1/identity', undefined, { agent })).body.serial, u.serial);
      assert.equal((await u.call('PUT', '/ctm/v1/config', { nothing: 1 }, { agent })).status, 422);
    }
    agent.destroy();
    const got = await raw(u, 'GET /ctm/v1/state HTTP/1.1\r\nHost: x\r\n\r\n', 400);
    assert.equal(got.match(/HTTP\/1\.1/g).length, 1);
    await u.stop();
  });

  test('a start that cannot be good says why in one sentence and does not serve', async () => {
    const refusals = [
      [{ conf: { shell: true } }, /"shell" is not known/, 1],
      [{ conf: { port: 4444 } }, /no interface declares https on port 4444/, 1],
      [{ conf: { serial: 'a b' } }, /"serial"/, 1],
      [{ conf: { port: '4443' } }, /"port" must be a number/, 1],
      [{ conf: { declaration: '/nonexistent' } }, /\/nonexistent cannot be read/, 1],
      [{ declaration: { format: 'other' } }, /ctm\.declaration\/1/, 1],
      [{ declaration: { settings: [{ name: 'a', type: 'int', min: 0, max: 3, default: 9 }] } }, /\/settings\/0/, 1],
      [{ declaration: { update: { vendor: 'larkspur.example', class: 'PC-1', release_key: 'ab' } } }, /release_key/, 1],
      [{ declaration: { update: { vendor: 'larkspur.example', class: 'PC-1', release_key: '00'.repeat(32) } } }, /factory image is refused/, 1],
      [{ declaration: { model: 'PC-9' } }, /factory image is refused/, 1],
    ];
    for (const [o, words, code] of refusals) {
      const u = kit.unit(o);
      u.spawn();
      const end = await u.exited;
      assert.match(u.err, words);
      assert.equal(end.code, code, u.err);
      assert.equal(u.err.trim().split('\n').length, 1);
      assert.ok(!fs.existsSync(u.file('state/ready')));
    }
    const u = await fresh();
    const twice = spawnSync(program('ctm-agent'), ['--config', u.file('agent.json')], { encoding: 'utf8' });
    assert.equal(twice.status, 3);
    assert.match(twice.stderr, /another agent runs/);
    const busy = kit.unit({ conf: { listen: u.address } });
    busy.spawn();
    assert.equal((await busy.exited).code, 3);
    assert.match(busy.err, /cannot listen/);
    const end = await u.stop();
    assert.equal(end.code, 0);
    assert.ok(!fs.existsSync(u.file('state/ready')));
  });
});

describe('enrolment and reports', () => {
  let service;
  before(async () => { service = await new Service(kit, 'good').start(); });
  after(() => service.stop());

  test('the unit enrols with its own key, shows the issued certificate and reports with growing numbers', async () => {
    const u = await fresh({ platform: service.platform() });
    const [enrol] = await service.until((c) => c.path === SIMPLE && c.user.startsWith(`${u.serial}:`));
    assert.equal(enrol.certified, false);
    assert.equal(enrol.user, `${u.serial}:code-of-this-unit`);
    const mine = (c) => c.path === BEAT && c.subject?.CN === u.serial;
    const [first] = await service.until(mine);
    assert.equal(first.certified, true);
    assert.equal(first.subject.serialNumber, u.serial);
    // ctm.heartbeat/1: format, seq, booted version, boots, health, reason of the start; no other version where all three are one
    assert.deepEqual([first.body.get(0), first.body.get(1), first.body.get(3), first.body.get(4), first.body.get(5), first.body.get(6)], [1, 1, '1.0.0', 1, 0, 1]);
    assert.ok(!first.body.has(8) && !first.body.has(9) && first.body.get(7).has(1));
    const { cert } = await handshake(u);
    assert.match(cert.issuer, /Bench CA/);
    const spki = createPublicKey(cert.publicKey.export({ type: 'spki', format: 'pem' })).export({ type: 'spki', format: 'der' });
    assert.equal((await u.call('GET', '/ctm/v1/identity')).body.spki_sha256, 'sha256:' + sha256(spki));
    await u.stop('SIGKILL');
    await u.start();
    await service.until((c) => mine(c) && c.body.get(4) === 2);
    const seqs = service.calls.filter(mine).map((c) => c.body.get(1));
    assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b));
    assert.equal(service.calls.filter((c) => c.path === SIMPLE && c.user.startsWith(`${u.serial}:`)).length, 1);
    assert.match((await handshake(u)).cert.issuer, /Bench CA/);
    await u.own();
    assert.ok((await u.events()).includes('enrolled'));
    await u.stop();
  });

  test('a service whose certificate is not of the pinned CA hears nothing', async () => {
    const stranger = await new Service(kit, 'stranger').start();
    const u = await fresh({ platform: { ...stranger.platform(), ca: `${service.dir}/ca.pem` } });
    for (let i = 0; i < 100 && !u.err.includes('no TLS'); i++) await sleep(50);
    assert.match(u.err, /no TLS with localhost/);
    assert.equal(stranger.calls.length, 0);
    assert.match((await handshake(u)).cert.issuer, new RegExp(u.serial));
    await u.stop();
    stranger.stop();
  });

  test('a refusal, or a certificate for another key, leaves the unit as it was and working', async () => {
    const odd = await new Service(kit, 'odd').start();
    odd.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'other.key', '-out', 'other.csr', '-subj', '/CN=other');
    odd.swap = odd.read('other.csr');
    const u = await fresh({ platform: odd.platform() });
    for (let i = 0; i < 100 && !u.err.includes('not for this device'); i++) await sleep(50);
    assert.match(u.err, /certificate is not for this device's key/);
    odd.swap = undefined;
    odd.refuse = 403;
    for (let i = 0; i < 100 && !u.err.includes('403'); i++) await sleep(50);
    assert.match(u.err, /refused the enrolment \(status 403\)/);
    assert.ok(!u.err.includes('code-of-this-unit'));
    assert.equal((await u.call('GET', '/ctm/v1/identity')).status, 200);
    odd.refuse = 0;
    await odd.until((c) => c.path === BEAT, 20000);
    await u.stop();
    odd.stop();
  });
});
