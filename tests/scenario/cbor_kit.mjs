// SPDX-License-Identifier: Apache-2.0
// A second writer of the wire formats, apart from the SDK: deterministic CBOR and COSE_Sign1 with ES256, as a maker's own tool
// or another device would make them. Map keys are numbers, in the order given.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';

const head = (major, n) => {
  const big = BigInt(n);
  if (big < 24n) return Buffer.from([(major << 5) | Number(big)]);
  const width = big < 256n ? 1 : big < 65536n ? 2 : big < 4294967296n ? 4 : 8;
  const b = Buffer.alloc(1 + width);
  b[0] = (major << 5) | (24 + Math.log2(width));
  for (let i = 0; i < width; i++) b[width - i] = Number((big >> BigInt(8 * i)) & 255n);
  return b;
};

export function cbor(v) {
  if (v instanceof Map) return Buffer.concat([head(5, v.size), ...[...v].flatMap(([k, x]) => [cbor(k), cbor(x)])]);
  if (Array.isArray(v)) return Buffer.concat([head(4, v.length), ...v.map(cbor)]);
  if (Buffer.isBuffer(v)) return Buffer.concat([head(2, v.length), v]);
  if (typeof v === 'string') return Buffer.concat([head(3, Buffer.byteLength(v)), Buffer.from(v)]);
  if (typeof v === 'boolean') return Buffer.from([v ? 0xf5 : 0xf4]);
  return v < 0 ? head(1, -1 - v) : head(0, v);
}

// 04 || x || y of a P-256 key (PEM or KeyObject).
export function point(key) {
  const { x, y } = createPublicKey(key).export({ format: 'jwk' });
  return Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}

export function sign1(key, type, payload, kid) {
  const prot = cbor(new Map([[1, -7], [3, type], ...(kid ? [[4, kid]] : [])]));
  const sig = sign('sha256', cbor(['Signature1', prot, Buffer.alloc(0), payload]), { key: key.type ? key : createPrivateKey(key), dsaEncoding: 'ieee-p1363' });
  return Buffer.concat([head(6, 18), cbor([prot, new Map(), payload, sig])]);
}

export const HEARTBEAT = 'application/ctm-heartbeat+cbor';
export const heartbeat = ({ seq, boots = 1, version = '1.0.0', health = 0, reboot = 1, metrics = [[1, 60]], more = [] }) =>
  cbor(new Map([[0, 1], [1, seq], [3, version], [4, boots], [5, health], [6, reboot], [7, new Map(metrics)], ...more]));

// The other way: one item of the same subset.
export function uncbor(b) {
  let at = 0;
  const length = (info) => {
    if (info < 24) return info;
    const width = 1 << (info - 24), v = b.readUIntBE(at, Math.min(width, 6));
    const n = width === 8 ? Number(b.readBigUInt64BE(at)) : v;
    at += width;
    return n;
  };
  const item = () => {
    const first = b[at++], major = first >> 5, n = major === 7 ? 0 : length(first & 31);
    if (major === 0) return n;
    if (major === 1) return -1 - n;
    if (major === 2 || major === 3) { at += n; const bytes = b.subarray(at - n, at); return major === 2 ? bytes : bytes.toString(); }
    if (major === 4) return Array.from({ length: n }, item);
    if (major === 5) return new Map(Array.from({ length: n }, () => [item(), item()]));
    if (major === 6) return item();
    return first === 0xf5 ? true : first === 0xf4 ? false : null;
  };
  const v = item();
  if (at !== b.length) throw new Error(`${b.length - at} bytes are left over`);
  return v;
}
