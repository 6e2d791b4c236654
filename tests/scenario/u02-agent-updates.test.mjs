// SPDX-License-Identifier: Apache-2.0
// ctm-agent takes its updates from the maker's repository: director and offline keys must agree, a file that is not what they say is
// refused and what runs stays, kill -9 in the middle goes on. Platform, edge, signer and device are the real programs. (TUF 1.0.34;
// NIST IR 8425 Software Update)
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, existsTool, platform, run, until } from './kit.mjs';
import { maker } from './edge_kit.mjs';
import { Kit, sleep } from './agent_kit.mjs';

const missing = !existsTool('nginx') ? 'nginx is not installed' : !existsTool('openssl') ? 'openssl is not installed' : false;
const sha256 = (b) => createHash('sha256').update(b).digest('hex');

test('a device follows the director through the repository', { skip: missing, timeout: 200000 }, async (t) => {
  const p = await platform(t, { edge: true }), m = await maker(p), kit = new Kit(), dir = p.dir;
  t.after(() => kit.end());
  const good = (...args) => { const r = run('ctm-update', args, { cwd: dir }); assert.equal(r.code, 0, r.err); return r.out; };
  const api = async (method, path, body) => { const r = await p.call(m.token, method, path, body); assert.ok([200, 201].includes(r.status), `${path} ${r.text}`); return r.json; };
  writeFileSync(join(dir, 'ca.pem'), JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca);

  // The maker's repository: root, targets and product line by keys that the platform never has.
  for (const k of ['a', 'r', 't', 'pl']) good('keygen', '--out', `${k}.pem`, '--public', `${k}.pub`);
  const online = (await api('GET', '/api/v1/repository')).keys;
  for (const [k, hex] of Object.entries(online)) writeFileSync(join(dir, `${k}.pub`), hex);
  good('repo', 'init', '--dir', 'repo', '--name', 'larkspur', '--root-keys', 'a.pub', '--recovery-keys', 'r.pub', '--targets-keys', 't.pub', '--snapshot-key', 'snapshot.pub', '--timestamp-key', 'timestamp.pub');
  good('repo', 'line', '--dir', 'repo', '--model', 'PC-1', '--keys', 'pl.pub');
  good('repo', 'prepare', '--dir', 'repo', '--out', 'carry.json', '--all');
  const bring = async (...keys) => {
    for (const k of keys) good('repo', 'sign', '--carry', 'carry.json', '--key', `${k}.pem`);
    await api('PUT', '/api/v1/repository', JSON.parse(readFileSync(join(dir, 'carry.json'))));
  };
  await bring('a', 't', 'pl');
  const files = join(p.state, 'public/tuf/larkspur');
  await until('a timestamp', () => existsSync(join(files, 'metadata/timestamp.json')));

  const publish = async (version, counter, bytes) => {
    const image = Buffer.concat([Buffer.from(`CTM-IMAGE 1 PC-1 ${version}\n`), Buffer.alloc(bytes, version)]);
    writeFileSync(join(dir, 'image'), image);
    const fill = (name, values) => Object.entries(values).reduce((s, [k, v]) => s.replaceAll(`@${k}@`, v), readFileSync(join(ROOT, 'demo', name), 'utf8'));
    writeFileSync(join(dir, 'sbom.json'), fill('sbom.cdx.json', { VERSION: version, MODEL: 'PC-1', IMAGE_HEX: sha256(image) }));
    good('sign', '--key', kit.key, '--image', 'image', '--version', version, '--counter', String(counter), '--vendor', 'larkspur.example', '--class', 'PC-1', '--component', 'device',
      '--min-version', '0.0.0', '--sbom', 'sbom.json', '--support-end', '2031-12-31', '--out', 'm.cose');
    const declaration = fill('declaration.json', { MODEL: 'PC-1', VERSION: version, ADMIN_PORT: '4443', DEVICE_PORT: String(p.devicePort), RELEASE_KEY: kit.pub });
    const { id } = await api('POST', `/api/v1/components/${m.component}/releases`, { version, support_end: '2031-12-31', security_counter: counter });
    for (const [part, body] of [['image', image], ['manifest', readFileSync(join(dir, 'm.cose'))], ['sbom', readFileSync(join(dir, 'sbom.json'))], ['declaration', Buffer.from(declaration)]])
      await api('PUT', `/api/v1/releases/${id}/${part}`, body);
    await api('POST', `/api/v1/releases/${id}/publish`, {});
    return image;
  };
  const list = async () => {
    writeFileSync(join(dir, 'carry.json'), JSON.stringify(await api('GET', '/api/v1/repository/carry')));
    const before = JSON.parse(readFileSync(join(files, 'metadata/timestamp.json'))).signed.version;
    await bring('pl');
    await until('the list is out', () => JSON.parse(readFileSync(join(files, 'metadata/timestamp.json'))).signed.version > before, 30000);
  };

  const u = kit.unit({ platform: { url: `https://localhost:${p.devicePort}`, ca: join(dir, 'ca.pem'), connect: '127.0.0.1' },
    conf: { updates: { root: join(files, 'metadata/1.root.json'), repository: `https://localhost:${p.devicePort}/tuf/larkspur/`, director_key: online.director.trim(), interval_s: 1 } } });
  const unit = await api('POST', `/api/v1/components/${m.component}/units`, { serial: u.serial, code: 'code-of-this-unit' });
  const device = async () => (await api('GET', `/api/v1/devices/${unit.id}`)).device;
  const runs = (version) => until(`it runs ${version}`, async () => (await device()).booted_version === version, 60000).catch((e) => { throw new Error(e.message + u.err); });
  await u.start();
  await runs('1.0.0');
  await u.own();
  const refusals = async () => { await u.login(u.password); return (await u.call('GET', '/ctm/v1/log')).body.entries.filter((e) => e.event === 'update.refused').map((e) => e.detail); };

  await t.test('a release that the offline keys list is fetched, tried and kept; one they do not list is nobody\'s', async () => {
    await publish('1.1.0', 11, 60000);
    await sleep(2500);
    assert.equal((await device()).booted_version, '1.0.0', 'published, not listed');
    await list();
    await runs('1.1.0');
    await u.login(u.password);
    assert.deepEqual((await u.state()).version, { claimed: '1.1.0', booted: '1.1.0', verified: '1.1.0' });
    assert.equal((await u.state()).security_counter, 11);
    assert.deepEqual(await refusals(), []);
  });

  await t.test('a file that is not what the list says is refused, says so, and what runs stays; the right one is then taken', async () => {
    const image = await publish('1.2.0', 12, 60000), at = join(files, `targets/PC-1/1.2.0/${sha256(image)}.image`);
    const bad = Buffer.from(image);
    bad[50000] ^= 1;
    await u.stop();
    await list();
    await until('the file is out', () => existsSync(at));
    writeFileSync(at, bad);
    await u.start();
    await until('it is refused', async () => (await refusals()).length > 0, 30000).catch((e) => { throw new Error(e.message + u.err); });
    assert.match((await refusals())[0], /image|digest/);
    assert.equal((await u.state()).version.booted, '1.1.0');
    writeFileSync(at, image);
    await runs('1.2.0');
  });

  await t.test('killed again and again while it fetches, it goes on and ends with the new version', async () => {
    await publish('1.3.0', 13, 6000000);
    await list();
    for (let i = 0; i < 6; i++) {
      await sleep(300 + 170 * i);
      await u.stop('SIGKILL');
      await u.start();
    }
    await runs('1.3.0');
    await u.login(u.password);
    const s = await u.state();
    assert.deepEqual([s.version.booted, s.version.verified, s.security_counter], ['1.3.0', '1.3.0', 13]);
  });

  await t.test('a root that is not the one it trusts moves nothing', async () => {
    const v = kit.unit({ platform: { url: `https://localhost:${p.devicePort}`, ca: join(dir, 'ca.pem'), connect: '127.0.0.1' },
      conf: { updates: { root: join(dir, 'other.json'), repository: `https://localhost:${p.devicePort}/tuf/larkspur/`, director_key: '00'.repeat(32), interval_s: 1 } } });
    writeFileSync(join(dir, 'other.json'), '{}');
    await api('POST', `/api/v1/components/${m.component}/units`, { serial: v.serial, code: 'code-of-this-unit' });
    await v.start();
    await until('it says why', () => /direction is refused|root .* is refused/.test(v.err), 30000).catch((e) => { throw new Error(e.message + v.err); });
    assert.equal((await v.call('GET', '/ctm/v1/identity')).status, 200);
    await v.stop();
  });
});
