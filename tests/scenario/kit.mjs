// SPDX-License-Identifier: Apache-2.0
// What scenario tests share: the built programs, a platform in a temporary state directory on ports of its own, API calls.
// Everything started here is ended here, by process id.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import http from 'node:http';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const BUILD = resolve(ROOT, process.env.CTM_TEST_BUILD ?? 'build-asan');
export const SUITES = process.env.CTM_SUITES ?? resolve(ROOT, '../shared/suites');

// A built program's path by its name.
export const prog = (name) => {
  for (const p of [name, `src/app/${name}`, `sdk/${name}`, `sdk/ports/linux/${name}`])
    if (existsSync(join(BUILD, p))) return join(BUILD, p);
  throw new Error(`${name} is not built in ${BUILD}`);
};

// A tool of the distribution, or null: tests of outside tools skip, saying so, where it is absent.
export function existsTool(name) {
  for (const d of (process.env.PATH ?? '').split(':').concat('/usr/sbin'))
    if (d && existsSync(join(d, name))) return join(d, name);
  return null;
}

export const tempDir = (t, name = 'ctm-') => {
  const dir = mkdtempSync(join(tmpdir(), name));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
};

// Run a program to its end: {code, out, err, bytes}.
export function run(name, args, opts = {}) {
  const r = spawnSync(name.includes('/') ? name : prog(name), args, { timeout: 120000, maxBuffer: 64 << 20, ...opts });
  return { code: r.status ?? 128, out: r.stdout?.toString() ?? '', err: r.stderr?.toString() ?? '', bytes: r.stdout };
}

export const freePort = () => new Promise((ok, no) => {
  const s = createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => ok(port)); }).on('error', no);
});

export async function until(what, fn, ms = 15000) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try { const v = await fn(); if (v) return v; } catch (e) { last = e; }
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms${last ? `; ${last.message}` : ''}`);
    await new Promise((r) => setTimeout(r, 40));
  }
}

export function start(name, args, opts = {}) {
  const p = spawn(name.includes('/') ? name : prog(name), args, { stdio: ['ignore', 'pipe', 'pipe'], ...opts });
  p.log = '';
  p.stdout.on('data', (b) => { p.log += b; });
  p.stderr.on('data', (b) => { p.log += b; });
  p.done = new Promise((r) => p.on('exit', (code, sig) => r(code ?? sig)));
  p.stop = async (sig = 'SIGTERM') => { if (p.exitCode === null && p.signalCode === null) p.kill(sig); return p.done; };
  return p;
}

// One HTTP exchange: {status, headers, body (Buffer), text, json}.
export function request(url, { method = 'GET', headers = {}, body = undefined } = {}) {
  return new Promise((ok, no) => {
    const q = http.request(url, { method, headers, timeout: 20000 }, (r) => {
      const parts = [];
      r.on('data', (b) => parts.push(b));
      r.on('end', () => {
        const buf = Buffer.concat(parts);
        ok({ status: r.statusCode, headers: r.headers, body: buf, text: buf.toString(), get json() { return JSON.parse(buf.toString()); } });
      });
    });
    q.on('error', no);
    q.on('timeout', () => q.destroy(new Error('time-out')));
    q.end(body);
  });
}

// Platform: init, signer, serve; with {edge: true} nginx too.
export async function platform(t, { edge = false } = {}) {
  const dir = tempDir(t, 'ctm-state-'), state = join(dir, 'var'), port = await freePort(), devicePort = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const init = run('ctm', ['init', '--state', state, '--public-url', `http://localhost:${port}`, '--listen', `127.0.0.1:${port}`,
    '--device-port', String(devicePort), '--origin', 'localhost/ctm-log', '--json']);
  if (init.code !== 0) throw new Error(`ctm init: ${init.err}`);
  const procs = [];
  t.after(async () => { for (const p of procs.reverse()) await p.stop(); });
  const signer = start('ctm', ['signer', '--state', state]);
  procs.push(signer);
  await until('signer', () => existsSync(join(state, 'run/signer.sock')) || signer.exitCode !== null);
  if (edge) run('ctm', ['edge', 'nginx', '--state', state]);
  const serve = start('ctm', ['serve', '--state', state]);
  procs.push(serve);
  await until('serve', async () => (await request(`${base}/healthz`)).status === 200).catch((e) => { throw new Error(e.message + serve.log); });
  if (edge) {
    const nginx = start(existsTool('nginx'), ['-p', join(state, 'edge'), '-c', 'nginx.conf', '-e', 'stderr']);
    procs.push(nginx);
    await until('edge', () => existsSync(join(state, 'edge/nginx.pid')));
  }
  const pf = { dir, state, base, port, devicePort, serve, signer };
  // call(token, method, path, body): body an object (JSON), a Buffer (upload), a string (sent as it is) or nothing
  pf.call = (token, method, path, body, type) => {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    let data;
    if (body !== undefined) {
      data = Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body);
      headers['Content-Type'] = type ?? (Buffer.isBuffer(body) ? 'application/octet-stream' : 'application/json');
      headers['Content-Length'] = Buffer.byteLength(data);
    }
    return request(base + path, { method, headers, body: data });
  };
  pf.signIn = async (linkToken) => {
    const r = await pf.call(null, 'POST', '/api/v1/signin', { token: linkToken });
    if (r.status !== 200) throw new Error(`sign-in: ${r.status} ${r.text}`);
    return r.json.token;
  };
  pf.operatorLink = () => {
    const r = run('ctm', ['user', 'link', '--state', state, '--operator', '--json']);
    if (r.code !== 0) throw new Error(`ctm user link: ${r.err}`);
    return JSON.parse(r.out);
  };
  pf.operator = async () => pf.signIn(pf.operatorLink().token);
  return pf;
}

// Actions that make something new: before them there was nothing. Every other action says what was before.
const MAKES = /\.(add|open|enrol|link|intent|publish|copied|rekey)$|^(certificate\.status|case\.propose)$/;

// What is wrong with the lines of the audit chain of a store: [text]. secrets: texts that must stand in none of them.
export function auditFaults(db, secrets = []) {
  const r = run(existsTool('sqlite3'), ['-cmd', '.timeout 5000', '-json', db, 'SELECT * FROM audit ORDER BY seq']), out = [];
  for (const l of JSON.parse(r.out || '[]')) {
    const say = (what) => out.push(`${l.seq} ${l.action}: ${what}`), before = JSON.parse(l.before_json), after = JSON.parse(l.after_json);
    if (!l.actor || !l.action || !l.kind || !l.subject) say('does not say who or what');
    if (before === null && after === null) say('says neither before nor after');
    if (before === null && !MAKES.test(l.action)) say('does not say what was before');
    if (/^[0-9a-f]{8}-/.test(l.actor) && !l.org_id && !/^(session|device)\./.test(l.action)) say('does not say on whose behalf');
    for (const s of secrets) if (`${l.before_json}${l.after_json}`.includes(s)) say('holds a secret');
  }
  return out;
}
