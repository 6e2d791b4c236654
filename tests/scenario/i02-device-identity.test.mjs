// SPDX-License-Identifier: Apache-2.0
// ctm-agent's identity with the key in a file, in a TPM 2.0 (swtpm) and in a PKCS#11 token (softhsm2): enrolment by code and by IDevID,
// renewal with a new key, a life of many renewals under kill -9. Platform, edge and devices are the real programs.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { platform, existsTool, freePort, run, start, tempDir, until } from './kit.mjs';
import { issue, maker, strangerCa } from './edge_kit.mjs';
import { Kit, program, sleep } from './agent_kit.mjs';

const missing = !existsTool('nginx') ? 'nginx is not installed' : !existsTool('openssl') ? 'openssl is not installed' : false;
const MODULE = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so'].find((f) => fs.existsSync(f));

// A TPM of its own, on two ports that follow one another.
async function tpm(t) {
  const dir = tempDir(t, 'ctm-tpm-'), port = await freePort();
  const boot = () => start(existsTool('swtpm'), ['socket', '--tpm2', '--tpmstate', `dir=${dir}`, '--server', `type=tcp,port=${port},bindaddr=127.0.0.1`,
    '--ctrl', `type=tcp,port=${port + 1},bindaddr=127.0.0.1`, '--flags', 'startup-clear']);
  const p = { chip: boot(), words: `tpm:swtpm:host=127.0.0.1,port=${port}` };
  p.restart = async () => { await p.chip.stop(); p.chip = boot(); await sleep(300); };
  t.after(() => p.chip.stop());
  await sleep(300);
  return p;
}

function token(t) {
  const dir = tempDir(t, 'ctm-token-'), conf = join(dir, 'softhsm2.conf'), pin = join(dir, 'pin');
  fs.mkdirSync(join(dir, 'tokens'));
  fs.writeFileSync(conf, `directories.tokendir = ${dir}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n`);
  fs.writeFileSync(pin, '4711\n', { mode: 0o600 });
  const r = run(existsTool('softhsm2-util'), ['--init-token', '--free', '--label', 'unit', '--pin', '4711', '--so-pin', '0000'], { env: { ...process.env, SOFTHSM2_CONF: conf } });
  assert.equal(r.code, 0, r.err);
  process.env.SOFTHSM2_CONF = conf;        // the agent inherits it
  return { words: `pkcs11:module=${MODULE};token=unit;pin-source=${pin}` };
}

const places = {
  file: { make: () => ({ words: 'file' }) },
  tpm: { make: tpm, skip: !existsTool('swtpm') && 'swtpm is not installed' },
  pkcs11: { make: token, skip: !MODULE && 'softhsm2 is not installed' },
};

for (const [name, place] of Object.entries(places)) {
  test(`key in ${name}: enrolled by its factory's identity, renewed with a new key`, { skip: missing || place.skip, timeout: 120000 }, async (t) => {
    const p = await platform(t, { edge: true }), m = await maker(p), kit = new Kit();
    t.after(() => kit.end());
    const ca = join(p.dir, 'device-ca.pem');
    fs.writeFileSync(ca, JSON.parse(fs.readFileSync(join(p.state, 'trust.json'))).device_ca);
    const api = async (method, path, body) => {
      const r = await p.call(m.token, method, path, body);
      assert.equal(r.status, 200, `${path} ${r.text}`);
      return r.json;
    };
    const chip = await place.make(t);
    const u = kit.unit({ platform: { url: `https://localhost:${p.devicePort}`, ca, connect: '127.0.0.1' }, conf: { key: chip.words, idevid: join(p.dir, 'idevid.pem') } });

    // The production line: the unit makes its key, the station signs, the platform hears of it.
    const csr = join(p.dir, 'idevid.csr'), factory = strangerCa(p.dir);
    const made = run(program('ctm-agent'), ['--config', u.file('agent.json'), '--factory-request', csr]);
    assert.equal(made.code, 0, made.err);
    const idevid = issue(p.dir, factory, csr, 3650);
    fs.writeFileSync(join(p.dir, 'idevid.pem'), idevid);
    await api('POST', '/api/v1/factory-authorities', { name: 'Line 1', pem: fs.readFileSync(factory.cert, 'utf8') });
    const number = Number(u.serial.slice(-4));
    const batch = await api('POST', `/api/v1/components/${m.component}/batches`, { name: 'Run 1', prefix: u.serial.slice(0, -4), units: number + 1, digits: 4 });
    await api('POST', `/api/v1/batches/${batch.id}/units`, { units: [{ serial: u.serial, idevid }] });

    await u.start();
    const seen = async () => (await api('GET', `/api/v1/devices?serial=${u.serial}`)).devices[0];
    const device = async () => (await api('GET', `/api/v1/devices/${(await seen()).id}`)).device;
    await until('enrolled and reporting', async () => (await seen()).last_seen_ms, 30000).catch((e) => { throw new Error(e.message + u.err); });
    const first = await device();
    const identity = (await u.call('GET', '/ctm/v1/identity')).body;
    assert.equal(identity.spki_sha256, first.spki_sha256, 'printed serial, remote identity and certificate agree');
    assert.notEqual(first.spki_sha256, first.idevid_spki, 'the field key is not the factory\'s');

    await t.test('user data is sealed under the place\'s own storage key and is gone after a reset', async () => {
      await u.own();
      assert.equal((await u.call('PUT', '/ctm/v1/userdata/note', { text: 'behind the blue door' })).status, 204);
      assert.equal(fs.existsSync(u.file('state/data-key')), name !== 'tpm');
      if (chip.restart) await chip.restart();
      await u.stop('SIGKILL');
      await u.start();
      await u.login(u.password);
      assert.equal((await u.call('GET', '/ctm/v1/userdata/note')).body.text, 'behind the blue door');
      assert.equal((await u.call('POST', '/ctm/v1/reset', { confirm: u.serial })).status, 202);
      await u.own();
      assert.equal((await u.call('GET', '/ctm/v1/userdata/note')).status, 404);
    });

    await t.test('renewal: a new key comes into force, the interface shows its certificate, the old key goes', async () => {
      await u.stop();
      const conf = JSON.parse(fs.readFileSync(u.file('agent.json')));
      fs.writeFileSync(u.file('agent.json'), JSON.stringify({ ...conf, renew_after_s: 302 }));       // certificates begin five minutes back
      await u.start();
      await until('another key', async () => (await device()).spki_sha256 !== first.spki_sha256, 30000).catch((e) => { throw new Error(e.message + u.err); });
      fs.writeFileSync(u.file('agent.json'), JSON.stringify(conf));
      await u.stop();
      await u.start();
      const now = await until('the two agree', async () => {
        const d = await device();
        return (await u.call('GET', '/ctm/v1/identity')).body.spki_sha256 === d.spki_sha256 && d;
      });
      assert.equal(now.serial, u.serial);
      assert.ok(new X509Certificate(fs.readFileSync(u.file(`state/device-cert${fs.existsSync(u.file('state/device-cert.1.pem')) ? '.1' : ''}.pem`))).subject.includes(u.serial));
      if (name === 'file') await until('the old key is destroyed', () => fs.readdirSync(u.file('state')).filter((f) => /^device-key/.test(f)).length === 1);
      await u.own().catch(() => u.login(u.password));
      assert.ok((await u.events()).includes('renewed'));
    });
    await u.stop();
  });
}

test('a life of renewals under kill -9: the unit always comes back with a key that is believed', { skip: missing, timeout: 280000 }, async (t) => {
  const p = await platform(t, { edge: true }), m = await maker(p), kit = new Kit();
  t.after(() => kit.end());
  const ca = join(p.dir, 'device-ca.pem');
  fs.writeFileSync(ca, JSON.parse(fs.readFileSync(join(p.state, 'trust.json'))).device_ca);
  const u = kit.unit({ platform: { url: `https://localhost:${p.devicePort}`, ca, connect: '127.0.0.1' }, conf: { renew_after_s: 1 } });
  const unit = await p.call(m.token, 'POST', `/api/v1/components/${m.component}/units`, { serial: u.serial, code: 'code-of-this-unit' });
  assert.equal(unit.status, 200, unit.text);
  const device = async () => (await p.call(m.token, 'GET', `/api/v1/devices/${unit.json.id}`)).json.device;
  await u.start();
  await until('enrolled', async () => (await device()).last_seen_ms, 30000);
  const rounds = process.env.CTM_LONG ? 200 : 12;
  const keys = new Set();
  for (let i = 0; i < rounds; i++) {
    await u.stop('SIGKILL');
    await u.start();
    await sleep(50 + ((i * 137) % 900));
    keys.add((await device()).spki_sha256);
  }
  const seq = (await device()).last_seq;
  await until('it still reports', async () => (await device()).last_seq > seq, 30000).catch((e) => { throw new Error(e.message + u.err); });
  assert.ok(keys.size > 2, `${keys.size} keys in ${rounds} rounds`);
  assert.equal((await device()).suspect, '');
});
