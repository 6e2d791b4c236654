// SPDX-License-Identifier: Apache-2.0
// Passkeys with Chromium's virtual authenticator: everybody of the demonstration's cast, the first operator, and somebody in each role that is left
// of CTM_ROLES signs in with a one-time link, makes a passkey, signs out, and signs in with it again (WebAuthn Level 2, 7.1 and 7.2; NIST IR 8425 IAC).
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, platform } from '../scenario/kit.mjs';
import { browser } from './kit.mjs';

const AUTHENTICATOR = { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
  isUserVerified: true, automaticPresenceSimulation: true };

// Every role a person can hold, from the one list there is.
const ROLES = [...readFileSync(join(ROOT, 'src/http/app.h'), 'utf8').split('CTM_ROLES(X)')[1].split('enum')[0].matchAll(/"((?!device)\w+\.\w+)"/g)].map((m) => m[1]);

// The cast as rows of the platform: [{name, email, roles, link()}], the operator first.
async function cast(p) {
  const { organisations, people } = JSON.parse(readFileSync(join(ROOT, 'demo/cast.json'))), op = await p.operator(), orgs = {}, out = [];
  const good = async (path, body) => { const r = await p.call(op, 'POST', path, body); assert.equal(r.status, 200, r.text); return r.json; };
  for (const { kind, slug, name, contact, facts } of organisations) orgs[slug] = (await good('/api/v1/organisations', { kind, slug, name, contact, facts })).id;
  const held = new Set([...people.flatMap((x) => x.roles), 'platform.operator']);
  const left = ROLES.filter((r) => !held.has(r)).map((r) => ({ name: `Somebody as ${r}`, email: `${r}@roles.example`, roles: [r],
    org: organisations.find((o) => o.kind === r.split('.')[0]).slug }));
  for (const { name, email, org, roles } of [...people, ...left]) {
    const { id } = await good('/api/v1/people', { name, email });
    for (const role of roles) await good('/api/v1/memberships', { person_id: id, org_id: orgs[org], role });
    out.push({ name, email, roles, link: async () => (await good(`/api/v1/people/${id}/link`, { org_id: orgs[org] })).url });
  }
  const me = (await p.call(op, 'GET', '/api/v1/me')).json;
  return [{ name: me.person.name, roles: me.roles, link: async () => p.operatorLink().link }, ...out];
}

async function withAuthenticator(b) {
  const cx = await b.newContext({ locale: 'en-US' }), page = await cx.newPage(), cdp = await cx.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', { options: AUTHENTICATOR });
  return { cx, page, cdp, authenticatorId };
}

// The page has arrived at this address: the whole path, and the query where one is given.
const at = (page, url) => page.waitForURL((u) => (url.includes('?') ? u.pathname + u.search : u.pathname) === url);

async function linkSignIn(page, who) {
  await page.goto(await who.link());
  await page.getByRole('button', { name: 'Sign in now' }).click();
  await at(page, '/?notice=signin.make_passkey');
}

async function makePasskey(page, home) {
  await page.goto(`${home}/account`);
  await page.getByRole('button', { name: 'Make a passkey' }).click();
  await at(page, '/account?notice=account.passkey_made');
}

async function signOut(page) {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForLoadState();
}

async function passkeySignIn(page, home) {
  await page.goto(`${home}/signin`);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
}

test('every role registers a passkey and signs in with it', { timeout: 240000 }, async (t) => {
  const { b, skip } = await browser(t);
  if (skip) return t.skip(skip);
  const p = await platform(t), home = `http://localhost:${p.port}`, people = await cast(p);
  assert.ok(ROLES.length >= 13, ROLES.join());
  assert.deepEqual([...new Set(people.flatMap((w) => w.roles))].sort(), [...ROLES].sort());
  for (const who of people) {
    await t.test(who.roles.join(', '), async () => {
      const { cx, page } = await withAuthenticator(b);
      await linkSignIn(page, who);
      await makePasskey(page, home);
      await signOut(page);
      await passkeySignIn(page, home);
      await at(page, '/');
      const me = (await page.request.get(`${home}/api/v1/me`).then((r) => r.json()));
      assert.equal(me.person.name, who.name);
      assert.deepEqual(me.roles.sort(), [...who.roles].sort());
      await page.goto(`${home}/account`);
      assert.match(await page.locator('#sessions tbody tr', { hasText: 'this one' }).innerText(), /Chrome.*passkey/s);
      await cx.close();
    });
  }
});

test('a removed passkey signs nobody in, and other sessions end when told', { timeout: 120000 }, async (t) => {
  const { b, skip } = await browser(t);
  if (skip) return t.skip(skip);
  const p = await platform(t), home = `http://localhost:${p.port}`, [who] = await cast(p);
  const { page } = await withAuthenticator(b), other = await (await b.newContext()).newPage();
  await linkSignIn(page, who);
  await makePasskey(page, home);
  await other.goto(await who.link());
  await other.getByRole('button', { name: 'Sign in now' }).click();
  await at(other, '/');
  await page.goto(`${home}/account`);
  await page.getByRole('button', { name: 'End all other sessions' }).click();
  await at(page, '/account?notice=account.sessions_ended');
  assert.equal((await other.goto(`${home}/account`)).url(), `${home}/signin`);
  await page.locator('#passkeys input[name=name]').first().fill('Blue phone');
  await page.getByRole('button', { name: 'Rename' }).click();
  await at(page, '/account?notice=account.passkey_renamed');
  assert.equal(await page.locator('#passkeys tbody input[name=name]').inputValue(), 'Blue phone');
  await page.locator('#passkeys').getByRole('button', { name: 'Remove' }).click();
  await at(page, '/account?notice=account.passkey_removed');
  await signOut(page);
  await passkeySignIn(page, home);
  await page.getByText('this passkey is not known here').first().waitFor();
});

test('a copied authenticator, which counts backwards, is refused', { timeout: 120000 }, async (t) => {
  const { b, skip } = await browser(t);
  if (skip) return t.skip(skip);
  const p = await platform(t), home = `http://localhost:${p.port}`, [who] = await cast(p);
  const { page, cdp, authenticatorId } = await withAuthenticator(b);
  await linkSignIn(page, who);
  await makePasskey(page, home);
  const { credentials: [early] } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
  for (let i = 0; i < 2; i++) {
    await signOut(page);
    await passkeySignIn(page, home);
    await at(page, '/');
  }
  await signOut(page);
  await cdp.send('WebAuthn.clearCredentials', { authenticatorId });
  await cdp.send('WebAuthn.addCredential', { authenticatorId, credential: early });
  await passkeySignIn(page, home);
  await page.getByText('this passkey counted backwards').first().waitFor();
});
