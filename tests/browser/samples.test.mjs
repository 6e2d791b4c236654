// SPDX-License-Identifier: Apache-2.0
// Every page with sample data, rendered by the compiled templates and looked at in Chromium: no accessibility finding of
// axe-core in either theme or language, nothing wider than the window at three widths, the consumer page on one printed
// sheet, under 50 kB, without script, without a request to anybody else.
import test from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD, ROOT, run, tempDir } from '../scenario/kit.mjs';
import { WIDTHS, browser } from './kit.mjs';

const TYPES = { html: 'text/html; charset=utf-8', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };

function rendered(t) {
  const dir = tempDir(t, 'ctm-pages-');
  const r = run(join(BUILD, 'tests/unit/http/tpl/test_http_tpl_pages'), [join(ROOT, 'tests/unit/http/samples')], { env: { ...process.env, CTM_PREVIEW: dir } });
  assert.equal(r.code, 0, r.err);
  return dir;
}

// A context in which http://pages.test serves the rendered pages and our assets, and nothing else is reachable.
async function context(b, dir, options) {
  const cx = await b.newContext({ reducedMotion: 'reduce', bypassCSP: true, ...options });
  cx.foreign = [];
  await cx.route('**/*', (route) => {
    const url = new URL(route.request().url());
    const file = url.pathname.startsWith('/assets/') ? join(ROOT, 'src/http', url.pathname) : join(dir, url.pathname);
    if (url.host !== 'pages.test') cx.foreign.push(url.href);
    if (url.host !== 'pages.test' || !existsSync(file) || !statSync(file).isFile()) return route.fulfill({ status: 404, body: '' });
    return route.fulfill({ body: readFileSync(file), contentType: TYPES[file.split('.').pop()] ?? 'text/plain' });
  });
  return cx;
}

test('every page passes axe-core in both themes and languages (WCAG 2.2 AA)', { timeout: 240000 }, async (t) => {
  const { b, skip } = await browser(t);
  if (skip) return t.skip(skip);
  const dir = rendered(t), axe = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8'), findings = [];
  for (const [theme, locale] of [['dark', 'en'], ['light', 'es']]) {
    const cx = await context(b, dir, { viewport: { width: 1280, height: 900 }, colorScheme: theme }), page = await cx.newPage();
    for (const f of readdirSync(dir).filter((n) => n.endsWith(`.${locale}.html`))) {
      await page.goto(`http://pages.test/${f}`);
      await page.evaluate(() => document.querySelectorAll('details').forEach((d) => { d.open = true; }));
      await page.evaluate(axe);
      const r = await page.evaluate(() => globalThis.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
      for (const v of r.violations) findings.push(`${f} ${theme}: ${v.id}: ${v.nodes[0].html.slice(0, 160)}`);
      assert.equal(await page.getAttribute('html', 'lang'), locale);
    }
    await cx.close();
  }
  assert.deepEqual(findings, []);
});

test('no page is wider than the window at 360, 768 and 1440', { timeout: 120000 }, async (t) => {
  const { b, skip } = await browser(t);
  if (skip) return t.skip(skip);
  const dir = rendered(t), wide = [];
  for (const width of WIDTHS) {
    const cx = await context(b, dir, { viewport: { width, height: 900 } }), page = await cx.newPage();
    for (const f of readdirSync(dir)) {
      await page.goto(`http://pages.test/${f}`);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) wide.push(`${f} at ${width}: ${over}`);
    }
    await cx.close();
  }
  assert.deepEqual(wide, []);
});

test('the consumer page works without script, is small, asks nobody else, and prints on one sheet', { timeout: 60000 }, async (t) => {
  const { b, skip } = await browser(t);
  if (skip) return t.skip(skip);
  const dir = rendered(t);
  for (const f of readdirSync(dir).filter((n) => n.startsWith('registry__record'))) {
    assert.ok(statSync(join(dir, f)).size < 50000, `${f} is too large`);
    const cx = await context(b, dir, { javaScriptEnabled: false, viewport: { width: 360, height: 800 } }), page = await cx.newPage();
    await page.goto(`http://pages.test/${f}`);
    for (const place of ['h1', '.answer strong', '.qa', '.timeline', '.verify pre']) assert.ok(await page.isVisible(place), `${f}: ${place}`);
    assert.ok((await page.locator('.answer').boundingBox()).y < 500, 'the answer stands on the first screen of a phone');
    assert.deepEqual(cx.foreign, []);
    const pdf = (await page.pdf({ format: 'Letter' })).toString('latin1');
    assert.equal((pdf.match(/\/Type \/Page\b/g) ?? []).length, 1, `${f} prints on one sheet`);
    await cx.close();
  }
});

test('a cell of the matrix opens its evidence in place, and gives the focus back', { timeout: 60000 }, async (t) => {
  const { b, skip } = await browser(t);
  if (skip) return t.skip(skip);
  const dir = rendered(t), cx = await context(b, dir, {}), page = await cx.newPage();
  await page.route('**/products/**', (route) => route.fulfill({ body: readFileSync(join(dir, 'product__cell.en.html')), contentType: TYPES.html }));
  await page.goto('http://pages.test/product__product.en.html');
  await page.locator('a.cell').first().click();
  await page.locator('dialog[open]').waitFor();
  assert.match(await page.locator('dialog').innerText(), /A tampered update is refused/);
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.ok(await page.locator('a.cell').first().evaluate((e) => e === document.activeElement));
});
