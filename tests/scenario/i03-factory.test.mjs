// SPDX-License-Identifier: Apache-2.0
// A production run at the factory station: authority, serials, units that make their keys, IDevIDs, nameplates that scan, built against
// enrolled. The units are real agents; the plates are read back by poppler and ZBar.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { platform, existsTool, run, until } from './kit.mjs';
import { maker } from './edge_kit.mjs';
import { Kit, program } from './agent_kit.mjs';

const missing = !existsTool('nginx') ? 'nginx is not installed' : !existsTool('openssl') ? 'openssl is not installed' : false;

test('a production run from authority to reconciliation', { skip: missing, timeout: 120000 }, async (t) => {
  const p = await platform(t, { edge: true }), m = await maker(p), kit = new Kit();
  t.after(() => kit.end());
  const dir = join(p.dir, 'line'), authority = join(p.dir, 'authority'), requests = join(p.dir, 'requests'), token = join(p.dir, 'token');
  fs.mkdirSync(requests);
  fs.writeFileSync(token, `${m.token}\n`, { mode: 0o600 });
  const way = ['--url', p.base, '--token-file', token];
  const desk = (verb, args, code = 0) => {
    const r = run('ctm', ['desk', 'factory', verb, ...args]);
    assert.equal(r.code, code, `${verb}: ${r.err}${r.out}`);
    return r;
  };
  const begin = ['--run', dir, '--component', m.component, '--name', 'Run 7', '--prefix', 'PC1-Z', '--units', '23', '--digits', '4', ...way];

  await t.test('authority and run are made once, and nobody else may read what is secret', () => {
    desk('authority', ['--authority', authority, '--name', 'Larkspur line 1 (fictional)']);
    assert.match(desk('authority', ['--authority', authority, '--name', 'again'], 1).err, /never overwritten/);
    desk('trust', ['--authority', authority, '--name', 'Line 1', ...way]);
    desk('begin', begin);
    assert.match(desk('begin', begin, 1).err, /kept/);
    for (const f of [join(authority, 'factory-ca.key'), join(dir, 'units.json'), join(dir, 'run.json'), join(dir, 'units/PC1-Z0001/enrol-code'), join(dir, 'units/PC1-Z0001/initial-password')])
      assert.equal(fs.statSync(f).mode & 0o077, 0, f);
  });
  const units = JSON.parse(fs.readFileSync(join(dir, 'units.json')));
  await t.test('every unit has a serial, a code and a password of its own', () => {
    assert.deepEqual([units.length, units[0].serial, units[22].serial], [23, 'PC1-Z0001', 'PC1-Z0023']);
    assert.equal(new Set(units.flatMap((u) => [u.code, u.password])).size, 46);
    for (const u of units) for (const w of [u.code, u.password]) assert.match(w, /^([2-9A-HJKMNP-Z]{4}-){3}[2-9A-HJKMNP-Z]{4}$/);
  });

  // Two units: one shows its factory's identity, one its code.
  const ca = join(p.dir, 'device-ca.pem');
  fs.writeFileSync(ca, JSON.parse(fs.readFileSync(join(p.state, 'trust.json'))).device_ca);
  const unit = (serial, conf) => {
    const u = kit.unit({ platform: { url: `https://localhost:${p.devicePort}`, ca, connect: '127.0.0.1' } });
    const c = JSON.parse(fs.readFileSync(u.file('agent.json')));
    fs.writeFileSync(u.file('agent.json'), JSON.stringify({ ...c, serial, initial_password_file: join(dir, 'units', serial, 'initial-password'), enrol_code_file: join(dir, 'units', serial, 'enrol-code'), ...conf }));
    return Object.assign(u, { serial });
  };
  const born = unit('PC1-Z0001', { idevid: join(dir, 'units/PC1-Z0001/idevid.pem'), enrol_code_file: undefined }), coded = unit('PC1-Z0002', {});

  await t.test('requests of the units are signed; one for another serial is refused', () => {
    assert.equal(run(program('ctm-agent'), ['--config', born.file('agent.json'), '--factory-request', join(requests, 'PC1-Z0001.csr')]).code, 0);
    assert.match(desk('sign', ['--run', dir, '--authority', authority, '--requests', requests]).out, /^1 IDevIDs issued, 0 were there, 22 units have no request/);
    fs.copyFileSync(join(requests, 'PC1-Z0001.csr'), join(requests, 'PC1-Z0003.csr'));
    assert.match(desk('sign', ['--run', dir, '--authority', authority, '--requests', requests], 1).err, /the request is for "PC1-Z0001"/);
  });
  await t.test('units are recorded; again changes nothing; a lost answer is made up for', async () => {
    desk('record', ['--run', dir, ...way]);
    desk('record', ['--run', dir, ...way]);
    const state = JSON.parse(fs.readFileSync(join(dir, 'run.json')));
    fs.writeFileSync(join(dir, 'run.json'), JSON.stringify({ ...state, recorded: 0 }), { mode: 0o600 });
    desk('record', ['--run', dir, ...way]);
    const { counts } = (await p.call(m.token, 'GET', `/api/v1/batches/${state.batch}`)).json;
    assert.deepEqual([counts.recorded, counts.idevid, counts.unrecorded], [23, 1, 0]);
  });
  await t.test('built against enrolled: not yet, then what is missing by name', async () => {
    assert.match(desk('reconcile', ['--run', dir, ...way], 1).out, /not arrived +23/);
    await born.start();
    await coded.start();
    await until('both enrolled', () => JSON.parse(desk('reconcile', ['--run', dir, '--json', ...way], 1).out).counts.enrolled === 2, 30000)
      .catch((e) => { throw new Error(e.message + born.err + coded.err); });
    const r = desk('reconcile', ['--run', dir, ...way], 1);
    assert.ok(!r.out.includes('PC1-Z0001') && r.out.includes('PC1-Z0003'), r.out);
    assert.equal((await born.login(units[0].password)).status, 200, 'the password of the plate opens the unit');
  });
  await t.test('nameplates: serial and password in print, and a code that scans', async (tt) => {
    desk('plates', ['--run', dir]);
    const pdf = join(dir, 'nameplates.pdf');
    assert.equal(fs.statSync(pdf).mode & 0o077, 0);
    if (!existsTool('pdftotext') || !existsTool('zbarimg')) return tt.skip('poppler-utils or zbar-tools is not installed');
    const text = run(existsTool('pdftotext'), ['-layout', pdf, '-']).out;
    for (const u of units) assert.ok(text.includes(u.serial) && text.includes(u.password), u.serial);
    run(existsTool('pdftoppm'), ['-r', '200', '-png', pdf, join(dir, 'plate')]);
    const codes = fs.readdirSync(dir).filter((f) => f.endsWith('.png')).flatMap((f) => run(existsTool('zbarimg'), ['-q', '--raw', join(dir, f)]).out.trim().split('\n'));
    for (const u of units) assert.ok(codes.includes(`ctm:unit?m=PC-1&s=${u.serial}&c=${u.password}`), `${u.serial} of ${codes.length}`);
  });
  await t.test('a token file that others may read is refused', () => {
    fs.chmodSync(token, 0o644);
    assert.match(desk('reconcile', ['--run', dir, ...way], 1).err, /mode 0600/);
  });
});
