// SPDX-License-Identifier: Apache-2.0
//
// ctm-tuf and the top-level roles of repositories that are well, rotated, old, forged and odd (TUF 1.0.34, sections 5.2 to 5.6; NIST IR
// 8259A, software update). Judged by what the public conformance suite judges by: the exit status, what lies in the metadata directory,
// and which requests were made in which order.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before } from 'node:test';
import { Client, Repo, bad, begin, cases, close, days, edit, good, listen, signer, test } from './tuf_kit.mjs';

const TOP = ['root', 'timestamp', 'snapshot', 'targets'];
before(listen);
after(close);

cases('basic', () => {
  test('a first refresh asks in the order of the specification and stores what was served, byte for byte', async () => {
    const { repo, client } = await begin();
    repo.published.timestamp[0] = Buffer.concat([repo.published.timestamp[0], Buffer.from(' \n')]);
    await good(client, client.refresh());
    assert.deepEqual(repo.requests, ['root 2', 'timestamp', 'snapshot 1', 'targets 1']);
    for (const r of TOP) assert.deepEqual(client.stored(r), repo.last(r));
    assert.deepEqual(fs.readdirSync(client.metadata).sort(), TOP.map((r) => `${r}.json`).sort());
    client.done();
  });
  test('download refreshes first', async () => {
    const { repo, client } = await begin();
    await bad(client, client.download('not there'), /nobody entitled/);
    assert.deepEqual(repo.requests, ['root 2', 'timestamp', 'snapshot 1', 'targets 1']);
    client.done();
  });
  test('a second refresh fetches nothing but the timestamp', async () => {
    const { repo, client } = await begin();
    await good(client, client.refresh());
    repo.requests.length = 0;
    await good(client, client.refresh());
    assert.deepEqual(repo.requests, ['root 2', 'timestamp']);
    client.done();
  });
  for (const [what, change] of [
    ['without a version', (j) => { delete j.signed.version; }],
    ['with a strange signature', (j) => { j.signatures[0].sig = '3045022100ee448afe2d25dd1f05afedac83a24e7df90f203615221434979153dc7cea6d4702207710015851e571885a77db8a6e42c4b2983a59b9e1ebec91178dfa2fb0d42ab8'; }],
    ['with a changed field', (j) => { j.signed.consistent_snapshot = false; }],
  ])
    test(`a first root ${what} is not adopted and nothing is asked`, async () => {
      const { repo, client } = await begin({ init: false });
      await bad(client, client.init(edit(repo.published.root[0], change)));
      await bad(client, client.refresh(), /no trusted root/);
      assert.deepEqual(repo.requests, []);
      client.done();
    });
  for (const [role, trusted] of [['root', 'root 1'], ['timestamp', 'root 2'], ['snapshot', 'root 2, timestamp 2'], ['targets', 'root 2, snapshot 2, timestamp 2']]) {
    test(`${role} without its signature is refused; what came before it stays`, async () => {
      const { repo, client } = await begin();
      repo.signers[role].pop();
      repo.publish('root', 'targets', 'snapshot', 'timestamp');
      await bad(client, client.refresh());
      assert.equal(client.trusted(), trusted);
      client.done();
    });
    if (role !== 'timestamp')
      test(`${role} of another version than its address says is refused`, async () => {
        const { repo, client } = await begin();
        repo.md[role].version++;
        repo.publish('root', 'targets', 'snapshot');
        const m = repo.md.timestamp.meta['snapshot.json'], s = repo.md.snapshot.meta['targets.json'];
        if (role === 'snapshot') m.version = 2;
        else if (role === 'targets') {
          s.version = 2;
          repo.published.snapshot[1] = repo.bytes('snapshot');
          m.version = 2;
        } else m.version = 2;
        repo.frozen = true;
        repo.publish('timestamp');
        await bad(client, client.refresh());
        assert.equal(client.trusted(), role === 'root' ? 'root 1' : role === 'snapshot' ? 'root 2, timestamp 2' : 'root 2, snapshot 2, timestamp 2');
        client.done();
      });
  }
  test('a timestamp of the same version with other contents is passed over', async () => {
    const { repo, client } = await begin();
    await good(client, client.refresh());
    const had = client.stored('timestamp');
    repo.md.timestamp.meta['snapshot.json'].version = 100;
    repo.frozen = true;
    repo.republish('timestamp');
    await good(client, client.refresh());
    assert.equal(repo.requests.at(-1), 'timestamp');
    assert.deepEqual(client.stored('timestamp'), had);
    client.done();
  });
  test('stated lengths and digests are taken, and wrong ones refused before anything else', async () => {
    const { repo, client } = await begin({ change: (r) => { r.hashes = true; r.publish('targets', 'snapshot', 'timestamp'); } });
    await good(client, client.refresh());
    repo.publish('targets', 'snapshot');
    repo.md.snapshot.meta['targets.json'].hashes.sha256 = '0'.repeat(64);
    repo.published.snapshot[repo.published.snapshot.length - 1] = repo.bytes('snapshot');
    repo.publish('timestamp');
    await bad(client, client.refresh(), /not the file that its parent describes/);
    assert.deepEqual([client.version('snapshot'), client.version('targets')], [3, 2]);
    client.done();
  });
  test('a wrong stated length is refused', async () => {
    const { repo, client } = await begin({ change: (r) => { r.hashes = true; r.publish('targets', 'snapshot', 'timestamp'); } });
    repo.published.snapshot[1] = Buffer.concat([repo.published.snapshot[1], Buffer.from(' ')]);
    await bad(client, client.refresh());
    assert.equal(client.trusted(), 'root 1, timestamp 2');
    client.done();
  });
  test('targets that the snapshot does not name are not asked for', async () => {
    const { repo, client } = await begin();
    await good(client, client.refresh());
    repo.publish('targets');
    await good(client, client.refresh());
    assert.equal(client.version('targets'), 1);
    assert.equal(repo.requests.at(-1), 'timestamp');
    client.done();
  });
  test('fields nobody knows are under the signature, everywhere', async () => {
    const { repo, client } = await begin();
    Object.assign(repo.md.root, { 'x-field': 'value "quoted" \\ and \u00e9\u{1f600}\n', 'x-empty': {}, 'x-deep': [[], [1, -2, true, null]] });
    repo.addKey('root', signer('ecdsa', { 'x-extra': { b: 2, a: 1 } }));
    repo.md.root.roles.root['x-more'] = 'value';
    repo.md.root.roles['x-role'] = { keyids: ['a'], threshold: 1 };
    repo.publish('root');
    await good(client, client.refresh());
    assert.equal(client.version('root'), 2);
    client.done();
  });
  test('keyid_hash_algorithms means nothing', async () => {
    const { repo, client } = await begin();
    repo.md.root.roles.snapshot.keyids = [];
    repo.signers.snapshot = [];
    repo.addKey('snapshot', signer('ecdsa', { keyid_hash_algorithms: 'md5' }));
    repo.publish('root', 'snapshot', 'timestamp');
    await good(client, client.refresh());
    assert.equal(client.version('snapshot'), 2);
    client.done();
  });
  for (const [role, ask, trusted] of [['timestamp', 'timestamp', 'root 1, snapshot 1, targets 1, timestamp 1'],
    ['snapshot', 'snapshot 2', 'root 1, snapshot 1, targets 1, timestamp 2'], ['targets', 'targets 2', 'root 1, snapshot 2, targets 1, timestamp 2']])
    test(`a missing ${role} is a failure; what came before it stays`, async () => {
      const { repo, client } = await begin();
      await good(client, client.refresh());
      repo.frozen = true;
      if (role === 'timestamp') delete repo.published.timestamp;
      if (role === 'snapshot') repo.md.timestamp.meta['snapshot.json'].version++, repo.publish('timestamp');
      if (role === 'targets') repo.md.snapshot.meta['targets.json'].version++, repo.md.timestamp.meta['snapshot.json'].version++, repo.publish('snapshot', 'timestamp');
      await bad(client, client.refresh());
      assert.equal(repo.requests.at(-1), ask);
      assert.equal(client.trusted(), trusted);
      client.done();
    });
  test('a snapshot dressed as a timestamp is refused by its type', async () => {
    const { repo, client } = await begin();
    repo.md.root.keys[repo.signers.timestamp[0].keyid] = repo.signers.timestamp[0].key;
    repo.md.root.roles.snapshot.keyids.push(repo.signers.timestamp[0].keyid);
    repo.addSigner('snapshot', repo.signers.timestamp[0]);
    repo.frozen = true;
    repo.md.snapshot.meta = { 'snapshot.json': { version: 1 } };
    repo.publish('root', 'snapshot');
    repo.published.timestamp.push(repo.published.snapshot.pop());
    await bad(client, client.refresh(), /another type/);
    assert.equal(client.trusted(), 'root 2');
    client.done();
  });
  test('without consistent snapshots names carry no version', async () => {
    const { repo, client } = await begin({ consistent: false });
    repo.addFile('targets', 'dir/f', 'contents');
    repo.publish('targets', 'snapshot', 'timestamp');
    await good(client, client.download('dir/f'));
    assert.deepEqual(repo.requests, ['root 2', 'timestamp', 'snapshot', 'targets', 'file dir/f']);
    client.done();
  });
  test('an address without the last slash is the same one', async () => {
    const { client } = await begin();
    client.online[1] = client.online[1].replace(/\/$/, '');
    await good(client, client.refresh());
    client.done();
  });
});

cases('key rotation', () => {
  const keys = Array.from({ length: 10 }, () => signer('ed25519'));
  const roots = {
    'one key for another': [[[1], 1, [1]], [[2], 1, [2, 1]], [[2], 1, [2]]],
    'one key for another, among signatures of strangers': [[[1], 1, [3, 1, 4]], [[2], 1, [3, 2, 1, 4]], [[2], 1, [3, 2, 4]]],
    'three of five in changing company': [[[0, 1, 2, 3, 4], 3, [0, 2, 4]], [[0, 1, 2, 3, 4], 3, [0, 4, 1]], [[0, 1, 2, 3, 4], 3, [0, 1, 3]], [[0, 1, 2, 3, 4], 3, [0, 1, 3]]],
    'three of five, one key changed': [[[0, 1, 2, 3, 4], 3, [0, 2, 4]], [[0, 1, 3, 4, 5], 3, [0, 4, 1]]],
    'three of five, one key changed by way of both': [[[0, 1, 2, 3, 4], 3, [0, 2, 4]], [[0, 1, 3, 4, 5], 3, [0, 2, 4, 5]], [[0, 1, 3, 4, 5], 3, [0, 4, 5]]],
    'three of five, all keys changed': [[[0, 1, 2, 3, 4], 3, [0, 2, 4]], [[5, 6, 7, 8, 9], 3, [0, 2, 4, 5, 6, 7]], [[5, 6, 7, 8, 9], 3, [5, 6, 7]]],
    'threshold up, one to two of three': [[[1, 2, 3], 1, [1]], [[1, 2, 3], 2, [1, 2]]],
    'threshold down, two to one of three': [[[1, 2, 3], 2, [1, 2]], [[1, 2, 3], 1, [1, 2]], [[1, 2, 3], 1, [1]]],
    'threshold up with a key': [[[1], 1, [1]], [[1, 2], 2, [1, 2]]],
    'not signed by the old key': [[[1], 1, [1]], [[2], 1, [2, 3, 4], false]],
    'not signed by the new key': [[[1], 1, [1]], [[2], 1, [1, 3, 4], false]],
    'not signed by three new keys': [[[0, 1, 2, 3, 4], 3, [0, 2, 4]], [[0, 1, 3, 4, 5], 3, [0, 2, 4], false]],
    'not signed by three old keys': [[[0, 1, 2, 3, 4], 3, [0, 2, 4]], [[0, 1, 3, 4, 5], 3, [0, 4, 5], false]],
    'the new threshold is not reached': [[[1, 2, 3], 1, [1]], [[1, 2, 3], 2, [2], false]],
    'the old threshold is not reached': [[[1, 2, 3], 2, [1, 2]], [[1, 2, 3], 1, [1], false]],
  };
  for (const [name, versions] of Object.entries(roots))
    test(`root: ${name}`, async () => {
      const repo = new Repo();
      repo.published.root = [];
      repo.md.root.version = 0;
      for (const [ids, threshold, sigs] of versions) {
        repo.md.root.roles.root = { keyids: ids.map((i) => keys[i].keyid), threshold };
        for (const i of ids) repo.md.root.keys[keys[i].keyid] = keys[i].key;
        repo.signers.root = sigs.map((i) => keys[i]);
        repo.md.root.version++;
        repo.republish('root');
      }
      const client = new Client(repo), fails = versions.at(-1)[3] === false;
      await good(client, client.init());
      assert.equal(await client.refresh(), fails ? 1 : 0, client.said);
      assert.deepEqual(client.stored('root'), repo.published.root.at(fails ? -2 : -1));
      client.done();
    });
  const others = {
    'one key for another': [[2], 1, [2]], 'among signatures of strangers': [[1], 1, [3, 1, 4]], 'not signed by the new key': [[2], 1, [1, 3, 4], false],
    'a signature of the wrong key': [[0, 1, 3, 4, 5], 3, [0, 2, 4], false], 'a signature is missing': [[0, 1, 3, 4, 5], 3, [0, 4], false],
    'three of five, first': [[0, 1, 2, 3, 4], 3, [0, 2, 4]], 'three of five, second': [[0, 1, 2, 3, 4], 3, [0, 4, 1]], 'three of five, third': [[0, 1, 2, 3, 4], 3, [0, 1, 3]],
    'three of five, fourth': [[0, 1, 2, 3, 4], 3, [1, 2, 3]], 'three of five, fifth': [[0, 1, 2, 3, 4], 3, [2, 3, 4]],
  };
  for (const [name, [ids, threshold, sigs, res = true]] of Object.entries(others))
    test(`timestamp, snapshot, targets: ${name}`, async () => {
      const { repo, client } = await begin();
      for (const role of ['timestamp', 'snapshot', 'targets']) {
        repo.md.root.roles[role] = { keyids: ids.map((i) => keys[i].keyid), threshold };
        for (const i of ids) repo.md.root.keys[keys[i].keyid] = keys[i].key;
        repo.signers[role] = sigs.map((i) => keys[i]);
        repo.publish('root');
        repo.republish(role);
        if (role !== 'timestamp') repo.publish('timestamp');
        repo.published[role] = [repo.last(role)];
        assert.equal(await client.refresh(), res ? 0 : 1, client.said);
        if (res) assert.deepEqual(client.stored(role), repo.last(role));
        else break;
      }
      client.done();
    });
  test('every root on the way is fetched, in order, and stored', async () => {
    const { repo, client } = await begin();
    for (let i = 0; i < 40; i++) repo.publish('root');
    await good(client, client.refresh());
    assert.deepEqual(repo.requests.slice(0, 41), Array.from({ length: 41 }, (_, i) => `root ${i + 2}`));
    assert.equal(client.version('root'), 41);
    client.done();
  });
  test('a break in the chain of roots stops there and keeps what was reached', async () => {
    const { repo, client } = await begin();
    for (let i = 0; i < 4; i++) repo.publish('root');
    repo.published.root[3] = edit(repo.published.root[3], (j) => { j.signed.version = 5; });
    await bad(client, client.refresh());
    assert.equal(client.version('root'), 3);
    client.done();
  });
});

cases('rollback', () => {
  test('an older timestamp is refused', async () => {
    const { repo, client } = await begin();
    repo.publish('timestamp');
    await good(client, client.refresh());
    repo.published.timestamp.pop();
    await bad(client, client.refresh(), /was seen before/);
    assert.equal(client.version('timestamp'), 2);
    client.done();
  });
  for (const hashes of [false, true]) {
    const how = hashes ? ', with digests' : '';
    test(`a timestamp that names an older snapshot is refused${how}`, async () => {
      const { repo, client } = await begin({ change: (r) => { r.hashes = hashes; } });
      repo.publish('snapshot', 'timestamp');
      await good(client, client.refresh());
      repo.published.snapshot.pop();
      repo.publish('timestamp');
      await bad(client, client.refresh(), /names snapshot version 1/);
      assert.deepEqual([client.version('timestamp'), client.version('snapshot'), repo.requests.at(-1)], [2, 2, 'timestamp']);
      client.done();
    });
    test(`a snapshot that names older targets is refused${how}`, async () => {
      const { repo, client } = await begin({ change: (r) => { r.hashes = hashes; } });
      repo.publish('targets', 'targets', 'snapshot', 'timestamp');
      await good(client, client.refresh());
      repo.published.targets.pop();
      repo.publish('snapshot', 'timestamp');
      await bad(client, client.refresh(), /older version of targets/);
      assert.equal(client.version('targets'), 3);
      client.done();
    });
    test(`a snapshot that names an older delegated role, or none, is refused${how}`, async () => {
      const { repo, client } = await begin({ change: (r) => { r.hashes = hashes; } });
      repo.delegate('targets', 'A');
      repo.addFile('A', 'f', 'f');
      repo.publish('A', 'A', 'targets', 'snapshot', 'timestamp');
      await good(client, client.refresh());
      repo.published.A.pop();
      repo.publish('snapshot', 'timestamp');
      await bad(client, client.refresh(), /older version of A/);
      delete repo.md.snapshot.meta['A.json'];
      delete repo.published.A;
      repo.publish('snapshot', 'timestamp');
      await bad(client, client.refresh(), /no longer in the snapshot/);
      client.done();
    });
  }
  test('a snapshot of a lower version served for the one known is not asked for', async () => {
    const { repo, client } = await begin();
    repo.publish('snapshot', 'timestamp');
    await good(client, client.refresh());
    repo.published.snapshot[1] = repo.published.snapshot[0];
    await good(client, client.refresh());
    assert.deepEqual([client.version('snapshot'), repo.requests.at(-1)], [2, 'timestamp']);
    client.done();
  });
  test('a snapshot that its timestamp does not name is refused', async () => {
    const { repo, client } = await begin();
    repo.md.snapshot.version++;
    repo.published.snapshot[0] = repo.bytes('snapshot');
    await bad(client, client.refresh(), /timestamp names 1/);
    assert.equal(client.trusted(), 'root 1, timestamp 1');
    client.done();
  });
  for (const [role, rotate] of [['targets', ['snapshot']], ['snapshot', ['snapshot', 'timestamp']], ['timestamp', ['timestamp']]])
    test(`${role} driven up by a thief come back when ${rotate.join(' and ')} keys change (fast-forward recovery)`, async () => {
      const { repo, client } = await begin();
      repo.md[role].version = 99998;
      repo.publish(role);
      const far = repo.last(role);
      repo.published[role].length = 99999;
      repo.published[role][99998] = far;
      if (role === 'targets') repo.publish('snapshot');
      if (role !== 'timestamp') repo.publish('timestamp');
      await good(client, client.refresh());
      assert.equal(client.version(role), 99999);
      for (const r of rotate) repo.rotate(r);
      repo.publish('root');
      repo.md[role].version = 1;
      repo.published[role] = [repo.bytes(role)];
      for (const r of ['snapshot', 'timestamp']) if (r !== role) repo.publish(r);
      if (role === 'snapshot') repo.publish('timestamp');
      await good(client, client.refresh());
      assert.equal(client.version(role), 1);
      client.done();
    });
  test('a key that is taken away brings recovery even where the rest of the threshold still signed', async () => {
    const { repo, client } = await begin();
    repo.addKey('timestamp');
    repo.publish('root');
    repo.md.timestamp.version = 500;
    repo.publish('timestamp');
    await good(client, client.refresh());
    repo.md.root.roles.timestamp.keyids.shift();
    repo.signers.timestamp.shift();
    repo.publish('root');
    repo.md.timestamp.version = 3;
    repo.publish('timestamp');
    await good(client, client.refresh());
    assert.equal(client.version('timestamp'), 4);
    client.done();
  });
  test('a threshold that rises, or a key that is added, forgets nothing', async () => {
    const { repo, client } = await begin();
    await good(client, client.refresh());
    for (let i = 0; i < 4; i++) repo.addKey('snapshot');
    repo.md.root.roles.snapshot.threshold = 6;
    repo.publish('root', 'snapshot', 'timestamp');
    await bad(client, client.refresh());
    assert.deepEqual([client.version('root'), client.version('snapshot')], [2, 1]);
    client.done();
  });
});

cases('keys', () => {
  test('two signatures of three are not three', async () => {
    const { repo, client } = await begin();
    repo.md.root.roles.snapshot.threshold = 3;
    repo.addKey('snapshot'), repo.addKey('snapshot');
    repo.publish('root', 'snapshot', 'timestamp');
    await good(client, client.refresh());
    repo.signers.snapshot.pop();
    repo.publish('snapshot', 'timestamp');
    await bad(client, client.refresh());
    assert.equal(client.version('snapshot'), 2);
    client.done();
  });
  test('one key listed and signing many times is one key', async () => {
    const { repo, client } = await begin();
    const s = signer();
    for (let i = 0; i < 9; i++) repo.addKey('snapshot', s);
    repo.signers.snapshot = [repo.signers.snapshot[0], s];
    repo.md.root.roles.snapshot.threshold = 6;
    repo.publish('root', 'snapshot', 'timestamp');
    await bad(client, client.refresh());
    repo.published.snapshot.push(edit(repo.published.snapshot.pop(), (j) => { for (let i = 0; i < 8; i++) j.signatures.push(j.signatures[1]); }));
    await bad(client, client.refresh(), /same keyid/);
    assert.equal(client.version('snapshot'), null);
    client.done();
  });
  test('a keyid twice among the signatures is refused even when the threshold is reached', async () => {
    const { repo, client } = await begin();
    repo.published.snapshot[0] = edit(repo.published.snapshot[0], (j) => j.signatures.push(j.signatures[0]));
    await bad(client, client.refresh(), /same keyid/);
    assert.equal(client.version('snapshot'), null);
    client.done();
  });
  const wrong = { rsa: 'ab'.repeat(384), ecdsa: '3046022100fa1f62d38e0f5c565fa23e5d230086258427d87f024c146071966deefde55468022100b3347b4bd9ba6701ca6cef949d04b5742394b9f8c4417933e5d4fa76c3ca3a98',
    ed25519: 'b61589620c287e23a00abf0e653421010a0ad33869e5a096d604e08d7b4f8eb9c58ebb8a02124576be776f86ab5a3b05dbb6f27cc47f4b144f32ba4012d4b302' };
  for (const kind of ['rsa', 'ecdsa', 'ed25519', 'ecdsa-old-pem', 'ecdsa-old-hex'])
    test(`${kind} keys verify, and a wrong signature of theirs does not`, async () => {
      const { repo, client } = await begin();
      const s = repo.addKey('root', signer(kind));
      repo.md.root.roles.root.threshold = 2;
      repo.publish('root');
      await good(client, client.refresh());
      repo.publish('root');
      repo.published.root.push(edit(repo.published.root.pop(), (j) => { j.signatures.find((x) => x.keyid === s.keyid).sig = wrong[kind] ?? wrong.ecdsa; }));
      await bad(client, client.refresh(), /not signed by enough keys/);
      assert.equal(client.version('root'), 2);
      client.done();
    });
  test('a wrong, empty or unreadable signature beside enough good ones is passed over', async () => {
    const { repo, client } = await begin();
    const old = repo.signers.timestamp[0].keyid;
    repo.addKey('timestamp');
    repo.publish('root');
    for (const sig of [JSON.parse(repo.published.timestamp[0]).signatures[0].sig, '', 'zz', 'a', 'ff'.repeat(5000)]) {
      repo.publish('timestamp');
      repo.published.timestamp.push(edit(repo.published.timestamp.pop(), (j) => { j.signatures.find((x) => x.keyid === old).sig = sig; }));
      await good(client, client.refresh());
    }
    client.done();
  });
  test('keys of kinds nobody knows, and things that are no keys, are carried but count for nothing', async () => {
    const { repo, client } = await begin();
    const odd = { 'aa': { keytype: 'sigstore-oidc', scheme: 'Fulcio', keyval: { identity: 'x', issuer: 'y' } }, 'bb': { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval: { public: 'not a key' } },
      'cc': { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'abcd' } }, 'dd': { keytype: 'rsa', scheme: 'rsassa-pss-sha256', keyval: { public: signer('ecdsa').key.keyval.public } } };
    Object.assign(repo.md.root.keys, odd);
    repo.md.root.roles.snapshot.keyids.push(...Object.keys(odd), 'not even listed');
    repo.publish('root');
    await good(client, client.refresh());
    repo.md.root.roles.snapshot.threshold = 2;
    repo.publish('root', 'snapshot', 'timestamp');
    repo.published.snapshot.push(edit(repo.published.snapshot.pop(), (j) => { for (const keyid of Object.keys(odd)) j.signatures.push({ keyid, sig: 'ab'.repeat(64) }); }));
    await bad(client, client.refresh());
    client.done();
  });
});

cases('time', () => {
  const now = Date.now(), day = (n) => now + n * 86400e3;
  test('an expired root is stored, and nothing after it believed', async () => {
    const { repo, client } = await begin();
    await good(client, client.refresh());
    repo.publish('root');
    repo.md.root.expires = days(-1);
    repo.publish('root', 'targets', 'snapshot', 'timestamp');
    await bad(client, client.refresh(), /root version 3 expired/);
    assert.equal(client.trusted(), 'root 3, snapshot 1, targets 1, timestamp 1');
    client.done();
  });
  test('an expired root on the way to a good one does not matter', async () => {
    const { repo, client } = await begin();
    repo.md.root.expires = days(-1);
    repo.publish('root');
    repo.md.root.expires = days(9);
    repo.publish('root');
    await good(client, client.refresh());
    assert.equal(client.version('root'), 3);
    client.done();
  });
  for (const role of ['timestamp', 'snapshot', 'targets'])
    test(`an expired ${role} is not taken`, async () => {
      const { repo, client } = await begin();
      await good(client, client.refresh());
      repo.md[role].expires = days(-5);
      repo.publish(...['targets', 'snapshot', 'timestamp'].slice(['targets', 'snapshot', 'timestamp'].indexOf(role)));
      await bad(client, client.refresh(), new RegExp(`${role} version 2 expired`));
      assert.equal(client.version(role), 1);
      client.done();
    });
  test('time is the system\'s: in ten days a timestamp of seven is out of date, and a newer one brings it back', async () => {
    const { repo, client } = await begin({ change: (r) => { r.md.timestamp.expires = days(7); r.republish('timestamp'); } });
    await good(client, client.refresh());
    await bad(client, client.refresh(day(10)), /expired/);
    repo.md.timestamp.expires = days(21);
    repo.publish('targets', 'snapshot', 'timestamp');
    await good(client, client.refresh(day(18)));
    assert.equal(client.trusted(), 'root 1, snapshot 2, targets 2, timestamp 2');
    client.done();
  });
  test('a frozen repository: snapshot and targets in the store do not outlive their day', async () => {
    const { repo, client } = await begin({ change: (r) => { r.md.targets.expires = days(3); r.republish('targets'); r.md.snapshot.expires = days(5); r.publish('snapshot', 'timestamp'); } });
    repo.published.targets.shift();
    await good(client, client.refresh());
    await bad(client, client.refresh(day(4)), /targets version 1 expired/);
    await bad(client, client.refresh(day(6)), /snapshot version 2 expired/);
    client.done();
  });
  test('a delegated role that is expired is not used, from the network or the store', async () => {
    const { repo, client } = await begin();
    repo.delegate('targets', 'late', { paths: ['late/*'], expires: days(-1) });
    repo.delegate('targets', 'soon', { paths: ['soon/*'], expires: days(7) });
    for (const f of ['late/1']) repo.addFile('late', f, f);
    for (const f of ['soon/1', 'soon/2']) repo.addFile('soon', f, f);
    repo.publish('late', 'soon', 'targets', 'snapshot', 'timestamp');
    await good(client, client.refresh());
    await bad(client, client.download('late/1'), /late version 1 expired/);
    assert.equal(client.trusted(), 'root 1, snapshot 2, targets 2, timestamp 2');
    await good(client, client.download('soon/1'));
    await bad(client, client.download('soon/2', day(18)), /soon version 1 expired/);
    assert.deepEqual(client.files(), ['soon/1']);
    repo.md.soon.expires = days(21);
    repo.publish('soon', 'snapshot', 'timestamp');
    await good(client, client.download('soon/2', day(18)));
    client.done();
  });
  for (const expires of ['2030-02-30T00:00:00Z', '2030-01-01', '2030-01-01T00:00:00+00:00', '2030-01-01T00:00:00.5Z', '9999', 20300101, null])
    test(`expires ${JSON.stringify(expires)} is no moment`, async () => {
      const { repo, client } = await begin({ change: (r) => { r.md.timestamp.expires = expires; r.republish('timestamp'); } });
      await bad(client, client.refresh(), /no moment/);
      client.done();
    });
});
