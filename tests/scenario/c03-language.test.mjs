// SPDX-License-Identifier: Apache-2.0
// Two languages: every text of the catalogue that a page shows has its Spanish one, none is left over, and the pages say them.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, platform, request } from './kit.mjs';

const read = (path) => JSON.parse(readFileSync(join(ROOT, 'catalogue', path)));
const all = (dir) => readdirSync(join(ROOT, 'catalogue', dir)).filter((f) => f.endsWith('.json')).map((f) => read(`${dir}/${f}`));

// The texts of the catalogue that people read on pages.
function shown() {
  const outcomes = read('ir8425.json'), texts = [outcomes.title, ...outcomes.outcomes.flatMap((o) => [o.name, o.text]), ...all('checks').map((c) => c.title), ...all('lists').map((l) => l.name)];
  for (const p of all('packs')) texts.push(p.title, ...p.rules.flatMap((r) => [r.title, r.start, r.consequence]), ...p.groups.flatMap((g) => g.terms.map((t) => t.text)));
  for (const c of all('cases')) texts.push(c.title, c.open.task?.title, ...c.states.map((s) => s.title), ...c.rows.flatMap((r) => [r.title, r.task?.title]));
  return new Set(texts.filter(Boolean));
}

test('every text of the catalogue has its Spanish one, and none is left over', () => {
  const spanish = read('texts/es.json'), texts = shown();
  assert.deepEqual([...texts].filter((t) => !spanish[t]), [], 'not translated');
  assert.deepEqual(Object.keys(spanish).filter((t) => !texts.has(t)), [], 'no longer in the catalogue');
  assert.deepEqual(Object.entries(spanish).filter(([en, es]) => en === es), []);
});

test('the page of outcomes and rules speaks Spanish throughout', { timeout: 60000 }, async (t) => {
  const p = await platform(t), text = (r) => r.text.replace(/<[^>]*>/g, ' ').replace(/&#39;|&apos;/g, "'");
  const es = text(await request(`${p.base}/about/catalogue?lang=es`)), en = text(await request(`${p.base}/about/catalogue?lang=en`));
  for (const [english, spanish] of [['Unique identity', 'Identidad única'], ['the right to a review is lost', 'se pierde el derecho a la revisión'], ['Grant', 'Conceder'], ['Entity List', 'Lista de entidades']]) {
    assert.ok(en.includes(english), english);
    assert.ok(es.includes(spanish), spanish);
  }
  for (const english of shown()) if (english.length > 24 && english !== 'Federal Communications Commission') assert.ok(!es.includes(english), english);
});
