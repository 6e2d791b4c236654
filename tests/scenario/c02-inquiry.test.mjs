// SPDX-License-Identifier: Apache-2.0
// The one search box and the page of changes: straight to what is one thing, nothing of other organisations, filters, a table
// that a spreadsheet cannot be tricked with, and no case contents for the operator.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { platform, request } from './kit.mjs';

const people = [['maker', 'a', 'maker.owner'], ['maker', 'a', 'maker.engineer'], ['maker', 'b', 'maker.owner'], ['lab', 'a', 'lab.manager'], ['cla', 'a', 'cla.intake']];

async function cast(p, operator) {
  const good = async (token, method, path, body) => {
    const r = await p.call(token, method, path, body);
    assert.equal(r.status, 200, `${path} ${r.text}`);
    return r.json;
  };
  const orgs = {}, tokens = {}, ids = {};
  for (const [kind, side, role] of people) {
    const slug = `${kind}-${side}`;
    orgs[slug] ??= (await good(operator, 'POST', '/api/v1/organisations', { kind, name: `${slug} (fictional)`, slug, contact: `office@${slug}.example` })).id;
    ids[`${role}@${side}`] = (await good(operator, 'POST', '/api/v1/people', { name: `Fay ${role} ${side}`, email: `${role}-${side}@c02.example` })).id;
    await good(operator, 'POST', '/api/v1/memberships', { person_id: ids[`${role}@${side}`], org_id: orgs[slug], role });
    tokens[`${role}@${side}`] = await p.signIn((await good(operator, 'POST', `/api/v1/people/${ids[`${role}@${side}`]}/link`, { org_id: orgs[slug] })).token);
  }
  return { good, orgs, tokens, ids };
}

test('search box and changes', { timeout: 60000 }, async (t) => {
  const p = await platform(t), operator = await p.operator(), { good, orgs, tokens, ids } = await cast(p, operator);
  const a = tokens['maker.owner@a'], b = tokens['maker.owner@b'];
  const product = (await good(a, 'POST', '/api/v1/products', { name: 'Porch 100% Camera', model: 'PC_1', category: 'camera', intended_use: '=SUM(1)', gtin: '00000000001236', fcc_id: '2XXXX-PC1' })).id;
  await good(a, 'POST', '/api/v1/products', { name: 'Porch Bell', model: 'PB-1', category: 'bell', intended_use: 'porch' });
  const component = (await good(a, 'POST', `/api/v1/products/${product}/components`, { kind: 'device', name: 'camera' })).id;
  const unit = (await good(a, 'POST', `/api/v1/components/${component}/units`, { serial: 'C02-0001', code: 'ABCD-EFGH-IJKL-MNOP' })).id;
  const kase = (await good(a, 'POST', '/api/v1/applications', { product_id: product, cla_org_id: orgs['cla-a'], lab_org_id: orgs['lab-a'] })).id;
  const number = (await p.call(a, 'GET', `/api/v1/cases/${kase}`)).json.case.number;
  const find = async (token, q) => (await good(token, 'GET', `/api/v1/find?q=${encodeURIComponent(q)}`)).hits;
  const page = (token, path) => request(p.base + path, { headers: { Authorization: `Bearer ${token}`, Accept: 'text/html' } });
  const straight = async (token, q) => {
    const r = await page(token, `/find?q=${encodeURIComponent(q)}`);
    return r.status === 303 ? r.headers.location : r.status;
  };

  await t.test('what is one thing opens at once', async () => {
    assert.equal(await straight(a, 'c02-0001'), `/devices/${unit}`);
    assert.equal(await straight(a, '00000000001236'), `/products/${product}`);
    assert.equal(await straight(a, '2xxxx-pc1'), `/products/${product}`);
    assert.equal(await straight(a, number.toLowerCase()), `/cases/${kase}`);
    assert.equal(await straight(a, 'Bell'), `/products/${(await find(a, 'bell'))[0].href.split('/').pop()}`);
    assert.equal(await straight(operator, 'maker.engineer-a@c02.example'), `/changes?who=${ids['maker.engineer@a']}`);
  });
  await t.test('several things are listed; signs of patterns are plain letters', async () => {
    assert.equal((await find(a, 'porch')).length, 2);
    assert.equal(await straight(a, 'porch'), 200);
    assert.equal((await find(a, '%')).length, 1);
    assert.equal((await find(a, 'PC_')).length, 1);
    assert.equal((await find(a, '_')).length, 1);
    assert.equal((await find(a, "' OR 1=1 --")).length, 0);
    assert.match((await page(a, '/find?q=nothing-like-it')).text, /Nothing that you may see/);
    assert.equal((await page(a, '/find')).status, 200);
  });
  await t.test('nothing of another organisation is found, nor a draft by the label administrator', async () => {
    for (const q of ['C02-0001', '00000000001236', number, 'porch', 'Fay maker.engineer a']) {
      assert.deepEqual(await find(b, q), [], q);
      assert.deepEqual((await find(tokens['cla.intake@a'], q)).filter((h) => h.kind !== 'person'), [], q);
    }
    assert.equal((await page(null, '/find?q=porch')).headers.location, '/signin');
  });
  await t.test('an organisation reads its own changes, filtered, in pages', async () => {
    const lines = async (token, q = '') => (await good(token, 'GET', `/api/v1/changes${q}`)).lines;
    const mine = await lines(a), theirs = await lines(b);
    assert.ok(mine.some((l) => l.action === 'product.add' && l.subject === product && l.name === 'Fay maker.owner a' && l.about === 'Porch 100% Camera'));
    assert.ok(theirs.every((l) => l.subject !== product && l.org === 'maker-b (fictional)'), JSON.stringify(theirs));
    assert.ok((await lines(a, '?kind=device')).every((l) => l.kind === 'device'));
    assert.equal((await lines(a, '?who=engineer')).length, 1);
    assert.equal((await lines(a, '?to=2020-01-01')).length, 0);
    const newest = mine[0].seq;
    assert.ok((await lines(a, `?before=${newest}`)).every((l) => l.seq < newest));
    assert.equal((await p.call(a, 'GET', '/api/v1/changes?kind=secrets')).status, 422);
    assert.equal((await p.call(tokens['maker.engineer@a'], 'GET', '/changes')).status, 403);
    const html = await page(a, '/changes?kind=product');
    assert.equal(html.status, 200, html.text);
    assert.match(html.text, /product\.add/);
  });
  await t.test('the table is for a spreadsheet and runs nothing there', async () => {
    const r = await p.call(a, 'GET', '/changes.csv?kind=product');
    assert.equal(r.status, 200);
    assert.match(r.headers['content-type'], /^text\/csv/);
    assert.match(r.headers['content-disposition'], /changes\.csv/);
    const rows = r.text.trimEnd().split('\r\n');
    assert.equal(rows[0], 'seq,at,actor,name,organisation,action,kind,subject,before,after,hash');
    assert.equal(rows.length, 3);
    assert.ok(rows.slice(1).every((l) => /"sha256:[0-9a-f]{64}"$/.test(l)));
    assert.ok(!rows.some((l) => /,"[=+@]/.test(l)));
  });
  await t.test('the operator sees that something changed, not what a case holds', async () => {
    const { lines } = await good(operator, 'GET', '/api/v1/changes'), of = (action) => lines.find((l) => l.action === action);
    assert.equal(of('product.add').hidden, true);
    assert.ok(of('product.add').members.length && of('product.add').members.every((m) => m.after === null));
    assert.equal(of('membership.add').hidden, false);
    assert.match(of('membership.add').about, /^Fay /);
    assert.equal(of('product.add').about, '');
    const csv = (await p.call(operator, 'GET', '/changes.csv')).text;
    assert.ok(!csv.includes('Porch 100%') && csv.includes('membership.add'));
  });
});
