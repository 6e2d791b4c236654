// SPDX-License-Identifier: Apache-2.0
// ./bench: numbers measured on the production build, each as a median and as a ratio to its limit or peer in the same run.
import { closeSync, existsSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir, cpus } from 'node:os';
import { join } from 'node:path';
import http from 'node:http';
import { spawnSync } from 'node:child_process';
import { edgeNumbers } from './edge.mjs';
import { deltas } from './delta.mjs';
import { agentAtRest } from './agent.mjs';
import { ROOT, BUILD, start, run, freePort, until, request, existsTool } from '../scenario/kit.mjs';

const median = (a) => a.slice().sort((x, y) => x - y)[a.length >> 1];
const rows = [];
const row = (what, value, unit, limit, peer) => {
  rows.push(1);
  console.log(`${what.padEnd(78)} ${value.toFixed(value < 10 ? 2 : 1).padStart(9)} ${unit.padEnd(3)}  ${(value / limit).toFixed(2).padStart(6)} of ${peer}`);
};
const ms = (fn) => { const t = process.hrtime.bigint(); fn(); return Number(process.hrtime.bigint() - t) / 1e6; };

const part = (a, q) => a.slice().sort((x, y) => x - y)[Math.min(a.length - 1, Math.floor(a.length * q))];

// What one fdatasync costs on the disk the state directory lies on: the floor under every durable answer of this run.
function syncs(where) {
  const file = join(where, 'sync'), fd = openSync(file, 'w'), block = Buffer.alloc(4096), a = [];
  writeSync(fd, Buffer.alloc(2 << 20));      // written over afterwards, as the write-ahead log is
  fdatasyncSync(fd);
  for (let i = 0; i < 301; i++) { writeSync(fd, block, 0, 4096, i * 4096); a.push(ms(() => fdatasyncSync(fd))); }
  closeSync(fd);
  rmSync(file);
  return a;
}

// Durable changes through the API (an organisation each, with its audit line) on `width` kept connections for `seconds`.
async function writes(token, width, seconds) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: width }), took = [], end = Date.now() + seconds * 1000;
  let odd = 0;
  const one = (slug) => new Promise((ok, no) => {
    const body = JSON.stringify({ kind: 'maker', name: `Example ${slug} (fictional)`, slug, contact: '', facts: {} });
    const q = http.request({ host: '127.0.0.1', port, agent, method: 'POST', path: '/api/v1/organisations',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } }, (r) => { r.resume(); r.on('end', () => ok(r.statusCode)); });
    q.on('error', no);
    q.end(body);
  });
  const begun = process.hrtime.bigint();
  await Promise.all(Array.from({ length: width }, async (_, w) => {
    for (let n = 0; Date.now() < end; n++) {
      const t = process.hrtime.bigint();
      if (await one(`bench-${width}-${w}-${n}`) === 200) took.push(Number(process.hrtime.bigint() - t) / 1e6);
      else odd++;
    }
  }));
  agent.destroy();
  if (odd || !took.length) throw new Error(`${odd} writes were refused, ${took.length} answered`);
  return { each: Number(process.hrtime.bigint() - begun) / 1e6 / took.length, took };
}

const dir = mkdtempSync(join(tmpdir(), 'ctm-bench-'));
const state = join(dir, 'var'), out = join(dir, 'out'), port = await freePort(), devicePort = await freePort();
let platform;
try {
  console.log(`ctm bench: ${cpus().length} cores, ${cpus()[0].model.trim()}; medians; ratio below 1 is inside the limit`);
  const env = { ...process.env, CTM_STATE: state, CTM_OUT: out, CTM_PORT: String(port), CTM_DEVICE_PORT: String(devicePort), CTM_BUILD: BUILD };
  platform = start(join(ROOT, 'run'), [], { env, cwd: ROOT });
  await until('the demonstration', () => platform.log.includes('Serving until') || platform.exitCode !== null, 240000);
  if (platform.exitCode !== null) throw new Error(platform.log);

  const walk = Number(/The whole way in ([\d.]+) s/.exec(platform.log)[1]);
  row('demonstration, first start', walk, 's', 60, '60 s');
  for (const [what, re] of [['evaluation of the camera, all checks', /runs the checks on the live device.*?([\d.]+) s$/m], ['evaluation of the flawed twin', /same checks on the twin.*?([\d.]+) s$/m],
    ['evaluation of the corrected camera', /evaluates the corrected product.*?([\d.]+) s$/m]])
    row(what, Number(re.exec(platform.log)[1]), 's', 20, '20 s');
  const shown = [...platform.log.matchAll(/public page shows \w+ after (\d+) ms/g)].map((m) => Number(m[1]));
  row('decision to public page (suspend, reinstate, withdraw)', median(shown), 'ms', 1000, '1 s');

  const proof = join(out, 'label.proof'), trust = join(state, 'trust.json');
  const verify = [], nothing = [];
  for (let i = 0; i < 51; i++) {
    verify.push(ms(() => { if (run('ctm-verify', [proof, '--trust', trust]).code !== 0) throw new Error('proof refused'); }));
    nothing.push(ms(() => spawnSync('/bin/true')));
  }
  row('ctm verify label.proof, process start included', median(verify), 'ms', 20, '20 ms');
  row('  of which starting any process (/bin/true)', median(nothing), 'ms', median(verify), 'ctm verify');
  const openssl = existsTool('openssl');
  if (openssl) {
    const version = [];
    for (let i = 0; i < 21; i++) version.push(ms(() => spawnSync(openssl, ['dgst', '-sha256', proof])));
    row('  peer: openssl dgst -sha256 of the same file', median(version), 'ms', median(verify), 'ctm verify');
  }

  const page = JSON.parse(readFileSync(join(state, 'demo/state.json')))['record.1.0.1'];
  const gets = [];
  for (let i = 0; i < 101; i++) { const t = process.hrtime.bigint(); await request(`http://127.0.0.1:${port}/p/${page}`); gets.push(Number(process.hrtime.bigint() - t) / 1e6); }
  row('public product page, one request', median(gets), 'ms', 50, '50 ms');

  const sync = syncs(state), link = JSON.parse(run('ctm', ['user', 'link', '--state', state, '--operator', '--json']).out);
  const { token } = (await request(`http://127.0.0.1:${port}/api/v1/signin`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token: link.token }) })).json;
  row('fdatasync of 4 KiB, median', median(sync), 'ms', 5, '5 ms');
  row('fdatasync of 4 KiB, p99', part(sync, 0.99), 'ms', median(sync), 'its median');
  for (const width of [1, 64]) {
    const w = await writes(token, width, 4);
    row(`durable API write, ${width} connection${width > 1 ? 's' : ''}: ${Math.round(1000 / w.each)} a second`, w.each, 'ms', median(sync), 'one fdatasync');
    row('  answered within, median', median(w.took), 'ms', 20, '20 ms');
    row('  answered within, p99', part(w.took, 0.99), 'ms', 20, '20 ms');
  }
  await platform.stop('SIGINT');

  const ready = [];
  for (let i = 0; i < 11; i++) {
    const s = start('ctm-serve', ['--state', state]);
    await until('ready', () => /ready in/.test(s.log), 5000);
    ready.push(Number(/ready in ([\d.]+) ms/.exec(s.log)[1]));
    await s.stop();
  }
  row('ctm serve ready', median(ready), 'ms', 100, '100 ms');
  await edgeNumbers({ dir, state, port, devicePort, page, row, say: (text) => console.log(text) });
  deltas(row);
  await agentAtRest(row);
} finally {
  if (platform) await platform.stop('SIGINT');
  if (existsSync(dir)) rmSync(dir, { recursive: true, force: true });
}
