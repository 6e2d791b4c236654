// SPDX-License-Identifier: Apache-2.0
// The pictures of README.md, taken from the demonstration: docs/pictures/{label,maker,lab,cla,record}.png.
//
//   ./run                                    in one terminal, until it says "Serving until Ctrl-C"
//   node tests/browser/pictures.mjs          in another
//
// Reads the state directory (CTM_STATE, ./var) for ids, asks `ctm user link` (CTM_BUILD, ./build) for sign-in links, and
// visits http://localhost:CTM_PORT (8080). Each picture is the first screen at 1200 pixels width, reduced to a palette
// with ImageMagick's convert; the label comes from CTM_OUT (./out). Needs chromium, playwright-core (npm ci) and convert.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { existsTool, ROOT } from '../scenario/kit.mjs';

const at = (name, otherwise) => resolve(ROOT, process.env[name] ?? otherwise);
const state = at('CTM_STATE', 'var'), out = at('CTM_OUT', 'out'), build = at('CTM_BUILD', 'build');
const base = `http://localhost:${process.env.CTM_PORT ?? 8080}`;
const ids = JSON.parse(readFileSync(join(state, 'demo/state.json'))), to = join(ROOT, 'docs/pictures');
const screens = [
  ['maker', ['olive@larkspur.example', '--org', ids['org.larkspur']], `/products/${ids['product.camera']}`],
  ['lab', ['tess@tidewater.example', '--org', ids['org.tidewater']], `/jobs/${ids['job.twin.1.0.0']}`],
  ['cla', ['rory@harborlight.example', '--org', ids['org.harborlight']], `/cases/${ids['case.twin.1.0.0']}`],
  ['record', null, `/p/${ids['record.1.0.1']}`],
];
const small = (from, name) => {
  const file = join(to, `${name}.png`);
  execFileSync('convert', [from, '-strip', '+dither', '-colors', '128', '-define', 'png:compression-level=9', `PNG8:${file}`]);
  console.log(`${file}: ${Math.ceil(statSync(file).size / 1024)} kB`);
};

const { default: pw } = await import('playwright-core');
const browser = await pw.chromium.launch({ executablePath: existsTool('chromium'), args: ['--no-sandbox', '--disable-gpu'] });
const dir = mkdtempSync(join(tmpdir(), 'ctm-pictures-'));
mkdirSync(to, { recursive: true });
try {
  for (const [name, person, path] of screens) {
    const page = await browser.newPage({ viewport: { width: 1200, height: 800 }, colorScheme: 'light' });
    if (person) {
      const link = JSON.parse(execFileSync(join(build, 'ctm'), ['user', 'link', '--state', state, '--json', ...person]));
      await page.goto(`${base}/signin?token=${link.token}`);
      await page.click('main form button');
      await page.waitForLoadState('load');
    }
    await page.goto(base + path);
    await page.screenshot({ path: join(dir, `${name}.png`) });
    small(join(dir, `${name}.png`), name);
    await page.close();
  }
  small(join(out, 'label.png'), 'label');
} finally {
  await browser.close();
  rmSync(dir, { recursive: true, force: true });
}
