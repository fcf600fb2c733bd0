import assert from 'node:assert/strict';
import test from 'node:test';
import OpenAI from 'openai';
import { client, linesFile, model } from './support.mjs';

const openai = client();
const question = { model, messages: [{ role: 'user', content: 'What?' }] };

/** The error must be of the library's class and carry what it shows to people. */
const rejects = (call, type, expected) => assert.rejects(call, (error) => {
  assert.ok(error instanceof type, `${error.constructor.name}: ${error.message}`);
  assert.match(error.requestID, /^req_/);
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, error[name]])), expected);
  assert.deepEqual(Object.keys(error.error).sort(), ['code', 'message', 'param', 'type']);
  return true;
});

test('each refusal is the error that the library has for it', async () => {
  await rejects(openai.chat.completions.create({ ...question, temperature: 3 }), OpenAI.BadRequestError, { status: 400, code: 'invalid_value', param: 'temperature', type: 'invalid_request_error' });
  await rejects(openai.chat.completions.create({ ...question, model: 'none' }), OpenAI.NotFoundError, { status: 404, code: 'model_not_found', param: 'model' });
  await rejects(client({ apiKey: 'wrong' }).models.list(), OpenAI.AuthenticationError, { status: 401, code: 'invalid_api_key' });
  await rejects(client({ apiKey: process.env.LLAVA_VIEWER_KEY }).files.create({ file: await linesFile(['{}']), purpose: 'batch' }), OpenAI.PermissionDeniedError, { status: 403 });
  await rejects(openai.files.create({ file: await linesFile(['{}']), purpose: 'mischief' }), OpenAI.BadRequestError, { status: 400, param: 'purpose' });
  await rejects(openai.post('/nothing', {}), OpenAI.NotFoundError, { status: 404, code: 'unknown_url' });
});

test('a key that is too fast is told to wait, and the library does', async () => {
  const limited = client({ apiKey: process.env.LLAVA_HASTY_KEY });
  const refused = (await Promise.allSettled(Array.from({ length: 60 }, () => limited.models.retrieve(model)))).filter((one) => one.status === 'rejected');
  assert.ok(refused.length > 0);
  assert.ok(refused.every(({ reason }) => reason instanceof OpenAI.RateLimitError && reason.code === 'rate_limit_exceeded' && Number(reason.headers.get('retry-after')) >= 1));

  const patient = client({ apiKey: process.env.LLAVA_HASTY_KEY, maxRetries: 5 });
  const answers = await Promise.all(Array.from({ length: 60 }, () => patient.models.retrieve(model)));
  assert.equal(answers.length, 60);
});
