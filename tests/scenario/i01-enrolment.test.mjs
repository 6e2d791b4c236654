// SPDX-License-Identifier: Apache-2.0
// A unit's identity from factory to renewal, over a real edge: EST (RFC 7030, RFC 8951) by code and by IDevID (IEEE 802.1AR), renewal with
// a new key, what a clone looks like. The openssl tool makes requests and reads the answers: it knows nothing of us.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { platform, existsTool, run } from './kit.mjs';
import { ask, device, issue, maker, report, strangerCa } from './edge_kit.mjs';

const missing = !existsTool('nginx') ? 'nginx is not installed' : !existsTool('openssl') ? 'openssl is not installed' : false;
const EST = '/.well-known/est/';

const openssl = (args, input) => {
  const r = run(existsTool('openssl'), args, input ? { input } : {});
  assert.equal(r.code, 0, r.err);
  return r.out;
};
const der64 = (csrPem) => csrPem.replace(/-----[^-]+-----|\s/g, '').replace(/(.{64})/g, '$1\r\n');
const basic = (user, pass) => ({ Authorization: `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}` });
// The certificates of a certs-only answer, as openssl reads them.
const certs = (text) => openssl(['pkcs7', '-inform', 'DER', '-print_certs'], Buffer.from(text, 'base64')).match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n/g);
const codeHash = (serial, code) => `sha256:${createHash('sha256').update(`ctm-enrol-code/1\n${serial}\n${code}\n`).digest('hex')}`;

test('EST: authority, attributes, enrolment by code, renewal with a new key', { skip: missing }, async (t) => {
  const p = await platform(t, { edge: true }), m = await maker(p);
  const ca = JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca;
  const est = (what, csr, who, headers = {}) => ask(p.devicePort, ca, EST + what, { method: csr ? 'POST' : 'GET', who,
    headers: csr ? { 'Content-Type': 'application/pkcs10', 'Content-Transfer-Encoding': 'base64', ...headers } : headers, body: csr });
  const state = (seq, who) => ask(p.devicePort, ca, '/d/v1/state', { method: 'POST', who, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(report(seq)) });
  const unit = async () => (await p.call(m.token, 'GET', `/api/v1/devices?serial=${m.serial}`)).json.devices[0];
  const first = device(p.dir, 'first', m.serial), second = device(p.dir, 'second', m.serial), third = device(p.dir, 'third', m.serial);

  await t.test('cacerts are the device CA', async () => {
    const r = await est('cacerts');
    assert.equal(r.status, 200, r.text);
    assert.match(r.headers['content-type'], /^application\/pkcs7-mime/);
    assert.deepEqual(certs(r.text).map((c) => new X509Certificate(c).fingerprint256), [new X509Certificate(ca).fingerprint256]);
  });
  await t.test('csrattrs ask for ECDSA on P-256 with SHA-256', async () => {
    const r = await est('csrattrs');
    assert.equal(r.status, 200);
    assert.match(r.headers['content-type'], /^application\/csrattrs/);
    const read = openssl(['asn1parse', '-inform', 'DER'], Buffer.from(r.text, 'base64'));
    for (const oid of ['id-ecPublicKey', 'prime256v1', 'ecdsa-with-SHA256']) assert.ok(read.includes(oid), read);
  });
  await t.test('without a proof: 401 with a challenge; with a wrong code: refused and nothing learnt', async () => {
    const r = await est('simpleenroll', der64(first.csr));
    assert.equal(r.status, 401, r.text);
    assert.match(r.headers['www-authenticate'], /^Basic realm=/);
    const wrong = await est('simpleenroll', der64(first.csr), {}, basic(m.serial, 'not-the-code-at-all'));
    const unknown = await est('simpleenroll', der64(device(p.dir, 'nobody', 'PC1-999999').csr), {}, basic('PC1-999999', 'not-the-code-at-all'));
    assert.equal(wrong.status, 401, wrong.text);
    assert.deepEqual([unknown.status, unknown.json.detail], [wrong.status, wrong.json.detail]);
  });
  await t.test('bodies that are no request are refused by name', async () => {
    for (const bad of ['', '!!!!', Buffer.alloc(300, 7).toString('base64'), `${der64(first.csr)}AAAA`]) {
      const r = await est('simpleenroll', bad || ' ', {}, basic(m.serial, m.code));
      assert.ok([400, 422].includes(r.status), `${r.status} ${r.text}`);
    }
    const r = await ask(p.devicePort, ca, `${EST}simpleenroll`, { method: 'POST', headers: { 'Content-Type': 'text/plain', ...basic(m.serial, m.code) }, body: der64(first.csr) });
    assert.equal(r.status, 415, r.text);
  });
  await t.test('with serial and code: a certificate for the request\'s key, under the CA, short-lived', async () => {
    const r = await est('simpleenroll', der64(first.csr), {}, basic(m.serial, m.code));
    assert.equal(r.status, 200, r.text);
    assert.match(r.headers['content-type'], /^application\/pkcs7-mime; smime-type=certs-only/);
    const list = certs(r.text);
    assert.equal(list.length, 1);
    first.cert = list[0];
    const x = new X509Certificate(first.cert);
    assert.ok(x.verify(new X509Certificate(ca).publicKey));
    assert.match(x.subject, new RegExp(`serialNumber=${m.serial}`));
    assert.ok(Date.parse(x.validTo) - Date.now() < 91 * 86400e3, x.validTo);
    assert.equal((await state(1, { key: first.key, cert: first.cert })).status, 200);
  });
  await t.test('renewal needs the certificate', async () => {
    assert.equal((await est('simplereenroll', der64(second.csr))).status, 401);
    assert.equal((await est('simplereenroll', der64(second.csr), {}, basic(m.serial, m.code))).status, 401);
  });
  await t.test('renewal for another serial is refused', async () => {
    const r = await est('simplereenroll', der64(device(p.dir, 'foreign', 'PC1-000778').csr), first);
    assert.equal(r.status, 422, r.text);
  });
  await t.test('a new key is believed beside the old one until it is used; then the old one is not', async () => {
    for (const next of [second, third]) {        // the first answer got lost: asked again with another key
      const r = await est('simplereenroll', der64(next.csr), { key: first.key, cert: first.cert });
      assert.equal(r.status, 200, r.text);
      next.cert = certs(r.text)[0];
      assert.equal((await state(next === second ? 2 : 3, { key: first.key, cert: first.cert })).status, 200);
    }
    assert.equal((await state(4, { key: second.key, cert: second.cert })).status, 401, 'the key whose answer got lost');
    assert.equal((await state(5, { key: third.key, cert: third.cert })).status, 200);
    assert.equal((await state(6, { key: first.key, cert: first.cert })).status, 401, 'the old key');
    const lines = (await p.call(m.token, 'GET', `/api/v1/devices/${(await unit()).id}`)).json.timeline.map((l) => l.what);
    assert.ok(lines.some((l) => /Uses its renewed key/.test(l)), lines.join('\n'));
  });
  await t.test('renewal with the same key gives a fresh certificate', async () => {
    const r = await est('simplereenroll', der64(third.csr), { key: third.key, cert: third.cert });
    assert.equal(r.status, 200, r.text);
    assert.notEqual(new X509Certificate(certs(r.text)[0]).serialNumber, new X509Certificate(third.cert).serialNumber);
    assert.equal((await state(7, { key: third.key, cert: certs(r.text)[0] })).status, 200);
  });
  await t.test('a key that another unit has is refused', async () => {
    const two = { serial: 'PC1-000779', code: 'larch-ember-2207-keel' };
    assert.equal((await p.call(m.token, 'POST', `/api/v1/components/${m.component}/units`, two)).status, 200);
    const csr = openssl(['req', '-new', '-key', join(p.dir, 'third.key'), '-subj', `/CN=${two.serial}/serialNumber=${two.serial}`]);
    const r = await est('simpleenroll', der64(csr), {}, basic(two.serial, two.code));
    assert.equal(r.status, 403, r.text);
    assert.match(r.json.detail, /another unit has this key/);
  });
});

test('IDevID: the factory\'s authority, batches, a unit that needs no code, and two of one identity', { skip: missing }, async (t) => {
  const p = await platform(t, { edge: true }), m = await maker(p);
  const ca = JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca;
  const est = (csr, who) => ask(p.devicePort, ca, `${EST}simpleenroll`, { method: 'POST', who, headers: { 'Content-Type': 'application/pkcs10' }, body: der64(csr) });
  const api = async (method, path, body, status = 200) => {
    const r = await p.call(m.token, method, path, body);
    assert.equal(r.status, status, `${path} ${r.text}`);
    return r.json;
  };
  const factory = strangerCa(p.dir);
  const born = device(p.dir, 'born', 'PC1-A00001'), other = device(p.dir, 'other', 'PC1-A00002'), field = device(p.dir, 'field', 'PC1-A00001');
  born.cert = issue(p.dir, factory, born.csrFile, 3650);
  other.cert = issue(p.dir, factory, other.csrFile, 3650);
  const batch = await api('POST', `/api/v1/components/${m.component}/batches`, { name: 'Run 1', prefix: 'PC1-A', units: 3, digits: 5 });
  assert.deepEqual([batch.first, batch.last], ['PC1-A00001', 'PC1-A00003']);

  await t.test('serials are allotted once', async () => {
    const next = await api('POST', `/api/v1/components/${m.component}/batches`, { name: 'Run 2', prefix: 'PC1-A', units: 2, digits: 5 });
    assert.deepEqual([next.first, next.last], ['PC1-A00004', 'PC1-A00005']);
  });
  await t.test('an IDevID of an authority nobody named is not taken', async () => {
    const r = await api('POST', `/api/v1/batches/${batch.id}/units`, { units: [{ serial: 'PC1-A00001', idevid: born.cert }] }, 422);
    assert.match(r.detail, /no factory authority of yours/);
    assert.equal((await est(field.csr, born)).status, 401);
  });
  await t.test('an end certificate is no authority', async () => {
    await api('POST', '/api/v1/factory-authorities', { name: 'Line 1', pem: born.cert }, 422);
  });
  await t.test('units of a batch are recorded whole or not at all, each with a key of its own', async () => {
    await api('POST', '/api/v1/factory-authorities', { name: 'Line 1', pem: readFileSync(factory.cert, 'utf8') });
    const unit = { serial: 'PC1-A00001', idevid: born.cert };
    await api('POST', `/api/v1/batches/${batch.id}/units`, { units: [unit, { serial: 'PC1-A00009', code_hash: codeHash('PC1-A00009', 'x') }] }, 422);
    await api('POST', `/api/v1/batches/${batch.id}/units`, { units: [unit, { serial: 'PC1-A00002', idevid: born.cert }] }, 422);
    assert.equal((await api('GET', `/api/v1/batches/${batch.id}`)).counts.recorded, 0);
    await api('POST', `/api/v1/batches/${batch.id}/units`, { units: [unit, { serial: 'PC1-A00002', code_hash: codeHash('PC1-A00002', 'fir-lamp-9912-tide') }] });
    const { counts } = await api('GET', `/api/v1/batches/${batch.id}`);
    assert.deepEqual(counts, { recorded: 2, enrolled: 0, retired: 0, suspect: 0, idevid: 1, unrecorded: 1, waiting: 2 });
  });
  await t.test('the unit enrols by its IDevID alone; nobody else\'s certificate does', async () => {
    assert.equal((await est(device(p.dir, 'x', 'PC1-A00002').csr, born)).status, 422, 'a request for another serial');
    const r = await est(field.csr, born);
    assert.equal(r.status, 200, r.text);
    field.cert = certs(r.text)[0];
    const ok = await ask(p.devicePort, ca, '/d/v1/state', { method: 'POST', who: field, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(report(1)) });
    assert.equal(ok.status, 200, ok.text);
    const idle = await ask(p.devicePort, ca, '/d/v1/state', { method: 'POST', who: born, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(report(2)) });
    assert.equal(idle.status, 400, 'an IDevID is for enrolment only');
  });
  await t.test('the same request again is answered again; another key makes the unit suspect', async () => {
    assert.equal((await est(field.csr, born)).status, 200);
    const r = await est(device(p.dir, 'clone', 'PC1-A00001').csr, born);
    assert.equal(r.status, 409, r.text);
    const { counts, waiting } = await api('GET', `/api/v1/batches/${batch.id}`);
    assert.deepEqual([counts.enrolled, counts.suspect], [1, 1]);
    assert.match(waiting.find((u) => u.serial === 'PC1-A00001').suspect, /Two keys/);
  });
  await t.test('let in anew by its maker, the unit enrols with another key', async () => {
    const id = (await api('GET', '/api/v1/devices?serial=PC1-A00001')).devices[0].id;
    await api('POST', `/api/v1/devices/${id}/reopen`, {});
    const again = device(p.dir, 'again', 'PC1-A00001');
    assert.equal((await est(again.csr, born)).status, 200);
    assert.equal((await ask(p.devicePort, ca, '/d/v1/state', { method: 'POST', who: field, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(report(3)) })).status, 401);
  });
  await t.test('a retired authority lets nobody in', async () => {
    const list = (await api('GET', '/api/v1/factory-authorities')).authorities;
    await api('POST', `/api/v1/factory-authorities/${list[0].id}/retire`, {});
    assert.equal((await est(other.csr, other)).status, 401);
  });
});
