// SPDX-License-Identifier: Apache-2.0
// The Cortex-M3 firmware on an emulated board, through ctm-gateway, against the platform behind its edge: enrols with a key it made
// itself, sends signed heartbeats, takes a configuration and updates, survives power cuts and a crashing release, is reset from
// afar. Evidence for NIST IR 8425: AI (identity), PC (configuration), SU (update), CSA (state awareness), IAC.
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { ROOT, existsTool, platform, run, start, until } from './kit.mjs';
import { cbor, point, sign1 } from './cbor_kit.mjs';

const built = existsTool('qemu-system-arm') && existsTool('nginx') ? spawnSync(join(ROOT, 'tools/firmware'), { encoding: 'utf8' }) : null;
const missing = !built ? 'qemu-system-arm or nginx is not installed' : built.status === 2 ? `no firmware: ${built.stdout}${built.stderr}`.trim() : false;
const SERIAL = 'PS1-000101', CODE = 'plum-otter-4711';

// A maker with one built unit.
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
  const token = await p.signIn((await made(op, `/api/v1/people/${person.id}/link`, { org_id: org.id })).token);
  const product = await made(token, '/api/v1/products', { name: 'Porch Sensor', model: 'PS-1', category: 'sensor', intended_use: 'homes' });
  const component = await made(token, `/api/v1/products/${product.id}/components`, { kind: 'device', name: 'sensor' });
  await made(token, `/api/v1/components/${component.id}/units`, { serial: SERIAL, code: CODE });
  return token;
}

describe('a Cortex-M3 device behind a gateway', { skip: missing }, () => {
  const ends = [];
  let p, token, dir, board, gateway, order = 0;
  const config = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const file = (...name) => join(dir, ...name);

  const update = (...args) => { const r = run('ctm-update', args); assert.equal(r.code, 0, r.err); };
  // An update package of one version.
  function pack(version, counter, { key = 'release.pem', bytes = 600 } = {}) {
    const image = file('image'), manifest = file('manifest'), out = file('package');
    fs.writeFileSync(image, Buffer.concat([Buffer.from(`CTM-IMAGE 1 PS-1 ${version}\n`), Buffer.alloc(bytes, version)]));
    update('sign', '--key', file(key), '--image', image, '--version', version, '--counter', String(counter), '--vendor', 'larkspur.example', '--class', 'PS-1',
      '--component', 'device', '--min-version', '0.0.0', '--support-end', '2031-12-31', '--out', manifest);
    update('package', '--manifest', manifest, '--image', image, '--out', out);
    return fs.readFileSync(out);
  }

  function plugIn() {
    board = start(existsTool('qemu-system-arm'), ['-M', 'mps2-an385', '-nographic', '-monitor', 'none', '-serial', `unix:${file('line')},server=on,wait=off`,
      '-semihosting-config', 'enable=on,target=native', '-kernel', join(ROOT, 'build/firmware/sensor.bin')], { cwd: dir });
  }
  function startGateway() {
    gateway = start('ctm-gateway', ['--line', file('line'), '--platform', `https://localhost:${p.devicePort}`, '--ca', file('ca.pem'), '--deliver', file('deliver')]);
  }

  // Put a file before the gateway; its answer when the device has said something.
  function put(kind, bytes = '') {
    const name = file('deliver', String(++order).padStart(3, '0'));
    fs.writeFileSync(`${name}.part`, bytes);
    fs.renameSync(`${name}.part`, `${name}.${kind}`);
    return `${name}.answer`;
  }
  const said = (answer, ms = 20000) => until(answer, () => fs.existsSync(answer) && JSON.parse(fs.readFileSync(answer)), ms)
    .catch((e) => { throw new Error(`${e.message}\nboard: ${board.log}\ngateway: ${gateway.log}`); });
  const deliver = (kind, bytes) => said(put(kind, bytes));
  const state = async () => (await deliver('ask')).state;
  const shown = async () => {
    const { id } = (await p.call(token, 'GET', `/api/v1/devices?serial=${SERIAL}`)).json.devices[0];
    return (await p.call(token, 'GET', `/api/v1/devices/${id}`)).json.device;
  };
  const shows = (what, good, ms = 20000) => until(what, async () => { const d = await shown(); return good(d) && d; }, ms)
    .catch((e) => { throw new Error(`${e.message}\nboard: ${board.log}\ngateway: ${gateway.log}`); });
  const document = (version, settings, { key = config, serial = SERIAL, trial = 30, until: end = 4102444800 } = {}) =>
    sign1(key, 'application/ctm-config+cbor', cbor(new Map([[1, 'ctm.config/1'], [2, serial], [3, version], [4, end], [5, settings], [6, trial]])));
  const reset = (counter, key = config) =>
    sign1(key, 'application/ctm-reset+cbor', cbor(new Map([[1, 'ctm.reset/1'], [2, SERIAL], [3, counter], [4, 4102444800]])));

  before(async () => {
    assert.equal(built.status, 0, built.stdout + built.stderr);
    p = await platform({ after: (f) => ends.push(f) }, { edge: true });
    token = await maker(p);
    dir = join(p.dir, 'unit');
    fs.mkdirSync(file('flash'), { recursive: true });
    fs.mkdirSync(file('deliver'));
    fs.writeFileSync(file('ca.pem'), JSON.parse(fs.readFileSync(join(p.state, 'trust.json'))).device_ca);
    for (const k of ['release', 'stranger']) update('keygen', '--alg', 'es256', '--out', file(`${k}.pem`), '--public', file(`${k}.pub`));
    fs.writeFileSync(file('unit'), [SERIAL, CODE, 'larkspur.example', point(fs.readFileSync(file('release.pem'))).toString('hex'), point(config).toString('hex'), ''].join('\n'));
    const first = pack('1.0.0', 10), n = first.readUInt32BE(0);
    fs.writeFileSync(file('factory.cose'), first.subarray(4, 4 + n));
    fs.writeFileSync(file('factory.bin'), first.subarray(4 + n));
    plugIn();
    startGateway();
  });
  after(async () => {
    await gateway?.stop();
    await board?.stop('SIGKILL');
    for (const f of ends.reverse()) await f();
  });

  test('makes its own key, enrols through the gateway and beats (AI, CSA)', async () => {
    const d = await shows('enrolled and heard', (x) => x.state === 'enrolled' && x.last_seq >= 1);
    assert.deepEqual([d.booted_version, d.verified_version, d.boot_counter, d.health], ['1.0.0', '1.0.0', 1, 'likely-normal']);
    assert.deepEqual(d.report.reboot, { code: 1, name: 'power_on', unexpected: false });
    assert.equal(d.report.relayed, true);
    assert.equal(d.report.metrics.temperature_c, 21);
    assert.ok(d.report.metrics.stack_free_b > 1000);
    const s = await state();
    assert.deepEqual([s.serial, s.booted, s.verified, s.enrolled, s.settings.report_interval_s, s.settings.lamp, s.settings.name],
      [SERIAL, '1.0.0', '1.0.0', true, 1, 1, null]);
  });

  test('takes a signed configuration, keeps it once it has contact; refuses others, replays and strangers (PC, IAC)', async () => {
    assert.deepEqual(await deliver('config', document(1, ['lamp', false, 'name', 'Gate'], { key: stranger })), { code: -5, result: 'VERIFY', rule: 'signature' });
    assert.equal((await deliver('config', document(1, ['lamp', false], { serial: 'PS1-000102' }))).rule, 'device');
    assert.equal((await deliver('config', document(1, ['report_interval_s', 0]))).rule, 'setting');
    assert.equal((await deliver('config', document(1, ['lamp', false], { until: 1000000000 }))).rule, 'expired');
    const good = document(3, ['lamp', false, 'name', 'Gate']);
    assert.equal((await deliver('config', good)).result, 'OK');
    const s = await until('kept', async () => { const x = await state(); return !x.config_on_trial && x; });
    assert.equal(s.settings.lamp, 0);
    assert.equal((await deliver('config', good)).result, 'OLDER');
    await shows('refusals counted', (x) => x.report.metrics.config_refused >= 1 || x.last_seq > 6);
  });

  test('takes an update over a power cut in the middle, boots it, and commits it once heard (SU)', async () => {
    const before_ = (await state()).boots;
    const answer = put('update', pack('1.1.0', 11, { bytes: 9000 }));
    await until('half an image', () => fs.statSync(file('flash/slot.1'), { throwIfNoEntry: false })?.size > 3000);
    await board.stop('SIGKILL');
    assert.ok(!fs.existsSync(answer));
    plugIn();
    assert.equal((await said(answer)).result, 'OK');
    const d = await shows('the new version', (x) => x.booted_version === '1.1.0' && x.verified_version === '1.1.0');
    assert.equal(d.report.reboot.name, 'update');
    const s = await until('committed', async () => { const x = await state(); return !x.update_on_trial && x; });
    assert.deepEqual([s.booted, s.boots, s.settings.lamp], ['1.1.0', before_ + 2, 0]);
  });

  test('refuses an update of a stranger, an older one, and what is no package (SU)', async () => {
    assert.deepEqual(await deliver('update', pack('1.2.0', 12, { key: 'stranger.pem' })), { code: -5, result: 'VERIFY', rule: 'signature' });
    assert.equal((await deliver('update', pack('1.0.5', 10))).result, 'OLDER');
    const bad = pack('1.2.0', 12);
    bad[bad.length - 1] ^= 1;
    assert.equal((await deliver('update', bad)).rule, 'digest');
    assert.equal((await deliver('update', Buffer.from('nothing'))).rule, 'package');
    assert.equal((await state()).booted, '1.1.0');
  });

  test('a release that crashes is left again, and the crash is told with its place (SU, CSA)', async () => {
    assert.equal((await deliver('update', pack('1.3.0-crash', 13))).result, 'OK');
    const crash = (await shows('the crash', (x) => x.report.crash?.name === 'fault' && x.booted_version === '1.1.0', 25000)).report.crash;
    assert.deepEqual([crash.unexpected, crash.version], [true, '1.3.0-crash']);
    assert.ok(crash.count >= 3 && parseInt(crash.pc, 16) > 0);
    const d = await shows('back on the good version', (x) => x.booted_version === '1.1.0' && x.boot_counter >= 6, 25000);
    assert.equal(d.verified_version, '1.1.0');
    const lines = (await p.call(token, 'GET', `/api/v1/devices/${d.id}`)).json.timeline.map((l) => l.what).join('\n');
    assert.match(lines, /1\.3\.0-crash/);            // its heartbeats waited in the device and came later
    await shows('told once', (x) => x.report.crash === undefined && x.health === 'likely-normal');
    const s = await state();
    assert.deepEqual([s.booted, s.update_on_trial], ['1.1.0', false]);
    assert.equal((await deliver('update', pack('1.2.0', 11))).result, 'OK');      // the counter was not raised by what never ran well
    await shows('the next good version', (x) => x.booted_version === '1.2.0');
  });

  test('heartbeats of an outage arrive afterwards, none lost (CSA)', async () => {
    await gateway.stop();
    const last = (await shown()).last_seq;
    await new Promise((r) => setTimeout(r, 3500));
    startGateway();
    const d = await shows('caught up', (x) => x.last_seq >= last + 4);
    assert.equal(d.report.dropped, undefined);
    assert.equal((await shown()).suspect, '');
  });

  test('is reset from afar, once, by who may (PC, DP)', async () => {
    assert.equal((await deliver('reset', reset(1, stranger))).rule, 'signature');
    assert.equal((await deliver('reset', reset(1))).result, 'OK');
    const d = await shows('the reset', (x) => x.report.reboot.name === 'reset');
    assert.equal(d.report.reboot.unexpected, false);
    assert.deepEqual((await state()).settings, { lamp: 0, name: null, report_interval_s: 1 });
    assert.equal((await deliver('reset', reset(1))).result, 'OLDER');
  });

  test('nothing secret on the board\'s console or in the gateway\'s words', () => {
    for (const text of [board.log, gateway.log]) assert.ok(!text.includes(CODE));
  });
});
