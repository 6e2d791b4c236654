// SPDX-License-Identifier: Apache-2.0
// What `meson install` leaves is a working ctm: programs, rules, services, manual pages, completion.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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
  await t.test('there is a manual page for each page that packaging lists, and each is sound roff', () => {
    const dir = join(prefix, 'share/man/man1'), pages = readdirSync(dir);
    assert.ok(pages.length >= 20, String(pages));
    const groff = existsTool('groff');
    for (const p of pages) {
      assert.match(readFileSync(join(dir, p), 'utf8'), /^\.TH "?CTM/, p);
      if (groff) assert.equal(run(groff, ['-man', '-ww', '-z', join(dir, p)]).err, '', p);
    }
  });
  await t.test('services name installed programs, hold no unknown setting, and are exposed at 2.0 at most', async (tt) => {
    const dir = join(prefix, 'lib/systemd/system'), units = readdirSync(dir);
    assert.deepEqual(units.sort(), ['ctm-agent.service', 'ctm-edge.service', 'ctm-signer.service', 'ctm.service']);
    for (const u of units) {
      const program = /^ExecStart=(\S+)/m.exec(readFileSync(join(dir, u), 'utf8'))[1];
      assert.ok(existsSync(program.startsWith('/usr/sbin') ? program : join(dest, program)) || program.endsWith('/nginx'), program);
    }
    const analyze = existsTool('systemd-analyze');
    if (!analyze) return tt.skip('systemd-analyze is not installed');
    for (const u of units) {
      const r = run(analyze, ['security', '--offline=true', '--no-pager', join(dir, u)], { env: { ...process.env, LC_ALL: 'C' } });
      const level = /exposure level for \S+: ([0-9.]+)/.exec(r.out);
      assert.ok(level, r.out + r.err);
      assert.ok(Number(level[1]) <= 2.0, `${u}: ${level[1]}\n${r.out}`);
      assert.doesNotMatch(r.err, /unknown|failed to parse|invalid/i, u);
    }
  });
  await t.test('users, directories and log rotation come along', () => {
    assert.match(readFileSync(join(prefix, 'lib/sysusers.d/ctm.conf'), 'utf8'), /^u ctm /m);
    assert.match(readFileSync(join(prefix, 'lib/tmpfiles.d/ctm.conf'), 'utf8'), /^d \/var\/lib\/ctm 0700 ctm ctm/m);
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
});
