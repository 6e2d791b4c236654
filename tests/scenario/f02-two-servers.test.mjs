// SPDX-License-Identifier: Apache-2.0
// Two ctm serve on one PostgreSQL and one state directory race: for the same event of a case (a decision for and one against, at the same
// moment), for the same one-time link, for the statements and log entries that follow from the decisions. 30 rounds of four
// certificates each; CTM_LONG=1 250 rounds (CTM_ROUNDS=N another number).
//
// Each race has one winner and one that is told so. After it all: as many decisions as races, one statement for each that makes one,
// the log has one entry for each and no two heads of one size, every job was done once, ctm fsck and ctm log check find nothing.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { existsTool, freePort, run, start, tempDir, until } from './kit.mjs';
import { CASE, CERT, CLA, LAB, MAKER, PRODUCT, Site, decide, putBlob, sql } from './load_kit.mjs';
import { Postgres } from './pg_kit.mjs';

const ROUNDS = Number(process.env.CTM_ROUNDS ?? (process.env.CTM_LONG ? 250 : 30)), CERTS = 4;
const id = (n, k) => `00000000-0000-7000-8000-00000000${n}${String(k).padStart(3, '0')}`;

// Three more certificates beside the one of the fixture, each with its product and its granted case.
const more = (k) => `
INSERT INTO product (id,org_id,name,model,category,intended_use,gtin,fcc_id,registry_json,created_ms) SELECT '${id(2, k)}',org_id,name || ' ${k}',model || '-${k}',category,intended_use,gtin,fcc_id,registry_json,1
 FROM product WHERE id = '${PRODUCT}';
INSERT INTO component (id,product_id,kind,name,created_ms) VALUES ('cc-${k}','${id(2, k)}','device','camera',1);
INSERT INTO case_file (id,number,kind,pack,pack_version,state,product_id,applicant_org_id,cla_org_id,lab_org_id,opened_ms) VALUES ('${id(3, k)}','CASE-2026-90010${k}','application','law','1','GRANTED',
 '${id(2, k)}','${MAKER}','${CLA}','${LAB}',1);
INSERT INTO case_person VALUES ('${id(3, k)}','p-1','evaluator',1),('${id(3, k)}','p-3','decider',2);
INSERT INTO lab_job (id,lab_org_id,product_id,case_id,state,challenge,tester_id,report_number,created_ms,reported_ms) VALUES ('jj-${k}','${LAB}','${id(2, k)}','${id(3, k)}','reported','c${k}','p-2','REP-1${k}',1,5);
INSERT INTO outcome_status VALUES ('${id(2, k)}','jj-${k}','cc-${k}','AI.1','met','',1);
INSERT INTO decision (id,case_id,kind,approvals_json,decided_by,digest,at_ms) SELECT 'dd-${k}','${id(3, k)}',kind,approvals_json,decided_by,digest,at_ms FROM decision WHERE id = 'd-1';
INSERT INTO certificate (id,number,case_id,product_id,baseline_json,status,valid_from,valid_to,decision_id,created_ms) SELECT '${id(4, k)}','CTM-2026-00010${k}','${id(3, k)}','${id(2, k)}',baseline_json,status,valid_from,
 valid_to,'dd-${k}',1 FROM certificate WHERE id = '${CERT}';
INSERT INTO authorisation (id,certificate_id,product_id,granted_on,issuing_authority,status) VALUES ('aa-${k}','${id(4, k)}','${id(2, k)}','2026-11-22','x','active');
INSERT INTO job (id,kind,payload_json,state,run_at_ms,created_ms) VALUES ('job-c${k}','registry.decision','{"event":"decision.made","data":{"decision_id":"dd-${k}","case_id":"${id(3, k)}","kind":"grant","certificate_id":"${id(4, k)}"}}','waiting',1,1);`;

const number = (site, text) => Number(sql(site.store, text));

test(`two servers race for cases, certificates and the head of the log, ${ROUNDS} rounds`, { timeout: ROUNDS * 6000 + 120000 }, async (t) => {
  const pg = await Postgres.start(t);
  if (!pg) return;
  const site = new Site(tempDir(t, 'ctm-two-'), undefined, pg);
  t.after(() => site.stop());
  await site.init({ units: 2 });
  await site.startSigner();
  await site.startServe();
  const second = await site.startOther(2), agent = new http.Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  await site.settle();

  await t.test('one number is one server', async () => {
    await assert.rejects(site.startOther(2), /another ctm serves the state directory .* under this instance number/);
  });

  decide(site.store, 1, putBlob(site.state));
  for (let k = 1; k < CERTS; k++) sql(site.store, more(k));
  const certs = [{ cert: CERT, kase: CASE }, ...Array.from({ length: CERTS - 1 }, (_, k) => ({ cert: id(4, k + 1), kase: id(3, k + 1) }))];
  const watch = await site.official('Wanda Harborlight', 'cla.surveillance'), decider = await site.official('Dora Harborlight', 'cla.decider');
  const wheres = [site.where, second.where];
  const at = (i, method, path, body, token) => site.api(method, path, body, token, agent, wheres[i % 2]);
  const yes = (r) => { assert.ok(r.status < 300, `${r.status} ${r.text}`); return JSON.parse(r.text); };
  const published = () => number(site, "SELECT count(*) FROM statement WHERE step = 'published'");
  await until('the grants are published', () => published() === CERTS, 30000);

  // Two events of one case at one moment through two doors: one is kept, the other is told that it came second.
  let races = 0, statements = CERTS, turns = [0, 0];
  const race = async (kase, events) => {
    const version = yes(await at(races, 'GET', `/api/v1/cases/${kase}`, undefined, decider)).case.row_version;
    const order = races++ % 2 ? [0, 1] : [1, 0];
    const answers = await Promise.all(order.map((w, i) => at(w, 'POST', `/api/v1/cases/${kase}/events/${events[i].event}`, { row_version: version, note: `race ${races}`, data: events[i].data ?? {} }, decider)));
    const won = answers.filter((r) => r.status < 300), lost = answers.filter((r) => r.status >= 300);
    assert.equal(won.length, 1, answers.map((r) => `${r.status} ${r.text}`).join('\n'));
    assert.ok([409, 403].includes(lost[0].status), `${lost[0].status} ${lost[0].text}`);
    const i = answers.indexOf(won[0]);
    turns[order[i]]++;
    return i;
  };
  const suspend = { event: 'decide', data: { kind: 'suspension' } }, reinstate = { event: 'decide', data: { kind: 'reinstatement' } }, reject = { event: 'reject' };
  const cycle = async (c, n) => {
    const kase = yes(await at(n, 'POST', `/api/v1/certificates/${c.cert}/cases`, { kind: 'suspension', reason: `Round ${n}: a port answered.` }, watch)).id;
    if (await race(kase, n % 3 ? [suspend, suspend] : [suspend, reject]) === 1 && n % 3 === 0) return;
    statements++;
    const seen = yes(await at(n + 1, 'GET', `/api/v1/cases/${kase}`, undefined, watch)).case;
    assert.equal(seen.state, 'SUSPENDED');
    yes(await at(n + 1, 'POST', `/api/v1/cases/${kase}/events/propose_reinstatement`, { row_version: seen.row_version, note: 'Corrected.' }, watch));
    await race(kase, [reinstate, reinstate]);
    statements++;
  };
  for (let n = 1; n <= ROUNDS; n++) await Promise.all(certs.map((c) => cycle(c, n)));
  await until('every statement is published', () => published() === statements, 120000).catch((e) => {
    throw new Error(`${e.message}: ${published()} of ${statements}; ${sql(site.store, "SELECT kind, state, attempts, error FROM job WHERE state <> 'done' LIMIT 5")}\n${site.serve.log}${second.proc.log}`);
  });

  await t.test('one link gives one session, through whichever door', async () => {
    for (let n = 0; n < 5; n++) {
      const { token } = JSON.parse(run('ctm', ['user', 'link', '--state', site.state, '--operator', '--json']).out);
      const both = await Promise.all([0, 1].map((w) => at(w, 'POST', '/api/v1/signin', { token }, null)));
      assert.deepEqual(both.map((r) => r.status < 300).sort(), [false, true], both.map((r) => r.text).join());
    }
  });

  await t.test('a device is told once, through whichever socket', async () => {
    const u = site.units[0], edges = [site.edge, second.edge];
    for (let seq = 1; seq <= 20; seq++) {
      const both = await Promise.all(edges.map((edge) => { site.edge = edge; return site.report(u, seq); }));
      assert.deepEqual(both.map((r) => r.status).sort(), [200, 409]);
    }
    site.edge = edges[0];
  });

  await site.stop();
  assert.equal(number(site, "SELECT count(*) FROM decision WHERE kind IN ('suspension','reinstatement')"), statements - CERTS);
  assert.equal(number(site, "SELECT count(*) FROM (SELECT case_id, kind FROM decision WHERE kind <> 'grant' GROUP BY case_id, kind HAVING count(*) > 1) x"), 0, 'a case was decided twice in one way');
  assert.equal(number(site, 'SELECT count(*) FROM (SELECT record_id, version FROM statement GROUP BY record_id, version HAVING count(*) > 1) x'), 0);
  assert.equal(number(site, 'SELECT count(DISTINCT log_index) FROM statement'), statements, 'two statements stand at one place of the log');
  assert.equal(number(site, 'SELECT max(log_index) + 1 FROM statement'), statements, 'a place of the log was skipped');
  assert.equal(number(site, "SELECT count(*) FROM job WHERE state <> 'done' AND run_at_ms < 4e12::bigint AND kind LIKE 'registry.%'"), 0);
  assert.equal(Number(readFileSync(join(site.state, 'public/log/checkpoint'), 'utf8').split('\n')[1]), statements);
  const roots = new Map();
  for (const h of readFileSync(join(site.state, 'signer.journal'), 'utf8').trim().split('\n').map((l) => JSON.parse(l)).filter((l) => l.op === 'checkpoint')) {
    assert.ok(!roots.has(h.size) || roots.get(h.size) === h.root, `two heads of size ${h.size} were signed`);
    roots.set(h.size, h.root);
  }
  assert.ok(roots.size > statements / 4 && roots.has(statements), `${roots.size} heads for ${statements} entries`);
  const fsck = site.fsck();
  assert.equal(fsck.code, 0, fsck.out + fsck.err);
  const log = run('ctm', ['log', 'check', '--state', site.state]);
  assert.equal(log.code, 0, log.out + log.err);
  t.diagnostic(`${races} races, won ${turns.join(' and ')}; ${statements} statements; jobs given out again: ${number(site, 'SELECT count(*) FROM job WHERE attempts > 1')}`);
});

test('the edge passes over a server that is away: devices and the public notice nothing', { timeout: 90000 }, async (t) => {
  const nginx = existsTool('nginx'), pg = nginx ? await Postgres.start(t) : t.skip('nginx is not installed');
  if (!pg) return;
  const site = new Site(tempDir(t, 'ctm-pair-'), undefined, pg);
  t.after(() => site.stop());
  await site.init();
  const file = join(site.state, 'ctm.json'), conf = JSON.parse(readFileSync(file, 'utf8')), address = `127.0.0.1:${await freePort()}`;
  const serve = start('ctm-serve', ['--state', site.state, '--instance', '2', '--port', '0']);
  assert.equal(await serve.done, 3);
  assert.match(serve.log, /instance 2 needs an address of its own/);
  writeFileSync(file, JSON.stringify({ ...conf, instances: [address] }));
  await site.startSigner();
  await site.startServe();
  const second = () => site.startOther(2, null);
  let other = await second();
  assert.equal(run('ctm', ['edge', 'nginx', '--state', site.state]).code, 0);
  const edge = start(nginx, ['-p', join(site.state, 'edge'), '-c', 'nginx.conf', '-e', 'stderr']);
  t.after(() => edge.stop());
  await until('edge', () => existsSync(join(site.state, 'edge/nginx.pid')));
  const ask = () => new Promise((ok, no) => https.get({ host: '127.0.0.1', port: conf.device_port, path: '/assets/app.css', rejectUnauthorized: false, agent: false },
    (r) => { r.resume(); r.on('end', () => ok(r.statusCode)); }).on('error', no));
  const all = async (when) => { for (let n = 0; n < 6; n++) assert.equal(await ask(), 200, when); };
  await all('both serve');
  await site.serve.stop();
  await all('the first is away');
  await site.startServe();
  await other.proc.stop('SIGKILL');
  await all('the second was killed');
  const last = sql(site.store, 'SELECT number, name, digest, applied_ms FROM schema_version ORDER BY number DESC LIMIT 1').split('|');
  sql(site.store, `DELETE FROM schema_version WHERE number = ${last[0]}`);
  await assert.rejects(second(), /another server \(instance 1\) still runs on it; stop every server/);     // an upgrade, with the old program still serving
  sql(site.store, `INSERT INTO schema_version VALUES (${last[0]}, '${last[1]}', '${last[2]}', ${last[3]})`);
  other = await second();
  await site.serve.stop();
  await all('the second is back');
  await other.proc.stop();
  assert.equal(await ask(), 503, 'both are away');
});
