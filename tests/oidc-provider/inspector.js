// The inspector looks up the keys of an issuer that is not ours, and the program that it writes verifies the same token:
// `node inspector.js COMMAND ISSUER`.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [, , command, issuer] = process.argv;
const client = Buffer.from('machine:a+secret+between+two+processes+of+one+test').toString('base64');

async function token() {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${client}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders:read', resource: 'https://orders.example' }),
  });
  return (await answer.json()).access_token;
}

const inspector = spawn(command, ['inspect'], { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [page] = await new Promise((resolve) => createInterface({ input: inspector.stdout }).once('line', (...all) => resolve(all)));
  const ask = async (path, body) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${page}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return answer.json();
  };
  const good = await token();
  const [header, payload, signature] = good.split('.');
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url')), sub: 'eve' };
  const forged = [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
  const key = { form: 'issuer', text: issuer };
  for (const [text, kind] of [[good, 'valid'], [forged, 'forged']]) {
    const question = { token: text, key, policy: { iss: issuer, aud: ['https://orders.example'] } };
    const { verdict } = await ask('explain', question);
    assert.equal(verdict.kind, kind, JSON.stringify(verdict));
    for (const [language, ...run] of [['node', process.execPath, 'program.mjs'], ['curl', 'bash', 'program.mjs']]) {
      const { program } = await ask('program', { language, question });
      writeFileSync('program.mjs', language === 'curl' ? program.replaceAll('countersign verify', `'${command}' verify`) : program);
      const { status, stderr } = spawnSync(run[0], run.slice(1), { encoding: 'utf8' });
      assert.equal(status === 0, kind === 'valid', `${language}, ${kind}: ${stderr}`);
    }
  }
  console.log('the inspector, and the programs that it writes for Node and curl: ok');
} finally {
  inspector.kill();
  rmSync('program.mjs', { force: true });
}
