// SPDX-License-Identifier: Apache-2.0
//
// The flawed twin: each defect changes what it names, seen against the sound unit in the same steps, and the sound program holds
// nothing of any defect. The lab's checks are tried on these units, so a defect that did nothing would make a check look good.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes, verify, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { after, describe, test } from 'node:test';
import { Kit, program, sleep } from './agent_kit.mjs';

const kit = new Kit();
after(() => kit.end());

const status = async (p) => (await p).status;
const connects = (u, port) => new Promise((done) => {
  const s = net.connect({ host: u.address, port, timeout: 1000 });
  s.on('data', (d) => { s.destroy(); done(d.toString()); });
  s.on('connect', () => setTimeout(() => { s.destroy(); done('open'); }, 300));
  s.on('error', () => done(false));
});
const certificate = (u) => new Promise((done, fail) => {
  const s = tls.connect({ host: u.address, port: u.port, rejectUnauthorized: false }, () => { done(new X509Certificate(s.getPeerCertificate(true).raw)); s.destroy(); });
  s.on('error', fail);
});
const oldTls = (u) => new Promise((done) => {
  const s = tls.connect({ host: u.address, port: u.port, rejectUnauthorized: false, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
    () => { done(s.getProtocol()); s.destroy(); });
  s.on('error', () => done('refused'));
});
const clear = (u, method, path, body) => new Promise((done) => {
  const q = http.request({ host: u.address, port: 8080, method, path, timeout: 3000, headers: { connection: 'close' } }, (r) => { r.resume(); done(r.statusCode); });
  q.on('error', () => done('refused'));
  q.end(body);
});
const tampered = () => { const b = kit.package('1.1.0', 11); b[b.length - 1] ^= 1; return b; };
const versions = async (u) => { const v = (await u.state()).version; return `${v.claimed} ${v.booted} ${v.verified}`; };
async function reset(u) { await u.call('POST', '/ctm/v1/reset', { confirm: u.serial }); return u.own(); }

// Each row: the defect, what the sound unit gives, what the flawed one gives, and the steps, on a unit that its owner has set up
// (or, with fresh, just started).
const rows = [
  ['default-password', 401, 200, (u) => status(u.login('admin'))],
  ['default-password', 'must change 403', 'may stay 200', async (u) => { const r = await u.login(u.initial); return `${r.body.must_change ? 'must change' : 'may stay'} ${await status(u.call('GET', '/ctm/v1/state'))}`; }, { fresh: true }],
  ['open-debug-port', false, '\r\ndebug console\r\n# ', (u) => connects(u, 2323)],
  ['clear-http', 'refused', 200, (u) => clear(u, 'GET', '/ctm/v1/identity')],
  ['clear-http', 'refused', 200, (u) => clear(u, 'POST', '/ctm/v1/session', JSON.stringify({ password: u.password }))],
  ['obsolete-tls', 'refused', 'TLSv1.1', oldTls],
  ['no-lockout', 429, 200, async (u) => { for (let i = 0; i < 6; i++) await u.login('wrong'); return status(u.login(u.password)); }],
  ['open-config-write', 401, 200, (u) => status(u.call('PUT', '/ctm/v1/config', { recording_days: 1 }, { token: null }))],
  ['accept-tampered', '422 1.0.0', '200 1.1.0', async (u) => `${await status(u.update(tampered()))} ${(await u.state()).version.booted}`],
  ['accept-unsigned', '422 1.0.0', '200 1.1.0', async (u) => `${await status(u.update(kit.package('1.1.0', 11, { key: kit.file('stranger.pem') })))} ${(await u.state()).version.booted}`],
  ['accept-older', '422 1.0.0', '200 0.9.0', async (u) => `${await status(u.update(kit.package('0.9.0', 9)))} ${(await u.state()).version.booted}`],
  ['keep-data', 404, 200, async (u) => { await u.call('PUT', '/ctm/v1/userdata/n', { text: 'x' }); await reset(u); return status(u.call('GET', '/ctm/v1/userdata/n')); }],
  ['keep-config', 7, 30, async (u) => { await u.call('PUT', '/ctm/v1/config', { recording_days: 30 }); await reset(u); return (await u.call('GET', '/ctm/v1/config')).body.recording_days; }],
  ['weak-password', 422, 204, (u) => status(u.call('PUT', '/ctm/v1/password', { old: u.password, new: '1' }))],
  ['open-log', 401, 200, (u) => status(u.call('GET', '/ctm/v1/log', undefined, { token: null }))],
  ['open-state', 401, 200, (u) => status(u.call('GET', '/ctm/v1/state', undefined, { token: null }))],
  ['wrong-serial', true, false, async (u) => (await u.call('GET', '/ctm/v1/identity')).body.serial === u.serial],
  ['no-proof', true, false, async (u) => {
    const nonce = randomBytes(32).toString('base64url'), r = await u.call('POST', '/ctm/v1/identity/proof', { nonce });
    return verify('sha256', Buffer.from(`ctm-identity-proof/1\n${u.serial}\n${nonce}\n`), { key: (await certificate(u)).publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(r.body.signature, 'base64url'));
  }],
  ['silent-log', true, false, async (u) => (await u.events()).includes('password.changed')],
  ['open-reset', 401, 202, (u) => status(u.call('POST', '/ctm/v1/reset', { confirm: u.serial }, { token: null }))],
  ['dead-update', 200, 422, (u) => status(u.update(kit.package('1.1.0', 11)))],
  ['lying-version', '1.1.0 1.1.0 1.1.0', '1.1.0 1.0.0 1.0.0', async (u) => { await u.update(kit.package('1.1.0', 11)); return versions(u); }],
  ['token-survives', 401, 200, async (u) => { await u.call('DELETE', '/ctm/v1/session'); return status(u.call('GET', '/ctm/v1/state')); }],
  ['token-survives', 401, 403, async (u) => { await u.call('POST', '/ctm/v1/reset', { confirm: u.serial }); return status(u.call('GET', '/ctm/v1/state')); }],
  ['config-any', 422, 200, (u) => status(u.call('PUT', '/ctm/v1/config', { recording_days: 9999 }))],
];

describe('each defect flips what it names', () => {
  for (const [defect, sound, flawed, steps, o = {}] of rows) {
    test(`${defect}: ${JSON.stringify(sound)} becomes ${JSON.stringify(flawed)}`, async () => {
      for (const [defects, want] of [['', sound], [defect, flawed]]) {
        const u = await kit.unit({ defects }).start();
        if (!o.fresh) await u.own();
        if (defect === 'open-debug-port' || defect === 'clear-http') await sleep(100);
        assert.equal(await steps(u), want, defects || 'sound');
        await u.stop();
      }
    });
  }

  test('bad-certificate: the issued certificate is not shown', async () => {
    for (const [defects, issuer] of [['', /Somebody Else/], ['bad-certificate', /PC1-TEST/]]) {
      const u = await kit.unit({ defects }).start();
      await u.stop();
      // As if it had enrolled: a certificate by another issuer over the unit's own key.
      const ssl = (...a) => { const r = spawnSync('openssl', a, { cwd: u.dir, encoding: 'utf8' }); assert.equal(r.status, 0, r.stderr); };
      ssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Somebody Else');
      ssl('req', '-new', '-key', 'state/device-key.pem', '-out', 'd.csr', '-subj', `/CN=${u.serial}`);
      ssl('x509', '-req', '-in', 'd.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-out', 'state/device-cert.pem', '-days', '9');
      await u.start();
      assert.match((await certificate(u)).issuer, issuer);
      await u.stop();
    }
  });

  test('several at once, and an unknown name is misuse', async () => {
    const u = await kit.unit({ defects: 'open-log,open-state' }).start();
    assert.equal(await status(u.call('GET', '/ctm/v1/log')), 200);
    assert.equal(await status(u.call('GET', '/ctm/v1/state')), 200);
    assert.equal(await status(u.call('PUT', '/ctm/v1/config', {})), 401);
    await u.stop();
    const bad = kit.unit({ defects: 'open-log,no-such-thing' });
    bad.spawn();
    assert.equal((await bad.exited).code, 2);
    assert.match(bad.err, /no-such-thing/);
  });
});

describe('the sound program', () => {
  test('holds no name, symbol or word of a defect, and has no such option', () => {
    const names = [...new Set(rows.map((r) => r[0])), 'bad-certificate'];
    const bytes = fs.readFileSync(program('ctm-agent'), 'latin1'), flawed = fs.readFileSync(program('ctm-agent-flawed'), 'latin1');
    assert.equal(names.length, 23);
    for (const word of [...names, 'defect_on', 'defects_set', 'debug console', 'uid=0', '--defect']) {
      assert.ok(flawed.includes(word), `${word} is looked for rightly`);
      assert.ok(!bytes.includes(word), `ctm-agent holds "${word}"`);
    }
    const nm = spawnSync('nm', [program('ctm-agent')], { encoding: 'utf8', maxBuffer: 1 << 26 });
    assert.equal(nm.status, 0);
    assert.ok(!/defect/i.test(nm.stdout));
    const r = spawnSync(program('ctm-agent'), ['--config', '/nonexistent', '--defect', 'open-log'], { encoding: 'utf8' });
    assert.equal(r.status, 2);
  });
});
