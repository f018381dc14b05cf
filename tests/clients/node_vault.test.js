// node-vault from npm, unmodified: the same calls as test_hvac_*.py in short.
'use strict';

const assert = require('node:assert');
const { after, before, test } = require('node:test');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const nodeVault = require('node-vault');

const binary = process.env.COFFER_BINARY || 'build/release/coffer';
const hello = Buffer.from('hello').toString('base64');
let server;
let data;
let vault;

// Resolves with the address once the server says that it is ready; rejects when it ends before.
function start() {
  server = spawn(binary, ['server', '-dev', '-dev-no-store-token', `-data=${data}`, '-dev-root-token-id=root',
    '-dev-listen-address=127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let address;
    const lines = [];
    server.once('exit', () => reject(new Error(`the server ended:\n${lines.join('\n')}`)));
    readline.createInterface({ input: server.stdout }).on('line', (line) => {
      lines.push(line);
      const match = /^listening on (http:\/\/\S+)/.exec(line);
      if (match) address = match[1];
      if (line.startsWith('coffer is ready')) resolve(address);
    });
  });
}

function stop() {
  return new Promise((resolve) => {
    if (server.exitCode !== null) {
      resolve(server.exitCode);
      return;
    }
    server.once('exit', resolve);
    server.kill('SIGTERM');
  });
}

before(async () => {
  data = fs.mkdtempSync(path.join(os.tmpdir(), 'coffer-node-'));
  vault = nodeVault({ endpoint: await start(), token: 'root' });
  await vault.mount({ mount_point: 'transit-node', type: 'transit' });
});

after(async () => {
  assert.strictEqual(await stop(), 0);
  fs.rmSync(data, { recursive: true });
});

test('the server is initialised, unsealed and healthy', async () => {
  assert.strictEqual((await vault.initialized()).initialized, true);
  assert.strictEqual((await vault.status()).sealed, false);
  assert.strictEqual((await vault.health()).initialized, true);
});

test('the token knows itself', async () => {
  const self = await vault.tokenLookupSelf();
  assert.deepStrictEqual(self.data.policies, ['root']);
});

test('a mount is listed', async () => {
  assert.strictEqual((await vault.mounts()).data['transit-node/'].type, 'transit');
});

test('a key is made, listed by verb and by query, rotated and read', async () => {
  await vault.write('transit-node/keys/orders', {});
  assert.deepStrictEqual((await vault.list('transit-node/keys')).data.keys, ['orders']);
  const byQuery = nodeVault({ endpoint: vault.endpoint, token: 'root', noCustomHTTPVerbs: true });
  assert.deepStrictEqual((await byQuery.list('transit-node/keys')).data.keys, ['orders']);
  await vault.write('transit-node/keys/orders/rotate', {});
  assert.strictEqual((await vault.read('transit-node/keys/orders')).data.latest_version, 2);
});

test('encrypt, rotate, rewrap and decrypt give the plaintext back', async () => {
  const sealed = await vault.write('transit-node/encrypt/letters', { plaintext: hello });
  assert.match(sealed.data.ciphertext, /^vault:v1:/);
  await vault.write('transit-node/keys/letters/rotate', {});
  const moved = await vault.write('transit-node/rewrap/letters', {
    ciphertext: sealed.data.ciphertext,
  });
  assert.match(moved.data.ciphertext, /^vault:v2:/);
  await vault.write('transit-node/keys/letters/config', { min_decryption_version: 2 });
  const opened = await vault.write('transit-node/decrypt/letters', {
    ciphertext: moved.data.ciphertext,
  });
  assert.strictEqual(opened.data.plaintext, hello);
  await assert.rejects(
    vault.write('transit-node/decrypt/letters', { ciphertext: sealed.data.ciphertext }),
    (error) => error.response.statusCode === 400 && /disallowed by policy/.test(error.message));
});

test('a batch comes back in order', async () => {
  const texts = Array.from({ length: 50 }, (_, i) => Buffer.from(`record ${i}`).toString('base64'));
  const sealed = await vault.write('transit-node/encrypt/batches', {
    batch_input: texts.map((plaintext) => ({ plaintext })),
  });
  const opened = await vault.write('transit-node/decrypt/batches', {
    batch_input: sealed.data.batch_results.map(({ ciphertext }) => ({ ciphertext })),
  });
  assert.deepStrictEqual(opened.data.batch_results.map(({ plaintext }) => plaintext), texts);
});

test('each of the transit methods that node-vault has works, and these are all of them', async () => {
  const commands = require('node-vault/src/commands');
  assert.deepStrictEqual(
    Object.keys(commands).filter((name) => /^\/transit\//.test(commands[name].path || '')).sort(),
    ['decryptData', 'encryptData', 'rewrapData', 'transitCreateKey', 'transitDeleteKey', 'transitListKeys',
      'transitReadKey']);
  await vault.mount({ mount_point: 'transit', type: 'transit' }).catch((error) => {
    if (!/already in use/.test(error.message)) throw error; // a dev server may have made it
  });
  await vault.transitCreateKey({ name: 'own' });
  assert((await vault.transitListKeys()).data.keys.includes('own'));
  const { data: { ciphertext } } = await vault.encryptData({ name: 'own', plaintext: hello });
  await vault.write('transit/keys/own/rotate', {});
  const moved = await vault.rewrapData({ name: 'own', ciphertext });
  assert.match(moved.data.ciphertext, /^vault:v2:/);
  const opened = await vault.decryptData({ name: 'own', ciphertext: moved.data.ciphertext });
  assert.strictEqual(opened.data.plaintext, hello);
  assert.strictEqual((await vault.transitReadKey({ name: 'own' })).data.latest_version, 2);
  await vault.write('transit/keys/own/config', { deletion_allowed: true });
  await vault.transitDeleteKey({ name: 'own' });
  await assert.rejects(vault.transitReadKey({ name: 'own' }),
    (error) => error.response.statusCode === 404);
});

test('a backup is restored under another name', async () => {
  const sealed = await vault.write('transit-node/encrypt/saved', { plaintext: hello });
  const { data: { backup } } = await vault.read('transit-node/backup/saved');
  await vault.write('transit-node/restore/again', { backup });
  const opened = await vault.write('transit-node/decrypt/again', { ciphertext: sealed.data.ciphertext });
  assert.strictEqual(opened.data.plaintext, hello);
});

test('a data key can be unsealed again', async () => {
  const made = await vault.write('transit-node/datakey/plaintext/letters', { bits: 256 });
  const opened = await vault.write('transit-node/decrypt/letters', {
    ciphertext: made.data.ciphertext,
  });
  assert.strictEqual(opened.data.plaintext, made.data.plaintext);
});

test('a key is deleted only where that is allowed', async () => {
  await vault.write('transit-node/keys/gone', {});
  await assert.rejects(vault.delete('transit-node/keys/gone'), /deletion is not allowed/);
  await vault.write('transit-node/keys/gone/config', { deletion_allowed: true });
  await vault.delete('transit-node/keys/gone');
  await assert.rejects(vault.read('transit-node/keys/gone'),
    (error) => error.response.statusCode === 404);
});

test('a wrong token is forbidden', async () => {
  const stranger = nodeVault({ endpoint: vault.endpoint, token: 'wrong' });
  await assert.rejects(stranger.read('transit-node/keys/orders'),
    (error) => error.response.statusCode === 403 && /permission denied/.test(error.message));
});

test('what was encrypted before a restart is decrypted after it', async () => {
  const sealed = await vault.write('transit-node/encrypt/kept', { plaintext: hello });
  assert.strictEqual(await stop(), 0);
  vault = nodeVault({ endpoint: await start(), token: 'root' });
  const opened = await vault.write('transit-node/decrypt/kept', {
    ciphertext: sealed.data.ciphertext,
  });
  assert.strictEqual(opened.data.plaintext, hello);
});

test('every kind of key signs or authenticates', async () => {
  for (const type of ['rsa-2048', 'ecdsa-p256', 'ed25519']) {
    await vault.write(`transit-node/keys/sign-${type}`, { type });
    const made = await vault.write(`transit-node/sign/sign-${type}`, { input: hello });
    const right = await vault.write(`transit-node/verify/sign-${type}`,
      { input: hello, signature: made.data.signature });
    assert.strictEqual(right.data.valid, true);
    const wrong = await vault.write(`transit-node/verify/sign-${type}`,
      { input: '', signature: made.data.signature });
    assert.strictEqual(wrong.data.valid, false);
    const mac = await vault.write(`transit-node/hmac/sign-${type}/sha2-512`, { input: hello });
    const same = await vault.write(`transit-node/verify/sign-${type}/sha2-512`,
      { input: hello, hmac: mac.data.hmac });
    assert.strictEqual(same.data.valid, true);
  }
});

test('derived keys open with their context only', async () => {
  await vault.write('transit-node/keys/derived', { derived: true });
  const sealed = await vault.write('transit-node/encrypt/derived', { plaintext: hello, context: hello });
  const opened = await vault.write('transit-node/decrypt/derived',
    { ciphertext: sealed.data.ciphertext, context: hello });
  assert.strictEqual(opened.data.plaintext, hello);
  await assert.rejects(vault.write('transit-node/decrypt/derived',
    { ciphertext: sealed.data.ciphertext, context: 'b3RoZXI=' }));
});
