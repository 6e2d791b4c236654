// SPDX-License-Identifier: Apache-2.0
// What tests of durability share: a state directory with a certificate to issue about, programs that are started and killed by
// their own process id, devices that report, and writers that remember only what was answered.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { freePort, request, run, start, until } from './kit.mjs';

export const MAKER = '00000000-0000-7000-8000-000000000001', LAB = '00000000-0000-7000-8000-000000000002', CLA = '00000000-0000-7000-8000-000000000003';
export const PRODUCT = '00000000-0000-7000-8000-000000000011', CASE = '00000000-0000-7000-8000-000000000021', CERT = '00000000-0000-7000-8000-000000000031';
const sha = (b) => 'sha256:' + createHash('sha256').update(b).digest('hex');

// A small generator of numbers that can be started again from the seed a failure printed (mulberry32).
export const numbers = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

// One statement or several, straight into the store, beside the platform or without it. The store is a state directory with its own
// file, or {sql} where the rows are on a server.
export const sql = (state, text) => {
  if (typeof state !== 'string') return state.sql(text);
  const r = spawnSync('sqlite3', ['-batch', '-bail', '-cmd', '.timeout 10000', join(state, 'ctm.db')], { input: text, maxBuffer: 64 << 20 });
  if (r.status !== 0) throw new Error(`sqlite3: ${r.stderr} in ${text.slice(0, 200)}`);
  return r.stdout.toString().trim();
};

const fixture = (units, digest) => `
INSERT INTO organisation (id,kind,name,slug,contact,created_ms) VALUES ('${MAKER}','maker','Larkspur Porchworks (fictional)','larkspur','security@larkspur.example',1),
 ('${LAB}','lab','Tidewater Bench (fictional)','tidewater','',1),('${CLA}','cla','Harborlight Certification (fictional)','harborlight','registry@harborlight.example',1);
INSERT INTO product (id,org_id,name,model,category,intended_use,gtin,fcc_id,registry_json,created_ms) VALUES ('${PRODUCT}','${MAKER}','Porch Camera','PC-1','camera','watching a porch',
 '04012345678901','2ABCD-PC1','{"default_password":{"changeable":true,"instructions":"In the app."},"secure_configuration":"Keep it as it comes.","updates":{"automatic":true},"support":{"end_date":"2099-12-31"},"bom":{"hbom":false,"sbom":true},"setup":"Scan.","report_problem":"mailto:a@larkspur.example"}',1);
INSERT INTO case_file (id,number,kind,pack,pack_version,state,product_id,applicant_org_id,cla_org_id,lab_org_id,opened_ms) VALUES ('${CASE}','CASE-2026-900001','application','law','1','GRANTED',
 '${PRODUCT}','${MAKER}','${CLA}','${LAB}',1);
INSERT INTO case_person VALUES ('${CASE}','p-1','evaluator',1),('${CASE}','p-3','decider',2);
INSERT INTO component (id,product_id,kind,name,created_ms) VALUES ('c-1','${PRODUCT}','device','camera',1),('c-2','${PRODUCT}','app','app',1);
INSERT INTO lab_job (id,lab_org_id,product_id,case_id,state,challenge,tester_id,report_number,created_ms,reported_ms) VALUES ('j-1','${LAB}','${PRODUCT}','${CASE}','reported','c','p-2','REP-1',1,5);
INSERT INTO outcome_status VALUES ('${PRODUCT}','j-1','c-1','AI.1','met','',1),('${PRODUCT}','j-1','c-2','AI.1','not_applicable','',1);
INSERT INTO decision (id,case_id,kind,approvals_json,decided_by,digest,at_ms) VALUES ('d-0','${CASE}','grant','[]','p-3','${digest}',1);
INSERT INTO certificate (id,number,case_id,product_id,baseline_json,status,valid_from,valid_to,decision_id,created_ms) VALUES ('${CERT}','CTM-2026-000001','${CASE}','${PRODUCT}',
 '[{"component":"camera","kind":"device","version":"1.0.0","image_digest":"sha256:aa"}]','in_force','2026-11-22','2099-11-21','d-0',1);
INSERT INTO authorisation (id,certificate_id,product_id,granted_on,issuing_authority,status) VALUES ('a-1','${CERT}','${PRODUCT}','2026-11-22','x','active');
${units.map((u) => `INSERT INTO device (id,component_id,serial,code_hash,state,created_ms) VALUES ('${u.id}','c-1','${u.serial}','${sha(`ctm-enrol-code/1\n${u.serial}\n${u.code}\n`)}','built',1);`).join('\n')}
`;

// A decision as the scheme's desk leaves it, with the job that its event posts: from here the registry works by itself. The number
// n counts from 1: grant, then suspension and reinstatement in turns. The decision's document goes into the blob store by `put`.
export function decide(state, n, put) {
  const kind = n === 1 ? 'grant' : n % 2 === 0 ? 'suspension' : 'reinstatement', id = `d-${n}`;
  const digest = put(Buffer.from(`{"decision":"${id}"}`));
  const data = JSON.stringify({ decision_id: id, case_id: CASE, kind, certificate_id: CERT });
  const payload = JSON.stringify({ event: 'decision.made', subject_kind: 'case', subject_id: CASE, data: JSON.parse(data) });
  sql(state, `${typeof state === 'string' ? 'PRAGMA foreign_keys=ON; BEGIN IMMEDIATE' : 'BEGIN'};
INSERT INTO decision (id,case_id,kind,reasons_json,approvals_json,decided_by,digest,at_ms) VALUES ('${id}','${CASE}','${kind}','[{"requirement":"IAC.1b","text":"A port answered."}]',
 '[{"person_id":"p-3","part":"decider","at_ms":1}]','p-3','${digest}',${1795358763120 + n});
INSERT INTO job (id,kind,payload_json,state,run_at_ms,created_ms) VALUES ('job-${n}','registry.decision','${payload.replace(/'/g, "''")}','waiting',1,1);
COMMIT;`);
}

// A blob as the store keeps it; the test's own hand, used only for the documents of decisions.
export const putBlob = (state) => (bytes) => {
  const d = sha(bytes), hex = d.slice(7), dir = join(state, 'blobs', hex.slice(0, 2));
  spawnSync('mkdir', ['-p', dir]);
  if (!existsSync(join(dir, hex.slice(2)))) writeFileSync(join(dir, hex.slice(2)), bytes);
  return d;
};

// One exchange over a kept connection; rejects when there was no whole answer.
export function exchange(where, agent, method, path, headers, body) {
  return new Promise((ok, no) => {
    const data = body === undefined ? undefined : Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const q = http.request({ ...where, agent, method, path, headers: { ...headers, ...(data === undefined ? {} : { 'Content-Length': Buffer.byteLength(data) }) } }, (r) => {
      const parts = [];
      r.on('data', (b) => parts.push(b));
      r.on('aborted', () => no(new Error('cut off')));
      r.on('error', no);
      r.on('end', () => ok({ status: r.statusCode, headers: r.headers, text: Buffer.concat(parts).toString(), body: Buffer.concat(parts) }));
    });
    q.on('error', no);
    q.setTimeout(15000, () => q.destroy(new Error('time-out')));
    q.end(data);
  });
}

export class Site {
  // dir: a temporary directory; state may be elsewhere (another file system). pg (pg_kit.mjs): the rows are in a database of this server.
  constructor(dir, state = join(dir, 'var'), pg = null, database = 'site') {
    Object.assign(this, { dir, state, units: [], pg, database, others: [] });
    this.store = pg ? { sql: (text) => pg.sql(database, text) } : state;
  }

  async init({ units = 0 } = {}) {
    this.port = await freePort();
    this.where = { host: '127.0.0.1', port: this.port };
    this.edge = { socketPath: join(this.state, 'run/device.sock') };
    const r = run('ctm', ['init', '--state', this.state, '--public-url', `http://localhost:${this.port}`, '--listen', `127.0.0.1:${this.port}`,
      '--device-port', String(await freePort()), '--origin', 'localhost/ctm-log', '--json', ...(this.pg ? ['--database', this.pg.database(this.database)] : [])]);
    if (r.code !== 0) throw new Error(r.err);
    this.link = JSON.parse(r.out);
    for (let i = 0; i < units; i++) this.units.push({ id: `00000000-0000-7000-8000-0000000001${String(i).padStart(2, '0')}`, serial: `PC1-LOAD-${i}`, code: `code-of-unit-${i}`, seq: 0, sent: 0 });
    sql(this.store, fixture(this.units, putBlob(this.state)(Buffer.from('{"decision":"d-0"}'))));
    return this;
  }

  async startSigner() {
    rmSync(join(this.state, 'run/signer.sock'), { force: true });
    this.signer = start('ctm-signer', ['--state', this.state]);
    await until('signer', () => { this.#alive(this.signer); return this.signer.log.includes('ready'); }, 20000);
  }

  async startServe() {
    this.serve = start('ctm-serve', ['--state', this.state]);
    await this.#serving(this.serve);
  }

  // Another server of the same state directory and database: {proc, where, edge}, to be given to `api` and `report`. port null: where ctm.json says.
  async startOther(instance, port = undefined) {
    if (port === undefined) port = await freePort();
    const proc = start('ctm-serve', ['--state', this.state, '--instance', String(instance), ...(port ? ['--listen', `127.0.0.1:${port}`] : [])]);
    await this.#serving(proc);
    const other = { instance, proc, where: { host: '127.0.0.1', port }, edge: { socketPath: join(this.state, `run/device-${instance}.sock`) } };
    this.others.push(other);
    return other;
  }

  async #serving(p) {
    const end = Date.now() + 30000;
    while (!p.log.includes('ready in')) {
      this.#alive(p);
      if (Date.now() > end) throw new Error(`ctm serve is not ready: ${p.log}`);
      await new Promise((r) => setTimeout(r, 4));
    }
  }

  #alive(p) { if (p.exitCode !== null || p.signalCode !== null) throw new Error(`a program ended: ${p.log}`); }

  async stop() {
    for (const p of [...this.others.map((o) => o.proc), this.serve, this.signer]) if (p) await p.stop();
  }

  api(method, path, body, token = this.operator, agent = undefined, where = this.where) {
    const headers = { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(body === undefined ? {} : { 'Content-Type': Buffer.isBuffer(body) ? 'application/octet-stream' : 'application/json' }) };
    return exchange(where, agent, method, path, headers, body);
  }

  async must(method, path, body, token) {
    const r = await this.api(method, path, body, token);
    if (r.status >= 300) throw new Error(`${method} ${path}: ${r.status} ${r.text}`);
    return JSON.parse(r.text);
  }

  // Operator and maker signed in, units enrolled with certificates of their own.
  async settle() {
    this.operator = (await this.must('POST', '/api/v1/signin', { token: this.link.token }, null)).token;
    const person = await this.must('POST', '/api/v1/people', { name: 'Ida Larkspur', email: 'ida@larkspur.example' });
    await this.must('POST', '/api/v1/memberships', { person_id: person.id, org_id: MAKER, role: 'maker.owner' });
    const link = await this.must('POST', `/api/v1/people/${person.id}/link`, { org_id: MAKER });
    this.maker = (await this.must('POST', '/api/v1/signin', { token: link.token }, null)).token;
    for (const u of this.units) {
      const key = join(this.dir, `${u.serial}.key`), csr = join(this.dir, `${u.serial}.csr`);
      const r = run('/usr/bin/openssl', ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', csr, '-subj', `/CN=camera/serialNumber=${u.serial}`]);
      if (r.code !== 0) throw new Error(r.err);
      const a = await exchange(this.edge, undefined, 'POST', '/d/v1/enrol', { 'Content-Type': 'application/json' }, { serial: u.serial, code: u.code, csr: readFileSync(csr, 'utf8') });
      if (a.status >= 300) throw new Error(`enrol: ${a.status} ${a.text}`);
      u.headers = { 'Content-Type': 'application/json', 'X-Client-Verify': 'SUCCESS', 'X-Client-Cert': encodeURIComponent(JSON.parse(a.text).certificate) };
    }
  }

  // Somebody of the label administrator with one role; the token of a session.
  async official(name, role) {
    const p = await this.must('POST', '/api/v1/people', { name, email: `${name.split(' ')[0].toLowerCase()}@harborlight.example` });
    await this.must('POST', '/api/v1/memberships', { person_id: p.id, org_id: CLA, role });
    const link = await this.must('POST', `/api/v1/people/${p.id}/link`, { org_id: CLA });
    return (await this.must('POST', '/api/v1/signin', { token: link.token }, null)).token;
  }

  report(u, seq, agent) {
    return exchange(this.edge, agent, 'POST', '/d/v1/state', u.headers,
      { seq, version: { claimed: '1.0.0', booted: '1.0.0', verified: '1.0.0' }, boot_counter: 1, health: 'likely-normal', metrics: { uptime_s: seq } });
  }

  fsck() { return run('ctm', ['fsck', '--state', this.state]); }
}

// Writers that go on until told to stop or cut off. `kept` holds what was answered with success, `odd` every other answer (with the slug of
// the organisation it was about, where it was about one).
export function load(site, round, { writers = 4, uploads = true, reports = true } = {}) {
  const kept = { orgs: [], docs: [] }, odd = [], loops = [];
  const agent = new http.Agent({ keepAlive: true }), edge = new http.Agent({ keepAlive: true });
  let stop = false;
  const loop = async (step) => {
    try { for (let n = 0; !stop; n++) await step(n); } catch { /* cut off: not answered, so nothing is known of it */ }
  };
  const org = (w) => async (n) => {
    const slug = `r${round}-${w}-${n}`;
    const r = await site.api('POST', '/api/v1/organisations', { kind: 'maker', name: `Example ${slug} (fictional)`, slug, contact: 'a@b.example', facts: {} }, site.operator, agent);
    if (r.status < 300) kept.orgs.push({ id: JSON.parse(r.text).id, slug });
    else odd.push(Object.assign(r, { slug }));
  };
  const doc = async (n) => {
    const bytes = Buffer.from(`%PDF-1.4 round ${round} document ${n} ${'x'.repeat(2000 + n)}`);
    const r = await site.api('POST', `/api/v1/products/${PRODUCT}/documents?kind=user_guide&title=Guide%20${round}-${n}&visibility=case`, bytes, site.maker, agent);
    if (r.status < 300) kept.docs.push({ id: JSON.parse(r.text).id, digest: sha(bytes) });
    else odd.push(r);
  };
  const beat = (u) => async () => {
    const seq = ++u.sent, r = await site.report(u, seq, edge);
    if (r.status < 300) u.seq = seq;
    else odd.push(r);
  };
  for (let w = 0; w < writers; w++) loops.push(loop(org(w)));
  if (uploads) loops.push(loop(doc));
  if (reports) for (const u of site.units) loops.push(loop(beat(u)));
  return { kept, odd, end: async () => { stop = true; await Promise.all(loops); agent.destroy(); edge.destroy(); } };
}
