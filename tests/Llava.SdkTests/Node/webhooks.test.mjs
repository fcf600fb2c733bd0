import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import test from 'node:test';
import OpenAI from 'openai';
import { about, api, client, line, model, runBatch, sendRows, until } from './support.mjs';

const openai = client();
const received = [];
let status = 200;

const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) {
    body += part;
  }
  received.push({ body, headers: request.headers });
  response.writeHead(status).end();
});

test.before(() => new Promise((resolve) => server.listen(Number(process.env.LLAVA_WEBHOOK_PORT), '127.0.0.1', resolve)));
test.after(() => server.close());

const register = (events) => api('/webhooks', { method: 'POST', body: JSON.stringify({ url: `http://127.0.0.1:${process.env.LLAVA_WEBHOOK_PORT}/events`, events }) });
const arrived = (type) => until(() => received.find((one) => JSON.parse(one.body).type === type), (one) => one !== undefined);

test("the end of a batch is told, and the library's own helper believes it", async () => {
  const webhook = await register(['batch.completed', 'batch.failed']);
  assert.match(webhook.secret, /^whsec_/);
  const batch = await runBatch(openai, [line('one', { messages: [about('What?')], max_tokens: 1 })]);
  const { body, headers } = await arrived('batch.completed');

  const event = await openai.webhooks.unwrap(body, headers, webhook.secret);
  assert.deepEqual([event.object, event.type, event.data], ['event', 'batch.completed', { id: batch.id }]);
  assert.match(event.id, /^evt_/);
  assert.equal(headers['webhook-id'], event.id);
  await assert.rejects(openai.webhooks.unwrap(body.replace('completed', 'expired'), headers, webhook.secret), OpenAI.InvalidWebhookSignatureError);

  const failed = await runBatch(openai, ['not json']);
  assert.deepEqual((await openai.webhooks.unwrap((await arrived('batch.failed')).body, (await arrived('batch.failed')).headers, webhook.secret)).data, { id: failed.id });
  await api(`/webhooks/${webhook.id}`, { method: 'DELETE' });
});

test('the end of a fine-tuning job is told', async () => {
  const webhook = await register(['fine_tuning.job.cancelled']);
  const job = await openai.fineTuning.jobs.create({ model, training_file: (await sendRows(openai)).id, method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 50 } } } });
  await openai.fineTuning.jobs.cancel(job.id);
  const { body, headers } = await arrived('fine_tuning.job.cancelled');

  assert.deepEqual((await openai.webhooks.unwrap(body, headers, webhook.secret)).data, { id: job.id });
  await api(`/webhooks/${webhook.id}`, { method: 'DELETE' });
});

test('what is not taken is tried again, can be read about and sent once more', async () => {
  const webhook = await register([]);
  received.length = 0;
  status = 503;
  const sent = await api(`/webhooks/${webhook.id}/test`, { method: 'POST' });
  const delivery = async () => (await api(`/webhooks/${webhook.id}/deliveries`)).deliveries.find((one) => one.id === sent.id);
  const waiting = await until(delivery, (one) => one.attempts >= 2);
  assert.deepEqual([waiting.state, waiting.status, waiting.type], ['pending', 503, 'webhook.test']);
  status = 200;
  const taken = await until(delivery, (one) => one.state === 'delivered');
  assert.ok(taken.attempts >= 3);

  const rotated = await api(`/webhooks/${webhook.id}/rotate`, { method: 'POST' });
  assert.notEqual(rotated.secret, webhook.secret);
  received.length = 0;
  await api(`/webhooks/${webhook.id}/deliveries/${sent.id}/redeliver`, { method: 'POST' });
  const { body, headers } = await arrived('webhook.test');
  for (const secret of [webhook.secret, rotated.secret]) {
    assert.equal((await openai.webhooks.unwrap(body, headers, secret)).id, sent.event);
  }
  await api(`/webhooks/${webhook.id}`, { method: 'DELETE' });
});
