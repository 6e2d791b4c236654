// SPDX-License-Identifier: Apache-2.0
// Every row of the route table against every role, on one platform with two organisations of each kind. The table itself comes
// from /api/openapi.json, so a new row is tested the day it is written: roles outside the row are refused, ids of another
// organisation do not exist, nothing answers 500, what is refused changes nothing, what changes something is in the audit chain.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import net from 'node:net';
import { platform, run, start, until, existsTool, request, auditFaults } from './kit.mjs';

const ROLES = { maker: ['owner', 'engineer', 'viewer', 'signer'], lab: ['manager', 'tester', 'reviewer'], cla: ['intake', 'reviewer', 'decider', 'surveillance', 'appeals'] };
// The only writes that leave no audit line of their own: a check's progress is not a decision, and the sealed bundle carries what it came
// to; a passkey's challenge is a question, its answer is audited; a device's report is a fact with a number of its own.
const UNAUDITED = ['post /api/v1/jobs/{id}/progress', 'post /api/v1/passkeys/challenge', 'post /api/v1/signin/passkey/challenge', 'post /d/v1/heartbeat', 'post /d/v1/state'];
// Refusals that leave a line: guessing at a password that goes on.
const TOLD = new Set(['post /signin/password']);
const ENDS = /signout|\/disable$|memberships\/remove$/;        // these end somebody's session or role: asked last, as people nobody needs

// A value a field of the row takes.
const value = (name, s) => {
  if (s.enum) return s.enum[0];
  if (s.type === 'integer') return s.minimum ?? 0;
  if (s.type === 'boolean') return true;
  if (s.format === 'date') return '2031-12-31';
  if (s.format === 'email') return 'nobody@c01.example';
  if (s.maxLength === 36) return randomUUID();
  if (s.maxLength === 71) return `sha256:${'0'.repeat(64)}`;
  return `${name}-c01-sample`.slice(0, s.maxLength ?? 20);
};

async function cast(p, operator) {
  const orgs = {}, tokens = {};
  const post = async (path, body) => {
    const r = await p.call(operator, 'POST', path, body);
    assert.equal(r.status, 200, `${path} ${r.text}`);
    return r.json;
  };
  const someone = async (label, org, roles) => {
    const id = (await post('/api/v1/people', { name: `${label} (fictional)`, email: `${label.replace(/\W/g, '-')}@c01.example` })).id;
    for (const role of roles) await post('/api/v1/memberships', { person_id: id, org_id: org, role });
    const token = await p.signIn((await post(`/api/v1/people/${id}/link`, { org_id: org })).token);
    return { id, token };
  };
  for (const side of ['a', 'b']) for (const kind of Object.keys(ROLES)) {
    const org = (await post('/api/v1/organisations', { kind, name: `${kind} ${side} (fictional)`, slug: `${kind}-${side}`, contact: `office@${kind}-${side}.example` })).id;
    orgs[kind + side] = org;
    for (const role of ROLES[kind]) tokens[`${kind}.${role}@${side}`] = (await someone(`${kind}.${role}.${side}`, org, [`${kind}.${role}`])).token;
  }
  tokens['platform.operator@a'] = operator;
  return { orgs, tokens, someone };
}

// What organisation a has: one thing of every kind that has an id. Certificate and record are put in by hand: their life is tested elsewhere.
async function things(p, c, sql) {
  const owner = c.tokens['maker.owner@a'], ids = {};
  const good = async (token, method, path, body, type) => {
    const r = await p.call(token, method, path, body, type);
    assert.equal(r.status, 200, `${method} ${path} ${r.text}`);
    return r.json;
  };
  ids.products = (await good(owner, 'POST', '/api/v1/products', { name: 'Porch Camera', model: 'PC-1', category: 'camera', intended_use: 'porch' })).id;
  ids.components = (await good(owner, 'POST', `/api/v1/products/${ids.products}/components`, { kind: 'device', name: 'camera' })).id;
  ids.releases = (await good(owner, 'POST', `/api/v1/components/${ids.components}/releases`, { version: '1.0.0', support_end: '2031-12-31' })).id;
  ids.devices = (await good(owner, 'POST', `/api/v1/components/${ids.components}/units`, { serial: 'C01-0001', code: 'ABCD-EFGH-IJKL-MNOP' })).id;
  ids.documents = (await good(owner, 'POST', `/api/v1/products/${ids.products}/documents?kind=user_guide&title=Guide`, Buffer.from('a guide\n'), 'text/plain')).id;
  await good(owner, 'PUT', `/api/v1/products/${ids.products}/picture`, Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex'));
  ids.cases = (await good(owner, 'POST', '/api/v1/applications', { product_id: ids.products, cla_org_id: c.orgs.claa, lab_org_id: c.orgs.laba })).id;
  ids.draft = ids.cases;
  const draftSeen = await p.call(c.tokens['cla.intake@a'], 'GET', `/api/v1/cases/${ids.cases}`);
  assert.equal(draftSeen.status, 404, 'a draft of an application stays with the applicant');
  sql(`UPDATE case_file SET filed_ms = opened_ms, state = 'UNDER_EVALUATION' WHERE id = '${ids.cases}'`);
  ids.jobs = (await good(c.tokens['lab.manager@a'], 'POST', '/api/v1/jobs', { product_id: ids.products, case_id: ids.cases, rehearsal: false })).id;
  ids.certificates = randomUUID().replace(/^(.{14})./, '$17');
  ids.records = '0'.repeat(11);
  sql(`INSERT INTO decision (id, case_id, kind, decided_by, digest, at_ms) VALUES ('d1', '${ids.cases}', 'grant', 'nobody', 'sha256:0', 1);
    INSERT INTO certificate (id, number, case_id, product_id, baseline_json, status, valid_from, valid_to, decision_id, created_ms)
      VALUES ('${ids.certificates}', 'CTM-2026-900001', '${ids.cases}', '${ids.products}', '[]', 'in_force', '2026-01-01', '2029-01-01', 'd1', 1)`);
  return ids;
}

test('every role and every route', { timeout: 280000 }, async (t) => {
  const sqlite = existsTool('sqlite3');
  if (!sqlite) return t.skip('sqlite3 is not installed');
  const p = await platform(t), operator = await p.operator(), db = join(p.state, 'ctm.db');
  const sql = (text) => {
    const r = run(sqlite, ['-cmd', '.timeout 5000', db, text]);
    assert.equal(r.code, 0, r.err);
    return r.out.trim();
  };
  const lines = () => Number(sql('SELECT count(*) FROM audit'));
  const c = await cast(p, operator), ids = await things(p, c, sql);
  const api = (await p.call(null, 'GET', '/api/openapi.json')).json;
  const rows = Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, op]) => ({ path, method, op, name: `${method} ${path}` })));
  assert.ok(rows.length > 80, `${rows.length} rows`);

  // One call of a row: the id in the path is organisation a's thing of the kind the path names.
  const call = (row, token, over = {}) => {
    let path = row.path, query = [], body, type;
    for (const f of row.op.parameters ?? []) {
      const kind = row.path.match(/^(?:\/api\/v1)?\/(\w+)/)?.[1];
      const v = f.name === 'id' && f.in === 'path' ? ids[kind] ?? value(f.name, f.schema) : f.name === 'component_id' ? ids.components : over[f.name] ?? value(f.name, f.schema);
      if (f.in === 'path') path = path.replace(`{${f.name}}`, encodeURIComponent(v));
      else if (f.required) query.push(`${f.name}=${encodeURIComponent(v)}`);
    }
    const content = row.op.requestBody?.content ?? {};
    type = Object.keys(content)[0];
    if (type) {
      const s = content[type].schema, fields = Object.fromEntries((s?.required ?? []).map((k) => [k, over[k] ?? value(k, s.properties[k])]));
      Object.assign(fields, Object.fromEntries(Object.entries(over).filter(([k]) => s?.properties?.[k])));
      body = type === 'application/json' ? fields : type === 'application/octet-stream' ? Buffer.from('c01') : new URLSearchParams(fields).toString();
    }
    return p.call(token, row.method.toUpperCase(), path + (query.length ? `?${query.join('&')}` : ''), body, type);
  };
  const refusedNobody = (row, r) => (row.path.startsWith('/api/') ? r.status === 401 : r.status === 401 || (r.status === 303 && /^\/signin/.test(r.headers.location)));
  const sound = (row, who, r) => assert.ok(r.status < 500, `${row.name} as ${who}: ${r.status} ${r.text.slice(0, 300)}`);

  await t.test('every row names its roles; every id that belongs to an organisation is marked', () => {
    for (const row of rows) {
      assert.ok(row.op['x-roles'].length > 0, row.name);
      const open = row.op['x-roles'].includes('anonymous') || row.op['x-roles'].includes('device') || row.op['x-roles'].every((r) => r === 'platform.operator');
      if (/\{id\}/.test(row.path) && !open) assert.equal(row.op['x-scoped'], true, row.name);
    }
  });

  await t.test('only the listed writes leave no audit line', () => {
    assert.deepEqual(rows.filter((r) => r.op['x-unaudited']).map((r) => r.name).sort(), UNAUDITED);
  });

  await t.test('the device port is no part of the people\'s door', async () => {
    for (const row of rows.filter((r) => r.op['x-door'])) for (const token of [null, c.tokens['maker.owner@a']]) {
      const r = await request(p.base + row.path, { method: row.method.toUpperCase(), headers: { 'Content-Type': 'application/json', 'X-Client-Verify': 'SUCCESS', ...(token ? { Authorization: `Bearer ${token}` } : {}) }, body: row.method === 'get' ? undefined : '{}' });
      assert.ok([401, 403, 404].includes(r.status), `${row.name}: ${r.status}`);
    }
  });

  const before = lines();
  await t.test('roles outside the row are refused, and nobody is', async () => {
    for (const row of rows.filter((r) => !r.op['x-door'])) {
      const roles = row.op['x-roles'];
      if (roles.includes('anonymous')) continue;
      const nobody = await call(row, null);
      assert.ok(refusedNobody(row, nobody), `${row.name} as nobody: ${nobody.status} ${nobody.text.slice(0, 200)}`);
      for (const [who, token] of Object.entries(c.tokens)) {
        if (!who.endsWith('@a') || roles.includes(who.slice(0, -2))) continue;
        const r = await call(row, token);
        assert.equal(r.status, 403, `${row.name} as ${who}: ${r.status} ${r.text.slice(0, 200)}`);
      }
    }
  });

  await t.test('a foreign organisation\'s id is 404: no 403, no data, no hint in the order of the checks', async () => {
    const wrong = [];
    for (const row of rows.filter((r) => r.op['x-scoped'])) for (const role of row.op['x-roles']) {
      const token = c.tokens[`${role}@b`];
      if (!token) continue;
      const r = await call(row, token);
      if (r.status !== 404) wrong.push(`${row.name} as ${role}: ${r.status} ${r.text.slice(0, 160)}`);
      assert.ok(!r.text.includes('Porch Camera'), `${row.name} as ${role} shows the product`);
    }
    assert.deepEqual(wrong, []);
  });

  await t.test('an id in the body is no way around', async () => {
    const row = (name) => rows.find((r) => r.name === name);
    for (const [name, role, over] of [
      ['post /api/v1/jobs', 'lab.manager@b', { product_id: ids.products, case_id: ids.cases, rehearsal: false }],
      ['post /api/v1/jobs', 'lab.manager@b', { product_id: ids.products }],
      ['post /api/v1/applications', 'maker.owner@b', { product_id: ids.products, cla_org_id: c.orgs.clab, lab_org_id: c.orgs.labb }],
      ['post /applications', 'maker.owner@b', { product_id: ids.products, cla_org_id: c.orgs.clab }]]) {
      const r = await call(row(name), c.tokens[role], over);
      assert.equal(r.status, 404, `${name}: ${r.status} ${r.text.slice(0, 200)}`);
    }
  });

  await t.test('lists hold nothing of others', async () => {
    for (const row of rows.filter((r) => r.method === 'get' && !/[{]/.test(r.path) && !r.op['x-roles'].includes('device')))
      for (const [who, token] of Object.entries(c.tokens).filter(([w]) => w.endsWith('@b'))) {
        const r = await call(row, token);
        sound(row, who, r);
        for (const id of Object.values(ids)) if (id.length === 36) assert.ok(!r.text.includes(id), `${row.name} as ${who} names ${id}`);
      }
  });

  await t.test('documents and pictures of a product without a public record are not public', async () => {
    for (const token of [null, c.tokens['maker.owner@b'], c.tokens['lab.tester@b'], c.tokens['cla.reviewer@b']])
      for (const path of [`/api/v1/documents/${ids.documents}/content`, `/api/v1/products/${ids.products}/picture`])
        assert.equal((await p.call(token, 'GET', path)).status, 404, path);
    assert.equal((await p.call(c.tokens['lab.tester@a'], 'GET', `/api/v1/documents/${ids.documents}/content`)).status, 200);
  });
  assert.equal(lines(), before, 'what was refused left no line in the audit chain');

  await t.test('roles of the row get an answer below 500, and every change is in the audit chain', async () => {
    let n = lines();
    for (const row of rows.filter((r) => !r.op['x-door'] && !ENDS.test(r.path))) {
      const roles = row.op['x-roles'], whos = Object.keys(c.tokens).filter((w) => w.endsWith('@a') && (roles.includes(w.slice(0, -2)) || roles.includes('anonymous')));
      for (const who of whos) {
        const r = await call(row, c.tokens[who]);
        sound(row, who, r);
        assert.ok(r.status !== 401 || row.path.endsWith('/signin'), `${row.name} as ${who}: ${r.status} ${r.text.slice(0, 200)}`);
        if (process.env.C01_SHOW && row.method !== 'get') console.log(r.status, row.name, who, r.status >= 400 ? r.text.slice(0, 200).replace(/\n/g, ' ') : '');
        const now = lines();
        if (row.method === 'get') assert.equal(now, n, `${row.name} changed something`);
        else if (r.status < 400 && !row.op['x-unaudited']) assert.ok(now > n, `${row.name} as ${who}: ${r.status} and no audit line`);
        else if (r.status >= 400 && !TOLD.has(row.name)) assert.equal(now, n, `${row.name} as ${who} was refused and changed something`);
        n = now;
      }
    }
  });

  await t.test('whoever is shut out, signs out or loses the role is out with the next request', async () => {
    for (const end of ['disable', 'remove', 'signout']) {
      const x = await c.someone(`leaver.${end}`, c.orgs.makera, ['maker.viewer']);
      assert.equal((await p.call(x.token, 'GET', '/api/v1/products')).status, 200);
      const r = end === 'disable' ? await p.call(operator, 'POST', `/api/v1/people/${x.id}/disable`, {})
        : end === 'remove' ? await p.call(operator, 'POST', '/api/v1/memberships/remove', { person_id: x.id, org_id: c.orgs.makera, role: 'maker.viewer' })
          : await p.call(x.token, 'POST', '/api/v1/signout', {});
      assert.equal(r.status, 200, r.text);
      assert.equal((await p.call(x.token, 'GET', '/api/v1/products')).status, 401, end);
    }
  });

  await t.test('whoever is shut out in the middle of an upload is out at its end', async () => {
    const x = await c.someone('leaver.upload', c.orgs.makera, ['maker.engineer']), n = Number(sql('SELECT count(*) FROM document'));
    const answer = await new Promise((ok, no) => {
      let text = '';
      const s = net.connect(p.port, '127.0.0.1', async () => {
        s.write(`POST /api/v1/products/${ids.products}/documents?kind=other&title=Late HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${x.token}\r\nContent-Type: text/plain\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhalf `);
        await new Promise((r) => setTimeout(r, 300));
        assert.equal((await p.call(operator, 'POST', `/api/v1/people/${x.id}/disable`, {})).status, 200);
        s.write('half.');
      });
      s.on('data', (b) => { text += b; });
      s.on('close', () => ok(text));
      s.on('error', no);
    });
    assert.match(answer, /^HTTP\/1\.1 401 /);
    assert.equal(Number(sql('SELECT count(*) FROM document')), n);
  });

  await t.test('a change made over a newer one is refused', async () => {
    const owner = c.tokens['maker.owner@a'], at = (await p.call(owner, 'GET', `/api/v1/cases/${ids.cases}`)).json.case.row_version;
    assert.equal((await p.call(owner, 'PUT', `/api/v1/cases/${ids.cases}/declarations?row_version=${at}`, {})).status, 200);
    const late = await p.call(owner, 'PUT', `/api/v1/cases/${ids.cases}/declarations?row_version=${at}`, {});
    assert.equal(late.status, 409, late.text);
    assert.equal(late.json.field, 'row_version');
  });

  await t.test('a link made on the command line is in the audit chain', () => {
    const n = lines();
    p.operatorLink();
    assert.equal(sql('SELECT action || \' \' || actor FROM audit ORDER BY seq DESC LIMIT 1'), 'signin.link ctm user');
    assert.equal(lines(), n + 1);
  });
  await t.test('every audit line says who, what, before and after, and no secret', () => {
    const faults = auditFaults(db, [...Object.values(c.tokens), 'ABCD-EFGH-IJKL-MNOP']);
    assert.deepEqual(faults, []);
    assert.equal(sql("SELECT count(*) FROM audit WHERE action = 'product.add' AND org_id = '" + c.orgs.makera + "'"), '2');
  });
  sql("DELETE FROM certificate; DELETE FROM decision WHERE id = 'd1'");      // put in by hand, so no fsck would believe them
  const fsck = run('ctm', ['fsck', '--state', p.state]);
  assert.equal(fsck.code, 0, fsck.out + fsck.err);
});

test('sessions and links end by the clock', { timeout: 120000 }, async (t) => {
  const p = await platform(t), operator = await p.operator(), spare = p.operatorLink(), cookieLink = p.operatorLink();
  const browser = await request(`${p.base}/signin`, { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: `token=${cookieLink.token}` });
  assert.equal(browser.status, 303, browser.text);
  const cookie = browser.headers['set-cookie'][0].split(';')[0], products = { headers: { Cookie: cookie } };
  assert.equal((await p.call(operator, 'GET', '/api/v1/me')).status, 200);
  assert.equal((await request(`${p.base}/api/v1/me`, products)).status, 200);
  let serve = p.serve;
  const later = async (hours) => {
    await serve.stop();
    serve = start('ctm', ['serve', '--state', p.state], { env: { ...process.env, CTM_TIME_SHIFT_MS: String(hours * 3600000) } });
    await until('serve', async () => (await request(`${p.base}/healthz`)).status === 200);
  };
  t.after(() => serve.stop());
  await later(0.5);
  if ((await p.call(null, 'POST', '/api/v1/signin', { token: spare.token })).status === 200) return t.skip('this build has no movable clock');
  assert.equal((await p.call(operator, 'GET', '/api/v1/me')).status, 200);
  await later(11);
  assert.equal((await request(`${p.base}/api/v1/me`, products)).status, 200, 'looked at after 11 hours, and lengthened by that');
  await later(13);
  assert.equal((await p.call(operator, 'GET', '/api/v1/me')).status, 401, 'a program\'s session does not slide');
  assert.equal((await request(`${p.base}/api/v1/me`, products)).status, 200, 'a browser\'s slides while it is used');
  await later(26);
  assert.equal((await request(`${p.base}/api/v1/me`, products)).status, 401);
  assert.equal((await request(`${p.base}/`, products)).status, 200, 'an old cookie is nobody, not an error');
});
