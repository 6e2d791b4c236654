// SPDX-License-Identifier: Apache-2.0
// Numbers through the edge as `ctm edge nginx` writes it: public files against a plain nginx with the same bytes, reads and durable
// reports of devices with client certificates on 256 kept connections, and what an idle connection costs the platform. The
// load is made by bench_load (load.c) on the same machine; its own share of the processors is printed beside.
import { existsSync, mkdirSync, readFileSync, writeFileSync, copyFileSync } from 'node:fs';
import { cpus, loadavg, userInfo } from 'node:os';
import { join } from 'node:path';
import net from 'node:net';
import { spawn } from 'node:child_process';
import { BUILD, start, run, freePort, until, request, existsTool } from '../scenario/kit.mjs';
import { ask, device } from '../scenario/edge_kit.mjs';

const WIDTH = 256, ROUNDS = 7, SECONDS = Number(process.env.CTM_BENCH_SECONDS ?? 5), CORES = cpus().length;
const median = (a) => a.slice().sort((x, y) => x - y)[a.length >> 1];

// bench_load to its end; what it measured. `ready` is called when its connections stand and the clock starts.
function load(port, ca, args, seconds, ready = () => {}) {
  return new Promise((ok, no) => {
    const p = spawn(join(BUILD, 'tests/bench/bench_load'), ['--connect', `127.0.0.1:${port}`, '--ca', ca, '--connections', String(WIDTH), '--seconds', String(seconds), ...args]);
    let out = '', err = '';
    p.stdout.on('data', (b) => { out += b; });
    p.stderr.on('data', (b) => { if (!err) ready(); err += b; });
    p.on('exit', (code) => {
      const r = code === 0 ? JSON.parse(out) : null;
      if (r && !r.other) ok(r);
      else no(new Error(`bench_load ended with ${code}; ${r?.other ?? 0} answers were not 200; ${err}`));
    });
  });
}

// Seconds of processor time that processes have taken so far.
const cpu = (pids) => pids.reduce((s, p) => {
  const f = readFileSync(`/proc/${p}/stat`, 'utf8').split(') ')[1].split(' ');
  return s + (Number(f[11]) + Number(f[12])) / 100;
}, 0);
const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

// An nginx that does nothing but serve two files, with the same TLS; and, as the floor under everything dynamic, /floor passes
// to a socket behind which the same nginx answers one line at once.
async function plainNginx(dir, state, names) {
  const port = await freePort(), at = join(dir, 'plain');
  mkdirSync(join(at, 'logs'), { recursive: true });
  for (const n of names) copyFileSync(join(state, 'public/p', n), join(at, n));
  writeFileSync(join(at, 'nginx.conf'), `daemon off; user ${userInfo().username}; worker_processes 2; worker_rlimit_nofile 8192; pid nginx.pid; error_log logs/error.log;
events { worker_connections 2048; }
http {
  types { text/html html; application/json json; }
  access_log off; sendfile on; keepalive_requests 100000;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port} ssl http2; ssl_certificate ${state}/edge/server.pem; ssl_certificate_key ${state}/edge/server.key;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:plain:2m; ssl_session_tickets off;
    root ${at};
    location = /floor { proxy_pass http://floor; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
  upstream floor { server unix:${at}/floor.sock; keepalive ${WIDTH}; keepalive_requests 100000; }
  server { listen unix:${at}/floor.sock; default_type application/json; return 200 '{"seq":1,"next_s":60}'; }
}
`);
  const nginx = start(existsTool('nginx'), ['-p', at, '-c', 'nginx.conf', '-e', 'stderr']);
  await until('plain nginx', () => existsSync(join(at, 'nginx.pid')));
  return { nginx, port };
}

// A maker with `n` enrolled units; their certificates and keys as DIR/0.pem, 1.pem, ...
async function fleet(p, n, dir) {
  const call = async (token, path, body) => {
    const r = await request(`http://127.0.0.1:${p.port}${path}`, { method: 'POST', headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    if (![200, 201].includes(r.status)) throw new Error(`${path}: ${r.status} ${r.text}`);
    return r.json;
  };
  const signIn = async (token) => (await call(null, '/api/v1/signin', { token })).token;
  const op = await signIn(JSON.parse(run('ctm', ['user', 'link', '--state', p.state, '--operator', '--json']).out).token);
  const org = await call(op, '/api/v1/organisations', { kind: 'maker', name: 'Benchwright Lamps (fictional)', slug: 'benchwright', contact: 'a@benchwright.example' });
  const person = await call(op, '/api/v1/people', { name: 'Pat Bench', email: 'pat@benchwright.example' });
  await call(op, '/api/v1/memberships', { person_id: person.id, org_id: org.id, role: 'maker.owner' });
  const maker = await signIn((await call(op, `/api/v1/people/${person.id}/link`, { org_id: org.id })).token);
  const product = await call(maker, '/api/v1/products', { name: 'Bench Lamp', model: 'BL-1', category: 'lamp', intended_use: 'homes' });
  const component = await call(maker, `/api/v1/products/${product.id}/components`, { kind: 'device', name: 'lamp' });
  for (let i = 0; i < n; i++) {
    const serial = `BL1-${String(i).padStart(6, '0')}`, code = `bench-lamp-${10000 + i}`, own = device(dir, `unit${i}`, serial);
    await call(maker, `/api/v1/components/${component.id}/units`, { serial, code });
    const r = await ask(p.devicePort, p.ca, '/d/v1/enrol', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ serial, code, csr: own.csr }) });
    if (r.status !== 200) throw new Error(`enrol: ${r.status} ${r.text}`);
    writeFileSync(join(dir, `${i}.pem`), r.json.certificate + own.key);
  }
}

// Private memory of a process in bytes.
const memory = (pid) => 1024 * Number(/Pss_Anon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);

// Kept connections of the people's port, each of which asked once: bytes that each costs the platform.
async function idle(port, pid) {
  const open = () => new Promise((ok, no) => {
    const s = net.connect(port, '127.0.0.1', () => s.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    s.on('data', () => ok(s));
    s.on('error', no);
  });
  const all = [];
  for (let i = 0; i < 100; i++) all.push(await open());
  const before = memory(pid);
  for (let i = 0; i < 400; i++) all.push(await open());
  const each = (memory(pid) - before) / 400;
  for (const s of all) s.destroy();
  return each;
}

// What a load took of an nginx beside what it measured: microseconds of processor time per request.
async function timed(nginx, port, ca, path) {
  let before;
  const r = await load(port, ca, ['--path', path], 1, () => { before = cpu(children(nginx.pid)); });
  return { ...r, each: (cpu(children(nginx.pid)) - before) * 1e6 / r.requests };
}

// One kind of request through the edge: {rate, p50_ms, p99_ms, of each party: microseconds of processor time per request}.
async function through(p, ca, args) {
  let before;
  const now = () => [cpu([p.serve.pid]), cpu(children(p.nginx.pid))];
  const r = await load(p.devicePort, ca, args, SECONDS, () => { before = now(); });
  const after = now(), took = [after[0] - before[0], after[1] - before[1], r.cpu_s];
  return { ...r, each: took.map((s) => s * 1e6 / r.requests), share: took.map((s) => s / (r.seconds * CORES)) };
}

const REPORT = '{"seq":@,"version":{"claimed":"1.0.0","booted":"1.0.0","verified":"1.0.0"},"boot_counter":1,"health":"likely-normal","metrics":{"uptime_s":86400,"temperature_c":31.5}}';

// `state` is a state directory with at least one public record; `row` prints.
export async function edgeNumbers({ dir, state, port, devicePort, page, row, say }) {
  const conf = JSON.parse(readFileSync(join(state, 'ctm.json')));
  writeFileSync(join(state, 'ctm.json'), JSON.stringify({ ...conf, edge: { device_rate: 100000, public_rate: 100000, connections: 2000 } }));
  const units = join(dir, 'units'), caFile = join(dir, 'device-ca.pem'), started = [];
  const p = { state, port, devicePort, ca: JSON.parse(readFileSync(join(state, 'trust.json'))).device_ca };
  mkdirSync(units);
  writeFileSync(caFile, p.ca);
  try {
    started.push(start('ctm', ['signer', '--state', state]));
    const written = run('ctm', ['edge', 'nginx', '--state', state]);
    if (written.code !== 0) throw new Error(written.err);
    started.push(p.serve = start('ctm-serve', ['--state', state]));
    await until('the platform', async () => (await request(`http://127.0.0.1:${port}/healthz`)).status === 200);
    started.push(p.nginx = start(existsTool('nginx'), ['-p', join(state, 'edge'), '-c', 'nginx.conf', '-e', 'stderr']));
    await until('the edge', () => existsSync(join(state, 'edge/nginx.pid')));
    row(`idle connection of the people's port, memory of the platform`, await idle(port, p.serve.pid), 'B', 10000, '10 KB');

    const plain = await plainNginx(dir, state, [`${page}.html`, `${page}.json`]);
    started.push(plain.nginx);
    for (const [what, path, file] of [['page', `/p/${page}`, `/${page}.html`], ['JSON', `/p/${page}.json`, `/${page}.json`]]) {
      const pairs = [];
      for (let i = 0; i < ROUNDS; i++)      // turn about, so that what else the machine does falls on both
        pairs.push([await timed(p.nginx, devicePort, caFile, path), await timed(plain.nginx, plain.port, caFile, file)]);
      const of = (n, key) => median(pairs.map((r) => r[n][key]));
      row(`public ${what} through the edge: ${Math.round(of(0, 'rate'))} a second; plain nginx ${Math.round(of(1, 'rate'))}`, median(pairs.map(([us, them]) => them.rate / us.rate)), 'x', 1 / 0.9, '1/0.9: as slow as it may be');
      row('  processor time of nginx per request', of(0, 'each'), 'us', of(1, 'each'), `plain nginx (${of(1, 'each').toFixed(1)} us)`);
    }

    await fleet(p, WIDTH, units);
    for (const [what, limit, args] of [
      ['JSON read of one row, device certificate', 25000, ['--path', '/d/v1/state']],
      ['durable report, device certificate', 20000, ['--path', '/d/v1/state', '--method', 'POST', '--body', REPORT, '--number', String(Date.now())]]]) {
      // The floor is measured before and after, so that what else the machine does falls on both.
      const floor = [], floors = async () => { for (let i = 0; i < 3; i++) floor.push(await timed(plain.nginx, plain.port, caFile, '/floor')); };
      await floors();
      const r = await through(p, caFile, ['--units', units, ...args]);
      await floors();
      const least = median(floor.map((f) => f.rate)), work = median(floor.map((f) => f.each + f.cpu_s * 1e6 / f.requests)), all = r.each.reduce((x, y) => x + y), there = 1e6 * CORES / limit;
      row(`${what}, ${WIDTH} connections: ${Math.round(r.rate)} a second`, 1e6 / r.rate, 'us', 1e6 / limit, `1/${limit} s`);
      row(`  floor: plain nginx passing to one that answers at once: ${Math.round(least)} a second`, 1e6 / least, 'us', 1e6 / limit, `1/${limit} s`);
      row('  answered within, median', r.p50_ms, 'ms', 20, '20 ms');
      row('  answered within, p99', r.p99_ms, 'ms', 20, '20 ms');
      row(`  processor time per request, all parties (at the floor ${work.toFixed(1)} us)`, all, 'us', there, `the ${there} us there are`);
      ['platform', 'edge (nginx)', 'load tool'].forEach((who, i) => row(`    ${who}, ${Math.round(100 * r.share[i])} % of the machine`, r.each[i], 'us', all, 'all'));
    }
    say(`(load average ${loadavg()[0].toFixed(1)} on ${CORES} cores; what runs beside takes from every number above)`);
  } finally {
    for (const s of started.reverse()) await s.stop();
  }
}
