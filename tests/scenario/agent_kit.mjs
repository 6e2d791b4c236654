// SPDX-License-Identifier: Apache-2.0
//
// A unit on the bench: makes a release key, images and packages with ctm-update, writes the agent's files into a directory of its
// own, starts the program and talks to its interface. Everybody in here is invented.
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { uncbor } from './cbor_kit.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const build = process.env.CTM_BUILD || path.join(here, '..', '..', 'build-asan');
export const program = (name) => path.join(build, name);
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const port = 4443;
const block = 10 + (process.pid % 200);      // test files may run side by side
let address = 2;

function run(name, ...args) {
  const r = spawnSync(program(name), args, { encoding: 'utf8' });
  if (r.status !== 0) throw new Error(`${name} ${args[0]}: ${r.stderr}`);
  return r;
}

export class Kit {
  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ctm-agent-'));
    this.key = this.file('release.pem');
    run('ctm-update', 'keygen', '--out', this.key, '--public', this.file('release.pub'));
    run('ctm-update', 'keygen', '--out', this.file('stranger.pem'), '--public', this.file('stranger.pub'));
    this.pub = fs.readFileSync(this.file('release.pub'), 'utf8').trim();
    this.units = [];
  }

  file(name) { return path.join(this.dir, name); }

  // A package of one version; key, model and a change of the finished bytes can be another's.
  package(version, counter, { key = this.key, model = 'PC-1', cls = model, bytes = 5000 } = {}) {
    const image = this.file('image'), manifest = this.file('manifest'), out = this.file('package');
    fs.writeFileSync(image, Buffer.concat([Buffer.from(`CTM-IMAGE 1 ${model} ${version}\n`), Buffer.alloc(bytes, version)]));
    run('ctm-update', 'sign', '--key', key, '--image', image, '--version', version, '--counter', String(counter), '--vendor', 'larkspur.example',
      '--class', cls, '--component', 'device', '--min-version', '0.0.0', '--support-end', '2031-12-31', '--out', manifest);
    run('ctm-update', 'package', '--manifest', manifest, '--image', image, '--out', out);
    return fs.readFileSync(out);
  }

  declaration(changes = {}) {
    return {
      format: 'ctm.declaration/1', maker: 'Larkspur Porchworks (fictional)', model: 'PC-1', component: 'device', version: '1.0.0',
      interfaces: [{ id: 'admin', transport: 'tcp', port, protocol: 'https', purpose: 'local administration', access: 'password',
        profile: 'ctm-local-admin/1', tls: { min: '1.2' } }],
      settings: [
        { name: 'live_view', type: 'bool', default: true, secure_default: false, privacy: 'none' },
        { name: 'recording_days', type: 'int', min: 0, max: 30, default: 7, secure_default: 7, privacy: 'none' },
        { name: 'video_quality', type: 'enum', values: ['low', 'medium', 'high'], default: 'medium', secure_default: 'medium', privacy: 'none' },
        { name: 'porch_name', type: 'text', max: 16, default: 'Front door', secure_default: 'Front door', privacy: 'personal' },
      ],
      data: [], destinations: [],
      update: { manifest: 'ctm.manifest/1', vendor: 'larkspur.example', class: 'PC-1', release_key: this.pub, downgrade: 'refused' },
      credentials: { initial: 'unique-per-unit', change_at_first_use: true, min_length: 12, lockout: { attempts: 5, lock_s: 2 } },
      log: { events: [] },
      ...changes,
    };
  }

  // A unit that has left the factory and was not started yet.
  unit({ defects = '', platform = null, conf = {}, declaration = {} } = {}) {
    const n = address++;
    const u = new Unit(this, `127.77.${block}.${n}`, `PC1-TEST-${String(n).padStart(4, '0')}`, defects);
    fs.mkdirSync(u.dir);
    const pack = this.package('1.0.0', 10);
    const len = pack.readUInt32BE(0);
    fs.writeFileSync(u.file('factory.cose'), pack.subarray(4, 4 + len));
    fs.writeFileSync(u.file('factory.bin'), pack.subarray(4 + len));
    fs.writeFileSync(u.file('initial-password'), u.initial + '\n', { mode: 0o600 });
    fs.writeFileSync(u.file('enrol-code'), 'code-of-this-unit\n', { mode: 0o600 });
    fs.writeFileSync(u.file('declaration.json'), JSON.stringify(this.declaration(declaration)));
    fs.writeFileSync(u.file('agent.json'), JSON.stringify({
      state_dir: u.file('state'), listen: u.address, port, serial: u.serial, enrol_code_file: u.file('enrol-code'),
      initial_password_file: u.file('initial-password'), declaration: u.file('declaration.json'), report_interval_s: 1,
      factory: { image: u.file('factory.bin'), manifest: u.file('factory.cose') },
      ...(platform ? { platform } : {}), ...conf,
    }));
    this.units.push(u);
    return u;
  }

  async end() {
    for (const u of this.units) await u.stop();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

export class Unit {
  constructor(kit, addr, serial, defects) {
    Object.assign(this, { kit, address: addr, serial, defects, port, dir: kit.file(serial), token: null });
    this.initial = 'plate-' + randomBytes(8).toString('hex');
    this.password = 'a long word of my own';
    this.agent = new https.Agent({ keepAlive: false, rejectUnauthorized: false });
  }

  file(name) { return path.join(this.dir, name); }

  spawn() {
    const args = ['--config', this.file('agent.json')];
    if (this.defects) args.push('--defect', this.defects);
    const p = spawn(program(this.defects ? 'ctm-agent-flawed' : 'ctm-agent'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.out = this.err = '';
    p.stdout.on('data', (d) => { this.out += d; });
    p.stderr.on('data', (d) => { this.err += d; });
    this.exited = new Promise((done) => p.on('exit', (code, signal) => { this.process = null; done({ code, signal }); }));
    return (this.process = p);
  }

  async start() {
    fs.rmSync(this.file('state/ready'), { force: true });
    this.spawn();
    for (let i = 0; i < 200; i++) {
      if (fs.existsSync(this.file('state/ready'))) return this;
      if (!this.process) throw new Error(`the agent ended: ${this.err}`);
      await sleep(50);
    }
    throw new Error('the agent did not become ready');
  }

  async stop(signal = 'SIGTERM') {
    if (!this.process) return null;
    this.process.kill(signal);
    return this.exited;
  }

  // {status, headers, body (parsed JSON or null), text}
  call(method, url, body, { token = this.token, type, headers = {}, agent = this.agent } = {}) {
    const data = body === undefined ? null : Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body);
    const h = { ...headers };
    if (token) h.authorization = `Bearer ${token}`;
    if (data !== null) { h['content-type'] = type || 'application/json'; h['content-length'] = Buffer.byteLength(data); }
    return new Promise((done, fail) => {
      const q = https.request({ host: this.address, port, path: url, method, headers: h, agent, timeout: 20000 }, (r) => {
        const parts = [];
        r.on('data', (d) => parts.push(d));
        r.on('error', fail);
        r.on('end', () => {
          const text = Buffer.concat(parts).toString();
          let parsed = null;
          try { parsed = JSON.parse(text); } catch { /* not JSON */ }
          done({ status: r.statusCode, headers: r.headers, body: parsed, text, certificate: r.socket?.getPeerCertificate?.() });
        });
      });
      q.on('error', fail);
      q.on('timeout', () => q.destroy(new Error('timeout')));
      if (data !== null) q.write(data);
      q.end();
    });
  }

  async login(password) {
    const r = await this.call('POST', '/ctm/v1/session', { password }, { token: null });
    if (r.status === 200) this.token = r.body.token;
    return r;
  }

  // As the owner would: printed password, own password.
  async own() {
    await this.login(this.initial);
    const r = await this.call('PUT', '/ctm/v1/password', { old: this.initial, new: this.password });
    if (r.status !== 204) throw new Error(`password: ${r.status} ${r.text}`);
    return this;
  }

  update(pack, o) { return this.call('POST', '/ctm/v1/update', pack, { type: 'application/ctm-update', ...o }); }

  async state() { return (await this.call('GET', '/ctm/v1/state')).body; }

  async events() { return (await this.call('GET', '/ctm/v1/log')).body.entries.map((e) => e.event); }
}

// EST (RFC 7030) as a service sees and answers it: the body of simpleenroll as a PEM request, a certificate as a certs-only answer.
export const estRequest = (body) => `-----BEGIN CERTIFICATE REQUEST-----\n${body.replace(/\s/g, '').match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
export function estAnswer(pem) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ctm-est-')), file = path.join(dir, 'one.pem');
  fs.writeFileSync(file, pem);
  const r = spawnSync('openssl', ['crl2pkcs7', '-nocrl', '-certfile', file, '-outform', 'DER']);
  fs.rmSync(dir, { recursive: true });
  if (r.status !== 0) throw new Error(r.stderr.toString());
  return r.stdout.toString('base64').replace(/(.{64})/g, '$1\r\n');
}

export const sha256 = (b) => createHash('sha256').update(b).digest('hex');

export const SIMPLE = '/.well-known/est/simpleenroll', BEAT = '/d/v1/heartbeat';

// A maker's service of its own: a CA by openssl, HTTPS that asks for client certificates.
export class Service {
  constructor(kit, name) {
    this.dir = fs.mkdtempSync(kit.file(`service-${name}-`));
    this.calls = [];
    this.refuse = 0;
    this.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30', '-subj', '/CN=Bench CA');
    this.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost');
    this.openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '30', '-copy_extensions', 'copy', '-out', 'server.pem');
  }

  openssl(...args) {
    const r = spawnSync('openssl', args, { cwd: this.dir, encoding: 'utf8' });
    if (r.status !== 0) throw new Error(r.stderr);
  }

  read(name) { return fs.readFileSync(`${this.dir}/${name}`, 'utf8'); }

  issue(csr) {
    fs.writeFileSync(`${this.dir}/device.csr`, csr);
    this.openssl('req', '-in', 'device.csr', '-verify', '-noout');
    this.openssl('x509', '-req', '-in', 'device.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '30', '-out', 'device.pem');
    return this.read('device.pem');
  }

  async start() {
    this.server = https.createServer({ key: this.read('server.key'), cert: this.read('server.pem'), ca: this.read('ca.pem'), requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' }, (q, r) => {
      const parts = [];
      q.on('data', (d) => parts.push(d));
      q.on('end', () => {
        const bytes = Buffer.concat(parts);
        const est = q.url.startsWith('/.well-known/est/');
        const call = { path: q.url, body: est ? bytes.toString() : uncbor(bytes), user: Buffer.from((q.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString(), certified: q.socket.authorized, subject: q.socket.getPeerCertificate()?.subject };
        this.calls.push({ ...call, bytes });
        if (this.fault?.(q, r)) return;          // a test answers in its own way
        if (this.refuse) { r.writeHead(this.refuse); r.end(); return; }
        if (est) r.end(estAnswer(this.issue(this.swap ?? estRequest(call.body))));
        else r.end('{}');
      });
    });
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    return this;
  }

  platform(ca = `${this.dir}/ca.pem`) { return { url: `https://localhost:${this.server.address().port}`, ca, connect: '127.0.0.1' }; }

  async until(what, ms = 8000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(30)) { const c = this.calls.filter(what); if (c.length) return c; }
    throw new Error(`no such call; had ${JSON.stringify(this.calls.map((c) => c.path))}`);
  }

  stop() { this.server.closeAllConnections(); this.server.close(); }
}
