// SPDX-License-Identifier: Apache-2.0
// Size of a delta between two versions of a Debian package's files, beside bsdiff and zstd --patch-from on the same pair.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILD, existsTool } from '../scenario/kit.mjs';

const sh = (cwd, command) => spawnSync('sh', ['-c', command], { cwd, encoding: 'utf8' });

// The oldest and the newest version that the machine's package sources offer, as tar files; null when they are not to be had.
function pair(dir, name) {
  const all = sh(dir, `apt-cache madison ${name} | awk '{ print $3 }' | sort -uV`).stdout.split('\n').filter(Boolean);
  if (all.length < 2) return null;
  return [all[0], all[all.length - 1]].map((v, i) => {
    sh(dir, `apt-get download '${name}=${v}'`);
    const deb = readdirSync(dir).find((f) => f.startsWith(`${name}_`) && f.endsWith('.deb'));
    if (!deb || sh(dir, `dpkg-deb --fsys-tarfile '${deb}' >'${name}.${i}' && rm -f '${deb}'`).status !== 0) return null;
    return join(dir, `${name}.${i}`);
  });
}

export function deltas(row) {
  const dir = mkdtempSync(join(tmpdir(), 'ctm-delta-'));
  try {
    for (const name of ['libssl3', 'libcurl4']) {
      const files = pair(dir, name);
      if (!files || files.includes(null) || !existsTool('bsdiff') || !existsTool('zstd')) {
        console.log(`${`delta of ${name}`.padEnd(58)} SKIPPED: two versions of the package, bsdiff and zstd are needed`);
        continue;
      }
      const [old, next] = files, out = join(dir, 'd'), size = () => statSync(out).size / 1024;
      const make = (...extra) => {
        if (spawnSync(join(BUILD, 'ctm-update'), ['delta', old, next, '--out', out, ...extra]).status !== 0) throw new Error('no delta');
        return size();
      };
      sh(dir, `bsdiff '${old}' '${next}' d`);
      const bs = size();
      sh(dir, `zstd -q -f -19 --long=27 --patch-from='${old}' '${next}' -o d`);
      const zstd = size(), full = statSync(next).size / 1024;
      row(`delta of ${name} (${Math.round(full)} KiB)`, make(), 'KiB', bs, 'bsdiff');
      row('  beside zstd --patch-from', make(), 'KiB', zstd, 'zstd -19');
      row('  for devices with the small model', make('--context', '0'), 'KiB', bs, 'bsdiff');
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
