// SPDX-License-Identifier: Apache-2.0
// The ten minutes of docs/how-to/linux-device.md, as they stand there: every block of the page is run in one shell, in an empty directory.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { BUILD, ROOT, existsTool, freePort, run, tempDir } from './kit.mjs';

test('the guide for a Linux device works as it is written', { skip: !existsTool('curl') && 'curl is not installed', timeout: 60000 }, async (t) => {
  const dir = tempDir(t, 'ctm-guide-'), page = fs.readFileSync(join(ROOT, 'docs/how-to/linux-device.md'), 'utf8');
  const blocks = [...page.matchAll(/^ *```sh\n([^]*?)^ *```$/gm)].map((m) => m[1].replace(/^ {3}/gm, ''));
  assert.ok(blocks.length >= 7, `${blocks.length} blocks`);
  t.after(() => { try { process.kill(Number(fs.readFileSync(join(dir, 'agent.pid')))); } catch { /* it never started */ } });
  const script = blocks.join('\n').replaceAll('4443', String(await freePort()));        // the tests may run beside another device
  const r = run('/bin/sh', ['-euc', script], { cwd: dir, env: { ...process.env, PATH: `${BUILD}:${process.env.PATH}` }, timeout: 50000 });
  assert.equal(r.code, 0, `${r.err}\n${r.out}`);
  const json = (name) => JSON.parse(fs.readFileSync(join(dir, name)));
  assert.equal(json('mud.json')['ietf-mud:mud']['model-name'], 'EX-1');
  assert.equal(json('settings.json').properties.brightness.maximum, 10);
  assert.deepEqual(json('state.json').version, { claimed: '1.0.0', booted: '1.0.0', verified: '1.0.0' });
  assert.equal(json('updated.json').version, '1.1.0', fs.readFileSync(join(dir, 'agent.log'), 'utf8'));
});
