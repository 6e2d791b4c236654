// SPDX-License-Identifier: Apache-2.0
// A clock that jumps under running programs: two servers on one PostgreSQL, the signer and the command line share a clock that the test
// sets four hundred days ahead and back again, with jobs leased, waiting and being tried again, sessions open and links unused.
//
// No job is lost, stranded or done twice; a session and a link are had for their twelve hours and fifteen minutes by whatever clock, never
// for longer; identifiers of a process keep growing; the log keeps its order and nothing is found by ctm fsck and ctm log check.
// The clock moves in builds with movable time only (as ./check builds).
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { run, tempDir, until } from './kit.mjs';
import { Site, decide, putBlob, sql } from './load_kit.mjs';
import { Postgres } from './pg_kit.mjs';

const DAY = 86400000, HOUR = 3600000;

test('the clock jumps four hundred days ahead and back under two servers', { timeout: 120000 }, async (t) => {
  const pg = await Postgres.start(t);
  if (!pg) return;
  const dir = tempDir(t, 'ctm-clock-'), file = join(dir, 'shift');
  const set = (ms) => { const b = Buffer.alloc(8); b.writeBigInt64LE(BigInt(ms)); const fd = openSync(file, 'r+'); writeSync(fd, b, 0, 8, 0); closeSync(fd); };
  writeFileSync(file, Buffer.alloc(8));
  process.env.CTM_TIME_SHIFT_FILE = file;
  t.after(() => { delete process.env.CTM_TIME_SHIFT_FILE; });

  const site = new Site(dir, undefined, pg);
  t.after(() => site.stop());
  await site.init({ units: 1 });
  await site.startSigner();
  await site.startServe();
  const second = await site.startOther(2), first = site.where;
  await site.settle();
  set(DAY);
  if (Math.abs(Date.parse(JSON.parse(run('ctm', ['user', 'link', '--state', site.state, '--operator', '--json']).out).expires) - Date.now()) < HOUR) return t.skip('this build has no movable clock');
  set(0);

  const number = (text) => Number(sql(site.store, text)), published = () => number("SELECT count(*) FROM statement WHERE step = 'published'");
  const me = (token) => site.api('GET', '/api/v1/me', undefined, token);
  const link = () => JSON.parse(run('ctm', ['user', 'link', '--state', site.state, '--operator', '--json']).out).token;
  const signIn = async (token) => site.api('POST', '/api/v1/signin', { token }, null);
  const org = async (slug) => (await site.must('POST', '/api/v1/organisations', { kind: 'maker', name: `Example ${slug} (fictional)`, slug, contact: '', facts: {} })).id;
  let statements = 0;
  const arrives = (what) => until(what, () => published() === statements, 20000).catch((e) => {
    throw new Error(`${e.message}; ${sql(site.store, "SELECT kind, state, attempts, run_at_ms, lease_ms, lease_by, error FROM job WHERE state <> 'done' AND kind LIKE 'registry%'")}\n${site.serve.log}${second.proc.log}`);
  });
  const put = putBlob(site.state);

  decide(site.store, ++statements, put);
  await arrives('the grant');
  const early = site.operator, unused = link(), ids = [await org('before')];

  // Ahead, while a statement is on its way that the signer does not sign yet: its job is tried again, later and later, by the wrong clock.
  await site.signer.stop();
  decide(site.store, ++statements, put);
  await until('the job is being tried', () => number("SELECT max(attempts) FROM job WHERE kind = 'registry.issue' AND state <> 'done'") >= 1);
  set(400 * DAY);
  assert.equal((await me(early)).status, 401, 'a session outlived its twelve hours');
  assert.equal((await signIn(unused)).status, 401, 'a link outlived its quarter of an hour');
  const late = (await signIn(link())).text, ahead = JSON.parse(late).token, stale = link();
  site.operator = ahead;
  assert.equal((await me(ahead)).status, 200);
  ids.push(await org('ahead'));
  await until('the job was tried by the clock ahead', () => number("SELECT max(run_at_ms) FROM job WHERE kind = 'registry.issue' AND state = 'waiting' AND attempts >= 2") > Date.now() + 300 * DAY, 30000);

  // Back again: what was given by the clock ahead is not had for a year, what was to be tried again soon is tried soon.
  set(0);
  assert.equal((await me(ahead)).status, 401, 'a session of the clock ahead is had for a year');
  assert.equal((await signIn(stale)).status, 401, 'a link of the clock ahead is had for a year');
  assert.equal((await me(early)).status, 200, 'a session of today is gone');
  site.operator = early;
  ids.push(await org('back'));
  await site.startSigner();
  await arrives('the statement that waited');

  // A lease from the clock ahead whose holder dies: the other server takes it, not in four hundred days.
  await site.signer.stop();
  set(400 * DAY);
  await second.proc.stop('SIGKILL');
  sql(site.store, `INSERT INTO job (id, kind, job_key, payload_json, state, run_at_ms, lease_ms, lease_by, attempts, created_ms) VALUES ('job-orphan', 'registry.static', '',
    '{"record_id":"0000000000Z"}', 'leased', 1, ${Date.now() + 400 * DAY + 600000}, 2, 1, 1)`);
  await site.startSigner();
  set(0);
  await until('the lease is brought back', () => number("SELECT lease_ms FROM job WHERE id = 'job-orphan'") < Date.now() + 660000, 10000);
  set(HOUR);
  await until('the orphan is done', () => sql(site.store, "SELECT state || ' ' || attempts FROM job WHERE id = 'job-orphan'") === 'done 2', 10000);

  // Ahead while a job runs: its holder lives, so nobody else takes it.
  set(0);
  const third = await site.startOther(3);
  await until('the third is at rest', () => number("SELECT count(*) FROM pg_stat_activity WHERE datname = 'site' AND state <> 'idle' AND pid <> pg_backend_pid()") === 0);
  third.proc.kill('SIGSTOP');                             // lives, and is busy with something else
  sql(site.store, `INSERT INTO job (id, kind, payload_json, state, run_at_ms, lease_ms, lease_by, attempts, created_ms) VALUES ('job-held', 'registry.static', '{"record_id":"0000000000Z"}', 'leased', 1,
    ${Date.now() + 600000}, 3, 1, 1)`);
  set(DAY);
  await until('the others looked', () => number("SELECT lease_ms FROM job WHERE id = 'job-held'") > Date.now() + DAY, 10000);
  assert.equal(sql(site.store, "SELECT state || ' ' || attempts || ' ' || lease_by FROM job WHERE id = 'job-held'"), 'leased 1 3');
  await third.proc.stop('SIGKILL');
  set(2 * DAY);
  await until('and takes it when the holder is gone', () => sql(site.store, "SELECT state || ' ' || attempts FROM job WHERE id = 'job-held'") === 'done 2', 10000);
  set(0);

  decide(site.store, ++statements, put);
  await arrives('one more');
  assert.deepEqual(ids, [...ids].sort(), 'identifiers of one process went back with the clock');
  const u = site.units[0];
  assert.equal((await site.report(u, 1)).status, 200);
  assert.equal((await site.report(u, 1)).status, 409);
  site.where = first;
  await site.stop();
  assert.equal(number('SELECT count(DISTINCT log_index) FROM statement'), statements);
  assert.equal(number("SELECT count(*) FROM job WHERE state = 'failed'"), 0);
  const fsck = site.fsck(), log = run('ctm', ['log', 'check', '--state', site.state]);
  assert.equal(fsck.code, 0, fsck.out + fsck.err);
  assert.equal(log.code, 0, log.out + log.err);
});
