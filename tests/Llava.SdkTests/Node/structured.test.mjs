import assert from 'node:assert/strict';
import test from 'node:test';
import { about, client, drawn, model } from './support.mjs';

const openai = client();
const [color, shape] = process.env.LLAVA_DRAWN.toLowerCase().split(' ');
const schema = {
  type: 'object',
  properties: { sentence: { type: 'string', maxLength: 60 }, count: { type: 'integer', minimum: 1, maximum: 3 }, kind: { enum: ['scene', 'photo'] } },
  required: ['sentence', 'count', 'kind'],
  additionalProperties: false,
};
const question = { model, messages: [about('Describe this image.')], temperature: 0, max_tokens: 120 };
const inForm = { ...question, response_format: { type: 'json_schema', json_schema: { name: 'scene', strict: true, schema } } };

test('an answer has the form of a schema, and the library parses it', async () => {
  const { choices: [{ message, finish_reason }] } = await openai.chat.completions.parse(inForm);

  assert.equal(finish_reason, 'stop');
  assert.deepEqual(Object.keys(message.parsed), ['sentence', 'count', 'kind']);
  assert.equal(typeof message.parsed.sentence, 'string');
  assert.ok([1, 2, 3].includes(message.parsed.count) && ['scene', 'photo'].includes(message.parsed.kind));
});

test('it has that form as a stream too', async () => {
  const whole = await openai.chat.completions.create(inForm);
  const streamed = await openai.chat.completions.stream(inForm).finalChatCompletion();

  assert.equal(streamed.choices[0].message.content, whole.choices[0].message.content);
  assert.deepEqual(Object.keys(JSON.parse(streamed.choices[0].message.content)), ['sentence', 'count', 'kind']);
});

test('any object will do where nothing more is said', async () => {
  const { choices: [{ message, finish_reason }] } = await openai.chat.completions.create({ ...question, response_format: { type: 'json_object' } });

  assert.ok(finish_reason === 'length' || typeof JSON.parse(message.content) === 'object');
  assert.match(message.content, /^\{/);
});

test('one of several choices is answered, with the share of each', async () => {
  const choice = ['black', 'white', color];
  const { choices: [answer] } = await openai.chat.completions.create({ model, messages: [about(`What color is the ${shape}?`)], temperature: 0, structured_outputs: { choice } });

  assert.equal(answer.message.content, color);
  assert.deepEqual(answer.x_choices.map((one) => one.text).sort(), choice.toSorted());
  assert.ok(Math.abs(answer.x_choices.reduce((sum, one) => sum + one.probability, 0) - 1) < 1e-6);
});

test('an answer matches an expression', async () => {
  const { choices: [{ message }] } = await openai.chat.completions.create({ ...question, structured_outputs: { regex: '[A-Z]{3}-[0-9]{2}' } });

  assert.match(message.content, /^[A-Z]{3}-[0-9]{2}$/);
  assert.match((await openai.chat.completions.create(question)).choices[0].message.content, drawn);
});

test('a form that is not understood is refused', async () => {
  const refused = { type: 'json_schema', json_schema: { name: 'scene', schema: { not: {} } } };
  await assert.rejects(openai.chat.completions.create({ ...question, response_format: refused }), { status: 400, code: 'invalid_json_schema' });
  await assert.rejects(openai.chat.completions.create({ ...question, structured_outputs: { regex: '(?=a)' } }), { status: 400, code: 'invalid_regex' });
});
