import assert from 'node:assert/strict';
import test from 'node:test';
import { about, client, drawn, model } from './support.mjs';

const openai = client();
const question = { model, messages: [about('Describe this image.')], temperature: 0 };

test('a question about an image is answered', async () => {
  const chat = await openai.chat.completions.create(question);

  assert.match(chat.choices[0].message.content, drawn);
  assert.deepEqual([chat.object, chat.choices[0].finish_reason, chat.choices[0].message.refusal], ['chat.completion', 'stop', null]);
  assert.ok(chat.usage.prompt_tokens_details.image_tokens > 0);
  assert.match(chat._request_id, /^req_/);
});

test('an answer is streamed as it is generated, with its usage at the end', async () => {
  const whole = await openai.chat.completions.create(question);
  let [text, usage, parts] = ['', null, 0];
  for await (const chunk of await openai.chat.completions.create({ ...question, stream: true, stream_options: { include_usage: true } })) {
    text += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage ?? usage;
    parts++;
  }

  assert.ok(parts > 3);
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(usage.total_tokens, whole.usage.total_tokens);
  const runner = openai.chat.completions.stream(question);
  assert.equal((await runner.finalChatCompletion()).choices[0].message.content, text);
});

test('several answers, of which a seed draws the same ones again', async () => {
  const draw = async () => (await openai.chat.completions.create({ ...question, n: 2, seed: 11, temperature: 1.5, max_tokens: 8 })).choices.map((choice) => [choice.index, choice.message.content]);
  const first = await draw();

  assert.deepEqual(first.map(([index]) => index), [0, 1]);
  assert.deepEqual(await draw(), first);
});

test('tokens come with their probabilities', async () => {
  const { choices: [choice] } = await openai.chat.completions.create({ ...question, max_tokens: 3, logprobs: true, top_logprobs: 2 });

  assert.equal(choice.logprobs.content.length, 3);
  for (const token of choice.logprobs.content) {
    assert.ok(token.logprob <= 0 && token.top_logprobs.length === 2 && token.bytes.length > 0);
  }
});
