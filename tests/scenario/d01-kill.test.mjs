// SPDX-License-Identifier: Apache-2.0
// Nothing that was answered is lost: the platform and the signer are killed (SIGKILL) at random moments under writes of people and
// devices, with a statement being issued, and started again. 200 rounds, 1,000 with CTM_LONG=1 (CTM_ROUNDS=N for another number,
// CTM_SEED=N to start from the seed that a failure printed).
//
// After each round, out of the store itself: every answered organisation, document (with its bytes) and report is there; no
// organisation stands without its audit line and no audit line without its organisation; an answered report is refused as a replay. Every
// 50 rounds and at the end ctm fsck walks audit chain, files, references, log and proofs; at the end every issuing has arrived.
//
// What this shows and what not: a killed process loses its memory and keeps the kernel's page cache, so this evidences the order of
// answers, transactions and renames; that the fsync calls reach the disk is the work of the file system and is not shown by it.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { tempDir, until } from './kit.mjs';
import { Site, decide, load, numbers, putBlob, sql } from './load_kit.mjs';

const ROUNDS = Number(process.env.CTM_ROUNDS ?? (process.env.CTM_LONG ? 1000 : 200));
const seed = Number(process.env.CTM_SEED ?? Date.now() % 1000000007);
const random = numbers(seed);
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const VICTIMS = ['serve', 'serve', 'signer', 'both'];

const read = (site, round) => JSON.parse(sql(site.state, `SELECT json_object(
 'orgs', (SELECT json_group_array(id || ' ' || slug) FROM organisation WHERE slug LIKE 'r${round}-%'),
 'docs', (SELECT json_group_array(id || ' ' || digest) FROM document WHERE title LIKE 'Guide ${round}-%'),
 'devices', (SELECT json_group_array(json_array(serial, last_seq, json_extract(state_json, '$.seq'))) FROM device),
 'unaudited', (SELECT count(*) FROM organisation o WHERE slug LIKE 'r${round}-%' AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.subject = o.id AND a.seq > :from)),
 'ghosts', (SELECT count(*) FROM audit a WHERE a.seq > :from AND a.action = 'organisation.add' AND NOT EXISTS (SELECT 1 FROM organisation o WHERE o.id = a.subject)),
 'audit', (SELECT json_array(count(*), max(seq)) FROM audit),
 'issued', (SELECT count(*) FROM statement WHERE step = 'published'), 'begun', (SELECT count(*) FROM statement),
 'failed', (SELECT count(*) FROM job WHERE state = 'failed'), 'decided', (SELECT count(*) FROM decision));`.replaceAll(':from', String(site.from ?? 0))));

function compare(site, round, l, before) {
  const now = read(site, round), orgs = new Set(now.orgs), docs = new Set(now.docs);
  for (const o of l.kept.orgs) assert.ok(orgs.has(`${o.id} ${o.slug}`), `organisation ${o.slug} was answered and is gone`);
  for (const d of l.kept.docs) {
    assert.ok(docs.has(`${d.id} ${d.digest}`), `document ${d.id} was answered and is gone`);
    const file = join(site.state, 'blobs', d.digest.slice(7, 9), d.digest.slice(9));
    assert.ok(existsSync(file), `the bytes of document ${d.id} are gone`);
    assert.equal('sha256:' + createHash('sha256').update(readFileSync(file)).digest('hex'), d.digest);
  }
  for (const [serial, last, said] of now.devices) {
    const u = site.units.find((x) => x.serial === serial);
    assert.ok(last >= u.seq && last <= u.sent, `${serial}: report ${u.seq} was answered, ${u.sent} was sent, the store has ${last}`);
    assert.equal(said ?? 0, last, `${serial}: report and sequence number are of two minds`);
    u.sent = last;
  }
  assert.equal(now.unaudited, 0, 'an organisation stands without its audit line');
  assert.equal(now.ghosts, 0, 'an audit line stands without its organisation');
  assert.equal(now.audit[0], now.audit[1], 'a line of the audit chain is missing');
  assert.ok(!before || now.issued >= before.issued, 'a published statement went back');
  assert.equal(now.failed, 0, 'a job was given up');
  site.from = now.audit[1];
  return now;
}

const sound = (site, when) => {
  const r = site.fsck();
  assert.equal(r.code, 0, `ctm fsck ${when}: ${r.out}${r.err}`);
};

async function strike(site, victim) {
  const procs = victim === 'both' ? [site.serve, site.signer] : [site[victim]];
  for (const p of procs) p.kill('SIGKILL');
  await Promise.all(procs.map((p) => p.done));
}

test(`kill -9 of platform and signer, ${ROUNDS} rounds under load: nothing that was answered is lost`, { timeout: ROUNDS * 5000 + 120000 }, async (t) => {
  const site = await new Site(tempDir(t, 'ctm-kill-')).init({ units: 3 });
  t.after(() => site.stop());
  await site.startSigner();
  await site.startServe();
  await site.settle();
  let seen = null, answered = 0, decided = 0, round = 0;
  const put = putBlob(site.state), begun = Date.now(), took = { start: 0, compare: 0 };
  try {
    for (round = 1; round <= ROUNDS; round++) {
      if (!seen || seen.issued === decided) decide(site.state, ++decided, put);
      const l = load(site, round), victim = VICTIMS[Math.floor(random() * VICTIMS.length)];
      await sleep(20 + random() * 180);
      await strike(site, victim);
      if (victim === 'signer') await sleep(random() * 60);        // the platform goes on alone
      await l.end();
      assert.deepEqual(l.odd.map((r) => `${r.status} ${r.text}`).filter((x) => !x.startsWith('409')), [], 'an answer that is neither yes nor a replay');
      let at = Date.now();
      if (victim !== 'serve') await site.startSigner();
      if (victim !== 'signer') await site.startServe();
      took.start += Date.now() - at;
      at = Date.now();
      seen = compare(site, round, l, seen);
      took.compare += Date.now() - at;
      answered += l.kept.orgs.length + l.kept.docs.length;
      const u = site.units[round % site.units.length];
      if (u.seq) assert.equal((await site.report(u, u.seq)).status, 409, 'an answered report was taken a second time');
      if (round % 50 === 0) sound(site, `after round ${round}`);
    }
    await until('every issuing arrives', () => { seen = read(site, round); return seen.issued === decided && seen.begun === decided; }, 60000);
    assert.ok(decided >= Math.max(2, ROUNDS / 20), `only ${decided} statements were issued meanwhile`);
    await site.stop();
    sound(site, 'at the end');
  } catch (e) {
    e.message = `seed ${seed}, round ${round} of ${ROUNDS} (CTM_SEED=${seed}): ${e.message}\n${site.serve?.log ?? ''}${site.signer?.log ?? ''}`;
    throw e;
  }
  const ms = Date.now() - begun;
  t.diagnostic(`${ROUNDS} rounds in ${(ms / 1000).toFixed(1)} s (start ${(took.start / ROUNDS).toFixed(0)} ms, compare ${(took.compare / ROUNDS).toFixed(0)} ms each); ` +
    `${answered} answered changes, ${site.units.reduce((n, u) => n + u.seq, 0)} reports, ${decided} statements; seed ${seed}`);
  assert.ok(answered > ROUNDS, `hardly any load: ${answered} answers in ${ROUNDS} rounds`);
});
