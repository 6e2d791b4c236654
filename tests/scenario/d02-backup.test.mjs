// SPDX-License-Identifier: Apache-2.0
// The restore drill: a backup taken while people write, devices report and statements are issued becomes a state directory again, sound
// by ctm fsck; private keys leave only sealed; a restored log cannot fork; older schemas are brought forward, newer ones refused.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run, start, tempDir, until } from './kit.mjs';
import { Site, decide, load, putBlob, sql } from './load_kit.mjs';

const PASS = 'four words of a passphrase\n';
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const published = (state) => Number(sql(state, "SELECT count(*) FROM statement WHERE step = 'published';"));
const backup = (state, out, ...more) => run('ctm', ['backup', '--state', state, '--out', out, ...more], { timeout: 120000 });
const restore = (...args) => run('ctm', ['restore', ...args], { timeout: 120000 });

async function site(t, name) {
  const dir = tempDir(t, name), s = await new Site(dir).init({ units: 2 });
  t.after(() => s.stop());
  await s.startSigner();
  await s.startServe();
  await s.settle();
  s.put = putBlob(s.state);
  writeFileSync(join(s.state, 'keys/mail.secret'), 'a password of a mail server\n', { mode: 0o600 });
  s.pass = join(dir, 'pass');
  writeFileSync(s.pass, PASS, { mode: 0o600 });
  return s;
}
const issue = async (s, n) => { decide(s.state, n, s.put); await s.must('POST', '/api/v1/organisations', { kind: 'maker', name: `Wake ${n}`, slug: `wake-${n}-${Date.now()}`, contact: '', facts: {} }); await until(`statement ${n}`, () => published(s.state) === n, 30000); };

// A restored state, served beside the original on another port.
async function serveRestored(t, original, dir, state) {
  const r = new Site(dir, state);
  const conf = JSON.parse(readFileSync(join(state, 'ctm.json')));
  Object.assign(r, { port: original.port, where: original.where, edge: { socketPath: join(state, 'run/device.sock') }, operator: original.operator, maker: original.maker, units: original.units });
  assert.equal(conf.format, 'ctm.config/1');
  t.after(() => r.stop());
  await r.startSigner();
  await r.startServe();
  return r;
}

test('a backup under load, and the drill', { timeout: 240000 }, async (t) => {
  const s = await site(t, 'ctm-backup-'), archive = join(s.dir, 'one.ctmb'), old = join(s.dir, 'checkpoint.old'), head = join(s.dir, 'checkpoint');
  await issue(s, 1);
  copyFileSync(join(s.state, 'public/log/checkpoint'), old);
  const before = load(s, 1);
  await sleep(400);
  decide(s.state, 2, s.put);                     // on its way while the backup is made
  const answered = structuredClone(before.kept), reported = s.units.map((u) => u.seq);
  const at = before.kept.orgs.length, maker = start('ctm', ['backup', '--state', s.state, '--out', archive, '--passphrase-file', s.pass, '--json']);
  assert.equal(await maker.done, 0, maker.log);
  const meanwhile = before.kept.orgs.length - at;
  await sleep(100);
  await before.end();
  assert.deepEqual(before.odd.map((r) => `${r.status} ${r.text}`), [], 'the backup disturbed somebody');
  const told = JSON.parse(maker.log);

  await t.test('load went on, and the archive is for its owner alone', () => {
    assert.ok(meanwhile > 5, `${meanwhile} changes while the backup was made`);
    assert.ok(answered.orgs.length > 5 && answered.docs.length > 0, JSON.stringify(answered).slice(0, 200));
    assert.equal(statSync(archive).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(s.dir).filter((f) => f.includes('.tmp')), [], 'temporary files were left');
  });
  await t.test('no private key is in the archive in the clear', () => {
    const bytes = readFileSync(archive);
    assert.ok(!bytes.includes('PRIVATE KEY'));
    for (const k of ['ca', 'cla', 'log', 'lab']) {
      const secret = readFileSync(join(s.state, `keys/${k}.pem`), 'utf8').split('\n')[1];
      assert.ok(!bytes.includes(secret), k);
      assert.ok(bytes.includes(`keys/${k}.pem.sealed`), k);
    }
    for (const k of ['people.key', 'mail.secret']) {
      assert.ok(!bytes.includes(readFileSync(join(s.state, `keys/${k}`))), k);
      assert.ok(bytes.includes(`keys/${k}.sealed`), k);
    }
  });
  await t.test('a backup overwrites nothing, and asks what becomes of the keys', () => {
    assert.equal(backup(s.state, archive, '--without-keys').code, 1);
    const r = backup(s.state, join(s.dir, 'two'));
    assert.equal(r.code, 2);
    assert.match(r.err, /without-keys/);
    assert.ok(!existsSync(join(s.dir, 'two')));
  });
  await t.test('a passphrase that others may read or that is short is refused', () => {
    writeFileSync(join(s.dir, 'open'), PASS, { mode: 0o644 });
    assert.match(backup(s.state, join(s.dir, 'two'), '--passphrase-file', join(s.dir, 'open')).err, /others may read/);
    writeFileSync(join(s.dir, 'short'), 'short\n', { mode: 0o600 });
    assert.match(backup(s.state, join(s.dir, 'two'), '--passphrase-file', join(s.dir, 'short')).err, /12 to/);
  });

  const state = join(s.dir, 'restored');
  await t.test('restored: every digest holds, fsck is good, everything answered before is there', () => {
    const r = restore(archive, '--state', state, '--passphrase-file', s.pass, '--manifest-digest', told.manifest);
    assert.equal(r.code, 0, r.err + r.out);
    assert.match(r.out, /sound/);
    const orgs = new Set(sql(state, 'SELECT id FROM organisation;').split('\n')), docs = new Set(sql(state, 'SELECT id FROM document;').split('\n'));
    for (const o of answered.orgs) assert.ok(orgs.has(o.id), o.slug);
    for (const d of answered.docs) assert.ok(docs.has(d.id), d.id);
    s.units.forEach((u, i) => assert.ok(Number(sql(state, `SELECT last_seq FROM device WHERE serial = '${u.serial}';`)) >= reported[i]));
    for (const k of ['ca.pem', 'cla.pem', 'log.pem', 'lab.pem', 'people.key', 'mail.secret']) {
      assert.deepEqual(readFileSync(join(state, `keys/${k}`)), readFileSync(join(s.state, `keys/${k}`)));
      assert.equal(statSync(join(state, `keys/${k}`)).mode & 0o777, 0o600);
    }
  });
  await t.test('a directory that is not empty is refused and left as it is', () => {
    const r = restore(archive, '--state', state, '--passphrase-file', s.pass);
    assert.equal(r.code, 1);
    assert.match(r.err, /not empty/);
    assert.ok(existsSync(join(state, 'ctm.json')));
  });

  await t.test('the restored signer signs no statement and no head until the published log was compared (C2SP tlog-checkpoint)', async () => {
    await until('the original issues', () => published(s.state) === 2, 30000);
    const had = Number(sql(state, 'SELECT count(*) FROM statement;')), was = readFileSync(join(state, 'public/log/checkpoint'));
    await s.stop();                              // one port, one after the other
    const r = await serveRestored(t, s, s.dir, state), n = Number(sql(state, 'SELECT count(*) FROM decision;'));
    decide(state, n, putBlob(state));
    await r.must('POST', '/api/v1/organisations', { kind: 'maker', name: 'Wake', slug: 'wake-restored', contact: '', facts: {} });
    await until('the refusal', () => sql(state, "SELECT error FROM job WHERE kind = 'registry.issue' AND error <> '';").includes('restored from a backup'), 20000);
    assert.ok(Number(sql(state, 'SELECT count(*) FROM statement;')) >= had);
    assert.deepEqual(readFileSync(join(state, 'public/log/checkpoint')), was, 'a log head was signed');
    await r.stop();
  });
  await t.test('a longer published log keeps the signer closed; an older or foreign head is no answer', async () => {
    await s.startSigner();                       // the original went on after the backup
    await s.startServe();
    await issue(s, 3);
    await s.stop();
    copyFileSync(join(s.state, 'public/log/checkpoint'), head);
    const r = restore('--resume', '--state', state, '--log-head', head);
    assert.equal(r.code, 1);
    assert.match(r.err, /published after this backup.*fork/s);
    assert.ok(existsSync(join(state, 'signer.hold')));
    assert.match(restore('--resume', '--state', state).err, /--log-head/);
    const foreign = readFileSync(head, 'utf8').replace('localhost/ctm-log', 'localhost/other-log');
    writeFileSync(join(s.dir, 'foreign'), foreign);
    assert.equal(restore('--resume', '--state', state, '--log-head', join(s.dir, 'foreign')).code, 1);
    assert.equal(restore('--resume', '--state', state, '--log-head', 'none').code, 1);
  });

  const second = join(s.dir, 'three.ctmb'), again = join(s.dir, 'again');
  await t.test('without keys, at rest, with the last head at once: issuing goes on where it was', async () => {
    const b = backup(s.state, second, '--without-keys');
    assert.equal(b.code, 0, b.err);
    assert.ok(!readFileSync(second).includes('.sealed'));
    const early = restore(second, '--state', join(s.dir, 'early'), '--log-head', old);
    assert.equal(early.code, 1);
    assert.match(early.err, /not the last one/);
    assert.ok(existsSync(join(s.dir, 'early/signer.hold')));
    const r = restore(second, '--state', again, '--log-head', head);
    assert.equal(r.code, 0, r.err);
    assert.ok(!existsSync(join(again, 'signer.hold')));
    for (const k of ['ca', 'cla', 'log', 'lab']) copyFileSync(join(s.state, `keys/${k}.pem`), join(again, `keys/${k}.pem`));
    const live = await serveRestored(t, s, s.dir, again);
    live.put = putBlob(again);
    await issue(live, 4);
    await live.stop();
    const f = live.fsck();
    assert.equal(f.code, 0, f.out);
  });
  await t.test('changed, cut, wrong passphrase, another manifest: refused, and what is left is no state directory', () => {
    const good = readFileSync(archive), bad = join(s.dir, 'bad'), into = join(s.dir, 'into');
    const refused = (why, bytes, ...more) => {
      writeFileSync(bad, bytes);
      rmSync(into, { recursive: true, force: true });
      const r = restore(bad, '--state', into, '--without-keys', ...more);
      assert.equal(r.code, 1, `${why}: ${r.code} ${r.err}${r.out}`);
      assert.ok(!existsSync(join(into, 'ctm.json')), why);
    };
    for (let i = 0; i < 6; i++) {
      const b = Buffer.from(good), name = ['signer.journal', 'ctm.db', 'blobs/', 'trust.json', 'manifest.txt', 'about.json'][i];
      const at = b.indexOf(Buffer.from(name)) + 512 + 5;
      b[at] ^= 1;
      refused(`a byte of ${name}`, b);
    }
    refused('cut', good.subarray(0, good.length - (good.length % 512) - 40960));
    refused('empty', Buffer.alloc(0));
    refused('a climbing name', Buffer.from(good.toString('latin1').replace('trust.json', '../ust.txt'), 'latin1'));
    refused('another manifest', good, '--manifest-digest', 'sha256:' + '0'.repeat(64));
    writeFileSync(join(s.dir, 'wrong'), 'another passphrase entirely\n', { mode: 0o600 });
    rmSync(into, { recursive: true, force: true });
    const r = restore(archive, '--state', into, '--passphrase-file', join(s.dir, 'wrong'));
    assert.equal(r.code, 1);
    assert.match(r.err, /passphrase/);
    assert.ok(!existsSync(join(into, 'keys/log.pem')));
  });
});

test('frozen data of every schema version is brought forward, and copied before', { timeout: 60000 }, async (t) => {
  const dir = join(ROOT, 'tests/data/schema'), latest = readdirSync(join(ROOT, 'migrations')).filter((f) => /^\d{4}_/.test(f)).length;
  for (const version of readdirSync(dir).sort()) {
    const s = await new Site(tempDir(t, 'ctm-schema-')).init();
    t.after(() => s.stop());
    for (const f of readdirSync(s.state).filter((x) => x.startsWith('ctm.db'))) rmSync(join(s.state, f));
    sql(s.state, readFileSync(join(dir, version, 'data.sql'), 'utf8'));
    const tables = sql(s.state, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('schema_version','job','signin') ORDER BY name;").split('\n');
    const count = () => Object.fromEntries(tables.map((n) => [n, Number(sql(s.state, `SELECT count(*) FROM "${n}";`))]));
    const before = count();
    await s.startSigner();
    await s.startServe();
    assert.equal(Number(sql(s.state, 'SELECT max(number) FROM schema_version;')), latest, version);
    assert.deepEqual(count(), before, `rows of schema ${version} were lost`);
    assert.ok(before.audit > 5 && before.device > 0 && before.certificate > 0);
    assert.equal(existsSync(join(s.state, 'before')), Number(version) < latest, 'the copy before the migration');
    const link = JSON.parse(run('ctm', ['user', 'link', '--state', s.state, '--operator', '--json']).out);
    await s.must('POST', '/api/v1/signin', { token: link.token }, null);
    await s.stop();
    const f = s.fsck();
    assert.equal(f.code, 0, f.out + f.err);
  }
});

test('a store of a newer program is refused with a plain sentence and not touched', { timeout: 30000 }, async (t) => {
  const s = await new Site(tempDir(t, 'ctm-newer-')).init();
  sql(s.state, "INSERT INTO schema_version (number,name,digest,applied_ms) VALUES (9999,'9999_later','sha256:00',1);");
  const p = start('ctm-serve', ['--state', s.state]);
  assert.equal(await p.done, 3);
  assert.match(p.log, /newer ctm \(schema 9999.*use the newer program/s);
  assert.equal(sql(s.state, 'SELECT max(number) FROM schema_version;'), '9999');
});
