// SPDX-License-Identifier: Apache-2.0
// The Debian packages. Every day: each installed file belongs to exactly one package, and the recipe's words are those of the tree.
// With CTM_LONG=1: they are built twice, from two directories, to the same bytes; lintian finds nothing; they install into a bare Debian
// 12 (debootstrap, as root), where the platform starts as its own user and a program compiles against the SDK; purging keeps the state.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD, ROOT, existsTool, freePort, run, tempDir } from './kit.mjs';

const DEBIAN = join(ROOT, 'packaging/debian');
const read = (f) => readFileSync(join(DEBIAN, f), 'utf8');
const rows = (f) => read(f).split('\n').map((l) => l.split(' ')[0]).filter(Boolean);
const PACKAGES = [...read('control.in').matchAll(/^Package: (\S+)$/gm)].map((m) => m[1]);

test('each installed file belongs to one package', (t) => {
  const meson = existsTool('meson');
  if (!meson) return t.skip('meson is not installed');
  const r = run(meson, ['introspect', BUILD, '--installed']);
  assert.equal(r.code, 0, r.err);
  // As the recipe configures it: prefix /usr, configuration under /etc.
  const files = Object.values(JSON.parse(r.out)).map((f) => f.replace(/^\/usr\/local\/etc/, '/etc').replace(/^\/usr\/local/, '/usr').slice(1));
  assert.ok(files.length > 40, String(files.length));
  const owners = [...PACKAGES.map((p) => [p, rows(`${p}.install`)]), ['nobody', rows('not-installed')]]
    .map(([p, patterns]) => [p, patterns.map((g) => ({ g, re: new RegExp(`^${g.replace(/[.+]/g, '\\$&').replaceAll('*', '[^/]*')}(/|$)`), hit: false }))]);
  for (const f of files) {
    const mine = owners.filter(([, patterns]) => patterns.filter((p) => p.re.test(f) && (p.hit = true)).length);
    assert.equal(mine.length, 1, `${f}: ${mine.map(([p]) => p).join(' and ') || 'no package'}`);
  }
  for (const [p, patterns] of owners) for (const { g, hit } of patterns) assert.ok(hit, `${p}: nothing is installed as ${g}`);
});

test('the recipe says what the tree says', () => {
  assert.deepEqual(PACKAGES, ['ctm-common', 'ctm-server', 'ctm-lab', 'ctm-agent', 'libctm-sdk-dev']);
  assert.match(read('control.in'), /^Build-Depends: @BUILD_DEPENDS@$/m);
  assert.match(readFileSync(join(ROOT, 'meson.build'), 'utf8'), /^project\('ctm', 'c', version: '\d+\.\d+\.\d+'/m);   // where tools/build-deb reads the version
});

const EXAMPLE = `#include <ctm/cbor.h>
#include <ctm/manifest.h>
#include <ctm/openssl.h>
#include <stdio.h>

int main(void)
{
	uint8_t out[16];
	struct ctm_manifest m;
	struct ctm_cbor_w w = ctm_cbor_writer(out, sizeof out);

	ctm_cbor_put_array(&w, 2);
	ctm_cbor_put_str(&w, "ctm");
	ctm_cbor_put_uint(&w, 1);
	if (ctm_cbor_done(&w) || ctm_manifest_decode(out, w.len, &m) == 0)
		return 1;
	printf("%zu bytes, %s\\n", w.len, ctm_sdk_text(0));
	return 0;
}
`;

test('packages: the same bytes twice, clean, and at home in a bare Debian', { timeout: 3600000 }, async (t) => {
  if (!process.env.CTM_LONG) return t.skip('a long round: CTM_LONG=1');
  for (const tool of ['dpkg-buildpackage', 'dh', 'lintian']) if (!existsTool(tool)) return t.skip(`${tool} is not installed`);
  const base = tempDir(t, 'ctm-deb-'), out = [join(base, 'a'), join(base, 'b')];
  for (const o of out) {
    mkdirSync(`${o}-tmp`);
    const r = run(join(ROOT, 'tools/build-deb'), [o], { timeout: 1800000, env: { ...process.env, TMPDIR: `${o}-tmp` } });
    assert.equal(r.code, 0, r.err);
  }
  const debs = readdirSync(out[0]).filter((f) => f.endsWith('.deb')), ours = debs.filter((f) => !f.includes('-dbgsym'));
  assert.deepEqual(ours.map((f) => f.split('_')[0]).sort(), [...PACKAGES].sort());
  for (const f of debs) assert.ok(readFileSync(join(out[0], f)).equals(readFileSync(join(out[1], f))), `${f}: other bytes the second time`);

  const lint = run(existsTool('lintian'), ['--allow-root', '--fail-on', 'error,warning', ...ours.map((f) => join(out[0], f))]);
  assert.equal(lint.code, 0, lint.out + lint.err);

  if (process.getuid() !== 0 || !existsTool('debootstrap')) return t.skip('installing into a bare Debian takes root and debootstrap');
  const bare = join(base, 'root'), port = await freePort();
  const made = run(existsTool('debootstrap'), ['--variant=minbase', 'bookworm', bare], { timeout: 1800000 });
  if (made.code) return t.skip(`debootstrap could not fetch a bare Debian: ${made.out.slice(-200)}`);
  mkdirSync(join(bare, 'debs'));
  for (const f of ours) copyFileSync(join(out[0], f), join(bare, 'debs', f));
  for (const f of ['resolv.conf', 'hosts']) if (existsSync(`/etc/${f}`)) copyFileSync(`/etc/${f}`, join(bare, 'etc', f));
  writeFileSync(join(bare, 'example.c'), EXAMPLE);
  writeFileSync(join(bare, 'go.sh'), `set -e
apt-get update -q >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends /debs/*.deb gcc libc6-dev pkg-config >/dev/null 2>&1
ctm version
gcc -std=c99 -Wall -Werror /example.c $(pkg-config --cflags --libs ctm-sdk) -o /tmp/example && /tmp/example
su -s /bin/sh ctm -c 'ctm init --state /var/lib/ctm --public-url http://localhost:${port} --listen 127.0.0.1:${port} --device-port 9 --origin x/y --quiet'
su -s /bin/sh ctm -c 'ctm serve --state /var/lib/ctm' & serve=$!
i=0; until [ -S /var/lib/ctm/run/device.sock ] || [ $i -gt 100 ]; do i=$((i + 1)); sleep 0.1; done
[ -S /var/lib/ctm/run/device.sock ] && echo serves
kill $serve; wait $serve || true
su -s /bin/sh ctm -c 'ctm fsck --state /var/lib/ctm' >/dev/null && echo sound
su -s /bin/sh ctm -c 'ctm lab checks' | grep -q N01 && echo laboratory
apt-get purge -y -q ctm-common ctm-server ctm-lab ctm-agent libctm-sdk-dev >/dev/null 2>&1
[ -d /var/lib/ctm/keys ] && ! command -v ctm && echo purged
`);
  const there = run(existsTool('unshare'), ['-m', '--propagation', 'private', 'sh', '-c', 'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && exec chroot "$1" sh /go.sh', 'sh', bare],
    { timeout: 1800000, cwd: '/' });
  assert.equal(there.code, 0, there.out + there.err);
  assert.match(there.out, /^ctm \d+\.\d+\.\d+\n6 bytes, good\n[^]*serves\n[^]*sound\nlaboratory\npurged\n$/);
});
