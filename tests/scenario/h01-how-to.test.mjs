// SPDX-License-Identifier: Apache-2.0
// Every recipe of docs/how-to has ten steps and an example patch over at most three files that applies to this tree. All of them are
// applied to one copy, which is built once; each recipe's test passes there, and the page of the page's recipe is fetched.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, existsTool, freePort, request, run, start, tempDir, until } from './kit.mjs';

const HOWTO = join(ROOT, 'docs/how-to');
const CATALOGUE = 'tests/unit/case/test_case_catalogue';
// What of the patched tree is built for a recipe, and what shows that it works: a test program, or a function of the copy's build directory.
const SHOWS = {
  'board-port': { programs: ['tests/unit/sdk/test_sdk_ram'] },
  'case-row': { programs: [CATALOGUE] },
  'check': { programs: ['tests/unit/lab/test_lab_judge', 'tests/unit/lab/test_lab_check'] },
  'clock': { programs: [CATALOGUE] },
  'metric': { programs: ['tests/unit/http/test_http_metrics'] },
  'page': { programs: [], build: ['ctm', 'ctm-admin', 'ctm-serve'], also: fetchPage },
};
// linux-device.md is a guide, run as it stands by h02; everything else is a recipe.
const recipes = readdirSync(HOWTO).filter((f) => f.endsWith('.md') && f !== 'linux-device.md').map((f) => f.slice(0, -3)).sort();
const patch = (r) => join(HOWTO, 'patches', `${r}.patch`);

async function fetchPage(t, build) {
  const state = join(build, 'state'), port = await freePort();
  const init = run(join(build, 'ctm'), ['init', '--state', state, '--public-url', `http://localhost:${port}`, '--listen', `127.0.0.1:${port}`, '--device-port', '9', '--origin', 'x/y']);
  assert.equal(init.code, 0, init.err);
  const serve = start(join(build, 'ctm'), ['serve', '--state', state]);
  try {
    await until('serve', async () => (await request(`http://127.0.0.1:${port}/healthz`)).status === 200).catch((e) => { throw new Error(e.message + serve.log); });
    for (const lang of ['en', 'es']) {
      const page = await request(`http://127.0.0.1:${port}/about/periods?lang=${lang}`);
      assert.equal(page.status, 200);
      assert.match(page.text, /<table>[^]*<th scope="row">/);
    }
  } finally {
    await serve.stop();
  }
}

test('every recipe has ten steps and a patch over at most three files', () => {
  assert.deepEqual(recipes, Object.keys(SHOWS).sort());
  for (const r of recipes) {
    const steps = readFileSync(join(HOWTO, `${r}.md`), 'utf8').split('\n').filter((l) => /^\d+\. /.test(l));
    assert.deepEqual(steps.map((l) => parseInt(l, 10)), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], r);
    const files = readFileSync(patch(r), 'utf8').split('\n').filter((l) => l.startsWith('+++ b/')).map((l) => l.slice(6));
    assert.ok(files.length >= 1 && files.length <= 3, `${r}: ${files}`);
  }
});

test('the examples apply, build and do what their recipes say', { timeout: 900000 }, async (t) => {
  const git = existsTool('git'), meson = existsTool('meson'), ninja = existsTool('ninja');
  if (!git || !meson || !ninja) return t.skip('git, meson or ninja is not installed');
  const copy = tempDir(t, 'ctm-how-to-'), build = join(copy, 'b');
  for (const f of readdirSync(ROOT)) {
    if (/^(build.*|node_modules|var|out|\.git)$/.test(f)) continue;
    cpSync(join(ROOT, f), join(copy, f), { recursive: true, verbatimSymlinks: true });
  }
  // The options of ./check's own build: what did not change comes out of ccache.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: join(copy, '..'), CCACHE_NOHASHDIR: '1', CC: existsTool('ccache') ? 'ccache gcc' : 'gcc' };
  const must = (tool, ...args) => {
    const r = run(tool, args, { cwd: copy, env, timeout: 800000 });
    assert.equal(r.code, 0, `${args.join(' ')}\n${r.err}${r.out}`.slice(-3000));
  };
  for (const r of recipes) must(git, 'apply', '--check', patch(r));          // each on the tree as it is
  for (const r of recipes) must(git, 'apply', patch(r));
  must(meson, 'setup', 'b', '-Dbuildtype=debug', '-Db_sanitize=address,undefined', '-Db_lundef=false', '-Dmovable_time=true');
  must(ninja, '-C', 'b', ...new Set(Object.values(SHOWS).flatMap((s) => [...s.programs, ...(s.build ?? [])])));
  for (const r of recipes)
    await t.test(r, async (tt) => {
      for (const p of SHOWS[r].programs) must(join(build, p));
      if (SHOWS[r].also) await SHOWS[r].also(tt, build);
    });
});
