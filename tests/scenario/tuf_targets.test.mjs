// SPDX-License-Identifier: Apache-2.0
//
// ctm-tuf and what a repository's roles describe: delegations, names, files, and a network that is not kind (TUF 1.0.34, sections 5.6.7 and
// 5.7; NIST IR 8259A, software update). Judged like tuf.test.mjs, and by what lies in the target directory.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before } from 'node:test';
import { bad, begin, cases, close, edit, good, listen, signer, test } from './tuf_kit.mjs';

before(listen);
after(close);

cases('delegations', () => {
  const all = ['*'], py = ['*.py'];
  const graphs = {
    one: [[['targets', 'A']], 'A'],
    two: [[['targets', 'A'], ['targets', 'B']], 'A B'],
    'two levels': [[['targets', 'A'], ['targets', 'B'], ['B', 'C']], 'A B C'],
    'depth before width': [[['targets', 'A'], ['targets', 'B'], ['A', 'C'], ['A', 'D']], 'A C D B'],
    'three levels': [[['targets', 'A'], ['targets', 'B'], ['A', 'C'], ['C', 'D']], 'A C D B'],
    'a terminating one ends the rest': [[['targets', 'A'], ['targets', 'B'], ['A', 'C', all, true], ['A', 'D']], 'A C'],
    'a terminating one still has children': [[['targets', 'A'], ['targets', 'B'], ['A', 'C', all, true], ['C', 'D']], 'A C D'],
    'a terminating one that does not cover the name ends nothing': [[['targets', 'A'], ['targets', 'B'], ['A', 'C', py, true], ['A', 'D']], 'A D B'],
    'a branch that does not cover the name': [[['targets', 'A', py], ['targets', 'B'], ['A', 'C']], 'B'],
    'a branch below that does not cover the name': [[['targets', 'A'], ['targets', 'B'], ['A', 'C', py], ['C', 'D']], 'A B'],
    'a circle': [[['targets', 'A'], ['targets', 'B'], ['B', 'C'], ['C', 'D'], ['D', 'B']], 'A B C D'],
    'a role that delegates to itself': [[['targets', 'A'], ['A', 'A'], ['A', 'B']], 'A B'],
    'two parents of one role': [[['targets', 'A'], ['targets', 'B'], ['B', 'C'], ['A', 'C']], 'A C B'],
    'two parents, one of which covers the name': [[['targets', 'A'], ['targets', 'B'], ['B', 'C'], ['A', 'C', py]], 'A B C'],
  };
  for (const [name, [edges, order]] of Object.entries(graphs))
    test(`search: ${name}`, async () => {
      const { repo, client } = await begin();
      for (const [from, to, paths = all, terminating = false] of edges) repo.delegate(from, to, { paths, terminating });
      const changed = [...new Set(edges.flatMap(([from, to]) => [to, from]))];
      repo.publish(...changed, 'snapshot', 'timestamp');
      await bad(client, client.download('missing'), /nobody entitled/);
      assert.equal(repo.requests.slice(4).map((r) => r.split(' ')[0]).join(' '), order);
      client.done();
    });
  const tree = (repo) => {
    repo.delegate('targets', 'A', { paths: ['*.doc', '*.md'] });
    repo.delegate('targets', 'B', { paths: ['releases/*/*'] });
    repo.delegate('B', 'C', { paths: ['releases/x/*'] });
    repo.delegate('B', 'D', { paths: ['releases/y/*.zip'] });
    repo.delegate('targets', 'E', { paths: ['bin-?.img', 'Exact'] });
    const files = [['targets', 'targetfile'], ['A', 'README.md'], ['A', 'deep/README.md'], ['C', 'releases/x/x_v1'], ['D', 'releases/y/y_v1.zip'], ['D', 'releases/z/z_v1.zip'],
      ['E', 'bin-1.img'], ['E', 'bin-12.img'], ['E', 'bin-/.img'], ['E', 'bin-\u00e9.img'], ['E', 'exact'], ['E', 'Exact']];
    for (const [role, name] of files) repo.addFile(role, name, `${name} of ${role}`);
    repo.publish('A', 'B', 'C', 'D', 'E', 'targets', 'snapshot', 'timestamp');
  };
  for (const [name, found, order] of [['targetfile', true, ''], ['README.md', true, 'A'], ['releases/x/x_v1', true, 'B C'], ['releases/y/y_v1.zip', true, 'B D'],
    ['releases/z/z_v1.zip', false, 'B'], ['deep/README.md', false, ''], ['bin-1.img', true, 'E'], ['bin-12.img', false, ''], ['bin-/.img', false, ''],
    ['bin-\u00e9.img', true, 'E'], ['exact', false, ''], ['Exact', true, 'E']])
    test(`${name} ${found ? 'is found' : 'is not delegated'}`, async () => {
      const { repo, client } = await begin();
      tree(repo);
      assert.equal(await client.download(name), found ? 0 : 1, client.said);
      assert.equal(repo.requests.slice(4).filter((r) => !r.startsWith('file')).map((r) => r.split(' ')[0]).join(' '), order);
      assert.equal(client.files().length, found ? 1 : 0);
      client.done();
    });
  test('names are spread over roles by the prefix of their digest', async () => {
    const { repo, client } = await begin();
    repo.delegate('targets', 'low', { prefixes: ['0', '1', '2', '3', '4', '5', '6', '7'] });
    repo.delegate('targets', 'high', { prefixes: ['8', '9', 'a', 'b', 'c', 'd', 'e', 'f'] });
    for (const n of ['a', 'b', 'c', 'd']) for (const r of ['low', 'high']) repo.addFile(r, n, n);
    repo.publish('low', 'high', 'targets', 'snapshot', 'timestamp');
    await good(client, client.download(['a', 'b', 'c', 'd']));       // sha256: ca.., 3e.., 2e.., 18..
    assert.deepEqual(client.said.match(/listed by \w+/g).map((w) => w.slice(10)), ['high', 'low', 'low', 'low']);
    client.done();
  });
  test('a role reached by a second parent is verified again under that parent\'s keys', async () => {
    const { repo, client } = await begin();
    const first = signer(), second = signer();
    repo.delegate('targets', 'A', { paths: ['a*'] });
    repo.delegate('targets', 'B', { paths: ['b*'] });
    repo.delegate('A', 'C', { keys: [first] });
    repo.delegate('B', 'C', { keys: [second] });
    repo.signers.C = [first];
    repo.addFile('C', 'a1', 'a1');
    repo.addFile('C', 'b1', 'b1');
    repo.publish('C', 'A', 'B', 'targets', 'snapshot', 'timestamp');
    await bad(client, client.download(['a1', 'b1']), /not signed by enough keys/);
    assert.deepEqual(client.files(), ['a1']);
    await bad(client, client.download('b1'));                         // nor from what is stored
    assert.deepEqual(client.files(), ['a1']);
    repo.signers.C = [first, second];
    repo.publish('C', 'snapshot', 'timestamp');
    await good(client, client.download(['a1', 'b1']));
    assert.deepEqual(client.files(), ['a1', 'b1']);
    client.done();
  });
  test('a delegation that was given to other keys takes its old document with it', async () => {
    const { repo, client } = await begin();
    repo.delegate('targets', 'A');
    repo.addFile('A', 'f', 'f');
    repo.publish('A', 'targets', 'snapshot', 'timestamp');
    await good(client, client.download('f'));
    repo.md.targets.delegations.roles[0].keyids = [];
    repo.addKey('A', signer(), 'targets');
    repo.signers.A = repo.signers.A.slice(0, 1);
    fs.rmSync(path.join(client.targets, 'f'));
    repo.publish('targets', 'snapshot', 'timestamp');
    await bad(client, client.download('f'), /not signed by enough keys/);
    client.done();
  });
  for (const [what, change] of [['of a top-level name', (r) => r.delegate('targets', 'snapshot2', {}) ?? (r.md.targets.delegations.roles[0].name = 'snapshot')],
    ['with paths and prefixes', (r) => { r.delegate('targets', 'A'); r.md.targets.delegations.roles[0].path_hash_prefixes = ['0']; }],
    ['with neither', (r) => { r.delegate('targets', 'A'); delete r.md.targets.delegations.roles[0].paths; }]])
    test(`a delegation ${what} makes the role unusable`, async () => {
      const { repo, client } = await begin();
      change(repo);
      repo.publish('targets', 'snapshot', 'timestamp');
      await bad(client, client.refresh(), /a delegation is not such/);
      client.done();
    });
  test('a role that the snapshot does not name is not believed', async () => {
    const { repo, client } = await begin();
    repo.delegate('targets', 'A');
    repo.publish('targets', 'snapshot', 'timestamp', 'A');
    await bad(client, client.download('f'), /snapshot does not name it/);
    client.done();
  });
  test('a chain of roles without end is left at the limit', async () => {
    const { repo, client } = await begin();
    const names = Array.from({ length: 34 }, (_, i) => `r${i}`);
    names.reduce((from, to) => (repo.delegate(from, to), to), 'targets');
    repo.addFile('r33', 'f', 'f');
    repo.publish(...names, 'targets', 'snapshot', 'timestamp');
    await bad(client, client.download('f'), /more than 32 delegations/);
    client.done();
  });
  test('a threshold of delegated keys counts each key once', async () => {
    const { repo, client } = await begin();
    const k = signer('ed25519');
    repo.delegate('targets', 'A', { keys: [k], threshold: 2 });
    const twin = { ...k, keyid: 'f'.repeat(64) };
    repo.addKey('A', twin, 'targets');                                // the same key under another id
    repo.publish('A', 'targets', 'snapshot', 'timestamp');
    await bad(client, client.download('f'), /not signed by enough keys/);
    repo.addKey('A', signer(), 'targets');
    repo.addFile('A', 'f', 'f');
    repo.publish('A', 'targets', 'snapshot', 'timestamp');
    await good(client, client.download('f'));
    client.done();
  });
});

cases('names', () => {
  for (const role of ['?', '#', '/delegatedrole', '../delegatedrole', '..', '%2e%2e', 'a b', 'r\u00f6le', '1.root', '.new', 'x'.repeat(600)])
    test(`role ${role.slice(0, 20)}`, async () => {
      const { repo, client } = await begin();
      repo.delegate('targets', role);
      repo.publish(role, 'targets', 'snapshot', 'timestamp');
      await bad(client, client.download('not there'), /nobody entitled/);
      const quoted = [...Buffer.from(role)].map((b) => /[\w.~-]/.test(String.fromCharCode(b)) ? String.fromCharCode(b) : '%' + b.toString(16).toUpperCase().padStart(2, '0')).join('');
      assert.ok(repo.requests.includes(`${quoted} 1`), repo.requests.join());
      assert.equal(fs.readdirSync(client.metadata).filter((f) => f.endsWith('.json')).length, 5);
      assert.deepEqual(fs.readdirSync(client.dir).sort(), ['metadata', 'root-in.json', 'targets']);
      client.done();
    });
  for (const name of ['../up', '/abs', '.', '..', 'a/../../b', '.hidden', 'a b?c#d%e', 'd/' + 'y'.repeat(400), 'r\u00f6le'])
    test(`target ${name.slice(0, 20)} stays in its directory`, async () => {
      const { repo, client } = await begin();
      repo.addFile('targets', name, 'contents');
      repo.publish('targets', 'snapshot', 'timestamp');
      await good(client, client.download(name));
      assert.equal(fs.readdirSync(client.targets).length, 1);
      assert.deepEqual(fs.readdirSync(client.dir).sort(), ['metadata', 'root-in.json', 'targets']);
      client.done();
    });
});

cases('files', () => {
  test('a file is downloaded once, also from a directory', async () => {
    const { repo, client } = await begin();
    repo.addFile('targets', 'path/to/a/file.txt', 'contents');
    repo.publish('targets', 'snapshot', 'timestamp');
    await good(client, client.refresh());
    assert.deepEqual(client.files(), []);
    await good(client, client.download('path/to/a/file.txt'));
    await good(client, client.download('path/to/a/file.txt'));
    assert.deepEqual(client.files(), ['contents']);
    assert.equal(repo.requests.filter((r) => r.startsWith('file')).length, 1);
    client.done();
  });
  test('several in one go, in order, until one fails', async () => {
    const { repo, client } = await begin();
    for (const f of ['a', 'b', 'c']) repo.addFile('targets', f, f);
    repo.publish('targets', 'snapshot', 'timestamp');
    await bad(client, client.download(['b', 'a', 'none', 'c']));
    assert.deepEqual(client.files(), ['a', 'b']);
    assert.deepEqual(repo.requests.filter((r) => r.startsWith('file')).map((r) => r.at(-1)), ['b', 'a']);
    client.done();
  });
  test('what was exchanged on the server is not taken, and what is there not lost', async () => {
    const { repo, client } = await begin();
    for (const f of ['a', 'b']) repo.addFile('targets', f, `good ${f}`);
    repo.publish('targets', 'snapshot', 'timestamp');
    await good(client, client.download('a'));
    repo.files.a = repo.files.b = Buffer.from('evil b');
    await good(client, client.download('a'));
    await bad(client, client.download('b'), /not the file/);
    assert.deepEqual(client.files(), ['good a']);
    client.done();
  });
  test('new contents replace the old under the same name; a changed copy is fetched again', async () => {
    const { repo, client } = await begin();
    repo.addFile('targets', 'f', 'one');
    repo.publish('targets', 'snapshot', 'timestamp');
    await good(client, client.download('f'));
    for (let i = 0; i < 3; i++) {
      repo.addFile('targets', 'f', `contents ${i}`);
      repo.publish('targets', 'snapshot', 'timestamp');
      await good(client, client.download('f'));
      assert.deepEqual(client.files(), [`contents ${i}`]);
    }
    fs.writeFileSync(path.join(client.targets, 'f'), 'contents!2');
    await good(client, client.download('f'));
    assert.deepEqual(client.files(), ['contents 2']);
    client.done();
  });
  for (const algs of [['sha256'], ['sha512'], ['sha256', 'sha512']])
    test(`digests: ${algs.join(' and ')}`, async () => {
      const { repo, client } = await begin();
      repo.addFile('targets', 'f', 'contents', algs);
      repo.publish('targets', 'snapshot', 'timestamp');
      await good(client, client.download('f'));
      assert.deepEqual(client.files(), ['contents']);
      repo.addFile('targets', 'g', 'contents', algs);
      repo.md.targets.targets.g.hashes[algs.at(-1)] = repo.md.targets.targets.g.hashes[algs.at(-1)].replace(/./g, '0');
      repo.publish('targets', 'snapshot', 'timestamp');
      await bad(client, client.download('g'));
      assert.equal(client.files().length, 1);
      client.done();
    });
  test('an unknown digest alone is not enough; beside a known one it does no harm', async () => {
    const { repo, client } = await begin();
    repo.addFile('targets', 'f', 'contents');
    repo.addFile('targets', 'g', 'contents');
    const { f, g } = repo.md.targets.targets;
    f.hashes = { 'sha3-999': f.hashes.sha256 };
    g.hashes['sha3-999'] = 'whatever';
    repo.publish('targets', 'snapshot', 'timestamp');
    await bad(client, client.download('f'), /no digest that this client can check/);
    await good(client, client.download('g'));
    client.done();
  });
  test('an empty file', async () => {
    const { repo, client } = await begin();
    repo.addFile('targets', 'f', '');
    repo.publish('targets', 'snapshot', 'timestamp');
    await good(client, client.download('f'));
    assert.deepEqual(client.files(), ['']);
    client.done();
  });
});

cases('the network', () => {
  const big = Buffer.alloc(300000, 'x');
  const cut = (body, at) => (req, res) => { res.writeHead(200, { 'Content-Length': body.length }); res.write(body.subarray(0, at), () => res.destroy()); };
  const endless = (req, res, status = 200) => {
    res.writeHead(status);
    const chunk = Buffer.alloc(65536, 32), more = () => { while (!res.destroyed && res.write(chunk)); };
    res.on('drain', more);
    more();
  };
  test('a download that breaks off is carried on where it stood', async () => {
    const { repo, client } = await begin();
    repo.addFile('targets', 'f', big);
    repo.publish('targets', 'snapshot', 'timestamp');
    const url = `targets/${repo.md.targets.targets.f.hashes.sha256}.f`;
    repo.wild[url] = cut(big, 120000);
    await bad(client, client.download('f'), /breaks off/);
    assert.deepEqual(client.files(), []);
    delete repo.wild[url];
    await good(client, client.download('f'));
    assert.ok(repo.ranged > 0 && repo.ranged <= 120000, String(repo.ranged));
    assert.deepEqual(client.files(), [big.toString()]);
    client.done();
  });
  test('carried on at a server without ranges, and with a beginning that is another file\'s', async () => {
    const { repo, client } = await begin();
    repo.addFile('targets', 'f', big);
    repo.publish('targets', 'snapshot', 'timestamp');
    const url = `targets/${repo.md.targets.targets.f.hashes.sha256}.f`;
    repo.wild[url] = cut(big, 90000);
    await bad(client, client.download('f'));
    delete repo.wild[url];
    repo.ranges = false;
    await good(client, client.download('f'));
    fs.rmSync(path.join(client.targets, 'f'));
    fs.writeFileSync(path.join(client.targets, '.f.part'), Buffer.alloc(1000, 'y'));
    await good(client, client.download('f'));
    fs.rmSync(path.join(client.targets, 'f'));
    fs.writeFileSync(path.join(client.targets, '.f.part'), Buffer.alloc(400000, 'y'));
    repo.ranges = true;
    await good(client, client.download('f'));
    assert.deepEqual(client.files(), [big.toString()]);
    client.done();
  });
  for (const [what, url] of [['root', 'metadata/2.root.json'], ['timestamp', 'metadata/timestamp.json'], ['snapshot', 'metadata/1.snapshot.json'], ['targets', 'metadata/1.targets.json']])
    test(`a ${what} without end is left at its limit`, async () => {
      const { repo, client } = await begin();
      repo.wild[url] = endless;
      await bad(client, client.refresh(), /larger than its limit/);
      assert.equal(client.version(what), what === 'root' ? 1 : null);
      client.done();
    });
  test('a refusal without end is left too, and is a refusal', async () => {
    const { repo, client } = await begin();
    repo.wild['metadata/2.root.json'] = (req, res) => endless(req, res, 404);
    await good(client, client.refresh());
    repo.publish('timestamp');
    repo.wild['metadata/timestamp.json'] = (req, res) => endless(req, res, 503);
    await bad(client, client.refresh(), /breaks off/);
    client.done();
  });
  test('a file longer than it may be is left where it should end', async () => {
    const { repo, client } = await begin();
    repo.addFile('targets', 'f', 'short');
    repo.publish('targets', 'snapshot', 'timestamp');
    repo.wild[`targets/${repo.md.targets.targets.f.hashes.sha256}.f`] = endless;
    await bad(client, client.download('f'), /larger than its limit/);
    assert.deepEqual(fs.readdirSync(client.targets), []);
    client.done();
  });
  for (const [what, answer] of [['a server error', (q, r) => r.writeHead(503).end('down')], ['a redirect', (q, r) => r.writeHead(302, { Location: '/elsewhere' }).end()],
    ['a broken connection', (q, r) => r.destroy()], ['an empty answer', (q, r) => r.writeHead(200, { 'Content-Length': 0 }).end()]])
    test(`${what} instead of the next root is not the end of the chain`, async () => {
      const { repo, client } = await begin();
      repo.wild['metadata/2.root.json'] = answer;
      await bad(client, client.refresh());
      assert.deepEqual([client.trusted(), repo.requests], ['root 1', []]);
      client.done();
    });
  test('plain http only to the machine itself, unless it is said', async () => {
    const { client } = await begin();
    client.online[1] = 'http://192.0.2.1/metadata/';
    const began = Date.now();
    await bad(client, client.refresh());
    assert.ok(Date.now() - began < 10000);
    client.online[1] = 'file:///etc/';
    await bad(client, client.refresh());
    client.done();
  });
  for (const [what, bytes] of [['not JSON', '{'], ['an array', '[]'], ['deep', '{"signed":' + '['.repeat(100000)], ['double members', '{"signed":{},"signed":{},"signatures":[]}'], ['half a UTF-8', Buffer.from([0x7b, 0x22, 0xc3])]])
    test(`a timestamp that is ${what} is refused`, async () => {
      const { repo, client } = await begin();
      repo.published.timestamp[0] = Buffer.from(bytes);
      await bad(client, client.refresh());
      assert.equal(client.trusted(), 'root 1');
      client.done();
    });
  test('what lies in the store is believed no more than what comes from outside', async () => {
    const { repo, client } = await begin();
    await good(client, client.refresh());
    const forged = edit(client.stored('targets'), (j) => { j.signed.targets.evil = { length: 4, hashes: { sha256: '0'.repeat(64) } }; });
    fs.writeFileSync(path.join(client.metadata, 'targets.json'), forged);
    await bad(client, client.download('evil'), /nobody entitled/);
    assert.deepEqual(client.stored('targets'), repo.last('targets'));
    for (const r of ['timestamp', 'snapshot', 'targets']) fs.writeFileSync(path.join(client.metadata, `${r}.json`), 'rubbish');
    await good(client, client.refresh());
    fs.writeFileSync(path.join(client.metadata, 'root.json'), edit(client.stored('root'), (j) => { j.signed.version = 2; }));
    await bad(client, client.refresh(), /not signed by enough keys/);
    client.done();
  });
});
