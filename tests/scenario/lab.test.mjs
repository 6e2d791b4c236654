// SPDX-License-Identifier: Apache-2.0
//
// The lab for real: the whole evaluation of a sound unit, then each live check on a unit made to fail it, and what the command line
// refuses. A check that does not flip on its mutant is no check (NIST IR 8425; lab reference 8).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { after, before, describe, test } from 'node:test';
import { program } from './agent_kit.mjs';
import { Bench, policy } from './lab_kit.mjs';

let bench;
before(async () => { bench = await new Bench().start(); });
after(() => bench.end());

const lab = (...args) => spawnSync(program('ctm-lab'), args, { encoding: 'utf8' });

describe('a sound unit', () => {
  let r;
  before(async () => { r = await bench.evaluate(await bench.sample()); });

  test('every check passes, with its control', () => {
    assert.equal(r.status, 0, r.err);
    for (const c of r.report.checks) assert.ok(c.verdict === 'PASS' || c.id === 'P11', `${c.id} ${c.verdict}: ${c.reasons.join(' ')}`);
    assert.ok(r.report.checks.length >= 36);
  });

  // With sanitizers on; a machine that is busy with something else says nothing about the engine.
  test('the whole evaluation takes under 20 s', (t) => {
    if (os.loadavg()[0] > os.cpus().length * 1.5) return t.skip(`the machine is busy (load ${os.loadavg()[0]}); it took ${r.ms} ms`);
    assert.ok(r.ms < 20000, `${r.ms} ms`);
  });

  test('all six technical capabilities are touched by a test, and nothing untested is met', () => {
    const met = r.report.matrix.filter((c) => c.status === 'met');
    assert.deepEqual([...new Set(met.filter((c) => c.kind === 'device').map((c) => c.capability))].sort(), ['AI', 'CSA', 'DP', 'IAC', 'PC', 'SU']);
    for (const c of r.report.matrix.filter((x) => x.drivers.length === 0)) assert.equal(c.status, 'undetermined');
  });

  test('no dangerous check runs before a harmless one, but for the delivery of the release', () => {
    const order = r.report.checks.slice(2).map((c) => c.danger);
    assert.deepEqual(r.report.checks.slice(0, 2).map((c) => c.id), ['C01', 'U01']);
    assert.deepEqual(order, [...order].sort());
  });

  test('no password stands in the bundle', () => {
    const bytes = fs.readFileSync(r.bundle).toString('latin1');
    assert.ok(!bytes.includes(fs.readFileSync(bench.kit.units[0].file('initial-password'), 'utf8').trim()));
    assert.ok(bytes.includes('secret:'));
  });

  test('a replay elsewhere gives the same report to the byte; a bundle with a changed byte is refused', async () => {
    const copy = bench.file('copy.bundle');
    fs.copyFileSync(r.bundle, copy);
    const again = lab('replay', copy, '--out', bench.file('again'), '--json');
    assert.equal(again.status, 0, again.stderr);
    assert.equal(JSON.parse(again.stdout).same, true);
    assert.ok(fs.readFileSync(bench.file('again/report.json')).equals(r.json));
    assert.equal(fs.readFileSync(bench.file('again/report.html'), 'utf8'), r.html);
    const bytes = fs.readFileSync(copy);
    for (const at of [3, Math.floor(bytes.length / 3), bytes.length - 1]) {
      const bad = Buffer.from(bytes);
      bad[at] ^= 1;
      fs.writeFileSync(copy, bad);
      const no = lab('replay', copy);
      assert.equal(no.status, 1, `byte ${at}`);
      assert.match(no.stderr, /lab replay:/);
    }
  });

  test('ctm-evidence verifies under a trust list that names the lab, and not under one that does not', () => {
    const info = JSON.parse(lab('replay', r.bundle, '--json').stdout);
    const pub = spawnSync('openssl', ['pkey', '-in', bench.file('lab.pem'), '-pubout', '-outform', 'DER']).stdout.subarray(-32).toString('hex');
    const trust = (key) => { fs.writeFileSync(bench.file('trust.json'), JSON.stringify({ format: 'ctm.trust/1', lab: [{ name: 'x', key_id: info.key_id, ed25519: key }] })); return bench.file('trust.json'); };
    const evidence = (t) => spawnSync(program('ctm-evidence'), ['verify', r.bundle, '--trust', t], { encoding: 'utf8' });
    assert.equal(evidence(trust(pub)).status, 0);
    const no = evidence(trust(pub.replace(/^../, (h) => (h === '00' ? '01' : '00'))));
    assert.equal(no.status, 1);
    assert.match(no.stderr, /trust list/);
  });

  test('the report holds no script, and what the device says is escaped', () => {
    assert.ok(!/<script/i.test(r.html));
    assert.match(r.html, /End of report TR-/);
    assert.equal(r.report.challenge.length >= 16, true);
  });
});

// defect of the twin -> checks that must fail on it
const mutants = [
  ['default-password', 'C01', 'C02', 'C08'],
  ['open-debug-port', 'N01', 'N06'],
  ['clear-http', 'N07'],
  ['obsolete-tls', 'T01', 'T02'],
  ['bad-certificate', 'T03'],
  ['no-lockout', 'C05'],
  ['open-config-write', 'C09'],
  ['accept-tampered', 'U02'],
  ['accept-unsigned', 'U03'],
  ['accept-older', 'U04'],
  ['keep-data', 'R03'],
  ['keep-config', 'R02'],
  ['weak-password', 'C07'],
  ['open-log', 'S04'],
  ['open-state', 'S04'],
  ['wrong-serial', 'S01'],
  ['no-proof', 'S02'],
  ['silent-log', 'S05'],
  ['open-reset', 'R05'],
  ['dead-update', 'U01'],
  ['lying-version', 'S09'],
  ['token-survives', 'C11'],
  ['config-any', 'R08'],
];

describe('each check fails on the unit made for it', { concurrency: 2 }, () => {
  for (const [defect, ...checks] of mutants) {
    test(`${checks.join(', ')} on ${defect}`, async () => {
      const only = [...new Set([...checks, ...(checks.some((c) => ['U04', 'S09'].includes(c)) ? ['U01'] : [])])].join(',');
      const r = await bench.evaluate(await bench.sample(defect), { only });
      assert.equal(r.status, 0, r.err);
      for (const id of checks) {
        assert.equal(r.verdict(id), 'FAIL', `${id}: ${r.check(id).reasons.join(' ')}`);
        const f = r.report.findings.find((x) => x.check === id);
        assert.ok(f.remedy && f.outcomes.length && f.evidence.length, `the finding of ${id} names outcome, evidence and remedy`);
      }
      assert.ok(r.report.matrix.some((c) => c.status === 'not_met'));
    });
  }
});

describe('checks on papers fail on bad papers', () => {
  const swap = async (url, page, fn) => {
    const old = bench.pages[url];
    if (page) bench.pages[url] = page; else delete bench.pages[url];
    try { return await fn(); } finally { bench.pages[url] = old; }
  };
  let unit;
  before(async () => { unit = await bench.sample(); });

  for (const [what, id, url, page, why] of [
    ['no security.txt', 'P01', '/.well-known/security.txt', null, /not there/],
    ['an expired one', 'P01', '/.well-known/security.txt', ['text/plain', () => 'Contact: mailto:a@b.example\nExpires: 2020-01-01T00:00:00Z\n'], /expired/],
    ['one without contact', 'P01', '/.well-known/security.txt', ['text/plain', () => 'Expires: 2031-01-01T00:00:00Z\n'], /no Contact/],
    ['one of another type', 'P01', '/.well-known/security.txt', ['text/html', () => 'Contact: mailto:a@b.example\nExpires: 2031-01-01T00:00:00Z\n'], /text\/plain/],
    ['no policy', 'P02', '/policy', null, /not there/],
    ['a policy without safe harbour', 'P02', '/policy', ['text/plain', () => policy.replace(/Safe harbour.*/, '')], /safe harbour/],
  ]) {
    test(`${id}: ${what}`, () => swap(url, page, async () => {
      const r = await bench.evaluate(unit, { only: id });
      assert.equal(r.verdict(id), 'FAIL', r.err);
      assert.match(r.check(id).reasons.join(' '), why);
    }));
  }

  test('P04: registry and release disagree, or one source only', async () => {
    const release = { version: '1.1.0', image_sha256: bench.image, sbom_file: bench.file('sbom.json'), support_end: '2029-01-01' };
    assert.equal((await bench.evaluate(unit, { only: 'P04', bench: { release } })).verdict('P04'), 'FAIL');
  });

  test('P05: an SBOM of another image, one without supplier, none at all', async () => {
    const release = { version: '1.1.0', image_sha256: bench.image, support_end: '2031-12-31' };
    const run = (sbom) => { if (sbom) fs.writeFileSync(bench.file('other.json'), sbom); return bench.evaluate(unit, { only: 'P05', bench: { release: { ...release, ...(sbom ? { sbom_file: bench.file('other.json') } : {}) } } }); };
    const doc = bench.sbom();
    assert.equal((await run(JSON.stringify({ ...doc, metadata: { ...doc.metadata, component: { ...doc.metadata.component, hashes: [] } } }))).verdict('P05'), 'FAIL');
    assert.equal((await run(JSON.stringify({ ...doc, components: [{ type: 'library', name: 'openssl' }] }))).verdict('P05'), 'FAIL');
    assert.equal((await run('{"bomFormat":')).verdict('P05'), 'FAIL');
    assert.equal((await run(null)).verdict('P05'), 'INCONCLUSIVE');
  });

  test('P08: a personal setting that is not in the list of data', async () => {
    const r = await bench.evaluate(unit, { only: 'P08', declaration: { data: [{ name: 'recordings', purpose: 'x', retention: 'y', deleted_by_reset: true }] } });
    assert.equal(r.verdict('P08'), 'FAIL');
    assert.match(r.check('P08').reasons.join(' '), /porch_name/);
  });

  test('N04: a declared interface that is not there; C04: a printed password out of the serial', async () => {
    const faces = bench.declaration().interfaces;
    const r = await bench.evaluate(unit, { only: 'N04', declaration: { interfaces: [...faces, { id: 'ghost', transport: 'tcp', port: 9999, protocol: 'mqtts', purpose: 'none', access: 'password' }] } });
    assert.equal(r.verdict('N04'), 'FAIL');
    fs.writeFileSync(bench.file('bad-plate'), unit.serial.split('').reverse().join('') + '\n');
    const c = await bench.evaluate(unit, { only: 'C04', bench: { nameplate: { serial: unit.serial, model: 'PC-1', initial_password_file: bench.file('bad-plate') } } });
    assert.equal(c.verdict('C04'), 'FAIL');
  });
});

describe('what never becomes a pass', () => {
  test('a missing specimen, a missing consent and a check left out are told, and the outcome stays undetermined', async () => {
    const r = await bench.evaluate(await bench.sample(), { only: 'U02,R02,S02', bench: { consent: ['D4'], specimens: {} } });
    assert.equal(r.verdict('U02'), 'INCONCLUSIVE');
    assert.equal(r.verdict('R02'), 'NOT_RUN');
    assert.match(r.check('R02').reasons[0], /consent/);
    assert.equal(r.verdict('N01'), 'NOT_RUN');
    const cell = (o) => r.report.matrix.find((c) => c.outcome === o && c.component === 'cam').status;
    for (const o of ['SU.1', 'PC.2', 'IAC.1a']) assert.equal(cell(o), 'undetermined', o);
    assert.ok(r.report.exclusions.some((e) => e.startsWith('N01')));
  });

  test('a sample that dies stops the run: the rest is NOT_RUN', async () => {
    const u = await bench.sample();
    const going = bench.evaluate(u, { only: 'C05,C09,R01' });
    await new Promise((done) => setTimeout(done, 900));
    await u.stop('SIGKILL');
    const r = await going;
    assert.equal(r.status, 0, r.err);
    assert.ok(r.report.checks.filter((c) => ['C05', 'C09', 'R01'].includes(c.id)).every((c) => c.verdict !== 'PASS'), r.err);
    assert.ok(r.report.checks.some((c) => /sample was lost/.test(c.reasons.join(' '))), r.err);
  });
});

describe('what the lab refuses', () => {
  let unit;
  before(async () => { unit = await bench.sample(); });

  test('an address that the plan does not name gets no packet', async () => {
    const r = await bench.evaluate(unit, { bench: { target: { address: '192.0.2.7', port: 4443 } } });
    assert.equal(r.status, 1);
    assert.match(r.err, /192\.0\.2\.7 is not a target of this plan; nothing was sent/);
    const listed = await bench.evaluate(unit, { planArgs: ['--target', '192.0.2.0/24'] });
    assert.equal(listed.status, 1, 'loopback is a target only while it is in the list');
  });

  for (const [what, record, why] of [
    ['an attestation without justification', { outcome: 'DP.1', component: 'app', method: 'attestation', verdict: 'PASS', text: 'The app keeps nothing.', by: 'Tess Tanner', expires: '2031-01-01' }, /justification/],
    ['an attestation for what a test must show', { outcome: 'SU.1', component: 'device', method: 'attestation', verdict: 'PASS', text: 'Updates are signed, we say.', by: 'Tess Tanner', expires: '2031-01-01', justification: 'because it is so much quicker to write' }, /may not be shown by attestation/],
    ['a record that claims to be a test', { outcome: 'SU.1', component: 'device', method: 'test', verdict: 'PASS', text: 'I tried it by hand.', by: 'Tess Tanner' }, /tests are run by the engine/],
    ['an outcome that does not exist', { outcome: 'XX.9', component: 'device', method: 'inspection', verdict: 'PASS', text: 'Something was seen.', by: 'Tess Tanner' }, /no outcome/],
    ['a not applicable without reason', { outcome: 'SU.2', component: 'app', method: 'inspection', verdict: 'NOT_APPLICABLE', text: 'Does not apply here.', by: 'Tess Tanner' }, /justification/],
  ]) {
    test(what, async () => {
      const r = await bench.evaluate(unit, { records: [record], only: 'P08' });
      assert.equal(r.status, 1);
      assert.match(r.err, why);
      assert.ok(!fs.existsSync(r.bundle));
    });
  }

  test('records count on the component they speak of, named by id or by kind', async () => {
    const base = { method: 'attestation', verdict: 'PASS', text: 'The app keeps nothing on the phone.', by: 'Tess Tanner', justification: 'The app runs on phones that are not on this bench.', expires: '2031-01-01' };
    const r = await bench.evaluate(unit, { only: 'P11', records: [{ ...base, outcome: 'DP.1', component: 'app' }, { ...base, outcome: 'DP.1', component: 'svc', expires: '2020-01-01' }] });
    const cell = (c) => r.report.matrix.find((x) => x.outcome === 'DP.1' && x.component === c).status;
    assert.equal(cell('app'), 'met');
    assert.equal(cell('svc'), 'undetermined', 'an attestation that has run out shows nothing');
    assert.equal(r.verdict('P11'), 'PASS');
  });

  test('a plan that was changed, a plan of another catalogue, misuse', async () => {
    await bench.plan('odd');
    const plan = JSON.parse(fs.readFileSync(bench.file('odd.plan.json'), 'utf8'));
    const run = (p, ...args) => {
      fs.writeFileSync(bench.file('odd2.plan.json'), JSON.stringify(p));
      return lab('run', '--plan', bench.file('odd2.plan.json'), '--bench', bench.benchFile('odd', unit), '--out', bench.file('odd.bundle'), '--key', bench.file('lab.pem'), ...args);
    };
    assert.match(run({ ...plan, declared: { ...plan.declared, interfaces: [] } }).stderr, /not the one of its digest/);
    assert.match(run({ ...plan, catalogue: `sha256:${'0'.repeat(64)}` }).stderr, /another edition/);
    assert.match(run({ ...plan, checks: [{ id: 'Z99', version: 1, component: 'cam' }] }).stderr, /no check Z99/);
    assert.match(run(plan, '--rehearsal').stderr, /rehearsal/);
    assert.equal(lab('run', '--plan', bench.file('odd.plan.json')).status, 2);
    assert.equal(lab('nonsense').status, 2);
    assert.equal(lab('replay', bench.file('lab.pem')).status, 1);
    assert.equal(lab('replay', bench.file('absent')).status, 1);
  });

  test('a desk that does not listen is told of, and the run is whole', async () => {
    const r = await bench.evaluate(unit, { only: 'P08,S01', runArgs: ['--progress-url', 'http://127.0.0.1:1'] });
    assert.equal(r.status, 0);
    assert.match(r.err, /could not be told/);
    assert.equal(r.verdict('S01'), 'PASS');
  });
});
