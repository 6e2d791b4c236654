// SPDX-License-Identifier: Apache-2.0
// PostgreSQL in trouble under load: restarted as after a crash (immediate), restarted in order (fast), every connection cut; and the loaded
// server itself killed (SIGKILL), whose jobs the other one sees to. 6 rounds;
// CTM_LONG=1 100 rounds (CTM_ROUNDS=N, CTM_SEED=N to start from the seed that a failure printed). Writers are people, documents, devices
// and the issuing of a statement; two servers in every second round.
//
// After each round, out of the database itself: what was answered is there with its audit line; what was refused with "nothing was kept" is
// not there; every refusal is 503 with Retry-After and words; the platform goes on by itself. At the end every issuing has arrived, ctm fsck
// and ctm log check find nothing.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, tempDir, until } from './kit.mjs';
import { Site, decide, exchange, load, numbers, putBlob, sql } from './load_kit.mjs';
import { Postgres } from './pg_kit.mjs';

const ROUNDS = Number(process.env.CTM_ROUNDS ?? (process.env.CTM_LONG ? 100 : 6));
const seed = Number(process.env.CTM_SEED ?? Date.now() % 1000000007);
const random = numbers(seed);
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const FAULTS = ['immediate', 'kill', 'fast', 'cut often', 'cut'];

const read = (site, round) => JSON.parse(sql(site.store, `SELECT json_build_object(
 'orgs', (SELECT coalesce(json_agg(id || ' ' || slug), '[]') FROM organisation WHERE slug LIKE 'r${round}-%'),
 'docs', (SELECT coalesce(json_agg(id || ' ' || digest), '[]') FROM document WHERE title LIKE 'Guide ${round}-%'),
 'devices', (SELECT json_agg(json_build_array(serial, last_seq, (state_json::json->>'seq')::int)) FROM device),
 'unaudited', (SELECT count(*) FROM organisation o WHERE slug LIKE 'r${round}-%' AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.subject = o.id)),
 'ghosts', (SELECT count(*) FROM audit a WHERE a.action = 'organisation.add' AND NOT EXISTS (SELECT 1 FROM organisation o WHERE o.id = a.subject)),
 'audit', (SELECT json_build_array(count(*), max(seq)) FROM audit),
 'issued', (SELECT count(*) FROM statement WHERE step = 'published'), 'failed', (SELECT count(*) FROM job WHERE state = 'failed'))`));

function compare(site, round, l) {
  const now = read(site, round), orgs = new Set(now.orgs), slugs = new Set(now.orgs.map((o) => o.split(' ')[1])), docs = new Set(now.docs);
  for (const o of l.kept.orgs) assert.ok(orgs.has(`${o.id} ${o.slug}`), `organisation ${o.slug} was answered and is gone`);
  for (const d of l.kept.docs) {
    assert.ok(docs.has(`${d.id} ${d.digest}`), `document ${d.id} was answered and is gone`);
    const file = join(site.state, 'blobs', d.digest.slice(7, 9), d.digest.slice(9));
    assert.ok(existsSync(file) && 'sha256:' + createHash('sha256').update(readFileSync(file)).digest('hex') === d.digest, `the bytes of document ${d.id} are gone`);
  }
  for (const [serial, last, said] of now.devices) {
    const u = site.units.find((x) => x.serial === serial);
    assert.ok(last >= u.seq && last <= u.sent, `${serial}: report ${u.seq} was answered, ${u.sent} was sent, the store has ${last}`);
    assert.equal(said ?? 0, last);
    u.sent = last;
  }
  for (const r of l.odd) {
    if (r.status === 409) continue;                      // a report that came a second time
    assert.equal(r.status, 503, `${r.status} ${r.text}`);
    assert.ok(Number(r.headers['retry-after']) > 0, 'no Retry-After');
    const p = JSON.parse(r.text);
    assert.ok(p.detail.length > 20, r.text);
    assert.doesNotMatch(p.detail, /^[a-z_]+\.[a-z_]+: |libpq|SQLSTATE|PQ[a-z]|server closed|psql|\/tmp\//i);
    if (p.code !== 'UNSURE' && r.slug) assert.ok(!slugs.has(r.slug), `${r.slug} was refused (${p.code}: ${p.detail}) and is there`);
  }
  assert.equal(now.unaudited, 0, 'an organisation stands without its audit line');
  assert.equal(now.ghosts, 0, 'an audit line stands without its organisation');
  assert.equal(now.audit[0], now.audit[1], 'a line of the audit chain is missing');
  assert.equal(now.failed, 0, 'a job was given up');
  return now;
}

async function strike(pg, site, fault, second) {
  if (fault === 'kill') {
    if (site.where === second.where) await second.proc.stop('SIGKILL');
    else await site.serve.stop('SIGKILL');
    return;
  }
  if (fault === 'immediate') return pg.restart('SIGQUIT');
  if (fault === 'fast') return pg.restart('SIGINT');
  for (let n = fault === 'cut' ? 1 : 5; n > 0; n--) {
    pg.cut(site.database);
    await sleep(random() * 150);
  }
}

test(`PostgreSQL restarted and cut off under load, ${ROUNDS} rounds: clear answers, nothing answered is lost, recovery by itself`, { timeout: ROUNDS * 20000 + 120000 }, async (t) => {
  const pg = await Postgres.start(t);
  if (!pg) return;
  const site = new Site(tempDir(t, 'ctm-faults-'), undefined, pg);
  t.after(() => site.stop());
  await site.init({ units: 3 });
  await site.startSigner();
  await site.startServe();
  const first = site.where;
  let second = await site.startOther(2);
  await site.settle();
  const put = putBlob(site.state), count = { kept: 0, refused: 0, unsure: 0 };
  const org = () => site.api('POST', '/api/v1/organisations', { kind: 'maker', name: 'After (fictional)', slug: `after-${Math.floor(random() * 1e12)}`, contact: '', facts: {} });
  let round = 0, seen, decided = 0;
  try {
    for (round = 1; round <= ROUNDS; round++) {
      if (!seen || seen.issued === decided) decide(site.store, ++decided, put);
      const fault = FAULTS[(round - 1) % FAULTS.length];
      site.where = round % 2 ? first : second.where;
      const l = load(site, round);
      await sleep(150 + random() * 350);
      await strike(pg, site, fault, second);
      await sleep(300);
      await l.end();
      if (fault === 'kill' && site.where === second.where) {
        second = await site.startOther(2);
        site.where = second.where;
      } else if (fault === 'kill') {
        await site.startServe();
      }
      await until('recovery without a hand', async () => (await org()).status < 300, 15000);
      seen = compare(site, round, l);
      count.kept += l.kept.orgs.length + l.kept.docs.length;
      count.refused += l.odd.filter((r) => r.status === 503).length;
      count.unsure += l.odd.filter((r) => r.text.includes('"UNSURE"')).length;
    }
    await until('every issuing arrives', () => read(site, 0).issued === decided, 60000);
    site.where = first;

    await pg.down('SIGINT');
    const away = await org(), page = await site.api('GET', '/api/v1/organisations');
    for (const r of [away, page]) {
      assert.equal(r.status, 503, r.text);
      assert.ok(Number(r.headers['retry-after']) > 0);
    }
    assert.notEqual((await site.api('GET', '/healthz', undefined, null)).status, 200);
    const html = await exchange(site.where, undefined, 'GET', '/registry', { Accept: 'text/html', Host: `localhost:${site.port}` });
    assert.equal(html.status, 503);
    assert.match(html.headers['content-type'], /text\/html/);
    assert.match(html.text, /<h1>[^<]+<\/h1>/);
    assert.match(html.text, /Try again in a minute/);
    assert.doesNotMatch(html.text, /postgres|libpq|socket|errno/i);
    await pg.up();
    await until('recovery without a hand', async () => (await org()).status < 300, 15000);
    await site.stop();
    const fsck = site.fsck(), log = run('ctm', ['log', 'check', '--state', site.state]);
    assert.equal(fsck.code, 0, fsck.out + fsck.err);
    assert.equal(log.code, 0, log.out + log.err);
  } catch (e) {
    e.message = `seed ${seed}, round ${round} of ${ROUNDS} (CTM_SEED=${seed}): ${e.message}\n${site.serve?.log.slice(-3000) ?? ''}${second.proc.log.slice(-3000)}`;
    throw e;
  }
  assert.ok(count.kept > ROUNDS * 5, `hardly any load: ${count.kept} answers`);
  t.diagnostic(`${ROUNDS} rounds: ${count.kept} changes answered, ${count.refused} refused with 503 (${count.unsure} of them unsure), ${decided} statements; seed ${seed}`);
});
