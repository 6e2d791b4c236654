// SPDX-License-Identifier: Apache-2.0
//
// A TUF repository for tests: signed in memory, served over HTTP, changed at will (also into what no honest repository would be), and a
// client that is a process per command. What clients ask for is written down, since the order of requests is part of what is judged.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, test as nodeTest } from 'node:test';
import { program } from './agent_kit.mjs';

// CTM_TUF_RECORD=FILE: what each case served and got is appended there, a line of JSON a case, for tests/unit/sdk/tuf_replay_test.c.
const record = process.env.CTM_TUF_RECORD;
const running = new AsyncLocalStorage();
export const test = (name, fn) => nodeTest(name, () => running.run(name, fn));

const TOP = ['root', 'timestamp', 'snapshot', 'targets'];
const DAY = 86400e3;
export const iso = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
export const days = (n, from = Date.now()) => iso(from + n * DAY);

// OLPC canonical JSON: members sorted by code points, only '"' and '\' escaped.
export function canonical(v) {
  if (typeof v === 'string') return '"' + v.replace(/\\/g, '\\\\').replace(/"/g, '\\"') + '"';
  if (Array.isArray(v)) return '[' + v.map(canonical).join(',') + ']';
  if (v && typeof v === 'object')
    return '{' + Object.keys(v).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map((k) => canonical(k) + ':' + canonical(v[k])).join(',') + '}';
  return String(v);
}

const pem = (k) => k.export({ type: 'spki', format: 'pem' });
const raw = (k) => k.export({ type: 'spki', format: 'der' });
const KINDS = {
  ed25519: { gen: () => crypto.generateKeyPairSync('ed25519'), keytype: 'ed25519', scheme: 'ed25519',
    value: (k) => raw(k).subarray(-32).toString('hex'), sign: (k, m) => crypto.sign(null, m, k) },
  ecdsa: { gen: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }), keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256',
    value: pem, sign: (k, m) => crypto.sign('sha256', m, k) },
  'ecdsa-old-pem': { gen: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }), keytype: 'ecdsa-sha2-nistp256', scheme: 'ecdsa-sha2-nistp256',
    value: pem, sign: (k, m) => crypto.sign('sha256', m, k) },
  'ecdsa-old-hex': { gen: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }), keytype: 'ecdsa-sha2-nistp256', scheme: 'ecdsa-sha2-nistp256',
    value: (k) => raw(k).subarray(-65).toString('hex'), sign: (k, m) => crypto.sign('sha256', m, k) },
  rsa: { gen: () => crypto.generateKeyPairSync('rsa', { modulusLength: 3072 }), keytype: 'rsa', scheme: 'rsassa-pss-sha256', value: pem,
    sign: (k, m) => crypto.sign('sha256', m, { key: k, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }) },
};

export function signer(kind = 'ecdsa', extra = {}) {
  const k = KINDS[kind], { publicKey, privateKey } = k.gen();
  const key = { keytype: k.keytype, scheme: k.scheme, keyval: { public: k.value(publicKey) }, ...extra };
  return { keyid: crypto.createHash('sha256').update(canonical(key)).digest('hex'), key, sign: (m) => k.sign(privateKey, m).toString('hex') };
}

const hashOf = (alg, b) => crypto.createHash(alg).update(b).digest('hex');

export class Repo {
  constructor({ kind = record ? 'ed25519' : 'ecdsa', consistent = true } = {}) {
    Object.assign(this, { kind, md: {}, signers: {}, published: {}, files: {}, requests: [], hashes: false, wild: {} });
    const common = { spec_version: '1.0.34', version: 1, expires: days(30) };
    this.md.root = { _type: 'root', ...common, consistent_snapshot: consistent, keys: {}, roles: Object.fromEntries(TOP.map((r) => [r, { keyids: [], threshold: 1 }])) };
    this.md.timestamp = { _type: 'timestamp', ...common, meta: { 'snapshot.json': { version: 1 } } };
    this.md.snapshot = { _type: 'snapshot', ...common, meta: { 'targets.json': { version: 1 } } };
    this.md.targets = { _type: 'targets', ...common, targets: {} };
    for (const r of TOP) this.addKey(r);
    this.publish('targets', 'snapshot', 'timestamp', 'root');
  }

  addSigner(role, s) { (this.signers[role] ??= []).push(s); }
  addKey(role, s = signer(this.kind), delegator) {
    const at = delegator ? this.md[delegator].delegations : this.md.root;
    at.keys[s.keyid] = s.key;
    const r = delegator ? at.roles.find((x) => x.name === role) : at.roles[role];
    r.keyids.push(s.keyid);
    this.addSigner(role, s);
    return s;
  }
  rotate(role) {
    this.md.root.roles[role].keyids = [];
    this.signers[role] = [];
    for (let i = 0; i < this.md.root.roles[role].threshold; i++) this.addKey(role);
  }
  delegate(delegator, role, { keys = [signer(this.kind)], threshold = 1, terminating = false, paths = ['*'], prefixes, expires, md } = {}) {
    const d = (this.md[delegator].delegations ??= { keys: {}, roles: [] });
    d.roles.push({ name: role, keyids: [], threshold, terminating, ...(prefixes ? { path_hash_prefixes: prefixes } : { paths }) });
    this.md[role] ??= md ?? { _type: 'targets', spec_version: '1.0.34', version: 1, expires: expires ?? days(30), targets: {} };
    for (const k of keys) this.addKey(role, k, delegator);
  }
  bytes(role) {
    const signed = this.md[role], m = Buffer.from(canonical(signed));
    return Buffer.from(JSON.stringify({ signatures: this.signers[role].map((s) => ({ keyid: s.keyid, sig: s.sign(m) })), signed }, null, record ? 0 : 1));
  }
  // New versions of these roles, in this order; snapshot and timestamp describe what was published last.
  publish(...roles) { for (const r of roles) this.publishOne(r, true); }
  republish(...roles) { for (const r of roles) this.publishOne(r, false); }
  publishOne(role, bump) {
    if (role === 'snapshot') this.describe(this.md.snapshot, Object.keys(this.published).filter((r) => r === 'targets' || !TOP.includes(r)));
    if (role === 'timestamp') this.describe(this.md.timestamp, ['snapshot']);
    if (bump && this.published[role]) this.md[role].version++;
    (this.published[role] ??= []).push(this.bytes(role));
  }
  describe(md, roles) {
    for (const r of roles) {
      const last = this.published[r]?.at(-1);
      if (this.frozen || !last) continue;
      md.meta[`${r}.json`] = { version: JSON.parse(last).signed.version,
        ...(this.hashes ? { length: last.length, hashes: { sha256: hashOf('sha256', last), sha512: hashOf('sha512', last) } } : {}) };
    }
  }
  addFile(role, name, data, algs = ['sha256'], custom) {
    const b = Buffer.from(data);
    this.md[role].targets[name] = { length: b.length, hashes: Object.fromEntries(algs.map((a) => [a, hashOf(a, b)])), ...(custom ? { custom } : {}) };
    this.files[name] = b;
  }
  last(role) { return this.published[role].at(-1); }

  answer(url) {
    if (this.wild[url] !== undefined) return this.wild[url];
    const md = url.match(/^metadata\/(?:(\d+)\.)?(.+)\.json$/);
    if (md) {
      const [, version, quoted] = md, role = decodeURIComponent(quoted);
      this.requests.push(`${quoted}${version ? ' ' + version : ''}`);
      if (role === 'timestamp' || !version) return this.published[role]?.at(-1);
      return role === 'root' ? this.published.root[version - 1] : this.published[role]?.[version - 1];
    }
    const t = decodeURIComponent(url.replace(/^targets\//, ''));
    this.requests.push(`file ${t}`);
    if (!this.md.root.consistent_snapshot) return this.files[t];
    const name = t.replace(/[^/]*$/, (f) => f.slice(f.indexOf('.') + 1)), hash = path.posix.basename(t).split('.')[0];
    return this.files[name] && Object.values(this.md).some((m) => Object.values(m.targets?.[name]?.hashes ?? {}).includes(hash)) ? this.files[name] : undefined;
  }
}

const repos = new Map();
const server = http.createServer((req, res) => {
  const [, id, ...rest] = req.url.split('/'), repo = repos.get(id);
  let body;
  try { body = repo?.answer(rest.join('/')); } catch { body = undefined; }
  if (record) repo?.served?.push([rest.join('/'), body]);
  if (typeof body === 'function') return body(req, res);
  if (body === undefined) return res.writeHead(404, { 'Content-Length': 0 }).end();
  const range = /^bytes=(\d+)-$/.exec(req.headers.range ?? '');
  if (range && repo.ranges !== false) {
    repo.ranged = Number(range[1]);
    const part = body.subarray(repo.ranged);
    return res.writeHead(206, { 'Content-Length': part.length, 'Content-Range': `bytes ${range[1]}-${body.length - 1}/${body.length}` }).end(part);
  }
  res.writeHead(200, { 'Content-Length': body.length }).end(body);
});
export const listen = () => new Promise((ok) => server.listen(0, '127.0.0.1', ok));
export const close = () => { server.closeAllConnections(); server.close(); };

let count = 0;
// `command`: how the client is called, blanks between words; the one under test unless the environment names another.
const command = (process.env.CTM_TUF_CLIENT ?? program('ctm-tuf')).split(' ');

export class Client {
  constructor(repo) {
    this.id = `case${++count}`;
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ctm-tuf-'));
    this.repo = repo;
    repos.set(this.id, repo);
    for (const d of ['metadata', 'targets']) fs.mkdirSync(path.join(this.dir, d));
    const base = `http://127.0.0.1:${server.address().port}/${this.id}`;
    this.metadata = path.join(this.dir, 'metadata');
    this.targets = path.join(this.dir, 'targets');
    this.online = ['--metadata-url', `${base}/metadata/`, '--metadata-dir', this.metadata];
    this.steps = [];
    this.name = running.getStore();
    this.targetOpts = ['--target-dir', this.targets, '--target-base-url', `${base}/targets/`];
  }
  run(args, at) {
    const cmd = at ? ['faketime', iso(at).replace('T', ' ').replace('Z', ''), ...command, ...args] : [...command, ...args];
    return new Promise((done) => {
      const p = spawn(cmd[0], cmd.slice(1), { stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, TZ: 'UTC', ...(at ? { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0:detect_leaks=0` } : {}) } });
      let out = '';
      p.stdout.on('data', (d) => { out += d; });
      p.stderr.on('data', (d) => { out += d; });
      p.on('close', (code) => { this.said = out; done(code); });
    });
  }
  async step(step, args, at) {
    this.repo.served = [];
    const status = await this.run(args, at);
    this.steps.push({ ...step, now: Math.floor((at ?? Date.now()) / 1000), served: this.repo.served, status, trusted: this.trusted() });
    return status;
  }
  init(root = this.repo.published.root[0]) {
    const f = path.join(this.dir, 'root-in.json');
    fs.writeFileSync(f, root);
    return this.step({ init: Buffer.from(root) }, ['--metadata-dir', this.metadata, 'init', f]);
  }
  refresh(at) { return this.step({}, [...this.online, 'refresh'], at); }
  download(names, at) {
    return this.step({ find: [names].flat() }, [...this.online, ...[names].flat().flatMap((n) => ['--target-name', n]), ...this.targetOpts, 'download'], at);
  }
  version(role) {
    try { return JSON.parse(fs.readFileSync(path.join(this.metadata, `${role}.json`))).signed.version; } catch { return null; }
  }
  trusted() {
    return fs.readdirSync(this.metadata).filter((f) => f.endsWith('.json')).sort().map((f) => `${f.slice(0, -5)} ${this.version(f.slice(0, -5))}`).join(', ');
  }
  stored(role) { return fs.readFileSync(path.join(this.metadata, `${role}.json`)); }
  files() { return fs.readdirSync(this.targets).filter((f) => !f.startsWith('.')).map((f) => fs.readFileSync(path.join(this.targets, f), 'utf8')).sort(); }
  done() {
    repos.delete(this.id);
    fs.rmSync(this.dir, { recursive: true, force: true });
    if (record) this.write();
  }
  // Documents are stored once a case and named by number; answers that are no documents leave the case out.
  write() {
    const docs = [], number = (b) => {
      const t = b.toString(), at = docs.indexOf(t);
      return at >= 0 ? at : docs.push(t) - 1;
    };
    if (this.steps.some((s) => s.served.some(([, b]) => typeof b === 'function'))) return;
    const steps = this.steps.map(({ served, init, ...s }) => ({ ...s, ...(init ? { init: number(init) } : {}),
      served: Object.fromEntries(served.filter(([, b]) => b).map(([u, b]) => [u, number(b)])) }));
    fs.appendFileSync(record, JSON.stringify({ name: this.name, steps, docs }) + '\n');
  }
}

// A repository and a client that has adopted its first root (as it is when `change` is done).
export async function begin({ change, init = true, ...opts } = {}) {
  const repo = new Repo(opts);
  change?.(repo);
  const client = new Client(repo);
  if (init) assert.equal(await client.init(), 0, client.said);
  return { repo, client };
}
export const good = async (c, p) => assert.equal(await p, 0, c.said);
export const bad = async (c, p, words) => {
  assert.equal(await p, 1, 'it should have failed');
  if (words) assert.match(c.said, words);
};
export const cases = (name, fn) => describe(name, { concurrency: 4 }, fn);
export const edit = (bytes, change) => { const j = JSON.parse(bytes); change(j); return Buffer.from(JSON.stringify(j)); };
