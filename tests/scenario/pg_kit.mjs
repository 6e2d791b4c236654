// SPDX-License-Identifier: Apache-2.0
// A private PostgreSQL for one scenario: made by initdb in a temporary directory, listening on a unix socket there only, run as an
// unprivileged user (it refuses root, who becomes "postgres" or "nobody"), with fsync on as it comes. Ended with the test.
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './kit.mjs';

const bins = () => {
  const root = '/usr/lib/postgresql';
  const found = process.env.CTM_PG_BIN ?? (existsSync(root) ? readdirSync(root).sort((a, b) => b - a).map((v) => join(root, v, 'bin')).find((b) => existsSync(join(b, 'initdb'))) : null);
  return found && existsSync(join(found, 'initdb')) ? found : null;
};

// Who runs the server: root hands over, anybody else does it himself.
const identity = () => {
  if (process.getuid() !== 0) return {};
  const line = readFileSync('/etc/passwd', 'utf8').split('\n').map((l) => l.split(':'));
  const user = line.find((f) => f[0] === 'postgres') ?? line.find((f) => f[0] === 'nobody');
  return { uid: Number(user[2]), gid: Number(user[3]) };
};

const live = new Set();
process.on('exit', () => { for (const pid of live) try { process.kill(pid, 'SIGQUIT'); } catch { /* gone already */ } });

export class Postgres {
  // Null, with the test skipped, where PostgreSQL is not installed.
  static async start(t) {
    const bin = bins();
    if (!bin) { t.skip('PostgreSQL is not installed (package postgresql)'); return null; }
    const pg = new Postgres();
    Object.assign(pg, { bin, id: identity(), dir: mkdtempSync(join(tmpdir(), 'ctm-pg-')) });
    t.after(async () => { await pg.stop(); rmSync(pg.dir, { recursive: true, force: true }); });
    if (pg.id.uid) chownSync(pg.dir, pg.id.uid, pg.id.gid);
    const r = spawnSync(join(bin, 'initdb'), ['-D', 'data', '-U', 'ctm', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], { cwd: pg.dir, ...pg.id });
    if (r.status !== 0) throw new Error(`initdb: ${r.stderr}`);
    await pg.up();
    return pg;
  }

  async up() {
    this.log = '';
    this.server = spawn(join(this.bin, 'postgres'), ['-D', 'data', '-k', this.dir, '-c', 'listen_addresses=', '-c', 'shared_buffers=32MB', '-c', 'max_connections=80'],
      { cwd: this.dir, stdio: ['ignore', 'ignore', 'pipe'], ...this.id });
    const { pid } = this.server;
    live.add(pid);
    this.server.stderr.on('data', (b) => { this.log = (this.log + b).slice(-20000); });
    this.gone = new Promise((r) => this.server.on('exit', () => { live.delete(pid); r(); }));
    await until('PostgreSQL', () => spawnSync(join(this.bin, 'pg_isready'), ['-q', '-h', this.dir]).status === 0, 30000)
      .catch((e) => { throw new Error(`${e.message}\n${this.log}`); });
  }

  // 'SIGQUIT' as pg_ctl stop -m immediate: no last checkpoint, the next start recovers from its log; 'SIGINT' as -m fast.
  async down(signal = 'SIGQUIT') {
    this.server.kill(signal);
    await this.gone;
  }

  async restart(signal) {
    await this.down(signal);
    await this.up();
  }

  async stop() { if (this.server && this.server.exitCode === null && this.server.signalCode === null) await this.down(); }

  url(database) { return `postgresql:host=${this.dir} user=ctm dbname=${database}`; }

  // Statements as the server's owner; rows as lines, columns parted by "|".
  sql(database, text) {
    const r = spawnSync(join(this.bin, 'psql'), ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', this.dir, '-U', 'ctm', '-d', database], { input: text, maxBuffer: 64 << 20 });
    if (r.status !== 0) throw new Error(`psql: ${r.stderr} in ${text.slice(0, 200)}`);
    return r.stdout.toString().trim();
  }

  database(name) { this.sql('postgres', `CREATE DATABASE ${name}`); return this.url(name); }

  // Cut every connection to a database; how many there were.
  cut(database) {
    return Number(this.sql('postgres', `SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}' AND pid <> pg_backend_pid()) x`));
  }
}
