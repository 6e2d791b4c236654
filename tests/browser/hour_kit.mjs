// SPDX-License-Identifier: Apache-2.0
// An authenticator app of our own for tests: RFC 6238 by Node's crypto, and RFC 4648 base 32. It shares no line with the platform.
import { createHmac } from 'node:crypto';

export function base32(text) {
  let bits = '';
  for (const c of text.replace(/\s/g, '')) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0');
  return Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
}

// The code of a moment; steps moves it.
export function totp(secret, ms = Date.now(), steps = 0) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(ms / 30000) + steps));
  const mac = createHmac('sha1', base32(secret)).update(counter).digest(), at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1e6).padStart(6, '0');
}
