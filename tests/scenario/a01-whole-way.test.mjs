// SPDX-License-Identifier: Apache-2.0
// The whole way, once: ./run walks the demonstration, then strangers look at what it left (47 CFR 8.208 to 8.222).
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { browser } from '../browser/kit.mjs';
import { cookiesOf, keyboard, tour, withoutScript } from '../browser/tour.mjs';
import { ROOT, BUILD, prog, start, run, request, freePort, until, existsTool, auditFaults } from './kit.mjs';

let dir, out, state, base, near, platform, port, env;   // near: the same by number, for machines that cannot look up "localhost"
const sha = (b) => 'sha256:' + createHash('sha256').update(b).digest('hex');
const file = (n) => readFileSync(join(out, n));
const demo = () => JSON.parse(readFileSync(join(state, 'demo/state.json')));

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ctm-way-'));
  out = join(dir, 'out');
  state = join(dir, 'var');
  port = await freePort();
  base = `http://localhost:${port}`;
  near = `http://127.0.0.1:${port}`;
  env = { ...process.env, CTM_STATE: state, CTM_OUT: out, CTM_PORT: String(port), CTM_DEVICE_PORT: String(await freePort()), CTM_BUILD: BUILD };
  platform = start(join(ROOT, 'run'), [], { env, cwd: ROOT });
  await until('the demonstration', () => platform.exitCode !== null || platform.log.includes('Serving until Ctrl-C'), 280000)
    .catch((e) => { throw new Error(`${e.message}\n${platform.log}`); });
  assert.equal(platform.exitCode, null, platform.log);
}, { timeout: 300000 });

after(async () => {
  if (platform) await platform.stop('SIGINT');
  if (dir) rmSync(dir, { recursive: true, force: true });
}, { timeout: 30000 });

test('every step is shown with who, what and how long, and every role gets a one-time link', () => {
  assert.match(platform.log, /27\/27 +public/);
  assert.match(platform.log, /The whole way in \d+\.\d s/);
  for (const desk of ['maker, owner', 'lab, tester', 'CLA, decider']) assert.match(platform.log, new RegExp(`${desk}.*/signin\\?token=`));
});

test('the tester who also holds a decider role was refused (ISO/IEC 17065 7.6)', () => {
  assert.match(platform.log, /refused: .*17065.*7\.6/);
});

test('every audit line says who, what, before and after, and no secret', (t) => {
  if (!existsTool('sqlite3')) return t.skip('sqlite3 is not installed');
  const secrets = Object.entries(demo()).filter(([k]) => k.startsWith('token.')).map(([, v]) => v);
  assert.ok(secrets.length > 8);
  assert.deepEqual(auditFaults(join(state, 'ctm.db'), secrets), []);
});

test('out/ holds label, proof, certificate, report and evidence', () => {
  for (const f of ['label.svg', 'label.png', 'label.pdf', 'label.proof', 'certificate.json', 'certificate.pdf', 'evaluation-report.json',
    'evaluation-report.html', 'evaluation-report.pdf', 'evidence.bundle']) assert.ok(existsSync(join(out, f)), f);
});

test('both QR decoders read the address of the product page back from the label', (t) => {
  const want = `${base}/p/${demo()['record.1.0.1']}`;
  const zbar = existsTool('zbarimg'), zxing = existsTool('ZXingReader');
  if (!zbar || !zxing) return t.skip('zbarimg or ZXingReader is not installed');
  assert.equal(run(zbar, ['--quiet', '--raw', join(out, 'label.png')]).out.trim(), want);
  assert.ok(run(zxing, [join(out, 'label.png')]).out.includes(want));
});

test('a label for a local address says so and is a SPECIMEN', () => {
  assert.match(file('label.svg').toString(), /SPECIMEN/);
  assert.match(file('label.svg').toString(), /local/i);
});

test('ctm verify accepts proof and certificate with the network off, and names the trust list it used', () => {
  const trust = join(state, 'trust.json');
  for (const f of ['label.proof', 'certificate.json']) {
    const args = [join(out, f), '--trust', trust];
    const off = spawnSync('unshare', ['-r', '-n', prog('ctm-verify'), ...args], { env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
    const r = off.status === 0 ? { code: 0, out: off.stdout.toString(), err: off.stderr.toString() } : run('ctm-verify', args);
    assert.equal(r.code, 0, f + r.err + r.out);
    assert.match(r.out + r.err, /trust/i);
  }
});

test('a changed byte anywhere in the proof is refused', () => {
  const good = file('label.proof'), p = join(dir, 'changed.proof');
  for (let i = 0; i < good.length; i += Math.max(1, Math.floor(good.length / 120))) {
    const bad = Buffer.from(good);
    bad[i] ^= 1 << (i % 7);
    writeFileSync(p, bad);
    assert.equal(run('ctm-verify', [p, '--trust', join(state, 'trust.json')]).code, 1, `byte ${i}`);
  }
});

test('replay of the bundle elsewhere gives the same report to the byte; the PDF names its digest', (t) => {
  const other = join(dir, 'replayed');
  const r = run('ctm-lab', ['replay', join(out, 'evidence.bundle'), '--out', other, '--trust', join(state, 'trust.json')], { cwd: dir });
  assert.equal(r.code, 0, r.err);
  for (const f of ['report.json', 'report.html']) assert.equal(sha(readFileSync(join(other, f))), sha(file(`evaluation-${f}`)), f);
  const pdftotext = existsTool('pdftotext');
  if (!pdftotext) return t.skip('pdftotext is not installed');
  const text = run(pdftotext, [join(out, 'evaluation-report.pdf'), '-']).out.replace(/\s+/g, '');
  assert.ok(text.includes(sha(file('evaluation-report.json')).slice(7)), 'digest of report.json in the PDF');
});

test('at least fifteen live checks over all six technical capabilities (NIST IR 8425)', () => {
  const report = JSON.parse(file('evaluation-report.json'));
  const live = report.checks.filter((c) => c.method === 'test' && c.verdict === 'PASS');
  assert.ok(live.length >= 15, `${live.length} live checks passed`);
  const capabilities = new Set(live.flatMap((c) => c.outcomes ?? [c.outcome]).map((o) => o.split('.')[0]));
  for (const c of ['AI', 'PC', 'DP', 'IAC', 'SU', 'CSA']) assert.ok(capabilities.has(c), c);
});

test('PDFs are sound', (t) => {
  const qpdf = existsTool('qpdf');
  if (!qpdf) return t.skip('qpdf is not installed');
  for (const f of ['label.pdf', 'certificate.pdf', 'evaluation-report.pdf']) assert.equal(run(qpdf, ['--check', join(out, f)]).code, 0, f);
});

test('the public record shows the eleven fields of 47 CFR 8.222(b)', async () => {
  const r = await request(`${near}/p/${demo()['record.1.0.1']}.json`);
  assert.equal(r.status, 200);
  assert.equal(r.json.status, 'authorised');
  for (const f of ['product_name', 'manufacturer_name', 'authorization', 'cla', 'lab', 'default_password', 'secure_configuration', 'updates', 'support', 'bom', 'additional'])
    assert.ok(r.json.fields[f] !== undefined && r.json.fields[f] !== null, f);
});

test('the withdrawn record keeps its page and its history: granted, suspended, reinstated, withdrawn', async () => {
  const r = await request(`${near}/p/${demo()['record.1.0.0']}.json`);
  assert.equal(r.json.status, 'withdrawn');
  assert.deepEqual(r.json.history.map((h) => h.kind).reverse(), ['grant', 'suspension', 'reinstatement', 'withdrawal']);
  assert.equal(r.json.label, null);
  assert.notEqual(demo()['record.1.0.0'], demo()['record.1.0.1']);
  assert.match((await request(`${near}/p/${demo()['record.1.0.0']}`)).text, /withdrawn/i);
});

test('suspension, reinstatement and withdrawal each reached the public page within a second', () => {
  const shown = [...platform.log.matchAll(/public page shows \w+ after (\d+) ms/g)].map((m) => Number(m[1]));
  assert.equal(shown.length, 3, platform.log);
  for (const ms of shown) assert.ok(ms < 1000, `${ms} ms`);
});

test('the flawed twin was denied with reasons tied to requirements and has no record', async () => {
  const d = demo();
  const call = (path) => request(`http://127.0.0.1:${port}${path}`, { headers: { Authorization: `Bearer ${d['token.owner']}` } });
  const kase = (await call(`/api/v1/cases/${d['case.twin.1.0.0']}`)).json;
  assert.equal(kase.case.state, 'DENIED');
  const reasons = kase.decisions[0].reasons;
  assert.ok(reasons.length >= 3);
  for (const r of reasons) assert.match(r.requirement, /^(AI|PC|DP|IAC|SU|CSA|DOC|IQR|ID|PEA)\.\d/);
  assert.equal((await call(`/api/v1/cases/${d['case.twin.1.0.0']}/certificate.json`)).status, 404);
  assert.equal(kase.certificate, null);
});

test('every page as every role: three widths, both themes, axe-core clean, no script errors', { timeout: 900000 }, async (t) => {
  const { b, skip } = await browser(t);
  if (skip) return t.skip(skip);
  const cookies = await cookiesOf(b, base, state, demo(), 'maker, owner');
  assert.ok(cookies.some((c) => c.name === 'ctm_session' && c.httpOnly && c.sameSite === 'Strict'), JSON.stringify(cookies));
  assert.deepEqual(await tour(b, { base, state, d: demo() }), []);
});

test('a task of each role with the keyboard alone', { timeout: 280000 }, async (t) => {
  const { b, skip } = await browser(t);
  if (skip) return t.skip(skip);
  await keyboard(t, b, { base, state, d: demo() });
});

test('forms and cells work without script', { timeout: 120000 }, async (t) => {
  const { b, skip } = await browser(t);
  if (skip) return t.skip(skip);
  await withoutScript(b, { base, state, d: demo() });
});

test('audit chain, blobs and log are sound', () => {
  const r = run('ctm', ['fsck', '--state', state]);
  assert.equal(r.code, 0, r.out + r.err);
});

test('Ctrl-C ends everything, and a second start reuses what is there', { timeout: 120000 }, async () => {
  const before = demo()['record.1.0.1'];
  await platform.stop('SIGINT');
  for (const unit of ['camera', 'twin']) assert.ok(!existsSync(join(state, 'demo', unit, 'agent.pid')), unit);
  platform = start(join(ROOT, 'run'), [], { env, cwd: ROOT });
  await until('second start', () => platform.log.includes('Serving until Ctrl-C') || platform.exitCode !== null, 60000);
  assert.match(platform.log, /walked before/);
  assert.equal(demo()['record.1.0.1'], before);
  assert.equal((await request(`${near}/p/${before}`)).status, 200);
});
