// SPDX-License-Identifier: Apache-2.0
// Heartbeats of small devices at the device port: CBOR with the device's certificate, or signed and brought by a gateway that has none.
// What is kept is shown to the maker. Evidence for NIST IR 8425: CSA (state awareness), AI, IAC.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { platform, existsTool } from './kit.mjs';
import { ask, device } from './edge_kit.mjs';
import { HEARTBEAT, cbor, heartbeat, point, sign1 } from './cbor_kit.mjs';

const missing = !existsTool('nginx') ? 'nginx is not installed' : !existsTool('openssl') ? 'openssl is not installed' : false;

async function maker(p) {
  const op = await p.operator();
  const made = async (token, path, body) => {
    const r = await p.call(token, 'POST', path, body);
    assert.ok([200, 201].includes(r.status), `${path}: ${r.status} ${r.text}`);
    return r.json;
  };
  const org = await made(op, '/api/v1/organisations', { kind: 'maker', name: 'Larkspur Porchworks (fictional)', slug: 'larkspur', contact: 'a@larkspur.example' });
  const person = await made(op, '/api/v1/people', { name: 'Pat Example', email: 'pat@larkspur.example' });
  await p.call(op, 'POST', '/api/v1/memberships', { person_id: person.id, org_id: org.id, role: 'maker.owner' });
  const link = await made(op, `/api/v1/people/${person.id}/link`, { org_id: org.id });
  const token = await p.signIn(link.token);
  const product = await made(token, '/api/v1/products', { name: 'Porch Sensor', model: 'PS-1', category: 'sensor', intended_use: 'homes' });
  const component = await made(token, `/api/v1/products/${product.id}/components`, { kind: 'device', name: 'sensor' });
  return { token, unit: async (serial) => { await made(token, `/api/v1/components/${component.id}/units`, { serial, code: 'plum-otter-4711-sail' }); return serial; } };
}

test('heartbeats over mutual TLS and through a gateway', { skip: missing }, async (t) => {
  const p = await platform(t, { edge: true });
  const ca = JSON.parse(readFileSync(join(p.state, 'trust.json'))).device_ca;
  const m = await maker(p);
  const enrolled = async (serial) => {
    await m.unit(serial);
    const d = device(p.dir, serial, serial);
    const r = await ask(p.devicePort, ca, '/d/v1/enrol', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ serial, code: 'plum-otter-4711-sail', csr: d.csr }) });
    assert.equal(r.status, 200, r.text);
    return { ...d, cert: r.json.certificate, serial };
  };
  const a = await enrolled('PS1-000001'), b = await enrolled('PS1-000002');
  const post = (body, who, type = HEARTBEAT) => ask(p.devicePort, ca, '/d/v1/heartbeat', { method: 'POST', who, headers: { 'Content-Type': type, 'Content-Length': body.length }, body });
  const mine = { key: a.key, cert: a.cert };
  const signed = (d, beat) => sign1(d.key, HEARTBEAT, beat, point(d.key).subarray(1));
  const shown = async (serial) => {
    const { id } = (await p.call(m.token, 'GET', `/api/v1/devices?serial=${serial}`)).json.devices[0];
    return (await p.call(m.token, 'GET', `/api/v1/devices/${id}`)).json.device;
  };

  await t.test('with its certificate, as it is; once (CSA)', async () => {
    const beat = heartbeat({ seq: 4, boots: 2, metrics: [[1, 3600], [13, 88], [14, -4], [200, 7]] });
    assert.ok(beat.length < 40);
    const r = await post(beat, mine);
    assert.equal(r.status, 200, r.text);
    assert.deepEqual([r.json.seq, typeof r.json.next_s], [4, 'number']);
    assert.equal((await post(beat, mine)).status, 409);
    const d = await shown(a.serial);
    assert.deepEqual([d.last_seq, d.boot_counter, d.booted_version, d.claimed_version, d.verified_version, d.health], [4, 2, '1.0.0', '1.0.0', '1.0.0', 'likely-normal']);
    assert.deepEqual(d.report.metrics, { uptime_s: 3600, battery_pct: 88, temperature_c: -4, m200: 7 });
    assert.deepEqual(d.report.reboot, { code: 1, name: 'power_on', unexpected: false });
    assert.equal(d.report.relayed, false);
  });

  await t.test('signed by the device, through a gateway without a certificate, with a crash to tell', async () => {
    const beat = heartbeat({ seq: 5, boots: 3, health: 1, reboot: 131, metrics: [[2, 1]],
      more: [[8, ''], [10, 2], [11, [3, 131, 0x1234, 0x5678, 99, '0.9.9']], [12, [2]]] });
    const r = await post(signed(a, beat), {});
    assert.equal(r.status, 200, r.text);
    const d = await shown(a.serial);
    assert.deepEqual([d.health, d.verified_version, d.last_seq], ['likely-degraded', '', 5]);
    assert.deepEqual(d.report.crash, { count: 3, lr: '0x00005678', name: 'fault', pc: '0x00001234', reason: 131, unexpected: true, uptime_s: 99, version: '0.9.9' });
    assert.deepEqual([d.report.because, d.report.dropped, d.report.relayed], [['reboots_unexpected'], 2, true]);
    assert.equal((await post(signed(a, beat), {})).status, 409);
  });

  await t.test('the page says so in words', async () => {
    const { id } = (await p.call(m.token, 'GET', `/api/v1/devices?serial=${a.serial}`)).json.devices[0];
    const page = await p.call(m.token, 'GET', `/devices/${id}`);
    assert.equal(page.status, 200);
    for (const word of ['Processor fault', 'unexpected', 'reboots_unexpected', '0x00001234', '0.9.9']) assert.ok(page.text.includes(word), word);
  });

  await t.test('a gateway that is a device itself speaks for the one that signed', async () => {
    const r = await post(signed(b, heartbeat({ seq: 1, version: '3.2.1' })), mine);
    assert.equal(r.status, 200, r.text);
    assert.equal((await shown(b.serial)).booted_version, '3.2.1');
    assert.equal((await shown(a.serial)).last_seq, 5);
  });

  await t.test('what is refused (IAC, bad input)', async () => {
    const beat = heartbeat({ seq: 100 }), good = signed(a, beat), stranger = device(p.dir, 'stranger', a.serial);
    assert.equal((await post(beat, {})).status, 401);                                   // nobody signed it
    assert.equal((await post(signed(stranger, beat), {})).status, 401);                 // a key of no unit
    assert.equal((await post(sign1(stranger.key, HEARTBEAT, beat, point(a.key).subarray(1)), {})).status, 401);
    assert.equal((await post(sign1(a.key, 'application/ctm-config+cbor', beat, point(a.key).subarray(1)), {})).status, 400);   // signed for something else
    assert.equal((await post(good, mine, 'application/json')).status, 415);
    for (let i = 0; i < good.length; i += 7) {
      const bad = Buffer.from(good);
      bad[i] ^= 1;
      assert.ok([400, 401, 422].includes((await post(bad, {})).status), `byte ${i}`);
    }
    for (const bad of [Buffer.from([0xa0]), beat.subarray(0, 9), Buffer.concat([beat, Buffer.from([0])]), cbor('x'), heartbeat({ seq: 0 }), heartbeat({ seq: 101, reboot: 0 }),
      heartbeat({ seq: 101, more: [[13, 1]] }), heartbeat({ seq: 101, metrics: [[0, 1]] })])
      assert.ok([400, 422].includes((await post(bad, mine)).status), bad.toString('hex'));
    assert.equal((await shown(a.serial)).last_seq, 5);
    assert.equal((await post(good, {})).status, 200);
  });

  await t.test('a retired unit is nobody, whoever carries it', async () => {
    const { id } = (await p.call(m.token, 'GET', `/api/v1/devices?serial=${b.serial}`)).json.devices[0];
    assert.equal((await p.call(m.token, 'POST', `/api/v1/devices/${id}/retire`, {})).status, 200);
    assert.equal((await post(signed(b, heartbeat({ seq: 9 })), {})).status, 401);
  });
});
