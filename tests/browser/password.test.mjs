// SPDX-License-Identifier: Apache-2.0
// The fallback for people without a passkey, in a browser without JavaScript: authenticator app, recovery codes, password, sign-in with each,
// sessions of such people listed and ended, help by ctm user recover (NIST IR 8425 IAC; NIST SP 800-63B; RFC 6238).
import test from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { existsTool, platform, run } from '../scenario/kit.mjs';
import { SHOTS, browser, look } from './kit.mjs';
import { totp } from './hour_kit.mjs';

const WORDS = 'cobalt heron umbrella';
const at = (page, url) => page.waitForURL((u) => (url.includes('?') ? u.pathname + u.search : u.pathname) === url);

async function linkSignIn(page, p) {
  await page.goto(p.operatorLink().link);
  await page.getByRole('button', { name: 'Sign in now' }).click();
}

async function passwordSignIn(page, home, { email, password, code }) {
  await page.goto(`${home}/signin`);
  await page.getByLabel('Mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByLabel('Code', { exact: true }).fill(code);
  await page.getByRole('button', { name: 'Sign in with the password' }).click();
}

test('password, authenticator app and recovery codes, without JavaScript', { timeout: 240000 }, async (t) => {
  const { b, skip } = await browser(t);
  if (skip) return t.skip(skip);
  const p = await platform(t), home = `http://localhost:${p.port}`, email = 'operator@ctm.invalid';
  const fresh = async () => (await b.newContext({ javaScriptEnabled: false, locale: 'en-US' })).newPage();
  const page = await fresh();
  let secret, codes, step = 0;
  await linkSignIn(page, p);

  await t.test('the app is offered as a picture and as text, and confirmed by its code', async () => {
    await page.goto(`${home}/account`);
    await page.getByRole('button', { name: 'Set up an authenticator app' }).click();
    await at(page, '/account/authenticator');
    secret = await page.locator('dl.facts code').innerText();
    assert.match(secret, /^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
    const svg = await page.request.get(`${home}/account/authenticator/qr`);
    assert.match(svg.headers()['content-type'], /svg/);
    assert.match(svg.headers()['cache-control'], /no-store/);
    mkdirSync(SHOTS, { recursive: true });
    const png = join(SHOTS, 'totp-qr.png');
    await page.locator('img').screenshot({ path: png });
    const reader = existsTool('zbarimg');
    if (reader) {
      const said = run(reader, ['-q', '--raw', png]).out.trim();
      assert.equal(said, `otpauth://totp/ctm%20localhost:operator%40ctm.invalid?secret=${secret.replace(/ /g, '')}&issuer=ctm%20localhost&algorithm=SHA1&digits=6&period=30`);
    }
    await page.getByLabel('Six digits').fill('000000');
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByText('not the code of this moment').first().waitFor();
    assert.equal(await page.locator('dl.facts code').innerText(), secret, 'the secret stays after a wrong code');
    const oath = existsTool('oathtool');
    await page.getByLabel('Six digits').fill(oath ? run(oath, ['--totp', '-b', secret.replace(/ /g, '')]).out.trim() : totp(secret));
    await page.getByRole('button', { name: 'Confirm' }).click();
    await at(page, '/account?notice=account.totp_added');
  });
  await t.test('recovery codes are shown once', async () => {
    await page.getByRole('button', { name: 'Make recovery codes' }).click();
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
    codes = await page.locator('.codes code').allInnerTexts();
    assert.equal(new Set(codes).size, 10);
    await page.goto(`${home}/account`);
    assert.ok(!codes.some((c) => page.url().includes(c)));
    for (const c of codes) assert.ok(!(await page.content()).includes(c));
  });
  await t.test('a password that is guessed first is refused beside its field, and is not shown again', async () => {
    await page.getByLabel('New password').fill('password12345');
    await page.getByLabel('The same once more').fill('password12345');
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.locator('.wrongly').waitFor();
    assert.ok(!(await page.content()).includes('password12345'));
    await page.getByLabel('New password').fill(WORDS);
    await page.getByLabel('The same once more').fill(WORDS);
    await page.getByRole('button', { name: 'Set the password' }).click();
    await at(page, '/account?notice=account.password_set');
  });
  await t.test('sign-in with password and code; the code counts once', async () => {
    const other = await fresh(), code = totp(secret, Date.now(), ++step);       // one step ahead: the present one confirmed the app
    await passwordSignIn(other, home, { email, password: WORDS, code });
    await at(other, '/');
    await other.goto(`${home}/account`);
    assert.match(await other.locator('#sessions tbody tr', { hasText: 'this one' }).innerText(), /password and app/);
    await passwordSignIn(await fresh().then((x) => { other.again = x; return x; }), home, { email, password: WORDS, code });
    await other.again.getByText('mail address, password or code is not right').first().waitFor();
    assert.equal(await other.again.getByLabel('Mail address').inputValue(), email, 'what was typed stays, but the secrets');
    assert.equal(await other.again.getByLabel('Password', { exact: true }).inputValue(), '');
    await page.goto(`${home}/account`);
    await page.getByRole('button', { name: 'End all other sessions' }).click();
    assert.equal((await other.goto(`${home}/account`)).url(), `${home}/signin`, 'sessions of password users end like others');
  });
  await t.test('a recovery code signs in once and leads to the account', async () => {
    const other = await fresh();
    await passwordSignIn(other, home, { email, password: WORDS, code: codes[0].toUpperCase() });
    await at(other, '/account?notice=signin.recovery_used');
    await other.getByText('9 of 10 codes are left').waitFor();
    const again = await fresh();
    await passwordSignIn(again, home, { email, password: WORDS, code: codes[0] });
    await again.getByText('code is not right').first().waitFor();
  });
  await t.test('the pages hold on a phone, and with CTM_LONG at three widths in both themes', async () => {
    const as = process.env.CTM_LONG ? {} : { widths: [360], themes: ['dark'] };
    const cookies = await page.context().cookies();
    await page.goto(`${home}/account`);
    await page.getByRole('button', { name: 'Move to another app' }).click();
    const found = [];
    for (const [path, name] of [['/account', 'account'], ['/account/authenticator', 'authenticator']]) found.push(...await look(b, home + path, `hour-${name}`, { cookies, ...as }));
    found.push(...await look(b, `${home}/signin`, 'hour-signin', as));
    assert.deepEqual(found, []);
  });
  await t.test('guessing rests, with a way out that has no brakes', async () => {
    const guess = await fresh();
    let rests = false;
    for (let i = 0; i < 20 && !rests; i++) {
      await passwordSignIn(guess, home, { email: 'owner@nowhere.example', password: 'some other words', code: '' });
      await guess.getByRole('alert').waitFor();
      rests = /too many attempts; try again in/i.test(await guess.getByRole('alert').innerText());
      assert.ok(!rests || i >= 6, 'the first five are free');
    }
    assert.ok(rests);
    await linkSignIn(guess, p);
    await guess.goto(`${home}/account`);
    assert.ok(guess.url().endsWith('/account'));
  });
  await t.test('ctm user recover ends sessions and lifts brakes; with --remove-factors nothing that was lost signs in any more', async () => {
    const r = run('ctm', ['user', 'recover', '--state', p.state, '--person', email, '--remove-factors', '--json']);
    assert.equal(r.code, 0, r.err);
    assert.equal((await page.goto(`${home}/account`)).url(), `${home}/signin`);
    const other = await fresh();
    await passwordSignIn(other, home, { email, password: WORDS, code: codes[1] });
    await other.getByText('code is not right').first().waitFor();
    await other.goto(JSON.parse(r.out).link);
    await other.getByRole('button', { name: 'Sign in now' }).click();
    await other.goto(`${home}/account`);
    await other.getByText('No authenticator app is set up.').waitFor();
    await other.getByText('No password is set.').waitFor();
  });
  await t.test('no secret is in the database in the clear, none in what the platform wrote', async () => {
    const bytes = ['ctm.db', 'ctm.db-wal'].filter((f) => existsSync(join(p.state, f))).map((f) => run('/bin/cat', [join(p.state, f)]).bytes.toString('latin1')).join('');
    for (const s of [WORDS, secret.replace(/ /g, ''), ...codes, ...codes.map((c) => c.replace(/-/g, ''))]) {
      assert.ok(!bytes.includes(s), 'database');
      assert.ok(!p.serve.log.includes(s), 'log');
    }
  });
});
