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

// Look at one address: pictures and accessibility findings over all widths and themes. cookies as playwright takes them.
export async function look(b, url, name, { cookies = [], widths = WIDTHS, themes = THEMES } = {}) {
  const axe = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8'), findings = [];
  for (const theme of themes) for (const width of widths) {
    const cx = await b.newContext({ viewport: { width, height: 900 }, colorScheme: theme, bypassCSP: true });
    await cx.addCookies(cookies);
    const page = await cx.newPage(), errors = [];
    page.on('pageerror', (e) => errors.push(String(e)));
    page.on('console', (m) => { if (m.type() === 'error') errors.push(m.text()); });
    const answer = await page.goto(url, { waitUntil: 'load' });
    await page.screenshot({ path: join(SHOTS, `${name}-${width}-${theme}.png`), fullPage: true });
    await page.evaluate(axe);
    const r = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1);
    for (const v of r.violations) findings.push(`${name} ${width} ${theme}: ${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(' | ')}`);
    if (wide) findings.push(`${name} ${width} ${theme}: the page is wider than the window`);
    if (answer.status() !== 200) findings.push(`${name}: answered ${answer.status()}`);
    for (const e of errors) findings.push(`${name} ${width} ${theme}: ${e}`);
    await cx.close();
  }
  return findings;
}
