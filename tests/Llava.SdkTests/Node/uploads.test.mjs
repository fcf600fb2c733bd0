import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { toFile } from 'openai';
import { client } from './support.mjs';

const openai = client();

test('a file is sent in parts, several at a time, and put together in the order asked for', async () => {
  const parts = ['first ', 'second ', 'third'].map((text) => Buffer.from(text.repeat(1000)));
  const whole = Buffer.concat(parts);
  const upload = await openai.uploads.create({ filename: 'whole.txt', purpose: 'user_data', bytes: whole.length, mime_type: 'text/plain' });
  assert.deepEqual([upload.object, upload.status, upload.bytes], ['upload', 'pending', whole.length]);

  const sent = await Promise.all(parts.map(async (data) => openai.uploads.parts.create(upload.id, { data: await toFile(data, 'part') })));
  assert.ok(sent.every((part) => part.object === 'upload.part' && part.upload_id === upload.id));
  const done = await openai.uploads.complete(upload.id, { part_ids: sent.map((part) => part.id), md5: createHash('md5').update(whole).digest('hex') });

  assert.deepEqual([done.status, done.file.filename, done.file.bytes], ['completed', 'whole.txt', whole.length]);
  assert.equal(await (await openai.files.content(done.file.id)).text(), whole.toString());
});

test('an upload is given up, and one whose parts are too few is refused', async () => {
  const upload = await openai.uploads.create({ filename: 'a.txt', purpose: 'user_data', bytes: 10, mime_type: 'text/plain' });
  const part = await openai.uploads.parts.create(upload.id, { data: await toFile(Buffer.from('12345'), 'part') });

  await assert.rejects(openai.uploads.complete(upload.id, { part_ids: [part.id] }), { status: 400 });
  assert.equal((await openai.uploads.cancel(upload.id)).status, 'cancelled');
  await assert.rejects(openai.uploads.parts.create(upload.id, { data: await toFile(Buffer.from('12345'), 'part') }), { status: 400 });
});
