// SPDX-License-Identifier: Apache-2.0
// The demonstration in a browser, for whoever has it running ({base, state, d: demo/state.json}): every page as every role at three
// widths in both themes, axe-core clean, pictures kept in BUILD/shots; a task of each role with the keyboard alone; forms without
// script. places() are rows [desk, name, path]; desk is the word ./run prints before the link, null for the public.
import assert from 'node:assert/strict';
import { prog, run } from '../scenario/kit.mjs';
import { THEMES, WIDTHS, lookAt } from './kit.mjs';

export const DESKS = ['maker, owner', 'maker, engineer', 'lab, tester', 'lab, manager', 'CLA, intake', 'CLA, reviewer', 'CLA, decider', 'CLA, surveillance', 'operator'];

export function places(d) {
  const of = (...desks) => (name, path) => desks.map((desk) => [desk, name, path]);
  const camera = d['product.camera'], twin = d['product.twin'], device = d['component.camera.device'];
  const makers = of('maker, owner', 'maker, engineer'), lab = of('lab, tester', 'lab, manager'), cla = of('CLA, reviewer', 'CLA, decider'), all = of(...DESKS);
  return [
    ...of(null)('front', '/'), ...of(null)('registry', '/registry'), ...of(null)('registry-none', '/registry?q=nothing'), ...of(null)('record', `/p/${d['record.1.0.1']}`),
    ...of(null)('record-withdrawn', `/p/${d['record.1.0.0']}`), ...of(null)('signin', '/signin'), ...of(null)('catalogue', '/about/catalogue'), ...of(null)('permissions', '/about/permissions'),
    ...all('home', '/'), ...of('maker, owner', 'operator')('account', '/account'), ...of('maker, owner', 'operator')('people', '/people'), ...of('maker, owner', 'lab, manager', 'CLA, surveillance', 'operator')('changes', '/changes'),
    ...of('maker, owner', 'CLA, intake')('find', '/find?q=porch'), ...of('lab, tester')('find-none', '/find?q=nothing'),
    ...makers('products', '/products'), ...makers('product', `/products/${camera}`), ...of('maker, owner')('product-denied', `/products/${twin}`),
    ...of('maker, owner', 'CLA, reviewer')('cell', `/products/${camera}/cells/${device}/SU.1`), ...of('maker, owner')('documents', `/products/${camera}/documents`),
    ...makers('devices', '/devices'), ...of('maker, engineer')('batches', '/devices/batches'), ...makers('device', `/devices/${d['device.camera']}`),
    ...of('maker, owner', 'lab, manager', 'CLA, intake', 'CLA, surveillance')('cases', '/cases'), ...of('maker, owner')('case', `/cases/${d['case.camera.1.0.1']}`),
    ...lab('evaluations', '/lab'), ...lab('evaluation', `/jobs/${d['job.camera.1.0.0']}`), ...of('lab, tester')('evaluation-failed', `/jobs/${d['job.twin.1.0.0']}`),
    ...cla('case', `/cases/${d['case.camera.1.0.1']}`), ...cla('case-denied', `/cases/${d['case.twin.1.0.0']}`), ...of('CLA, surveillance')('case-suspension', `/cases/${d['case.suspension']}`),
    ...of('CLA, surveillance')('case-withdrawn', `/cases/${d['case.withdrawal']}`),
  ];
}

const CAST = { 'maker, owner': ['olive@larkspur.example', 'larkspur'], 'maker, engineer': ['erin@larkspur.example', 'larkspur'], 'lab, tester': ['tess@tidewater.example', 'tidewater'],
  'lab, manager': ['lou@tidewater.example', 'tidewater'], 'CLA, intake': ['ida@harborlight.example', 'harborlight'], 'CLA, reviewer': ['rory@harborlight.example', 'harborlight'],
  'CLA, decider': ['dee@harborlight.example', 'harborlight'], 'CLA, surveillance': ['sol@harborlight.example', 'harborlight'] };

// A browser context signed in as that desk, by a one-time link of the command line: its cookies.
export async function cookiesOf(b, base, state, d, desk, ctm = prog('ctm')) {
  if (!desk) return [];
  const who = CAST[desk] ? [CAST[desk][0], '--org', d[`org.${CAST[desk][1]}`]] : ['--operator'];
  const r = run(ctm, ['user', 'link', '--state', state, '--json', ...who]);
  if (r.code !== 0) throw new Error(r.err);
  const cx = await b.newContext(), page = await cx.newPage();
  await page.goto(`${base}/signin?token=${JSON.parse(r.out).token}`);
  await page.click('main form button');
  await page.waitForLoadState('load');
  const cookies = await cx.cookies();
  await cx.close();
  return cookies;
}

const slug = (desk) => (desk ?? 'public').replace(/\W+/g, '-').toLowerCase();

// Pages that the demonstration has no thing for: they are looked at with sample data, or by the tests of their room.
const ELSEWHERE = ['/account/authenticator', '/devices/batches/{id}', '/invitation', '/people/invitations/{id}', '/signin/passkey', '/signin/password'];

// Pages of the route table that no row of places() visits: a new page has to be looked at.
async function unvisited(base, rows) {
  const { paths } = await (await fetch(`${base}/api/openapi.json`)).json(), out = [];
  for (const [path, { get }] of Object.entries(paths)) {
    if (!get?.responses?.['200']?.content?.['text/html'] || ELSEWHERE.includes(path)) continue;
    const like = new RegExp(`^${path.replace(/\{[^}]*\}/g, '[^/?]+')}(\\?.*)?$`);
    if (!rows.some((r) => like.test(r[2]))) out.push(`${path} is visited by nobody`);
  }
  return out;
}

// Findings, none when all is well.
export async function tour(b, { base, state, d }) {
  const rows = places(d), findings = await unvisited(base, rows);
  // Everyday: each page at two of the six, taking turns; CTM_LONG=1: all of them.
  const looks = WIDTHS.flatMap((width, i) => THEMES.map((theme, k) => ({ width, theme, turn: (i + k) % 3 })));
  for (const desk of [null, ...DESKS]) {
    const cookies = await cookiesOf(b, base, state, d, desk), mine = rows.filter((r) => r[0] === desk);
    for (const { width, theme, turn } of looks) {
      const cx = await b.newContext({ viewport: { width, height: 900 }, colorScheme: theme, bypassCSP: true });
      await cx.addCookies(cookies);
      const page = await cx.newPage();
      for (const [i, row] of mine.entries()) if (process.env.CTM_LONG || i % 3 === turn) findings.push(...await lookAt(page, base + row[2], `${slug(desk)}-${row[1]}-${width}-${theme}`));
      await cx.close();
    }
  }
  return findings;
}

// What stands under the focus, and whether one can see that it does.
const focused = (page) => page.evaluate(() => {
  const e = document.activeElement, s = getComputedStyle(e);
  return { tag: e.tagName, text: (e.innerText || e.value || e.getAttribute('aria-label') || '').trim().slice(0, 60), id: e.id, href: e.getAttribute('href'), seen: s.outlineStyle !== 'none' || e.matches('.unseen, .skip, main, .finder input') };
});

// Tab until the focus is where it is wanted.
async function tabTo(page, wanted, most = 140) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press('Tab');
    const at = await focused(page);
    assert.ok(at.seen || at.tag === 'BODY', `the focus cannot be seen on ${at.tag} ${at.text}`);
    if (wanted(at)) return at;
  }
  assert.fail('the keyboard does not get there');
}

// A task of each role, as subtests of t.
export async function keyboard(t, b, { base, state, d }) {
  const as = async (desk) => {
    const cx = await b.newContext({ viewport: { width: 1280, height: 900 } });
    await cx.addCookies(await cookiesOf(b, base, state, d, desk));
    const page = await cx.newPage();
    await page.goto(base);
    return page;
  };
  await t.test('skip link, then the search box: a serial opens its device', async () => {
    const page = await as('maker, engineer');
    await page.keyboard.press('Tab');
    assert.equal((await focused(page)).href, '#main');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
    await page.goto(base);
    await tabTo(page, (at) => at.id === 'find');
    await page.keyboard.type('PC1-2026-000001');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/devices/${d['device.camera']}`);
  });
  await t.test('the maker records a product', async () => {
    const page = await as('maker, owner');
    await page.goto(`${base}/products`);
    for (const [id, text] of [['f-name', 'Porch Lamp'], ['f-model', 'PL-1'], ['f-category', 'lamp'], ['f-intended_use', 'Lights the porch.']]) {
      await tabTo(page, (at) => at.id === id);
      await page.keyboard.type(text);
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Porch Lamp' }).waitFor();
  });
  await t.test('the tester opens an evaluation and its findings', async () => {
    const page = await as('lab, tester');
    await tabTo(page, (at) => at.href === `/jobs/${d['job.twin.1.0.0']}`);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Findings' }).waitFor();
  });
  await t.test('surveillance proposes a suspension', async () => {
    const page = await as('CLA, surveillance');
    await page.goto(`${base}/cases/${d['case.camera.1.0.1']}`);
    await tabTo(page, (at) => /^Propose suspension/.test(at.text));
    await page.keyboard.press('Enter');
    await tabTo(page, (at) => at.id === 'p-reason');
    await page.keyboard.type('Field reports say that updates stopped.');
    await tabTo(page, (at) => at.tag === 'BUTTON' && /^Propose/.test(at.text));
    await page.keyboard.press('Enter');
    await page.waitForURL((u) => /^\/cases\//.test(u.pathname) && !u.pathname.endsWith(d['case.camera.1.0.1']));
  });
  await t.test('the decider rejects it', async () => {
    const page = await as('CLA, decider');
    await tabTo(page, (at) => /^CASE-/.test(at.text));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'What you can do' }).waitFor();
    await tabTo(page, (at) => at.text === 'Do not suspend');
    await page.keyboard.press('Enter');
    const note = await tabTo(page, (at) => /^note-reject/.test(at.id ?? ''));
    await page.keyboard.type('The reports were about another product.');
    await tabTo(page, (at) => at.tag === 'BUTTON' && at.text === 'Do not suspend', 10);
    await page.keyboard.press('Enter');
    await page.getByText('Not suspended').first().waitFor();
    assert.ok(note);
  });
  await t.test('the operator filters the changes', async () => {
    const page = await as('operator');
    await page.goto(`${base}/changes`);
    await tabTo(page, (at) => at.id === 'f-who');
    await page.keyboard.type('Olive');
    await page.keyboard.press('Enter');
    await page.waitForURL((u) => u.searchParams.get('who') === 'Olive');
    assert.match(await page.locator('tbody').innerText(), /Olive Orchard/);
  });
}

// Forms are sent, refused with what was typed, and cells open as pages.
export async function withoutScript(b, { base, state, d }) {
  const as = async (desk) => {
    const cx = await b.newContext({ javaScriptEnabled: false });
    await cx.addCookies(await cookiesOf(b, base, state, d, desk));
    return cx.newPage();
  };
  const page = await as('maker, owner');
  await page.goto(`${base}/products`);
  await page.fill('#f-name', 'Porch Bell');
  await page.fill('#f-model', 'PB-1');
  await page.fill('#f-category', 'bell');
  await page.fill('#f-intended_use', 'Rings.');
  await page.fill('#f-gtin', 'not a number at all');
  await page.click('#new button');
  assert.equal(await page.inputValue('#f-name'), 'Porch Bell', 'what was typed is still there');
  assert.ok(await page.locator('.notice.bad').isVisible());
  await page.fill('#f-gtin', '');
  await page.click('#new button');
  assert.match(await page.textContent('h1'), /Porch Bell/);
  await page.click('summary:has-text("Add a component")');
  await page.fill('#n-name', 'bell');
  await page.click('button:has-text("Add a component")');
  assert.match(await page.textContent('main'), /bell/);
  await page.goto(`${base}/products/${d['product.camera']}`);
  await page.click('a.cell >> nth=0');
  assert.match(new URL(page.url()).pathname, /\/cells\//);
  await page.fill('#find', 'PC1-2026-000001');
  await page.press('#find', 'Enter');
  assert.equal(new URL(page.url()).pathname, `/devices/${d['device.camera']}`);
  await page.click('button:has-text("Sign out")');
  await page.goto(`${base}/products`);
  assert.equal(new URL(page.url()).pathname, '/signin');
  const anyone = await as(null);
  await anyone.goto(base);
  await anyone.fill('#q', 'porch');
  await anyone.press('#q', 'Enter');
  assert.match(await anyone.textContent('main'), /Porch Camera/);
  await anyone.goto(`${base}/p/${d['record.1.0.1']}?lang=es`);
  assert.equal(await anyone.getAttribute('html', 'lang'), 'es');
}
