// SPDX-License-Identifier: Apache-2.0
// Chromium by playwright-core, or null with a reason where either is absent. Pages are looked at in three widths and two
// themes; each look is a picture in SHOTS and an axe-core run.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD, ROOT, existsTool } from '../scenario/kit.mjs';

export const SHOTS = join(BUILD, 'shots');
export const WIDTHS = [360, 768, 1440];
export const THEMES = ['light', 'dark'];

export async function browser(t) {
  const chromium = existsTool('chromium');
  if (!chromium) return { skip: 'chromium is not installed' };
  if (!existsSync(join(ROOT, 'node_modules/playwright-core'))) return { skip: 'playwright-core is not installed (npm ci)' };
  const { default: pw } = await import('playwright-core');
  const b = await pw.chromium.launch({ executablePath: chromium, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  t.after(() => b.close());
  mkdirSync(SHOTS, { recursive: true });
  return { b };
}

const axeSource = () => readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');

// Look at one address in a page of the given width and theme: a picture NAME-WIDTH-THEME.png, and what is wrong: [text], none when
// axe-core, the console and the width of the page have nothing to say. Folded parts are unfolded after the picture.
export async function lookAt(page, url, name, { status = 200, axe = axeSource() } = {}) {
  const found = [], say = (what) => found.push(`${name}: ${what}`), hear = (m) => { if (!m.type || m.type() === 'error') say(String(m.text?.() ?? m)); };
  page.on('console', hear);
  page.on('pageerror', hear);
  const answer = await page.goto(url, { waitUntil: 'load' });
  if (answer.status() !== status) say(`answered ${answer.status()}`);
  if (!/ · ctm$/.test(await page.title())) say('has no title');
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
  await page.evaluate(() => document.querySelectorAll('details').forEach((d) => { d.open = true; }));
  await page.evaluate(axe);
  const r = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  for (const v of r.violations) say(`${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(' | ')}`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 1) say(`${over} pixels wider than the window`);
  page.off('console', hear);
  page.off('pageerror', hear);
  return found;
}

// The same over all widths and themes. cookies as playwright takes them.
export async function look(b, url, name, { cookies = [], widths = WIDTHS, themes = THEMES } = {}) {
  const findings = [];
  for (const theme of themes) for (const width of widths) {
    const cx = await b.newContext({ viewport: { width, height: 900 }, colorScheme: theme, bypassCSP: true });
    await cx.addCookies(cookies);
    findings.push(...await lookAt(await cx.newPage(), url, `${name}-${width}-${theme}`));
    await cx.close();
  }
  return findings;
}
