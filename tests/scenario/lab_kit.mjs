// SPDX-License-Identifier: Apache-2.0
//
// A bench for the lab's own tests: a maker with a release and specimens, a service that enrols units and serves the maker's public
// site, samples (the sound agent or its flawed twin), and ctm-lab run against them. Everybody in here is invented.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { Kit, program, sha256, sleep, estAnswer, estRequest } from './agent_kit.mjs';

export const VERSION = '1.1.0';
const port = 4443;

export const policy = `How to report: write to security@larkspur.example (contact). Scope: the camera, its app and its service.
We acknowledge a report within three working days. Safe harbour: who reports in good faith is not met with legal action.
We disclose together with you once a fix is out.`;

export class Bench {
  constructor() {
    this.kit = new Kit();
    this.dir = this.kit.dir;
    this.pages = {
      '/.well-known/security.txt': ['text/plain; charset=utf-8', () => `Contact: mailto:security@larkspur.example\nExpires: ${new Date(Date.now() + 90 * 864e5).toISOString()}\nPolicy: ${this.site()}/policy\n`],
      '/policy': ['text/plain', () => policy],
    };
    this.samples = 0;
  }

  file(name) { return path.join(this.dir, name); }
  read(name) { return fs.readFileSync(this.file(name), 'utf8'); }
  site() { return `https://localhost:${this.server.address().port}`; }

  openssl(...args) {
    const r = spawnSync('openssl', args, { cwd: this.dir, encoding: 'utf8' });
    if (r.status !== 0) throw new Error(r.stderr);
  }

  async start() {
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    this.openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30', '-subj', '/CN=Bench CA', '-addext', 'keyUsage=critical,keyCertSign,cRLSign');
    this.openssl('req', ...ec, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost');
    this.openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '30', '-copy_extensions', 'copy', '-out', 'server.pem');
    this.openssl('genpkey', '-algorithm', 'ed25519', '-out', 'lab.pem');
    this.server = https.createServer({ key: this.read('server.key'), cert: this.read('server.pem'), ca: this.read('ca.pem'), requestCert: true, rejectUnauthorized: false }, (q, r) => this.serve(q, r));
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    this.good = this.kit.package(VERSION, 11);
    this.older = this.kit.package('1.0.0', 10);
    this.image = sha256(this.good.subarray(4 + this.good.readUInt32BE(0)));
    fs.writeFileSync(this.file('good.ctmu'), this.good);
    fs.writeFileSync(this.file('older.ctmu'), this.older);
    fs.writeFileSync(this.file('sbom.json'), JSON.stringify(this.sbom()));
    fs.writeFileSync(this.file('product.json'), JSON.stringify({
      id: 'prod-1', name: 'Porch Camera PC-1', model: 'PC-1', maker: { name: 'Larkspur Porchworks (fictional)', contact: 'security@larkspur.example' },
      registry: { support: { end_date: '2031-12-31' } },
      components: [{ id: 'cam', kind: 'device', name: 'PC-1 camera' }, { id: 'svc', kind: 'backend', name: 'Larkspur device service' }, { id: 'app', kind: 'app', name: 'Larkspur Porch app' }],
    }));
    return this;
  }

  sbom(changes = {}) {
    const supplier = { name: 'Larkspur Porchworks (fictional)' };
    return {
      bomFormat: 'CycloneDX', specVersion: '1.5', serialNumber: 'urn:uuid:6f1d7f0a-3a53-4a57-9a54-0c7d5d7b1e10', version: 1,
      metadata: { timestamp: '2026-11-01T09:00:00Z', authors: [{ name: 'build' }], supplier,
        component: { type: 'firmware', 'bom-ref': 'pc1', name: 'PC-1 firmware', version: VERSION, supplier, purl: `pkg:generic/larkspur/pc1@${VERSION}`, hashes: [{ alg: 'SHA-256', content: this.image }] } },
      components: [{ type: 'library', 'bom-ref': 'openssl', supplier, name: 'openssl', version: '3.0.15', purl: 'pkg:generic/openssl@3.0.15' }],
      dependencies: [{ ref: 'pc1', dependsOn: ['openssl'] }], ...changes,
    };
  }

  serve(q, r) {
    const page = this.pages[q.url];
    if (q.method === 'GET') {
      r.writeHead(page ? 200 : 404, { 'content-type': page ? page[0] : 'text/plain' });
      r.end(page ? page[1]() : 'nothing here');
      return;
    }
    let body = '';
    q.on('data', (d) => { body += d; });
    q.on('end', () => {
      if (!q.url.startsWith('/.well-known/est/')) { r.end('{}'); return; }
      fs.writeFileSync(this.file('device.csr'), estRequest(body));
      this.openssl('x509', '-req', '-in', 'device.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '30', '-out', 'device.pem');
      r.end(estAnswer(this.read('device.pem')));
    });
  }

  declaration(changes = {}) {
    return this.kit.declaration({
      version: VERSION,
      data: [{ name: 'recordings', purpose: 'shows who was there', retention: '30 days', deleted_by_reset: true },
        { name: 'porch_name', purpose: 'tells cameras apart', retention: 'until changed', deleted_by_reset: true }],
      destinations: [{ host: 'localhost', port: 1, purpose: 'enrolment and reports' }],
      log: { events: ['login.ok', 'login.failed', 'config.changed', 'update.refused'] }, ...changes,
    });
  }

  // A sample that runs and is enrolled.
  async sample(defects = '') {
    const u = this.kit.unit({ defects, platform: { url: this.site(), ca: this.file('ca.pem'), connect: '127.0.0.1' }, declaration: this.declaration() });
    await u.start();
    for (let i = 0; i < 200 && !fs.existsSync(u.file('state/device-cert')); i++) {
      if (fs.readdirSync(u.file('state')).some((n) => /cert/.test(n))) break;
      await sleep(30);
    }
    await sleep(150);
    return u;
  }

  plan(name, { declaration = {}, args = [] } = {}) {
    fs.writeFileSync(this.file(`${name}.declaration.json`), JSON.stringify(this.declaration(declaration)));
    return this.lab('plan', '--product', this.file('product.json'), '--declaration', this.file(`${name}.declaration.json`), '--out', this.file(`${name}.plan.json`), ...args);
  }

  // Not the synchronous kind: this process serves the maker's site meanwhile.
  lab(...args) {
    return new Promise((done) => {
      const p = spawn(program('ctm-lab'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
      let out = '', err = '';
      p.stdout.on('data', (d) => { out += d; });
      p.stderr.on('data', (d) => { err += d; });
      p.on('exit', (status) => done({ status, out, err }));
    });
  }

  benchFile(name, unit, changes = {}) {
    fs.writeFileSync(this.file(`${name}.bench.json`), JSON.stringify({
      format: 'ctm.bench/1', target: { address: unit.address, port }, control_address: '127.78.1.1',
      nameplate: { serial: unit.serial, model: 'PC-1', initial_password_file: unit.file('initial-password') }, device_ca_file: this.file('ca.pem'),
      specimens: { good: this.file('good.ctmu'), older: this.file('older.ctmu') },
      release: { version: VERSION, image_sha256: this.image, sbom_file: this.file('sbom.json'), support_end: '2031-12-31' },
      site: { url: this.site(), ca_file: this.file('ca.pem'), resolve_ip: '127.0.0.1' },
      operator: 'Tess Tanner', bench_id: 'BENCH-T', lab: { name: 'Tidewater Bench (fictional)', address: '2 Fictional Quay, Exampleton' }, approver: 'Lou Lindgren',
      consent: ['D3', 'D4'], ...changes,
    }));
    return this.file(`${name}.bench.json`);
  }

  // The whole of it on one sample; {status, err, report, verdict(id), bundle}.
  async evaluate(unit, { only = null, bench = {}, declaration = {}, records = [], planArgs = [], runArgs = [] } = {}) {
    const name = `run${++this.samples}`, bundle = this.file(`${name}.bundle`), recordsFile = this.file(`${name}.records.json`);
    const planned = await this.plan(name, { declaration, args: planArgs });
    if (planned.status !== 0) throw new Error(planned.err);
    fs.writeFileSync(recordsFile, JSON.stringify(records));
    const t0 = Date.now();
    const r = await this.lab('run', '--plan', this.file(`${name}.plan.json`), '--bench', this.benchFile(name, unit, bench), '--records', recordsFile,
      '--key', this.file('lab.pem'), '--name', 'Tidewater Bench (fictional)', '--out', bundle, ...(only ? ['--only', only] : []), ...runArgs);
    const result = { ...r, bundle, name, ms: Date.now() - t0 };
    if (r.status === 0) {
      const out = this.file(`${name}.out`);
      const taken = await this.lab('report', bundle, '--out', out);
      if (taken.status !== 0) throw new Error(taken.err);
      result.json = fs.readFileSync(path.join(out, 'report.json'));
      result.report = JSON.parse(result.json);
      result.html = fs.readFileSync(path.join(out, 'report.html'), 'utf8');
      result.check = (id) => result.report.checks.find((c) => c.id === id);
      result.verdict = (id) => result.check(id)?.verdict;
    }
    return result;
  }

  async end() {
    await this.kit.end();
    this.server.closeAllConnections();
    this.server.close();
  }
}
