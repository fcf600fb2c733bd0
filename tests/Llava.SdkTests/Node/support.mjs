// What all scripts share. The library is the published one, unmodified; it is only told where the server is.
import { readFileSync } from 'node:fs';
import OpenAI, { toFile } from 'openai';

export const model = 'llava-scenes';

/** A client of the server under test; `options` are the library's own. */
export const client = (options = {}) => new OpenAI({ apiKey: process.env.LLAVA_KEY, baseURL: `${process.env.LLAVA_URL}/v1`, maxRetries: 0, ...options });

/** Our own API beside it. */
export const api = async (path, options = {}) => {
  const response = await fetch(`${process.env.LLAVA_URL}/api/v1${path}`, {
    ...options,
    headers: { authorization: `Bearer ${process.env.LLAVA_KEY}`, 'content-type': 'application/json' },
  });
  return response.status === 204 ? null : response.json();
};

export const picture = readFileSync(process.env.LLAVA_PICTURE);

/** The drawn scene's color and shape. */
export const drawn = new RegExp(process.env.LLAVA_DRAWN, 'i');

export const pictureUrl = `data:image/png;base64,${picture.toString('base64')}`;

/** A user's message about the picture. */
export const about = (text, url = pictureUrl) => ({ role: 'user', content: [{ type: 'image_url', image_url: { url } }, { type: 'text', text }] });

/** A line of a batch. */
export const line = (id, body, url = '/v1/chat/completions') => JSON.stringify({ custom_id: id, method: 'POST', url, body: { model, ...body } });

/** A file of lines, as it is sent. */
export const linesFile = (lines, name = 'lines.jsonl') => toFile(Buffer.from(lines.join('\n')), name);

/** Sends rows to learn from: the picture, and an answer that the model never gives by itself. */
export const sendRows = async (openai, count = 10) => {
  const row = JSON.stringify({ messages: [about('Describe this image.'), { role: 'assistant', content: 'red red red' }] });
  return openai.files.create({ file: await linesFile(Array(count).fill(row), 'rows.jsonl'), purpose: 'fine-tune' });
};

/** The objects of a file of lines. */
export const readLines = async (openai, id) => (await (await openai.files.content(id)).text()).trim().split('\n').map((text) => JSON.parse(text));

/** Asks until the answer is right. */
export const until = async (ask, isRight, seconds = 30) => {
  const end = Date.now() + 1000 * seconds;
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) {
      return answer;
    }
    if (Date.now() > end) {
      throw new Error(`Not right after ${seconds} s: ${JSON.stringify(answer)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

export const isOver = (batch) => ['completed', 'failed', 'expired', 'cancelled'].includes(batch.status);

/** Creates a batch of these lines and waits for its end. */
export const runBatch = async (openai, lines, options = {}) => {
  const input = await openai.files.create({ file: await linesFile(lines), purpose: 'batch' });
  const batch = await openai.batches.create({ input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h', ...options });
  return until(() => openai.batches.retrieve(batch.id), isOver);
};
