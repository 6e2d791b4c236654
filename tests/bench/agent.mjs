// SPDX-License-Identifier: Apache-2.0
// What ctm-agent costs at rest: private memory and processor time of an enrolled unit that looks for updates and reports once a minute.
import { readFileSync } from 'node:fs';
import { BUILD } from '../scenario/kit.mjs';

const LOOK_S = 20;

export async function agentAtRest(row) {
  process.env.CTM_BUILD = BUILD;                 // the bench's own build, also for the kit of units
  const { BEAT, Kit, Service, sleep } = await import('../scenario/agent_kit.mjs');
  const kit = new Kit(), service = await new Service(kit, 'bench').start();
  try {
    const u = kit.unit({ platform: service.platform(), conf: { report_interval_s: 60 } });
    await u.start();
    await service.until((c) => c.path === BEAT);
    const { pid } = u.process, ticks = () => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' '); return Number(f[13]) + Number(f[14]); };
    const before = ticks();
    await sleep(LOOK_S * 1000);
    const share = (ticks() - before) / LOOK_S;   // of 100 ticks a second: per cent of a core
    const memory = [...readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB/gm)].reduce((n, [, kb]) => n + Number(kb), 0) / 1024;
    row('ctm-agent at rest, private memory', memory, 'MB', 8, 'limit');
    row('ctm-agent at rest, share of a core', share, '%', 0.1, 'limit');
  } finally {
    await kit.end();
    service.stop();
  }
}
