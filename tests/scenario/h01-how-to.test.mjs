// SPDX-License-Identifier: Apache-2.0
// Every recipe of docs/how-to has ten steps and an example patch over at most three files that applies to this tree; the
// affected unit is built from the patched copy and its test passes.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, existsTool, run, tempDir } from './kit.mjs';

const HOWTO = join(ROOT, 'docs/how-to');
// What of the patched tree is built and run.
const CATALOGUE = 'tests/unit/case/test_case_catalogue';
const AFFECTED = { 'metric': 'tests/unit/http/test_http_metrics', 'clock': CATALOGUE, 'case-row': CATALOGUE };

for (const recipe of readdirSync(HOWTO).filter((f) => f.endsWith('.md')).map((f) => f.slice(0, -3)))
  test(`how-to ${recipe}`, { timeout: 240000 }, (t) => {
    const steps = readFileSync(join(HOWTO, `${recipe}.md`), 'utf8').split('\n').filter((l) => /^\d+\. /.test(l));
    assert.deepEqual(steps.map((l) => parseInt(l, 10)), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const patch = join(HOWTO, 'patches', `${recipe}.patch`);
    const files = readFileSync(patch, 'utf8').split('\n').filter((l) => l.startsWith('+++ b/')).map((l) => l.slice(6));
    assert.ok(files.length >= 1 && files.length <= 3, String(files));
    assert.ok(AFFECTED[recipe], `${recipe}: name the test that shows it`);
    const git = existsTool('git'), meson = existsTool('meson'), ninja = existsTool('ninja');
    if (!git || !meson || !ninja) return t.skip('git, meson or ninja is not installed');
    const copy = tempDir(t, 'ctm-how-to-');
    for (const f of readdirSync(ROOT)) {
      if (/^(build.*|node_modules|var|out|\.git)$/.test(f)) continue;
      cpSync(join(ROOT, f), join(copy, f), { recursive: true, verbatimSymlinks: true });
    }
    const commands = [
      [git, ['apply', '--check', patch]], [git, ['apply', patch]],
      [meson, ['setup', 'b', '-Dbuildtype=debug']], [ninja, ['-C', 'b', AFFECTED[recipe]]], [join(copy, 'b', AFFECTED[recipe]), []],
    ];
    const env = { ...process.env, GIT_CEILING_DIRECTORIES: join(copy, '..'), CC: existsTool('ccache') ? 'ccache gcc' : 'gcc' };
    for (const [tool, args] of commands) {
      const r = run(tool, args, { cwd: copy, env, timeout: 200000 });
      assert.equal(r.code, 0, `${args.join(' ')}\n${r.err}${r.out}`.slice(-3000));
    }
    assert.ok(existsSync(join(copy, files[0])));
  });
