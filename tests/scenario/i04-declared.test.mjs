// SPDX-License-Identifier: Apache-2.0
// What follows from one declaration: packet filter (a real nft in network namespaces of our own), MUD file (RFC 8520), schema of the
// settings, data catalogue. Evidence for NIST IR 8425: IAC (interface access), PC (configuration), DP (data protection), DOC.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsTool, run, start, until } from './kit.mjs';
import { Kit, program } from './agent_kit.mjs';

const nft = existsTool('nft'), ip = existsTool('ip');
const namespaces = () => {
  if (!nft || !ip) return 'nftables or iproute2 is not installed';
  if (process.getuid() !== 0) return 'network namespaces need root';
  const r = run(ip, ['netns', 'add', `ctm-probe-${process.pid}`]);
  if (r.code !== 0) return `no network namespaces here: ${r.err.trim()}`;
  run(ip, ['netns', 'del', `ctm-probe-${process.pid}`]);
  return false;
};

const declaration = {
  interfaces: [{ id: 'admin', transport: 'tcp', port: 4443, protocol: 'https', purpose: 'local administration', access: 'password', profile: 'ctm-local-admin/1', tls: { min: '1.2' } },
    { id: 'find', transport: 'udp', port: 5683, protocol: 'coap', purpose: 'is found on the "local" network', access: 'public' }],
  destinations: [{ host: '10.231.7.2', port: 8443, purpose: 'reports and updates' }, { host: 'service.invalid', port: 443, purpose: 'is never there' }],
};
const show = (u, what, code = 0) => {
  const r = run(program('ctm-agent'), ['--config', u.file('agent.json'), '--show', what]);
  assert.equal(r.code, code, r.err);
  return code ? r.err : JSON.parse(r.out);
};

test('MUD file, settings and data of a declaration', (t) => {
  const kit = new Kit(), u = kit.unit({ declaration: { ...declaration, data: [{ name: 'clips', purpose: 'who was there', retention: '30 days', deleted_by_reset: true }] } });
  t.after(() => kit.end());

  const mud = show(u, 'mud'), m = mud['ietf-mud:mud'], acls = mud['ietf-access-control-list:acls'].acl;
  assert.equal(m['mud-version'], 1);
  assert.match(m['mud-url'], /^https:\/\/larkspur\.example\/mud\//);
  assert.match(m['last-update'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.ok(m['cache-validity'] >= 1 && m['cache-validity'] <= 168 && m.systeminfo.length <= 60);
  const named = ['from-device-policy', 'to-device-policy'].flatMap((p) => m[p]['access-lists']['access-list'].map((l) => l.name));
  assert.deepEqual([...named].sort(), acls.map((a) => a.name).sort());
  for (const a of acls) {
    assert.ok(['ipv4-acl-type', 'ipv6-acl-type'].includes(a.type));
    for (const e of a.aces.ace) assert.equal(e.actions.forwarding, 'accept');
  }
  const from = acls.find((a) => a.name === 'from-ipv4').aces.ace;
  assert.ok(from.some((e) => e.matches.ipv4['destination-ipv4-network'] === '10.231.7.2/32' && e.matches.tcp['destination-port'].port === 8443 && e.matches.tcp['ietf-mud:direction-initiated'] === 'from-device'));
  assert.ok(from.some((e) => e.matches.ipv4['ietf-acldns:dst-dnsname'] === 'service.invalid'));
  const to = acls.find((a) => a.name === 'to-ipv6').aces.ace;
  assert.ok(to.some((e) => e.matches['ietf-mud:mud']?.['local-networks'] && e.matches.tcp?.['destination-port'].port === 4443));
  assert.ok(!to.some((e) => JSON.stringify(e).includes('10.231.7.2')), 'an IPv4 address has no place in a list of IPv6');

  const settings = show(u, 'settings');
  assert.deepEqual(Object.keys(settings.properties).sort(), ['live_view', 'porch_name', 'recording_days', 'video_quality']);
  assert.deepEqual(settings.properties.recording_days, { type: 'integer', minimum: 0, maximum: 30, default: 7, 'x-secure-default': 7, 'x-privacy': 'none' });
  assert.equal(show(u, 'data').data[0].name, 'clips');
  assert.match(show(u, 'all', 1), /takes nft, mud, settings or data/);
});

test('a declaration that says nonsense makes no rules', (t) => {
  const kit = new Kit();
  t.after(() => kit.end());
  for (const [changes, want] of [[{ destinations: [{ host: 'a b', port: 1 }] }, /\/destinations\/0/], [{ destinations: [{ host: 'x', port: 70000 }] }, /\/destinations\/0/],
    [{ destinations: [{ host: 'x"; flush ruleset', port: 1 }] }, /\/destinations\/0/]]) {
    const u = kit.unit({ declaration: { ...declaration, ...changes } });
    assert.match(show(u, 'nft', 1), want);
  }
});

const skip = namespaces();
test('the packet filter opens what is declared and nothing else', { skip, timeout: 60000 }, async (t) => {
  const kit = new Kit(), u = kit.unit({ declaration }), dev = `ctm-dev-${process.pid}`, net = `ctm-net-${process.pid}`;
  const sh = (...a) => { const r = run(ip, a); assert.equal(r.code, 0, `ip ${a.join(' ')}: ${r.err}`); return r; };
  const inside = (ns, ...a) => run(ip, ['netns', 'exec', ns, ...a]);
  t.after(() => { kit.end(); run(ip, ['netns', 'del', dev]); run(ip, ['netns', 'del', net]); });
  sh('netns', 'add', dev);
  sh('netns', 'add', net);
  sh('link', 'add', 'dev0', 'netns', dev, 'type', 'veth', 'peer', 'name', 'net0', 'netns', net);
  for (const [ns, dv, addr] of [[dev, 'dev0', '10.231.7.1/24'], [net, 'net0', '10.231.7.2/24']]) {
    sh('-n', ns, 'addr', 'add', addr, 'dev', dv);
    sh('-n', ns, 'link', 'set', dv, 'up');
    sh('-n', ns, 'link', 'set', 'lo', 'up');
  }
  const listen = (ns, ...ports) => {
    const code = ports.map((p) => `require('net').createServer((s)=>s.end('hello')).listen(${p})`).join(';');
    const p = start(ip, ['netns', 'exec', ns, process.execPath, '-e', `${code};setTimeout(()=>console.log('up'),200)`]);
    t.after(() => p.stop());
    return until('listening', () => p.log.includes('up'));
  };
  await Promise.all([listen(dev, 4443, 23), listen(net, 8443, 6667)]);
  const reach = (ns, host, port) => inside(ns, process.execPath, '-e', `const s=require('net').connect(${port},'${host}');s.setTimeout(1500);` +
    "s.on('data',()=>process.exit(0));s.on('error',()=>process.exit(1));s.on('timeout',()=>process.exit(1))").code === 0;
  const firewall = (word) => inside(dev, program('ctm-agent'), '--config', u.file('agent.json'), '--firewall', word);
  const all = () => [reach(net, '10.231.7.1', 4443), reach(net, '10.231.7.1', 23), reach(dev, '10.231.7.2', 8443), reach(dev, '10.231.7.2', 6667)];

  assert.deepEqual(all(), [true, true, true, true], 'before');
  assert.equal(firewall('check').code, 0);
  assert.deepEqual(all(), [true, true, true, true], 'a check changes nothing');
  const up = firewall('up');
  assert.equal(up.code, 0, up.err);
  assert.match(up.err, /service\.invalid has no address/);
  assert.deepEqual(all(), [true, false, true, false], 'declared ways and no others');
  assert.equal(inside(dev, existsTool('ping') ?? 'true', '-c', '1', '-W', '2', '10.231.7.2').code, 0);
  const rules = inside(dev, nft, 'list', 'table', 'inet', 'ctm_agent').out;
  assert.match(rules, /is found on the local network/);
  assert.equal(firewall('up').code, 0, 'again, in place of itself');
  assert.equal((inside(dev, nft, 'list', 'table', 'inet', 'ctm_agent').out.match(/dport 4443/g) ?? []).length, 1);
  assert.equal(firewall('down').code, 0);
  assert.deepEqual(all(), [true, true, true, true], 'taken away');
  assert.equal(firewall('down').code, 0);
});
