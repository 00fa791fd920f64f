// One library of Node: measure.mjs WORK LIBRARY NAME. It lists its items, then answers each line `op alg` with a few
// rounds: the nanoseconds of one operation of each, the reference, which is node:crypto, and the library.
import crypto from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import readline from 'node:readline';

const [, , workFile, library, name] = process.argv;
const work = JSON.parse(fs.readFileSync(workFile, 'utf8'));
const secret = Buffer.from(work.secret, 'hex');
const require = createRequire(import.meta.url);
const version = JSON.parse(fs.readFileSync(new URL(`node_modules/${library}/package.json`, import.meta.url), 'utf8')).version;
const { iss, aud, kid, claims } = work;

const raw = (alg, key) => {
  if (alg === 'HS256') {
    const prepared = crypto.createSecretKey(secret);
    const mac = (input) => crypto.createHmac('sha256', prepared).update(input).digest();
    return {
      verify: (input, signature) => {
        if (!crypto.timingSafeEqual(mac(input), signature)) throw new Error('refused');
      },
      sign: mac,
    };
  }
  const options = {
    RS256: {},
    PS256: { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
    ES256: { dsaEncoding: 'ieee-p1363' },
    ES384: { dsaEncoding: 'ieee-p1363' },
    EdDSA: {},
  }[alg];
  const hash = alg === 'EdDSA' ? null : alg === 'ES384' ? 'sha384' : 'sha256';
  const publicKey = { key: crypto.createPublicKey(key.public), ...options };
  const privateKey = { key: crypto.createPrivateKey(key.private), ...options };
  return {
    verify: (input, signature) => {
      if (!crypto.verify(hash, input, publicKey, signature)) throw new Error('refused');
    },
    sign: (input) => crypto.sign(hash, input, privateKey),
  };
};

const libraries = {
  // A verifier and a signer are made once; its cache of verified tokens is off, as it is unless asked for.
  'fast-jwt': async () => {
    const { createSigner, createVerifier } = require('fast-jwt');
    return (alg, key) => ({
      verify: createVerifier({ key: key?.public ?? secret, algorithms: [alg], allowedIss: iss, allowedAud: aud }),
      sign: createSigner({ key: key?.private ?? secret, algorithm: alg, kid, noTimestamp: true }).bind(null, claims),
    });
  },
  jose: async () => {
    const { SignJWT, jwtVerify } = await import('jose');
    return (alg, key) => {
      const publicKey = key ? crypto.createPublicKey(key.public) : crypto.createSecretKey(secret);
      const privateKey = key ? crypto.createPrivateKey(key.private) : publicKey;
      const options = { issuer: iss, audience: aud, algorithms: [alg] };
      return {
        verify: (token) => jwtVerify(token, publicKey, options),
        sign: () => new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(privateKey),
      };
    };
  },
  jsonwebtoken: async () => {
    const { sign, verify } = require('jsonwebtoken');
    return (alg, key) => {
      if (alg === 'EdDSA') return null;
      const publicKey = key ? crypto.createPublicKey(key.public) : crypto.createSecretKey(secret);
      const privateKey = key ? crypto.createPrivateKey(key.private) : publicKey;
      const options = { algorithms: [alg], issuer: iss, audience: aud };
      return {
        verify: (token) => verify(token, publicKey, options),
        sign: () => sign(claims, privateKey, { algorithm: alg, keyid: kid }),
      };
    };
  },
};

const repeat = (operation) => async (times) => {
  const first = operation();
  if (first instanceof Promise) {
    await first;
    const begun = process.hrtime.bigint();
    for (let i = 0; i < times; i += 1) await operation();
    return Number(process.hrtime.bigint() - begun) / times;
  }
  const begun = process.hrtime.bigint();
  for (let i = 0; i < times; i += 1) operation();
  return Number(process.hrtime.bigint() - begun) / times;
};

const BATCH_NANOS = 200_000;
const make = await libraries[library]();
const groups = new Map();
for (const { alg, token, key } of work.algorithms) {
  const own = make(alg, key);
  const reference = raw(alg, key);
  const dot = token.lastIndexOf('.');
  const input = Buffer.from(token.slice(0, dot));
  const signature = Buffer.from(token.slice(dot + 1), 'base64url');
  const pairs = {
    verify: [() => reference.verify(input, signature), own && (() => own.verify(token))],
    sign: [() => reference.sign(input), own && (() => own.sign())],
  };
  if (own) {
    const result = await own.verify(token);
    if (JSON.stringify((result.payload ?? result).roles) !== JSON.stringify(claims.roles)) throw new Error('other claims');
    reference.verify(input, reference.sign(input));
    await own.verify(await own.sign());
  }
  for (const [op, [first, second]] of Object.entries(pairs)) {
    const measured = [];
    for (const operation of second ? [first, second] : [first]) {
      const run = repeat(operation);
      await run(200); // The compiler of the engine has seen it.
      measured.push({ run, batch: Math.max(1, Math.min(10_000, Math.round(BATCH_NANOS / (await run(20))))) });
    }
    groups.set(`${op} ${alg}`, measured);
  }
}

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const items = [...groups].flatMap(([group, measured]) => {
  const [op, alg] = group.split(' ');
  const item = (who, claims, raw) => ({ op, alg, who, claims, allocations: null, raw });
  const own = item(name, op === 'verify' ? 'owned' : null, false);
  return measured.length === 1 ? [item('node:crypto', null, true)] : [item('node:crypto', null, true), own];
});
say({ versions: [`Node ${process.versions.node} (OpenSSL ${process.versions.openssl})`, `${name} ${version}`], items });

let round = 0;
for await (const line of readline.createInterface({ input: process.stdin })) {
  const measured = groups.get(line);
  const rounds = [];
  for (; rounds.length < 4; round += 1) {
    const times = new Array(measured.length);
    const order = measured.map((_, index) => index);
    if (round % 2) order.reverse();
    for (const index of order) {
      const { run, batch } = measured[index];
      await run(batch);
      times[index] = await run(batch);
    }
    rounds.push(times);
  }
  say(rounds);
}
