// SPDX-License-Identifier: Apache-2.0
// GET /metrics: who may read it, and that what is read is the Prometheus text exposition format 0.0.4, line by line.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { platform } from './kit.mjs';

// A strict reader: HELP, then TYPE, then samples of that family; answers {family: {type, samples: {'name{labels}': number}}}.
function parse(text) {
  assert.ok(text.endsWith('\n'));
  const families = {};
  let now;
  for (const line of text.trimEnd().split('\n')) {
    let m;
    if ((m = /^# HELP ([a-z_]+) (.+)$/.exec(line))) {
      assert.equal(families[m[1]], undefined, `${m[1]} twice`);
      now = families[m[1]] = { name: m[1], samples: {} };
    } else if ((m = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line))) {
      assert.equal(m[1], now.name);
      now.type = m[2];
    } else {
      m = /^([a-z_]+)(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"\})? (\d+(?:\.\d+)?)$/.exec(line);
      assert.ok(m, `not a sample: ${line}`);
      const ends = now.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      assert.ok(ends.some((e) => m[1] === now.name + e), line);
      assert.equal(now.samples[m[1] + (m[2] ?? '')], undefined, `${line} twice`);
      now.samples[m[1] + (m[2] ?? '')] = Number(m[3]);
    }
  }
  for (const f of Object.values(families).filter((x) => x.type === 'histogram')) {
    const buckets = Object.entries(f.samples).filter(([k]) => k.includes('_bucket{'));
    let last = 0, bound = -1;
    for (const [k, v] of buckets) {
      const le = Number(/le="(.*)"/.exec(k)[1].replace('+Inf', 'Infinity'));
      assert.ok(v >= last && le > bound, `${f.name}: ${k}`);
      [last, bound] = [v, le];
    }
    assert.equal(bound, Infinity);
    assert.equal(last, f.samples[`${f.name}_count`]);
  }
  return families;
}

test('metrics', async (t) => {
  const p = await platform(t);
  const op = await p.operator();
  const get = (token) => p.call(token, 'GET', '/metrics');
  const token = 'scrape-'.padEnd(48, 'k3Jq');

  await t.test('nobody, an invented token, and a token shorter than 32 characters are refused', async () => {
    assert.equal((await get(null)).status, 401);
    assert.equal((await get(token)).status, 401);
    writeFileSync(join(p.state, 'metrics.token'), 'short\n', { mode: 0o600 });
    assert.equal((await get('short')).status, 401);
  });
  await t.test('the token of the state directory opens the metrics and nothing else', async () => {
    writeFileSync(join(p.state, 'metrics.token'), `${token}\n`, { mode: 0o600 });
    const r = await get(token);
    assert.equal(r.status, 200, r.text);
    assert.match(r.headers['content-type'], /^text\/plain; version=0\.0\.4/);
    assert.equal((await p.call(token, 'GET', '/api/v1/organisations')).status, 401);
    assert.equal((await get(`${token}x`)).status, 401);
  });
  await t.test('the operator reads it; the format holds and the numbers move', async () => {
    const before = parse((await get(op)).text);
    for (let i = 0; i < 5; i++) await p.call(null, 'GET', '/nothing-there');
    const r = await p.call(op, 'POST', '/api/v1/organisations', { kind: 'maker', name: 'Example', slug: 'example', contact: 'a@b.example' });
    assert.ok(r.status < 300, r.text);
    const after = parse((await get(op)).text);
    const moved = (family, sample) => after[family].samples[sample] - before[family].samples[sample];
    assert.equal(moved('ctm_http_requests_total', 'ctm_http_requests_total{class="4xx"}'), 5);
    assert.ok(moved('ctm_http_requests_total', 'ctm_http_requests_total{class="2xx"}') >= 2);
    assert.ok(moved('ctm_write_group_size', 'ctm_write_group_size_count') >= 1);
    assert.ok(moved('ctm_commit_seconds', 'ctm_commit_seconds_sum') > 0);
    assert.ok(after.ctm_database_bytes.samples.ctm_database_bytes > 4096);
    assert.ok(moved('ctm_uptime_seconds', 'ctm_uptime_seconds') > 0);
    for (const s of ['waiting', 'leased', 'failed']) assert.ok(after.ctm_jobs.samples[`ctm_jobs{state="${s}"}`] >= 0, s);
    assert.equal(after.ctm_write_queue_length.samples.ctm_write_queue_length, 0);
  });
});
