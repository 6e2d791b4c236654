// SPDX-License-Identifier: Apache-2.0
// The platform on PostgreSQL: ./run walks the whole demonstration on a private server, and strangers find its proof, log and store good. The
// command line says plainly what it takes, and what a store on a server leaves to the server's own tools.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILD, ROOT, freePort, prog, run, start } from './kit.mjs';
import { Postgres } from './pg_kit.mjs';

const scratch = (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'ctm-onpg-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
};

test('the whole demonstration runs on PostgreSQL; its proof verifies, its log and its store are sound', { timeout: 300000 }, async (t) => {
  const dir = scratch(t), state = join(dir, 'var'), out = join(dir, 'out'), pg = await Postgres.start(t);
  if (!pg) return;
  const url = pg.database('walk');
  // At two in the morning UTC, when the day of the rules' zone (America/New_York) is still the one before.
  const shift = -((Date.now() - 2 * 3600000) % 86400000);
  const env = { ...process.env, CTM_TIME_SHIFT_MS: String(shift), CTM_STATE: state, CTM_OUT: out, CTM_PORT: String(await freePort()), CTM_DEVICE_PORT: String(await freePort()), CTM_BUILD: BUILD, CTM_DATABASE: url };
  const walk = start(join(ROOT, 'run'), ['--once'], { env, cwd: ROOT });
  t.after(() => walk.stop('SIGINT'));
  assert.equal(await walk.done, 0, walk.log);
  assert.match(walk.log, /27\/27 +public/);
  assert.ok(!existsSync(join(state, 'ctm.db')), 'a file of the other engine was made');
  assert.equal(JSON.parse(readFileSync(join(state, 'ctm.json'), 'utf8')).database, url);
  const trust = join(state, 'trust.json');
  for (const f of ['label.proof', 'certificate.json']) {
    const v = run('ctm', ['verify', join(out, f), '--trust', trust]);
    assert.equal(v.code, 0, f + v.out + v.err);
  }
  const log = run('ctm', ['log', 'check', '--state', state]);
  assert.equal(log.code, 0, log.out + log.err);
  const fsck = run('ctm', ['fsck', '--state', state]);
  assert.equal(fsck.code, 0, fsck.out + fsck.err);
  assert.doesNotMatch(fsck.out, /DAMAGED/);
  assert.equal(pg.sql('walk', "SELECT count(*) FROM statement WHERE step <> 'published'"), '0');
  t.diagnostic(/The whole way in [\d.]+ s/.exec(walk.log)?.[0] ?? '');

  await t.test('a changed row is found by ctm fsck', () => {
    pg.sql('walk', "UPDATE audit SET actor = 'somebody else' WHERE seq = 5");
    const r = run('ctm', ['fsck', '--state', state]);
    assert.equal(r.code, 1, r.out + r.err);
    assert.match(r.out, /DAMAGED audit chain +line 5 /);
  });
});

test('init, user, doctor, config check and backup on PostgreSQL', { timeout: 60000 }, async (t) => {
  const dir = scratch(t), state = join(dir, 'var'), pg = await Postgres.start(t);
  if (!pg) return;
  const url = pg.database('desk'), init = (database, to = state) => run('ctm', ['init', '--state', to, '--database', database, '--json']);
  const conf = () => JSON.parse(readFileSync(join(state, 'ctm.json'), 'utf8'));

  const wrong = [
    ['mysql://somewhere/desk', 1, /database must be postgresql:/],
    [`postgresql:host=${pg.dir} user=ctm dbname=desk password=hunter2`, 1, /password does not belong in the address/],
    [`postgresql:host=${pg.dir} user=ctm dbname=nowhere`, 3, /cannot be opened/],
  ];
  for (const [address, code, says] of wrong) {
    const r = init(address, join(dir, 'wrong'));
    assert.equal(r.code, code, address + r.err);
    assert.match(r.err, says);
    assert.doesNotMatch(r.err + r.out, /hunter2/);
    assert.ok(!existsSync(join(dir, 'wrong/ctm.json')), 'a configuration that does not work was kept');
  }
  const made = init(url);
  assert.equal(made.code, 0, made.err);
  assert.ok(JSON.parse(made.out).token);
  const again = run('ctm', ['init', '--state', state]);
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, /is there +the database, on its server/);
  assert.ok(!existsSync(join(state, 'ctm.db')));

  const list = run('ctm', ['user', 'list', '--state', state, '--json']);
  assert.equal(list.code, 0, list.err);
  assert.match(list.out, /operator@ctm\.invalid/);
  assert.equal(run('ctm', ['user', 'link', '--state', state, '--operator', '--json']).code, 0);
  assert.equal(run('ctm', ['config', 'check', '--state', state]).code, 0);
  assert.match(run('ctm', ['doctor', '--state', state]).out, /^good +database +the server answers, schema \d+$/m);

  const b = run('ctm', ['backup', '--state', state, '--out', join(dir, 'b.tar'), '--without-keys']);
  assert.equal(b.code, 1, b.out);
  assert.match(b.err, /PostgreSQL server; .*pg_dump/);
  assert.ok(!existsSync(join(dir, 'b.tar')));

  await pg.down();
  assert.match(run('ctm', ['doctor', '--state', state]).out, /^LOOK +database +the database cannot be opened/m);
  const serve = start(prog('ctm-serve'), ['--state', state, '--port', '0']);
  assert.equal(await serve.done, 3);
  assert.match(serve.log, /the database cannot be opened/);

  writeFileSync(join(state, 'ctm.json'), JSON.stringify({ ...conf(), database: 5 }));
  const r = run('ctm', ['config', 'check', '--state', state]);
  assert.equal(r.code, 1);
  assert.match(r.err, /database must be postgresql:/);
});
