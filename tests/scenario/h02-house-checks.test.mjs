// SPDX-License-Identifier: Apache-2.0
// The checks of the house can fail: each is given a small tree with one fault and must name it, and a clean one, which must pass.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT, existsTool, run, tempDir } from './kit.mjs';

const put = (dir, name, text) => { mkdirSync(dirname(join(dir, name)), { recursive: true }); writeFileSync(join(dir, name), text); };
const check = (dir, name, ...args) => run(join(dir, 'tools', name), args, { cwd: dir, timeout: 300000, env: { ...process.env, CTM_LONG: '', GIT_CEILING_DIRECTORIES: dirname(dir) } });
function tree(t, ...tools) {
  const dir = tempDir(t, 'ctm-house-');
  // Of the product only what the checks read there: headers.
  for (const f of tools) cpSync(join(ROOT, f), join(dir, f), { recursive: true, filter: (p) => !/\/(src|sdk)\/.*\.(?!h$)[a-z]+$/.test(p.slice(ROOT.length)) });
  return dir;
}
const HEAD = '/* SPDX-License-Identifier: Apache-2.0\n *\n * A thing.\n */\n';

test('house rules', (t) => {
  const dir = tree(t, 'tools/check-house', 'tools/house.awk');
  put(dir, 'src/base/thing.h', `${HEAD}int thing(int a);   /* twice a */\n`);
  put(dir, 'src/base/thing.c', `${HEAD}#include "base/thing.h"\n\nint thing(int a)\n{\n\treturn 2 * a;\n}\n`);
  const good = check(dir, 'check-house');
  assert.equal(good.code, 0, good.out + good.err);
  assert.match(good.out, /2 C files .* 1 functions, the longest 3 /);
  const faults = [
    ['src/base/a.c', '/*\n *\n * A thing.\n */\n', /no SPDX-License-Identifier line/],
    ['src/base/a.c', '/* SPDX-License-Identifier: Apache-2.0 */\nint a;\n', /no file header/],
    ['src/base/a.c', `${HEAD}void a(char *p)\n{\n\tstrcpy(p, "x");\n}\n`, /a.c:7: a banned function: strcpy/],
    ['src/base/a.c', `${HEAD}void a(void)\n{\n${'\t;\n'.repeat(59)}}\n`, /a function of 61 lines/],
    ['src/base/a.c', `${HEAD}${'\n'.repeat(800)}`, /longer than 800 lines/],
    ['src/base/a.c', `${HEAD}/* ${'TO'}DO */\n`, /a promise of later work/],
    ['src/base/a.c', `${HEAD}/* see ${'/ho'}me/x */\n`, /a path of somebody's machine/],
    ['src/base/b.h', `${HEAD}int told(void);   /* yes */\n\nint untold(int a,\n\tint b);\n`, /b.h:7: a declaration without a contract: int untold/],
  ];
  for (const [name, text, why] of faults) {
    put(dir, name, text);
    const r = check(dir, 'check-house');
    assert.equal(r.code, 1, `${why} ${r.out}`);
    assert.match(r.out, why);
    assert.equal(r.out.trim().split('\n').length, 2, r.out);     // the fault and the numbers
    rmSync(join(dir, name));
  }
});

test('inventory of fuzz targets', (t) => {
  const dir = tree(t, 'tools/check-fuzz', 'tests/fuzz', 'src', 'sdk'), inventory = join(dir, 'tests/fuzz/inventory');
  const text = readFileSync(inventory, 'utf8');
  assert.equal(check(dir, 'check-fuzz').code, 0, check(dir, 'check-fuzz').out);
  const bad = (why, now) => { writeFileSync(inventory, now); const r = check(dir, 'check-fuzz'); assert.equal(r.code, 1, r.out); assert.match(r.out, why); };
  bad(/ctm_form_parse takes bytes and a length/, text.replace(/^ctm_form_parse.*$/m, ''));
  bad(/there is no tests\/fuzz\/nothing_fuzz.c/, `${text}\nctm_some_parse nothing\n`);
  bad(/form_fuzz.c does not call it/, `${text}\nctm_some_parse form\n`);
  bad(/does not say why/, `${text}\nctm_some_parse -\n`);
  writeFileSync(inventory, text);
  rmSync(join(dir, 'tests/fuzz/corpus/form'), { recursive: true });
  assert.match(check(dir, 'check-fuzz').out, /corpus\/form is empty/);
  put(dir, 'tests/fuzz/corpus/form/a', 'a=b');
  put(dir, 'src/base/new.h', `${HEAD}int ctm_new_read(const char *p, size_t n);   /* reads */\n`);
  assert.match(check(dir, 'check-fuzz').out, /ctm_new_read takes bytes and a length/);
});

test('static readers and their baseline', { timeout: 300000 }, (t) => {
  for (const tool of ['meson', 'ninja', 'gcc', 'cppcheck']) if (!existsTool(tool)) return t.skip(`${tool} is not installed`);
  const dir = tree(t, 'tools/check-static', '.clang-tidy'), baseline = join(dir, 'tools/static-baseline');
  const twice = 'void b(char *p);\nvoid b(char *p)\n{\n\tfree(p);\n\tfree(p);\n}\n', once = 'void b(char *p);\nvoid b(char *p)\n{\n\tfree(p);\n}\n';
  put(dir, 'meson.build', "project('x', 'c')\nstatic_library('x', 'src/a.c')\n");
  put(dir, 'src/a.c', `#include <stdlib.h>\n${twice}`);
  writeFileSync(baseline, '# known\n');
  assert.equal(run(existsTool('meson'), ['setup', 'build'], { cwd: dir, env: { ...process.env, CC: 'gcc' } }).code, 0);
  const look = (...args) => { assert.equal(run(existsTool('ninja'), ['-C', 'build'], { cwd: dir }).code, 0); return check(dir, 'check-static', ...args, 'build'); };
  const found = look();
  assert.equal(found.code, 1, found.out + found.err);
  assert.match(found.out, /new: src\/a.c gcc:analyzer-double-free \(1, known 0\)/);
  const known = [...found.out.matchAll(/^new: (\S+ \S+) \((\d+),/gm)].map((m) => `${m[1]} ${m[2]}`).join('\n');
  writeFileSync(baseline, `# known\n${known}\n`);
  assert.equal(look().code, 0, look().out);
  put(dir, 'src/a.c', `#include <stdlib.h>\n\n\n${twice}`);                     // moved: nothing new
  assert.equal(look().code, 0);
  put(dir, 'src/a.c', `#include <stdlib.h>\n${once}`);                           // mended: the baseline has to shrink
  const better = look();
  assert.equal(better.code, 1, better.out);
  assert.match(better.out, /better: src\/a.c gcc:analyzer-double-free occurs 0 times, the baseline says 1/);
  look('--shrink');
  assert.equal(readFileSync(baseline, 'utf8').trim(), '# known');
  assert.equal(look().code, 0);
});
