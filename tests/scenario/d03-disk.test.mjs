// SPDX-License-Identifier: Apache-2.0
// Storage in trouble: full, read-only, slow. Each answer is 503 with Retry-After, as a plain page for people; nothing half written stays; and
// when the trouble ends the platform goes on by itself, without a restart.
//
// Full and read-only are real: the state directory lies on a small tmpfs (needs the right to mount; skipped with the reason otherwise).
// tmpfs gives ENOSPC and EROFS where a disk would, but no delayed allocation and no I/O errors of a dying disk: those are not shown.
// Slow: a device mapper that delays is not there on every machine, so the wait is made where a slow disk makes it felt, at the
// commit: another program holds the store's write lock, as `ctm backup` does for an instant. That shows that writers wait in a bounded
// queue, that readers do not, and that whoever waits too long is told so; it does not show a slow read.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, tempDir, until } from './kit.mjs';
import { PRODUCT, Site, exchange, sql } from './load_kit.mjs';

let n = 0;
const org = (s) => s.api('POST', '/api/v1/organisations', { kind: 'maker', name: 'Example (fictional)', slug: `disk-${++n}`, contact: '', facts: {} });
const upload = (s, bytes) => s.api('POST', `/api/v1/products/${PRODUCT}/documents?kind=user_guide&title=Guide${++n}&visibility=case`, Buffer.alloc(bytes, `%PDF-1.4 ${n} `), s.maker);
const orgs = (s) => sql(s.state, "SELECT group_concat(slug) FROM (SELECT slug FROM organisation WHERE slug LIKE 'disk-%' ORDER BY created_ms, id);");

const troubled = (r, what) => {
  assert.equal(r.status, 503, `${what}: ${r.status} ${r.text}`);
  assert.ok(Number(r.headers['retry-after']) > 0, `${what}: no Retry-After`);
  assert.match(r.text, /"detail":"[^"]{10,}"/, what);
};

// Somebody with a browser uses a one-time link.
const signIn = (s, token) => exchange(s.where, undefined, 'POST', '/signin', { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html', Origin: `http://localhost:${s.port}`,
  Host: `localhost:${s.port}` }, Buffer.from(`token=${token}`));

async function onSmallDisk(t, mib) {
  const dir = mkdtempSync(join(tmpdir(), 'ctm-disk-')), mount = join(dir, 'mnt');
  mkdirSync(mount);
  const m = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m,mode=0700`, 'tmpfs', mount]);
  if (m.status !== 0) {
    rmSync(dir, { recursive: true });
    t.skip(`a small disk cannot be mounted here: ${m.stderr?.toString().trim() || m.error?.message}`);
    return null;
  }
  const s = new Site(dir, join(mount, 'var'));
  t.after(async () => { await s.stop(); spawnSync('umount', ['-R', mount]); rmSync(dir, { recursive: true, force: true }); });
  await s.init({ units: 1 });
  await s.startSigner();
  await s.startServe();
  await s.settle();
  s.mount = mount;
  return s;
}

const fill = (s) => {
  const f = join(s.mount, 'ballast');
  for (let size = 1 << 20; size >= 512; size /= 2)
    try { for (;;) writeFileSync(f, Buffer.alloc(size), { flag: 'a' }); } catch { /* no room for a piece of this size */ }
  assert.equal(statfsSync(s.mount).bavail, 0);
};

test('a full disk: 503, nothing half written, reading goes on, recovery by itself', { timeout: 60000 }, async (t) => {
  const s = await onSmallDisk(t, 24);
  if (!s) return;
  assert.equal((await org(s)).status, 200);
  const before = orgs(s), blobs = readdirSync(join(s.state, 'blobs'), { recursive: true }).length;
  const link = JSON.parse(run('ctm', ['user', 'link', '--state', s.state, '--operator', '--json']).out);
  fill(s);
  let refused = 0;
  for (let i = 0; i < 40 && refused < 3; i++) {
    const r = await org(s);              // the write-ahead log may still have room that it owns already
    if (r.status !== 200) { troubled(r, 'organisation'); refused++; }
  }
  assert.equal(refused, 3, 'the disk is full and nobody was refused');
  troubled(await upload(s, 100000), 'upload');
  const b = await s.report(s.units[0], ++s.units[0].sent);
  if (b.status >= 300) troubled(b, 'report');
  const html = await signIn(s, link.token);
  assert.equal(html.status, 503, html.text);
  assert.ok(Number(html.headers['retry-after']) > 0);
  assert.match(html.headers['content-type'], /text\/html/);
  assert.match(html.text, /<h1>/);
  assert.doesNotMatch(html.text, /sqlite|errno|ENOSPC|\.c:\d/i);
  const me = await s.api('GET', '/api/v1/me'), list = await s.api('GET', '/api/v1/organisations');
  assert.equal(me.status, 200, 'reading stopped');
  assert.equal(list.status, 200);
  assert.equal((await s.api('GET', '/healthz', undefined, null)).status, 200);
  assert.equal(readdirSync(join(s.state, 'blobs'), { recursive: true }).length, blobs, 'a piece of an upload was left');
  assert.ok(orgs(s).startsWith(before));

  rmSync(join(s.mount, 'ballast'));
  await until('recovery without a hand', async () => (await org(s)).status === 200, 5000);
  assert.ok((await upload(s, 1000)).status < 300);
  assert.equal((await signIn(s, link.token)).status, 303, 'the link was used up by the refusal');
  assert.equal((await s.report(s.units[0], ++s.units[0].sent)).status, 200);
  await s.stop();
  const f = s.fsck();
  assert.equal(f.code, 0, f.out + f.err);
});

test('a disk that is read-only: 503, reading goes on, recovery by itself; a start says why not', { timeout: 60000 }, async (t) => {
  const s = await onSmallDisk(t, 24);
  if (!s) return;
  assert.equal((await org(s)).status, 200);
  // The kernel lets nobody turn a file system read-only under files that are open for writing, as the database is. So the files' directory
  // turns while the platform runs (a mount of itself), and the whole disk before a start.
  const blobs = join(s.state, 'blobs'), turn = (how) => assert.equal(spawnSync('mount', ['-o', `remount,bind,${how}`, blobs]).status, 0, how);
  await s.serve.stop();
  assert.equal(spawnSync('mount', ['--bind', blobs, blobs]).status, 0);
  await s.startServe();
  turn('ro');
  troubled(await upload(s, 5000), 'upload');
  assert.equal((await org(s)).status, 200, 'what needs no file goes on');
  turn('rw');
  assert.ok((await upload(s, 5000)).status < 300, 'recovery without a hand');

  await s.stop();
  assert.equal(spawnSync('umount', [blobs]).status, 0);
  await s.stop();
  assert.equal(spawnSync('mount', ['-o', 'remount,ro', s.mount]).status, 0);
  await assert.rejects(s.startServe(), (e) => { assert.match(e.message, /ctm serve: .*(cannot be|read-only|may not)/i); return true; });
  assert.equal(await s.serve.done, 3);
  assert.equal(spawnSync('mount', ['-o', 'remount,rw', s.mount]).status, 0);
  await s.startSigner();
  await s.startServe();
  assert.equal((await org(s)).status, 200);
});

test('a store that is slow to commit: writers wait in a bounded queue, readers do not, and all is answered', { timeout: 60000 }, async (t) => {
  const s = await new Site(tempDir(t, 'ctm-slow-')).init({ units: 1 });
  t.after(() => s.stop());
  await s.startSigner();
  await s.startServe();
  await s.settle();
  const hold = spawn('sqlite3', ['-batch', join(s.state, 'ctm.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => hold.kill('SIGKILL'));
  hold.stdin.write("BEGIN IMMEDIATE;\nSELECT 'held';\n");
  await new Promise((ok) => hold.stdout.once('data', ok));
  const at = Date.now(), writes = Array.from({ length: 400 }, () => org(s));
  await new Promise((r) => setTimeout(r, 200));
  const read = await s.api('GET', '/api/v1/me');
  assert.equal(read.status, 200);
  assert.ok(Date.now() - at < 3000, `a reader waited ${Date.now() - at} ms behind the writers`);
  await new Promise((r) => setTimeout(r, 1000));
  hold.stdin.end('ROLLBACK;\n');
  const answers = await Promise.all(writes), yes = answers.filter((r) => r.status === 200).length;
  for (const r of answers) if (r.status !== 200) troubled(r, 'a write beyond the queue');
  assert.ok(yes >= 100, `${yes} of 400 were taken`);
  assert.equal(Number(sql(s.state, "SELECT count(*) FROM organisation WHERE slug LIKE 'disk-%';")) >= yes, true);
  await until('recovery', async () => (await org(s)).status === 200, 8000);
});
