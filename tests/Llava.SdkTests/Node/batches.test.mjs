import assert from 'node:assert/strict';
import test from 'node:test';
import { about, client, drawn, line, linesFile, model, picture, pictureUrl, readLines, runBatch, until, isOver } from './support.mjs';
import { toFile } from 'openai';

const openai = client();

test('a batch is created, polled to its end and read', async () => {
  const sent = await openai.files.create({ file: await toFile(picture, 'scene.png'), purpose: 'vision' });
  const input = await openai.files.create({
    file: await linesFile([
      line('described', { messages: [about('Describe this image.')], temperature: 0, max_tokens: 40 }),
      line('short', { messages: [about('Describe this image.')], temperature: 0, max_completion_tokens: 2 }),
      line('by id', { messages: [about('Describe this image.', `file-id:${sent.id}`)], temperature: 0, stop: ['.'] }),
      line('azure', { messages: [{ role: 'system', content: 'Be brief.' }, about('Describe this image.'), { role: 'assistant', content: 'A shape.' }, { role: 'user', content: 'What is its color?' }], temperature: 0, seed: 7 }, '/chat/completions'),
      line('no image', { messages: [about('What?', 'data:image/png;base64,iVBORw0KGgo=')], temperature: 0 }),
    ]),
    purpose: 'batch',
  });
  const created = await openai.batches.create({
    input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h', metadata: { project: 'tests' }, output_expires_after: { anchor: 'created_at', seconds: 3600 },
  });

  assert.match(created.id, /^batch_/);
  assert.deepEqual([created.object, created.endpoint, created.input_file_id, created.completion_window, created.model, created.errors], ['batch', '/v1/chat/completions', input.id, '24h', model, null]);
  assert.deepEqual(created.metadata, { project: 'tests' });
  assert.equal(created.expires_at, created.created_at + 24 * 3600);
  const { data: waiting, response } = await openai.batches.retrieve(created.id).withResponse();
  assert.ok(isOver(waiting) || (response.headers.get('retry-after') === '5' && waiting.x_queue.position >= 0));

  const batch = await until(() => openai.batches.retrieve(created.id), isOver);
  assert.equal(batch.status, 'completed');
  assert.deepEqual(batch.request_counts, { total: 5, completed: 4, failed: 1 });
  assert.ok(batch.usage.input_tokens > 0 && batch.usage.total_tokens === batch.usage.input_tokens + batch.usage.output_tokens);
  assert.deepEqual([typeof batch.in_progress_at, typeof batch.finalizing_at, typeof batch.completed_at, batch.failed_at, batch.expired_at, batch.cancelled_at], ['number', 'number', 'number', null, null, null]);

  const answers = Object.fromEntries((await readLines(openai, batch.output_file_id)).map((one) => [one.custom_id, one]));
  assert.deepEqual(Object.keys(answers).sort(), ['azure', 'by id', 'described', 'short']);
  const { response: described, error } = answers.described;
  assert.deepEqual([described.status_code, error, described.body.object, described.body.choices[0].finish_reason], [200, null, 'chat.completion', 'stop']);
  assert.match(described.body.choices[0].message.content, drawn);
  assert.deepEqual([answers.short.response.body.choices[0].finish_reason, answers.short.response.body.usage.completion_tokens], ['length', 2]);
  assert.match(answers['by id'].response.body.choices[0].message.content, drawn);
  assert.doesNotMatch(answers['by id'].response.body.choices[0].message.content, /\./);

  const [failed, ...others] = await readLines(openai, batch.error_file_id);
  assert.deepEqual([failed.custom_id, failed.error, failed.response.status_code, failed.response.body.error.type, others], ['no image', null, 400, 'invalid_request_error', []]);
  const file = await openai.files.retrieve(batch.output_file_id);
  assert.deepEqual([file.purpose, file.filename], ['batch_output', `${batch.id}_output.jsonl`]);
  assert.ok(file.expires_at <= file.created_at + 3601);
});

test('a batch of embeddings gives the vectors that somebody waits for', async () => {
  const batch = await runBatch(openai, [
    line('one', { input: pictureUrl }, '/v1/embeddings'),
    line('two', { input: [pictureUrl, pictureUrl], encoding_format: 'base64' }, '/v1/embeddings'),
    line('text', { input: 'a red circle' }, '/v1/embeddings'),
  ], { endpoint: '/v1/embeddings', validation: 'lenient' });
  const [one, two] = (await readLines(openai, batch.output_file_id)).map((answer) => answer.response.body);
  const [text] = await readLines(openai, batch.error_file_id);
  const waited = await openai.embeddings.create({ model, input: pictureUrl, encoding_format: 'float' });

  assert.deepEqual([one.object, one.model, one.data.length, one.data[0].object, one.usage.prompt_tokens], ['list', model, 1, 'embedding', waited.usage.prompt_tokens]);
  assert.ok(one.data[0].embedding.every((value, at) => Math.abs(value - waited.data[0].embedding[at]) < 1e-5));
  const bytes = Buffer.from(two.data[1].embedding, 'base64');
  assert.equal(two.data.length, 2);
  assert.ok(one.data[0].embedding.every((value, at) => Math.abs(value - bytes.readFloatLE(4 * at)) < 1e-6));
  assert.equal(text.response.body.error.code, 'unsupported_input');
});

test('a batch answers like the chat that somebody waits for', async () => {
  const body = { messages: [about('Describe this image.')], temperature: 0, max_tokens: 30 };
  const batch = await runBatch(openai, [line('one', body)]);
  const [{ response }] = await readLines(openai, batch.output_file_id);
  const chat = await openai.chat.completions.create({ model, ...body });

  assert.equal(response.body.choices[0].message.content, chat.choices[0].message.content);
  assert.equal(response.body.usage.prompt_tokens, chat.usage.prompt_tokens);
  assert.equal(batch.error_file_id, null);
});

test('a line says which form its answer has', async () => {
  const schema = { type: 'object', properties: { sure: { type: 'boolean' } }, required: ['sure'], additionalProperties: false };
  const batch = await runBatch(openai, [
    line('schema', { messages: [about('Describe this image.')], temperature: 0, max_tokens: 20, response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } } }),
    line('choice', { messages: [about('Describe this image.')], temperature: 0, structured_outputs: { choice: ['yes', 'no'] } }),
    line('free', { messages: [about('Describe this image.')], temperature: 0 }),
  ]);
  const answers = Object.fromEntries((await readLines(openai, batch.output_file_id)).map((one) => [one.custom_id, one.response.body.choices[0].message.content]));

  assert.equal(typeof JSON.parse(answers.schema).sure, 'boolean');
  assert.ok(['yes', 'no'].includes(answers.choice));
  assert.match(answers.free, drawn);
});

test('texts are continued too', async () => {
  const batch = await runBatch(openai, [line('one', { prompt: 'There is', max_tokens: 3, temperature: 0 }, '/v1/completions')], { endpoint: '/v1/completions' });
  const [{ response }] = await readLines(openai, batch.output_file_id);

  assert.deepEqual([response.body.object, typeof response.body.choices[0].text], ['text_completion', 'string']);
});

test('a file with bad lines is refused with their numbers', async () => {
  const question = { messages: [{ role: 'user', content: 'What?' }] };
  const batch = await runBatch(openai, [
    line('a', question), '{"custom_id": ', line('a', question), line('b', { ...question, model: 'gpt-4o' }), line('c', { ...question, n: 2 }),
    line('d', question, '/v1/completions'), line('e', { messages: [] }), line('f', question).replace('POST', 'GET'), line('g', question).replace('"custom_id":"g",', ''),
  ]);

  assert.equal(batch.status, 'failed');
  assert.equal(batch.errors.object, 'list');
  assert.deepEqual(batch.errors.data.map((one) => [one.line, one.code, one.param]), [
    [2, 'invalid_json_line', null], [3, 'duplicate_custom_id', null], [4, 'model_not_found', 'model'], [5, 'unsupported_parameter', 'n'],
    [6, 'url_mismatch', 'url'], [7, 'missing_required_parameter', 'messages'], [8, 'invalid_method', 'method'], [9, 'missing_required_parameter', 'custom_id'],
  ]);
  assert.ok(batch.errors.data.every((one) => one.message.length > 0 && !one.message.includes('/data')));
  assert.deepEqual([batch.output_file_id, batch.error_file_id, batch.completed_at, typeof batch.failed_at], [null, null, null, 'number']);
});

test('a lenient batch answers the good lines', async () => {
  const batch = await runBatch(openai, ['\uFEFF' + line('good', { messages: [about('Describe this image.')], temperature: 0 }) + '\r', '', 'not json'], { validation: 'lenient' });

  assert.deepEqual([batch.status, batch.request_counts], ['completed', { total: 2, completed: 1, failed: 1 }]);
  assert.deepEqual((await readLines(openai, batch.error_file_id)).map((one) => one.response.status_code), [400]);
});

test('an empty file is refused', async () => {
  const batch = await runBatch(openai, ['']);

  assert.deepEqual([batch.status, batch.errors.data[0].code], ['failed', 'empty_file']);
});

test('a batch is cancelled, and its files say what was not answered', async () => {
  const lines = Array.from({ length: 3000 }, (_, number) => line(`n${number}`, { messages: [about('Describe this image.')], temperature: 0 }));
  const input = await openai.files.create({ file: await linesFile(lines), purpose: 'batch' });
  const created = await openai.batches.create({ input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: 'none' });
  assert.equal(created.expires_at, null);
  await until(() => openai.batches.retrieve(created.id), (batch) => batch.request_counts.completed > 0);
  const sofar = await fetch(`${process.env.LLAVA_URL}/v1/batches/${created.id}/output`, { headers: { authorization: `Bearer ${process.env.LLAVA_KEY}` } });
  assert.equal(JSON.parse((await sofar.text()).split('\n')[0]).response.status_code, 200);

  const asked = await openai.batches.cancel(created.id);
  assert.ok(['cancelling', 'cancelled'].includes(asked.status) && typeof asked.cancelling_at === 'number');
  const batch = await until(() => openai.batches.retrieve(created.id), isOver);
  assert.equal(batch.status, 'cancelled');
  const [answers, errors] = [await readLines(openai, batch.output_file_id), await readLines(openai, batch.error_file_id)];
  assert.equal(answers.length + errors.length, 3000);
  assert.deepEqual([errors[0].response, errors[0].error.code], [null, 'batch_cancelled']);
  await assert.rejects(openai.batches.cancel((await runBatch(openai, [line('one', { messages: [about('What?')], max_tokens: 1 })])).id), { status: 400 });
});

test('the library walks through pages of batches by itself', async () => {
  const all = [];
  for await (const batch of openai.batches.list({ limit: 2 })) {
    all.push(batch.id);
  }

  assert.ok(all.length >= 5);
  assert.deepEqual(all, [...new Set(all)].sort().reverse());
});

test('what is asked wrongly is refused by name', async () => {
  const input = await openai.files.create({ file: await linesFile(['{}']), purpose: 'batch' });
  const other = await openai.files.create({ file: await linesFile(['{}']), purpose: 'user_data' });
  const good = { input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h' };
  for (const [change, code, param, status] of [
    [{ input_file_id: 'file-none' }, 'file_not_found', 'file_id', 404],
    [{ input_file_id: other.id }, 'invalid_value', 'input_file_id', 400],
    [{ endpoint: '/v1/responses' }, 'unsupported_endpoint', 'endpoint', 400],
    [{ completion_window: 'soon' }, 'invalid_value', 'completion_window', 400],
    [{ completion_window: undefined }, 'missing_required_parameter', 'completion_window', 400],
    [{ metadata: { key: 'x'.repeat(513) } }, 'invalid_value', 'metadata', 400],
    [{ validation: 'sloppy' }, 'invalid_value', 'validation', 400],
    [{ output_expires_after: { anchor: 'created_at', seconds: 1 } }, 'invalid_value', 'expires_after[seconds]', 400],
  ]) {
    await assert.rejects(openai.batches.create({ ...good, ...change }), { status, code, param });
  }
  await assert.rejects(openai.batches.retrieve('batch_none'), { status: 404, code: 'batch_not_found' });
});
