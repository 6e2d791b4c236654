// SPDX-License-Identifier: Apache-2.0
// Clients of the device port: certificates of every kind made with the openssl tool, and connections that say what they saw.
import { writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import https from 'node:https';
import http2 from 'node:http2';
import tls from 'node:tls';
import { existsTool, run } from './kit.mjs';

const openssl = (args, opts) => {
  const r = run(existsTool('openssl'), args, opts);
  if (r.code !== 0) throw new Error(`openssl ${args[0]}: ${r.err}`);
  return r.out;
};

// A key and a request for a serial: {key, csr, csrFile}.
export function device(dir, name, serial) {
  const keyFile = join(dir, `${name}.key`), csrFile = join(dir, `${name}.csr`);
  openssl(['ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', keyFile]);
  openssl(['req', '-new', '-key', keyFile, '-subj', `/O=Example/CN=${serial}/serialNumber=${serial}`, '-out', csrFile]);
  return { key: readFileSync(keyFile, 'utf8'), csr: readFileSync(csrFile, 'utf8'), csrFile };
}

// A certification authority nobody here knows.
export function strangerCa(dir) {
  const key = join(dir, 'stranger-ca.key'), cert = join(dir, 'stranger-ca.pem');
  openssl(['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert, '-subj', '/CN=Stranger', '-days', '30',
    '-addext', 'keyUsage=critical,keyCertSign']);
  return { key, cert };
}

// A client certificate over a request; days below zero: it has ended already.
export function issue(dir, ca, csrFile, days = 30) {
  const out = `${csrFile}.${days}.pem`, ext = join(dir, 'client.ext');
  writeFileSync(ext, 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n');
  openssl(['x509', '-req', '-in', csrFile, '-CA', ca.cert, '-CAkey', ca.key, '-set_serial', `0x${Date.now().toString(16)}`, '-days', String(days), '-extfile', ext, '-out', out]);
  return readFileSync(out, 'utf8');
}

// One exchange over HTTP/1.1; `who` is {key, cert} or nothing.
export function ask(port, ca, path, { method = 'GET', who = {}, headers = {}, body } = {}) {
  return new Promise((ok, no) => {
    const q = https.request({ host: '127.0.0.1', servername: 'localhost', port, path, method, headers, ca, ...who, agent: false, timeout: 20000 }, (r) => {
      let text = '';
      r.on('data', (b) => { text += b; });
      r.on('end', () => ok({ status: r.statusCode, headers: r.headers, raw: r.rawHeaders, text, get json() { return JSON.parse(text); } }));
    });
    q.on('error', no);
    q.on('timeout', () => q.destroy(new Error('time-out')));
    q.end(body);
  });
}

// A TLS handshake alone: {protocol, alpn, reused, session}; throws when it is refused.
export function handshake(port, ca, options = {}) {
  return new Promise((ok, no) => {
    let session;
    const s = tls.connect({ host: '127.0.0.1', servername: 'localhost', port, ca, ...options });
    s.on('session', (x) => { session = x; });
    s.on('error', no);
    s.on('secureConnect', () => s.write('GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'));
    s.on('data', () => {});
    s.on('close', () => ok({ protocol: said.protocol, alpn: said.alpn, reused: said.reused, session }));
    const said = {};
    s.on('secureConnect', () => Object.assign(said, { protocol: s.getProtocol(), alpn: s.alpnProtocol, reused: s.isSessionReused() }));
  });
}

// One exchange over HTTP/2.
export function ask2(port, ca, path, who = {}) {
  return new Promise((ok, no) => {
    const c = http2.connect(`https://localhost:${port}`, { ca, ...who, createConnection: () => tls.connect({ host: '127.0.0.1', port, servername: 'localhost', ca, ...who, ALPNProtocols: ['h2'] }) });
    c.on('error', no);
    const q = c.request({ ':path': path });
    let status, text = '';
    q.on('response', (h) => { status = h[':status']; });
    q.on('data', (b) => { text += b; });
    q.on('end', () => { c.close(); ok({ status, text, alpn: c.alpnProtocol }); });
    q.on('error', no);
    q.end();
  });
}

// A maker with one built unit; answers the maker's token and the unit's serial and code.
export async function maker(p) {
  const op = await p.operator();
  const made = async (token, path, body) => {
    const r = await p.call(token, 'POST', path, body);
    assert.ok([200, 201].includes(r.status), `${path}: ${r.status} ${r.text}`);
    return r.json;
  };
  const org = await made(op, '/api/v1/organisations', { kind: 'maker', name: 'Larkspur Porchworks (fictional)', slug: 'larkspur', contact: 'a@larkspur.example' });
  const person = await made(op, '/api/v1/people', { name: 'Pat Example', email: 'pat@larkspur.example' });
  await p.call(op, 'POST', '/api/v1/memberships', { person_id: person.id, org_id: org.id, role: 'maker.owner' });
  const link = await made(op, `/api/v1/people/${person.id}/link`, { org_id: org.id });
  const token = await p.signIn(link.token);
  const product = await made(token, '/api/v1/products', { name: 'Porch Camera', model: 'PC-1', category: 'camera', intended_use: 'homes' });
  const component = await made(token, `/api/v1/products/${product.id}/components`, { kind: 'device', name: 'camera' });
  const unit = { serial: 'PC1-000777', code: 'plum-otter-4711-sail' };
  await made(token, `/api/v1/components/${component.id}/units`, unit);
  return { token, component: component.id, product: product.id, ...unit };
}

export const report = (seq) => ({ seq, version: { claimed: '1.0.0', booted: '1.0.0', verified: '1.0.0' }, boot_counter: 1, health: 'likely-normal', metrics: {} });
