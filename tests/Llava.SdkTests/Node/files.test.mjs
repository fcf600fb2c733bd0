import assert from 'node:assert/strict';
import test from 'node:test';
import { client, linesFile } from './support.mjs';

const openai = client();

test('a file is sent, listed, read and deleted', async () => {
  const sent = await openai.files.create({ file: await linesFile(['{"a":1}', '{"a":2}'], 'größe.jsonl'), purpose: 'user_data', expires_after: { anchor: 'created_at', seconds: 7200 } });

  assert.match(sent.id, /^file-/);
  assert.deepEqual([sent.object, sent.bytes, sent.filename, sent.purpose, sent.status], ['file', 15, 'größe.jsonl', 'user_data', 'processed']);
  assert.equal(sent.expires_at, sent.created_at + 7200);
  assert.deepEqual(await openai.files.retrieve(sent.id), { ...sent });
  assert.equal((await openai.files.waitForProcessing(sent.id)).id, sent.id);
  assert.equal(await (await openai.files.content(sent.id)).text(), '{"a":1}\n{"a":2}');
  assert.ok((await openai.files.list({ purpose: 'user_data' })).data.some((file) => file.id === sent.id));
  const deleted = await openai.files.delete(sent.id);
  assert.deepEqual({ ...deleted }, { id: sent.id, object: 'file', deleted: true });
  await assert.rejects(openai.files.retrieve(sent.id), { status: 404, code: 'file_not_found' });
});

test('the library walks through pages by itself', async () => {
  const sent = [];
  for (let number = 0; number < 5; number++) {
    sent.push((await openai.files.create({ file: await linesFile([`${number}`], `${number}.txt`), purpose: 'evals' })).id);
  }

  const newest = [];
  for await (const file of openai.files.list({ purpose: 'evals', limit: 2 })) {
    newest.push(file.id);
  }
  const oldest = [];
  for await (const file of openai.files.list({ purpose: 'evals', limit: 3, order: 'asc' })) {
    oldest.push(file.id);
  }

  assert.deepEqual(newest, [...sent].reverse());
  assert.deepEqual(oldest, sent);
});

test('a body of unknown length is sent as it comes', async () => {
  const stream = new ReadableStream({
    start(controller) {
      for (let part = 0; part < 100; part++) {
        controller.enqueue(new TextEncoder().encode('x'.repeat(10_000)));
      }
      controller.close();
    },
  });
  const sent = await openai.files.create({ file: new Response(stream, { headers: { 'content-type': 'text/plain' } }), purpose: 'user_data' });

  assert.equal(sent.bytes, 1_000_000);
});
