// SPDX-License-Identifier: Apache-2.0
//
// ctm-update as a maker uses it: what is signed is what is shown, a changed file is found, refusals name their reason and leave no file.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { program, sha256 } from './agent_kit.mjs';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ctm-update-'));
after(() => fs.rmSync(dir, { recursive: true, force: true }));
const at = (f) => path.join(dir, f);
const run = (...args) => spawnSync(program('ctm-update'), args, { encoding: 'utf8', cwd: dir });
const image = Buffer.from('CTM-IMAGE 1 PC-1 1.2.0\npayload');
fs.writeFileSync(at('image'), image);
fs.writeFileSync(at('sbom'), '{}');
const facts = { key: 'k.pem', image: 'image', version: '1.2.0', counter: '12', vendor: 'larkspur.example', class: 'PC-1', component: 'device', 'min-version': '1.0.0',
  sbom: 'sbom', 'support-end': '2031-12-31', advisories: 'LARK-2026-001,LARK-2026-002', out: 'm.cose' };
const sign = (changes = {}) => run('sign', ...Object.entries({ ...facts, ...changes }).filter(([, v]) => v !== null).flatMap(([k, v]) => [`--${k}`, v]));

test('a release key is made once, 0600, and never overwritten', () => {
  assert.equal(run('keygen', '--out', 'k.pem', '--public', 'k.pub').status, 0);
  assert.equal(fs.statSync(at('k.pem')).mode & 0o777, 0o600);
  assert.match(fs.readFileSync(at('k.pub'), 'utf8'), /^[0-9a-f]{64}\n$/);
  const before = fs.readFileSync(at('k.pem'), 'utf8'), r = run('keygen', '--out', 'k.pem', '--public', 'k2.pub');
  assert.equal(r.status, 1);
  assert.match(r.stderr, /never overwritten/);
  assert.equal(fs.readFileSync(at('k.pem'), 'utf8'), before);
  assert.ok(!r.stdout.includes('PRIVATE') && !fs.existsSync(at('k2.pub')));
});

test('what is signed is what is shown (RFC 9124 fields)', () => {
  assert.equal(sign().status, 0);
  assert.equal(run('package', '--manifest', 'm.cose', '--image', 'image', '--out', 'f.ctmu').status, 0);
  const r = run('inspect', 'f.ctmu', '--key', 'k.pub', '--json'), o = JSON.parse(r.stdout);
  assert.equal(r.status, 0);
  assert.equal(o.version, '1.2.0');
  assert.equal(o.security_counter, 12);
  assert.equal(o.size, image.length);
  assert.equal(o.image, 'sha256:' + sha256(image));
  assert.equal(o.sbom, 'sha256:' + sha256('{}'));
  assert.deepEqual(o.advisories, ['LARK-2026-001', 'LARK-2026-002']);
  assert.match(o.vendor_id, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual([o.signature, o.image_check], ['verifies', 'matches']);
  assert.equal(run('inspect', 'm.cose', '--key', fs.readFileSync(at('k.pub'), 'utf8').trim()).status, 0);
  const bytes = fs.readFileSync(at('f.ctmu'));
  assert.deepEqual(bytes.subarray(4, 4 + bytes.readUInt32BE(0)), fs.readFileSync(at('m.cose')));
});

test('a changed image, manifest or key is found; exit 1', () => {
  const bytes = fs.readFileSync(at('f.ctmu'));
  for (const [where, words] of [[bytes.length - 1, /image is not the one/], [bytes.readUInt32BE(0) + 3, /not signed by this key/]]) {
    const b = Buffer.from(bytes);
    b[where] ^= 1;
    fs.writeFileSync(at('bad'), b);
    const r = run('inspect', 'bad', '--key', 'k.pub');
    assert.equal(r.status, 1);
    assert.match(r.stderr, words);
  }
  run('keygen', '--out', 'o.pem', '--public', 'o.pub');
  assert.equal(run('inspect', 'f.ctmu', '--key', 'o.pub').status, 1);
  for (let n = 0; n < bytes.length; n += 13) {
    fs.writeFileSync(at('cut'), bytes.subarray(0, n));
    assert.equal(run('inspect', 'cut', '--key', 'k.pub').status, 1, `${n} bytes`);
  }
});

test('refusals name the option and write nothing', () => {
  for (const [change, words, status] of [[{ version: 'one' }, /version/, 1], [{ 'min-version': '1..0' }, /min-version/, 1], [{ counter: '-1' }, /counter/, 1],
    [{ 'support-end': '2031-13-01' }, /support-end/, 1], [{ image: 'nothing' }, /nothing/, 1], [{ key: 'k.pub' }, /k\.pub/, 1], [{ version: null }, /--version is needed/, 2],
    [{ advisories: Array(17).fill('A').join(',') }, /advisories/, 1]]) {
    const r = sign({ ...change, out: 'none' });
    assert.equal(r.status, status, r.stderr);
    assert.match(r.stderr, words);
    assert.ok(!fs.existsSync(at('none')));
  }
  fs.writeFileSync(at('other'), 'another image');
  const r = run('package', '--manifest', 'm.cose', '--image', 'other', '--out', 'none');
  assert.equal(r.status, 1);
  assert.match(r.stderr, /is not the image/);
  assert.ok(!fs.existsSync(at('none')));
  assert.equal(run('nothing').status, 2);
  assert.equal(run().status, 2);
  assert.equal(run('--help').status, 0);
});

test('a delta is made, checked by applying it, and refused in plain words when it cannot be', () => {
  const old = Buffer.alloc(40000, 'settings and sounds '), next = Buffer.from(old);
  next.write('CTM-IMAGE 1 PC-1 1.3.0\n');
  fs.writeFileSync(at('old'), old);
  fs.writeFileSync(at('next'), Buffer.concat([next, Buffer.from('one more line')]));
  const r = run('delta', 'old', 'next', '--out', 'd.ctmd', '--frame', '4096', '--context', '0');
  assert.equal(r.status, 0, r.stderr);
  assert.match(r.stdout, /bytes instead of 40013 .*checked by applying it/);
  assert.equal(fs.readFileSync(at('d.ctmd')).subarray(0, 5).toString('latin1'), 'CTMD\x01');
  assert.ok(fs.statSync(at('d.ctmd')).size < 700);
  assert.equal(run('delta', 'old', 'next', '--out', 'e.ctmd', '--frame', '1000').status, 2);
  fs.writeFileSync(at('nothing'), '');
  assert.equal(run('delta', 'nothing', 'next', '--out', 'e.ctmd').status, 1);
  assert.equal(run('delta', 'old').status, 2);
  assert.ok(!fs.existsSync(at('e.ctmd')));
});

test('a release in ES256 that names the versions a device may go back to', () => {
  assert.equal(run('keygen', '--alg', 'es256', '--out', 'p.pem', '--public', 'p.pub').status, 0);
  assert.match(fs.readFileSync(at('p.pub'), 'utf8'), /^04[0-9a-f]{128}\n$/);
  assert.equal(sign({ key: 'p.pem', out: 'p.cose', rollback: '1.1.0,1.1.1' }).status, 0);
  const r = run('inspect', 'p.cose', '--key', 'p.pub', '--json'), o = JSON.parse(r.stdout);
  assert.equal(o.signature, 'verifies');
  assert.deepEqual(o.rollback, ['1.1.0', '1.1.1']);
  assert.equal(run('inspect', 'p.cose', '--key', 'k.pub').status, 1);
  assert.equal(sign({ key: 'p.pem', out: 'q.cose', rollback: 'older' }).status, 1);
  assert.equal(run('keygen', '--alg', 'rsa', '--out', 'r.pem', '--public', 'r.pub').status, 2);
});
