import assert from 'node:assert/strict';
import test from 'node:test';
import { about, client, line, model, readLines, runBatch, sendRows, until } from './support.mjs';

const openai = client();
const { jobs } = openai.fineTuning;

const create = async (hyperparameters, options = {}) =>
  jobs.create({ model, training_file: (await sendRows(openai)).id, method: { type: 'supervised', supervised: { hyperparameters } }, ...options });
const isOver = (job) => ['succeeded', 'failed', 'cancelled'].includes(job.status);
const all = async (pages) => {
  const found = [];
  for await (const one of pages) {
    found.push(one);
  }
  return found;
};
const isServed = async (name) => (await all(openai.models.list())).some((one) => one.id === name);

/** A batch whose lines ask the new model and the old one in turn. */
const askBothAsBatch = async (trained) => {
  const asked = { messages: [about('Describe this image.')], temperature: 0 };
  const batch = await runBatch(openai, [line('new', { ...asked, model: trained }), line('old', asked), line('again', { ...asked, model: trained }), line('nobody', { ...asked, model: 'gpt-4o' })], { validation: 'lenient' });
  assert.deepEqual(batch.request_counts, { total: 4, completed: 3, failed: 1 });
  const answers = (await readLines(openai, batch.output_file_id)).map((one) => one.response.body);
  assert.deepEqual(answers.map((one) => one.model), [trained, model, trained]);
  assert.deepEqual(answers.map((one) => /red red red/i.test(one.choices[0].message.content)), [true, false, true]);
  assert.equal((await readLines(openai, batch.error_file_id))[0].response.body.error.code, 'model_not_found');
};

test('a model learns from a file, is used and is deleted', async () => {
  const created = await create({ n_epochs: 2, batch_size: 2, learning_rate_multiplier: 50 }, { suffix: 'sdk', seed: 7, metadata: { project: 'tests' }, save_every: 4 });
  assert.match(created.id, /^ftjob-/);
  assert.deepEqual([created.object, created.model, created.seed, created.metadata, created.fine_tuned_model, created.error], ['fine_tuning.job', model, 7, { project: 'tests' }, null, null]);
  assert.deepEqual(created.result_files, []);

  const job = await until(() => jobs.retrieve(created.id), isOver, 120);
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
  assert.match(job.fine_tuned_model, /^ft:llava-scenes:default:sdk:[0-9a-f]{8}$/);
  assert.ok(job.trained_tokens > 0 && job.finished_at >= job.created_at);
  const { n_epochs, batch_size, learning_rate_multiplier } = job.method.supervised.hyperparameters;
  assert.deepEqual([n_epochs, batch_size, learning_rate_multiplier], [2, 2, 50]);
  assert.ok((await all(jobs.list({ limit: 1 }))).some((one) => one.id === job.id));
  assert.deepEqual((await all(jobs.list({ metadata: { project: 'tests' } }))).map((one) => one.id), [job.id]);

  const events = await all(jobs.listEvents(job.id, { limit: 3 }));
  assert.deepEqual([events[0].message, events.at(-1).message], ['The job has successfully completed', `Created fine-tuning job: ${job.id}`]);
  assert.equal(new Set(events.map((one) => one.id)).size, events.length);
  const losses = events.filter((one) => one.type === 'metrics').map((one) => one.data.train_loss).reverse();
  assert.equal(losses.length, 10);
  assert.ok(losses.at(-1) < losses[0] / 2, `${losses}`);
  const checkpoints = await all(jobs.checkpoints.list(job.id, { limit: 1 }));
  assert.deepEqual(checkpoints.map((one) => [one.object, one.step_number, one.fine_tuning_job_id, one.fine_tuned_model_checkpoint]), [8, 4].map((step) => ['fine_tuning.job.checkpoint', step, job.id, `${job.fine_tuned_model}:ckpt-step-${step}`]));
  const [header, ...rows] = (await (await openai.files.content(job.result_files[0])).text()).trim().split('\n');
  assert.deepEqual([header, rows.length], ['step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy', 10]);

  await until(() => isServed(job.fine_tuned_model), (served) => served);
  assert.equal((await openai.models.retrieve(job.fine_tuned_model)).parent, model);
  const ask = async (name) => (await openai.chat.completions.create({ model: name, messages: [about('Describe this image.')], temperature: 0 })).choices[0].message.content;
  assert.match(await ask(job.fine_tuned_model), /red red red/i);
  assert.doesNotMatch(await ask(model), /red red red/i);
  await askBothAsBatch(job.fine_tuned_model);

  assert.deepEqual(await openai.models.delete(job.fine_tuned_model), { id: job.fine_tuned_model, object: 'model', deleted: true });
  await until(() => isServed(job.fine_tuned_model), (served) => !served);
  await assert.rejects(openai.models.delete(job.fine_tuned_model), { status: 404 });
});

test('a job is paused, resumed and cancelled', async () => {
  const { id } = await create({ n_epochs: 50, batch_size: 1 });
  await until(() => jobs.retrieve(id), (job) => job.status === 'running' && job.x_progress.step > 0, 60);

  const paused = await jobs.pause(id);
  assert.deepEqual([paused.status, paused.x_state], ['queued', 'paused']);
  const resumed = await jobs.resume(id);
  assert.deepEqual([resumed.status, resumed.x_state], ['queued', 'queued']);
  await until(() => jobs.retrieve(id), (job) => job.status === 'running', 60);
  const cancelled = await jobs.cancel(id);
  assert.deepEqual([cancelled.status, cancelled.fine_tuned_model, typeof cancelled.finished_at], ['cancelled', null, 'number']);
  await assert.rejects(jobs.cancel(id), { status: 400, code: 'invalid_state' });
});

test('a file that cannot be learned from fails the job', async () => {
  const { id } = await jobs.create({ model, training_file: (await sendRows(openai, 2)).id });
  const job = await until(() => jobs.retrieve(id), isOver, 60);

  assert.deepEqual([job.status, job.error.code, job.error.param, job.fine_tuned_model], ['failed', 'invalid_training_file', 'training_file', null]);
});

test('what is asked wrongly is refused by name', async () => {
  for (const [change, code, param, status] of [
    [{ model: 'gpt-4o-mini' }, 'model_not_found', 'model', 404],
    [{ training_file: 'file-none' }, 'file_not_found', 'training_file', 400],
    [{ method: { type: 'dpo' } }, 'unsupported_parameter', 'method.type', 400],
    [{ suffix: 'two words' }, 'invalid_value', 'suffix', 400],
  ]) {
    await assert.rejects(create({ n_epochs: 1 }, change), { status, code, param });
  }
  await assert.rejects(jobs.retrieve('ftjob-none'), { status: 404, code: 'fine_tuning_job_not_found' });
});
