// SPDX-License-Identifier: Apache-2.0
// A maker's update repository on the platform: its first root is brought, releases are listed by keys the platform never has, snapshot and
// timestamp come from the signer, files from the edge in pieces, and each device is told what to run. (TUF 1.0.34; RFC 9110 14.2;
// NIST IR 8425 Software Update)
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, existsTool, platform, prog, run, start, until } from './kit.mjs';
import { ask, device, maker } from './edge_kit.mjs';

const missing = !existsTool('nginx') ? 'nginx is not installed' : !existsTool('openssl') ? 'openssl is not installed' : false;
const sha256 = (b) => createHash('sha256').update(b).digest('hex');

// As much CBOR as a director statement needs.
function cbor(b) {
  let at = 0;
  const item = () => {
    const head = b[at++], type = head >> 5;
    let n = head & 31;
    if (n >= 24) { const k = 1 << (n - 24); n = Number(BigInt('0x' + b.subarray(at, at + k).toString('hex'))); at += k; }
    if (type === 0) return n;
    if (type === 1) return -1 - n;
    if (type === 2 || type === 3) { const s = b.subarray(at, at += n); return type === 2 ? s : s.toString(); }
    if (type === 4) return Array.from({ length: n }, item);
    if (type === 5) return Object.fromEntries(Array.from({ length: n }, () => [item(), item()]));
    return type === 6 ? item() : null;
  };
  return item();
}

test('a repository from first root to the device', { skip: missing }, async (t) => {
  const p = await platform(t, { edge: true }), m = await maker(p), dir = p.dir;
  const ca = JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca;
  writeFileSync(join(dir, 'ca.pem'), ca);
  const tool = (...args) => run('ctm-update', args, { cwd: dir });
  const good = (...args) => { const r = tool(...args); assert.equal(r.code, 0, r.err); return r.out; };
  const repo = (verb, ...args) => good('repo', verb, '--dir', 'repo', ...args);
  const sign = (...keys) => { for (const k of keys) good('repo', 'sign', '--carry', 'carry.json', '--key', `${k}.pem`); };
  const bring = async (file = 'carry.json') => p.call(m.token, 'PUT', '/api/v1/repository', JSON.parse(readFileSync(join(dir, file))));
  const public_ = (f) => join(p.state, 'public/tuf/larkspur', f);
  const published = (what) => until(what, () => existsSync(public_('metadata/timestamp.json')) && JSON.parse(readFileSync(public_('metadata/timestamp.json'))));
  for (const k of ['a', 'r', 't', 'pl', 'release', 'stranger']) good('keygen', '--out', `${k}.pem`, '--public', `${k}.pub`);

  const release = async (version, counter) => {
    const image = Buffer.from(`CTM-IMAGE 1 PC-1 ${version}\n${'x'.repeat(20000)}`);
    writeFileSync(join(dir, `image-${version}`), image);
    const fill = (name, values) => Object.entries(values).reduce((s, [k, v]) => s.replaceAll(`@${k}@`, v), readFileSync(join(ROOT, 'demo', name), 'utf8'));
    writeFileSync(join(dir, 'sbom.json'), fill('sbom.cdx.json', { VERSION: version, MODEL: 'PC-1', IMAGE_HEX: sha256(image) }));
    good('sign', '--key', 'release.pem', '--image', `image-${version}`, '--version', version, '--counter', String(counter), '--vendor', 'larkspur.example', '--class', 'PC-1',
      '--component', 'device', '--min-version', '0.0.0', '--sbom', 'sbom.json', '--support-end', '2031-12-31', '--out', `m-${version}.cose`);
    const declaration = fill('declaration.json', { MODEL: 'PC-1', VERSION: version, ADMIN_PORT: '4443', DEVICE_PORT: String(p.devicePort),
      RELEASE_KEY: readFileSync(join(dir, 'release.pub'), 'utf8').trim() });
    const made = (r) => { assert.ok([200, 201].includes(r.status), r.text); return r.json; };
    const { id } = made(await p.call(m.token, 'POST', `/api/v1/components/${m.component}/releases`, { version, support_end: '2031-12-31', security_counter: counter }));
    for (const [part, body] of [['image', image], ['manifest', readFileSync(join(dir, `m-${version}.cose`))], ['sbom', readFileSync(join(dir, 'sbom.json'))], ['declaration', Buffer.from(declaration)]])
      made(await p.call(m.token, 'PUT', `/api/v1/releases/${id}/${part}`, body));
    made(await p.call(m.token, 'POST', `/api/v1/releases/${id}/publish`, {}));
    return image;
  };

  await t.test('the first root names the platform\'s keys; what is not signed by enough keys is not taken', async () => {
    assert.equal((await p.call(m.token, 'GET', '/api/v1/repository/carry')).status, 409);
    const r = await p.call(m.token, 'GET', '/api/v1/repository');
    assert.equal(r.status, 200, r.text);
    for (const [k, hex] of Object.entries(r.json.keys)) writeFileSync(join(dir, `${k}.pub`), hex);
    assert.deepEqual(Object.keys(r.json.keys).sort(), ['director', 'snapshot', 'timestamp']);
    good('repo', 'init', '--dir', 'repo', '--name', 'larkspur', '--root-keys', 'a.pub', '--recovery-keys', 'r.pub', '--targets-keys', 't.pub', '--snapshot-key', 'snapshot.pub',
      '--timestamp-key', 'timestamp.pub');
    repo('line', '--model', 'PC-1', '--keys', 'pl.pub');
    repo('prepare', '--out', 'carry.json', '--all');
    sign('a', 't');
    const early = await bring();
    assert.equal(early.status, 409, early.text);
    assert.match(early.text, /pl-PC-1 is signed by 0 of 1/);
    assert.deepEqual((await p.call(m.token, 'GET', '/api/v1/repository')).json.roles, []);
    sign('pl');
    const done = await bring();
    assert.equal(done.status, 200, done.text);
    const again = await bring();
    assert.equal(again.status, 409, again.text);
    assert.match(again.text, /version 2 comes next/);
    const first = (await published('first timestamp')).signed.meta['snapshot.json'].version;
    assert.ok(first >= Math.floor(Date.now() / 1000) - 60, 'versions follow the clock, so that a restored platform goes on above what was seen');
    assert.deepEqual(readdirSync(public_('metadata')).sort(), ['1.pl-PC-1.json', '1.root.json', '1.targets.json', `${first}.snapshot.json`, 'timestamp.json'].sort());
  });

  let image;
  await t.test('a published release waits for its signature, and is then there, in pieces if asked', async () => {
    image = await release('1.0.0', 1);
    const r = await p.call(m.token, 'GET', '/api/v1/repository/carry');
    assert.equal(r.status, 200, r.text);
    writeFileSync(join(dir, 'carry.json'), r.text);
    assert.match(good('repo', 'sign', '--carry', 'carry.json', '--key', 'pl.pem'), /PC-1\/1\.0\.0\/image\s+\d+ bytes/);
    const before = (await published('timestamp')).signed, done = await bring();
    assert.equal(done.status, 200, done.text);
    await until('second timestamp', async () => (await published('timestamp')).signed.version > before.version);
    const file = `/tuf/larkspur/targets/PC-1/1.0.0/${sha256(image)}.image`;
    const whole = await ask(p.devicePort, ca, file), part = await ask(p.devicePort, ca, file, { headers: { Range: 'bytes=100-' } });
    assert.equal(whole.status, 200);
    assert.equal(whole.text, image.toString());
    assert.deepEqual([part.status, part.text], [206, image.subarray(100).toString()]);
    assert.equal((await p.call(m.token, 'GET', '/api/v1/repository/carry')).status, 409);
  });

  const tuf = (...args) => {
    for (const d of ['md', 'files']) mkdirSync(join(dir, d), { recursive: true });
    return run('ctm-tuf', ['--metadata-dir', join(dir, 'md'), '--metadata-url', `https://localhost:${p.devicePort}/tuf/larkspur/metadata/`, '--target-dir', join(dir, 'files'),
      '--target-base-url', `https://localhost:${p.devicePort}/tuf/larkspur/targets/`, '--ca', join(dir, 'ca.pem'), ...args]);
  };
  await t.test('the device\'s client takes it over TLS under the device CA', () => {
    assert.equal(tuf('init', public_('metadata/1.root.json')).code, 0);
    const r = tuf('--target-name', 'PC-1/1.0.0/image', '--target-name', 'PC-1/1.0.0/manifest', 'download');
    assert.equal(r.code, 0, r.err);
    assert.deepEqual(readFileSync(join(dir, 'files/PC-1%2F1.0.0%2Fimage')), image);
  });

  await t.test('what is not the maker\'s own, of another repository, or of a stranger\'s key is refused', async () => {
    const carry = { format: 'ctm.tuf-carry/1', repository: 'larkspur', documents: [] };
    const line = JSON.parse(readFileSync(public_('metadata/2.pl-PC-1.json'))).signed;
    line.version = 3;
    const put = async (signed, key = 'pl', repository = 'larkspur', role = 'pl-PC-1') => {
      const targets = JSON.parse(readFileSync(public_('metadata/1.targets.json'))).signed.delegations.roles[0].keyids;
      writeFileSync(join(dir, 'odd.json'), JSON.stringify({ ...carry, repository, documents: [{ role, signed, signatures: [], entitled: targets, holds: '0 of 1' }] }));
      const s = tool('repo', 'sign', '--carry', 'odd.json', '--key', `${key}.pem`);
      return [s.code, await bring('odd.json')];
    };
    const foreign = structuredClone(line);
    foreign.targets['PC-1/9/image'] = { length: 4, hashes: { sha256: sha256('evil') } };
    let [, r] = await put(foreign);
    assert.equal(r.status, 403, r.text);
    assert.match(r.text, /no image or manifest of a published release/);
    [, r] = await put(line, 'pl', 'harborlight');
    assert.equal(r.status, 422, r.text);
    let code;
    [code, r] = await put(line, 'stranger');
    assert.deepEqual([code, r.status], [1, 409]);
    [, r] = await put({ ...line, expires: '2020-01-01T00:00:00Z' });
    assert.match(r.text, /over already/);
    [, r] = await put({ ...line, _type: 'snapshot' });
    assert.ok(r.status >= 400, r.text);
    assert.equal((await p.call(null, 'PUT', '/api/v1/repository', carry)).status, 401);
  });

  await t.test('each device is told what to run, in a statement of its own that others cannot make', async () => {
    const unit = device(dir, 'unit', m.serial);
    const enrolled = await ask(p.devicePort, ca, '/d/v1/enrol', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ serial: m.serial, code: m.code, csr: unit.csr }) });
    const who = { key: unit.key, cert: enrolled.json.certificate };
    const direction = async () => {
      // bytes: ask() reads text, so it is fetched with curl-like care as latin1
      const { default: https } = await import('node:https');
      return new Promise((ok, no) => https.get({ host: '127.0.0.1', servername: 'localhost', port: p.devicePort, path: '/d/v1/director', ca, ...who, agent: false }, (r) => {
        const parts = [];
        r.on('data', (b) => parts.push(b));
        r.on('end', () => ok({ status: r.statusCode, type: r.headers['content-type'], body: Buffer.concat(parts) }));
      }).on('error', no));
    };
    const r = await direction();
    assert.equal(r.status, 200, r.body.toString());
    assert.equal(r.type, 'application/ctm-director+cbor');
    const [protectedHeader, , payload, signature] = cbor(r.body), s = cbor(payload);
    assert.equal(s[1], 'ctm.director/1');
    assert.equal(s[2], m.serial);
    assert.deepEqual(s[5].map(([c, n, size, d]) => [c, n, size, d.toString('hex')]), [['device', 'PC-1/1.0.0/image', image.length, sha256(image)]]);
    assert.ok(s[4] > Date.now() / 1000 && s[4] < Date.now() / 1000 + 2 * 86400);
    const bstr = (b) => Buffer.concat([b.length < 24 ? Buffer.from([0x40 | b.length]) : b.length < 256 ? Buffer.from([0x58, b.length]) : Buffer.from([0x59, b.length >> 8, b.length & 255]), b]);
    const tbs = Buffer.concat([Buffer.from([0x84, 0x6a]), Buffer.from('Signature1'), bstr(protectedHeader), bstr(Buffer.alloc(0)), bstr(payload)]);
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(readFileSync(join(dir, 'director.pub'), 'utf8').trim(), 'hex')]);
    assert.ok(verify(null, tbs, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature));
    assert.deepEqual((await direction()).body, r.body, 'the statement in force is given again');
    // A release that no list names yet is not pointed at; once it is listed, the counter goes up.
    image = await release('1.1.0', 2);
    assert.deepEqual((await direction()).body, r.body);
    writeFileSync(join(dir, 'carry.json'), (await p.call(m.token, 'GET', '/api/v1/repository/carry')).text);
    sign('pl');
    assert.equal((await bring()).status, 200);
    const next = cbor(cbor((await direction()).body)[2]);
    assert.equal(next[5][0][1], 'PC-1/1.1.0/image');
    assert.ok(next[3] > s[3]);
    const none = await ask(p.devicePort, ca, '/d/v1/director');
    assert.ok([401, 403].includes(none.status), String(none.status));
  });

  await t.test('the timestamp is renewed before it ends; a platform that starts again goes on where it was', async () => {
    const snapshot = async () => JSON.parse(readFileSync(public_(`metadata/${(await published('timestamp')).signed.meta['snapshot.json'].version}.snapshot.json`))).signed;
    await until('the last list is published', async () => (await snapshot()).meta['pl-PC-1.json'].version === 3);
    await p.serve.stop();
    await p.signer.stop();
    const before = (await published('timestamp')).signed;
    const env = { ...process.env, CTM_TIME_SHIFT_MS: String(36 * 3600e3) }, again = [];
    try {
      for (const what of ['signer', 'serve']) again.push(start('ctm', [what, '--state', p.state], { env }));
      await until('a newer timestamp', async () => Date.parse((await published('timestamp')).signed.expires) > Date.parse(before.expires) + 30 * 3600e3, 60000);
    } finally {
      for (const q of again.reverse()) await q.stop();
    }
    const now = (await published('timestamp')).signed;
    assert.ok(now.version > before.version);
    assert.equal(now.meta['snapshot.json'].version, before.meta['snapshot.json'].version, 'nothing changed, so the snapshot stays');
  });
});
