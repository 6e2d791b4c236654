// SPDX-License-Identifier: Apache-2.0
// What `meson install` leaves is a working ctm: programs, rules, services, manual pages, completion.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD, existsTool, freePort, prog, request, run, start, tempDir, until } from './kit.mjs';

const lines = (r) => r.out.trim().split(/\s+/).filter(Boolean);

test('an installed tree', { timeout: 180000 }, async (t) => {
  const meson = existsTool('meson');
  if (!meson) return t.skip('meson is not installed');
  const dest = tempDir(t, 'ctm-install-');
  const put = run(meson, ['install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', dest]);
  assert.equal(put.code, 0, put.err + put.out);
  const prefix = join(dest, 'usr/local'), ctm = join(prefix, 'bin/ctm');

  await t.test('programs stand where ctm looks for them; the flawed twin and the demonstration stay out', () => {
    const libexec = readdirSync(join(prefix, 'libexec/ctm'));
    for (const p of ['ctm-serve', 'ctm-admin', 'ctm-signer', 'ctm-lab', 'ctm-parse', 'ctm-render', 'ctm-verify']) assert.ok(libexec.includes(p), p);
    assert.ok(existsSync(join(prefix, 'bin/ctm-agent')));
    for (const p of ['ctm-agent-flawed', 'ctm-demo']) assert.ok(!libexec.includes(p) && !existsSync(join(prefix, 'bin', p)), p);
  });
  await t.test('a platform starts from it and reads the rules that lie beside it', async () => {
    const state = join(dest, 'var'), port = await freePort();
    const init = run(ctm, ['init', '--state', state, '--public-url', `http://localhost:${port}`, '--listen', `127.0.0.1:${port}`, '--device-port', '9', '--origin', 'x/y']);
    assert.equal(init.code, 0, init.err);
    const serve = start(ctm, ['serve', '--state', state]);
    t.after(() => serve.stop());
    await until('serve', async () => (await request(`http://127.0.0.1:${port}/healthz`)).status === 200).catch((e) => { throw new Error(e.message + serve.log); });
    assert.equal((await request(`http://127.0.0.1:${port}/about/catalogue`)).status, 200);
    await serve.stop();
    writeFileSync(join(prefix, 'share/ctm/catalogue/ir8425.json'), '{');
    const broken = run(ctm, ['serve', '--state', state]);
    assert.equal(broken.code, 3);
    assert.match(broken.err, /ir8425/);
  });
  await t.test('there is a manual page for each page that packaging lists, and each is sound roff', (tt) => {
    const pages = ['man1', 'man8'].flatMap((d) => readdirSync(join(prefix, 'share/man', d)).map((f) => join(prefix, 'share/man', d, f)));
    assert.ok(pages.length >= 20, String(pages));
    for (const p of pages) assert.match(readFileSync(p, 'utf8'), /^\.TH "?CTM/m, p);
    const man = existsTool('man'), mandoc = existsTool('mandoc');
    if (man) for (const p of pages) assert.equal(run(man, ['--warnings', '-E', 'UTF-8', '-Tutf8', '-Z', '-l', p], { env: { ...process.env, LC_ALL: 'C.UTF-8', MANROFFSEQ: '' } }).err, '', p);
    // Without a date the same sources give the same page.
    if (mandoc) assert.equal(run(mandoc, ['-T', 'lint', '-W', 'warning', ...pages]).out.split('\n').filter((l) => l && !l.includes('missing date')).join('\n'), '');
    if (!man || !mandoc) tt.skip('man or mandoc is not installed');
  });
  await t.test('services name installed programs, hold no unknown setting, and are exposed no more than their duties ask', (tt) => {
    const dir = join(prefix, 'lib/systemd/system');
    // What systemd counts against each that its duties need: sockets, for the two that devices reach addresses from anywhere, scheduling
    // and limits (the platform limits the programs it runs).
    const most = { 'ctm-agent.service': 1.2, 'ctm-agent-firewall.service': 2.5, 'ctm-edge.service': 1.2, 'ctm-signer.service': 0.3, 'ctm.service': 1.0, 'ctm@.service': 1.0 };
    assert.deepEqual(readdirSync(dir).sort(), Object.keys(most).sort());
    const analyze = existsTool('systemd-analyze');
    for (const [u, limit] of Object.entries(most)) {
      const text = readFileSync(join(dir, u), 'utf8'), program = /^ExecStart=(\S+)/m.exec(text)[1];
      assert.ok(existsSync(program.startsWith('/usr/sbin') ? program : join(dest, program)) || program.endsWith('/nginx'), program);
      if (!analyze) continue;
      const env = { ...process.env, LC_ALL: 'C' };
      const r = run(analyze, ['security', '--offline=true', '--no-pager', join(dir, u)], { env });
      const level = /exposure level for \S+: ([0-9.]+)/.exec(r.out);
      assert.ok(level, r.out + r.err);
      assert.ok(Number(level[1]) <= limit, `${u}: ${level[1]}\n${r.out}`);
      const at = join(dest, u);                   // the same unit with the program where it lies now
      writeFileSync(at, text.replaceAll(program, existsSync(program) ? program : join(dest, program)));
      const v = run(analyze, ['verify', '--man=no', at], { env });
      assert.equal(v.code, 0, `${u}: ${v.err}`);
      assert.equal(v.err.split('\n').filter((l) => l.includes(u) && !/ctm-signer.service|Unit \S+ not found/.test(l)).join('\n'), '', u);
    }
    if (!analyze) tt.skip('systemd-analyze is not installed');
  });
  await t.test('the edge\'s log is rotated, and nginx is told to open a new one', async (tt) => {
    const rotate = existsTool('logrotate');
    if (!rotate) return tt.skip('logrotate is not installed');
    const edge = join(dest, 'edge'), me = run('/bin/sh', ['-c', 'echo $(id -un) $(id -gn)']).out.trim();
    mkdirSync(join(edge, 'logs'), { recursive: true });
    chmodSync(join(edge, 'logs'), 0o700);
    writeFileSync(join(edge, 'logs/error.log'), 'one line\n');
    const nginx = start('/bin/sh', ['-c', 'trap "echo reopened; exit 0" USR1; echo ready; while :; do sleep 0.05; done']);
    t.after(() => nginx.stop('SIGKILL'));
    await until('the stand-in', async () => nginx.log.includes('ready'));
    writeFileSync(join(edge, 'nginx.pid'), `${nginx.pid}\n`);
    const conf = join(dest, 'rotate.conf');
    writeFileSync(conf, readFileSync(join(prefix, 'etc/logrotate.d/ctm'), 'utf8').replaceAll('/var/lib/ctm/edge', edge).replace('su ctm ctm', `su ${me}`).replace('ctm ctm', me), { mode: 0o644 });
    const dry = run(rotate, ['-d', '-s', join(dest, 'rotated'), conf]);
    assert.equal(dry.code, 0, dry.err);
    assert.doesNotMatch(dry.err, /^error/m);
    const r = run(rotate, ['-f', '-s', join(dest, 'rotated'), conf]);
    assert.equal(r.code, 0, r.err);
    assert.equal(readFileSync(join(edge, 'logs/error.log.1'), 'utf8'), 'one line\n');
    assert.equal(readFileSync(join(edge, 'logs/error.log'), 'utf8'), '');
    assert.equal(await nginx.done, 0);
    assert.match(nginx.log, /reopened/);
  });
  await t.test('users, directories and log rotation come along', () => {
    assert.match(readFileSync(join(prefix, 'lib/sysusers.d/ctm-server.conf'), 'utf8'), /^u ctm /m);
    assert.match(readFileSync(join(prefix, 'lib/sysusers.d/ctm-agent.conf'), 'utf8'), /^u ctm-agent /m);
    assert.match(readFileSync(join(prefix, 'lib/tmpfiles.d/ctm-server.conf'), 'utf8'), /^d \/var\/lib\/ctm 0700 ctm ctm/m);
    assert.ok(existsSync(join(prefix, 'etc/logrotate.d/ctm')));
  });
});

test('manual pages and completion know every verb', async (t) => {
  const verbs = lines(run('ctm', ['help', '--words']));
  assert.ok(verbs.length >= 18);
  await t.test('every verb and second word has a page that names its options', () => {
    for (const v of verbs) {
      if (['version', 'parse'].includes(v)) continue;         // no options; `parse` is `sbom` by another name
      const seconds = lines(run('ctm', ['help', '--words', v]));
      for (const words of seconds.length ? seconds.map((s) => [v, s]) : [[v]]) {
        const page = run('ctm', ['help', '--man', ...words]);
        assert.equal(page.code, 0, `${words.join(' ')}: ${page.err}`);
        assert.match(page.out, /^\.TH "CTM-/, words.join(' '));
        const known = lines(run('ctm', [...words, '--help=words'])), help = run('ctm', [...words, '--help']);
        for (const w of known) {
          assert.ok(help.out.includes(w), `${words.join(' ')} ${w}`);
          assert.ok(page.out.includes(w.replaceAll('-', '\\-')), `${words.join(' ')} ${w}`);
        }
      }
    }
  });
  await t.test('the page of ctm lists every verb', () => {
    const page = run('ctm', ['help', '--man']).out;
    for (const v of verbs) assert.ok(page.includes(`.B ${v}\n`), v);
  });
  await t.test('bash completes verbs, second words and options', (tt) => {
    const bash = existsTool('bash');
    if (!bash) return tt.skip('bash is not installed');
    const ask = (...words) => lines(run(bash, ['--norc', '-c', `. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ctm; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'x', join(import.meta.dirname ?? '.', '../../packaging/ctm.bash-completion'), ...words], { env: { ...process.env, PATH: `${prog('ctm').replace(/\/ctm$/, '')}:${process.env.PATH}` } }));
    assert.deepEqual(ask('ctm', 'sig'), ['signer']);
    assert.deepEqual(ask('ctm', 'lab', 'repl'), ['replay']);
    assert.deepEqual(ask('ctm', 'serve', '--po'), ['--port']);
  });
  await t.test('a person at a terminal gets it with the tabulator key', (tt) => {
    const script = existsTool('script');                     // gives bash a terminal
    if (!script || !existsTool('bash')) return tt.skip('bash or script is not installed');
    const typed = `. ${join(import.meta.dirname ?? '.', '../../packaging/ctm.bash-completion')}\nctm sig\t--help\nctm lab repl\t--he\t\nexit\n`;
    const r = run(script, ['-qec', 'bash --norc --noprofile -i', '/dev/null'], { input: typed, timeout: 30000, env: { ...process.env, PATH: `${prog('ctm').replace(/\/ctm$/, '')}:${process.env.PATH}` } });
    assert.match(r.out, /usage: ctm signer /);
    assert.match(r.out, /usage: ctm lab replay /);
  });
});
