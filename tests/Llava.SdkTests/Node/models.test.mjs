import assert from 'node:assert/strict';
import test from 'node:test';
import { client, model, pictureUrl } from './support.mjs';

const openai = client();

test('models are listed and read', async () => {
  const all = [];
  for await (const one of openai.models.list()) {
    all.push(one.id);
  }

  assert.ok(all.includes(model));
  assert.deepEqual([(await openai.models.retrieve(model)).id, (await openai.models.retrieve(model)).object], [model, 'model']);
  await assert.rejects(openai.models.retrieve('some/other:model@1'), { status: 404, code: 'model_not_found' });
});

test('an image has the same vector in both encodings', async () => {
  const text = await openai.embeddings.create({ model, input: pictureUrl });
  const numbers = await openai.embeddings.create({ model, input: [pictureUrl, pictureUrl], encoding_format: 'float' });

  assert.equal(numbers.data.length, 2);
  assert.equal(text.data[0].embedding.length, numbers.data[0].embedding.length);
  assert.ok(text.data[0].embedding.every((value, at) => Math.abs(value - numbers.data[1].embedding[at]) < 1e-6));
  assert.ok(numbers.usage.prompt_tokens > text.usage.prompt_tokens);
});

test('a text is continued', async () => {
  const { object, choices } = await openai.completions.create({ model, prompt: 'There is', max_tokens: 4, temperature: 0 });

  assert.deepEqual([object, choices.length, choices[0].finish_reason], ['text_completion', 1, 'length']);
});
