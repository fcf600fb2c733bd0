// Chats with one model or two side by side, over the API that programs use. Whatever a model says is put on the page as text.
(() => {
  "use strict";

  const form = document.getElementById("ask");
  if (!form) {
    return;
  }

  const token = form.elements.namedItem("__RequestVerificationToken").value;
  const settings = document.getElementById("settings").elements;
  const [question, file, preview, problem] = ["question", "file", "preview", "problem"].map(id => document.getElementById(id));
  const [send, stop, again, clear] = ["send", "stop", "again", "clear"].map(id => document.getElementById(id));
  const panes = [...document.querySelectorAll(".transcript")].map(makePane);
  let image = null;
  let running = null;

  function make(tag, properties, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  // A model's column: `messages` is what the API is told, `last` the answer that can be asked for again.
  function makePane(root) {
    const part = name => root.querySelector(name);
    const pane = { root, select: part("select"), empty: part(".empty"), list: part(".messages"), verdict: part(".verdict"), messages: [], last: null };
    pane.verdict.addEventListener("click", event => {
      const button = event.target.closest("button");
      if (button && button.getAttribute("aria-pressed") === "false") {
        press(pane, button);
        record(pane, button.dataset.type);
      }
    });
    pane.select.addEventListener("change", fit);
    return pane;
  }

  const active = () => panes.filter(pane => pane.select.value !== "");

  function fit() {
    panes.forEach(pane => pane.root.classList.toggle("off", pane.select.value === ""));
    panes[0].root.parentElement.classList.toggle("two", active().length > 1);
    busy();
  }

  function press(pane, button) {
    pane.verdict.querySelectorAll("button").forEach(one => one.setAttribute("aria-pressed", String(one === button)));
  }

  function busy() {
    const [is, said] = [running !== null, panes.some(pane => pane.messages.length > 0)];
    [send.disabled, stop.disabled, clear.disabled] = [is, !is, is || !said];
    again.disabled = is || !active().some(pane => pane.messages.length > 0);
    panes.forEach(pane => { [pane.select.disabled, pane.empty.hidden, pane.list.hidden] = [is, pane.messages.length > 0, pane.messages.length === 0]; });
  }

  function post(address, content, signal) {
    return fetch(address, { method: "POST", headers: { "Content-Type": "application/json", "RequestVerificationToken": token }, body: JSON.stringify(content), signal });
  }

  // Images are drawn and never named by an address: the site's policy allows none but its own.
  function draw(bitmap, canvas) {
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    return canvas;
  }

  function read(blob) {
    return new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(blob);
    });
  }

  async function choose(blob) {
    try {
      image = blob && { bitmap: await createImageBitmap(blob), url: await read(blob) };
      problem.textContent = "";
    } catch {
      image = null;
      problem.textContent = "That file is no image that this browser can read.";
    }

    preview.hidden = !image;
    if (image) {
      draw(image.bitmap, preview);
    }
  }

  function body(pane) {
    const number = name => settings.namedItem(name).value === "" ? undefined : Number(settings.namedItem(name).value);
    const choices = settings.namedItem("choices").value.split(",").map(text => text.trim()).filter(text => text !== "");
    return {
      model: pane.select.value, messages: pane.messages, stream: true, temperature: number("temperature"), top_p: number("top_p"), max_tokens: number("max_tokens"),
      seed: number("seed"), guided_choice: choices.length > 0 ? choices : undefined,
    };
  }

  function append(pane, element) {
    pane.list.append(element);
    pane.list.scrollTop = pane.list.scrollHeight;
  }

  async function answer(pane, signal) {
    const text = make("div", { className: "text" });
    const place = make("div", { className: "message assistant waits" }, text);
    const note = said => place.append(make("div", { className: "note quiet small", textContent: said }));
    pane.last = place;
    append(pane, place);
    pane.list.setAttribute("aria-busy", "true");
    try {
      const response = await post("/v1/chat/completions", body(pane), signal);
      if (!response.ok) {
        throw new Error((await response.json().catch(() => null))?.error?.message ?? `The server answered ${response.status}.`);
      }

      for await (const event of events(response.body)) {
        if (event.error) {
          throw new Error(event.error.message);
        }

        const choice = event.choices[0];
        text.append(choice?.delta?.content ?? "");
        if (choice?.x_choices) {
          place.append(scores(choice.x_choices));
        }

        if (choice?.finish_reason === "length") {
          note("Cut off: no tokens left.");
        }

        pane.list.scrollTop = pane.list.scrollHeight;
      }
    } catch (failure) {
      place.classList.toggle("failed", !signal.aborted);
      note(signal.aborted ? "Stopped." : failure.message);
    }

    place.classList.remove("waits");
    pane.list.removeAttribute("aria-busy");
    pane.list.scrollTop = pane.list.scrollHeight;
    if (text.textContent !== "") {
      pane.messages.push({ role: "assistant", content: text.textContent });
      pane.verdict.hidden = false;
      record(pane, "chat");
    }
  }

  async function* events(stream) {
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (rest + part.value).split("\n");
      rest = lines.pop();
      for (const line of lines.filter(one => one.startsWith("data: ") && one !== "data: [DONE]")) {
        yield JSON.parse(line.slice("data: ".length));
      }
    }
  }

  function scores(choices) {
    const percent = share => `${(100 * share).toFixed(1)} %`;
    const rows = choices.slice().sort((a, b) => b.probability - a.probability).slice(0, 8)
      .map(one => make("tr", {}, make("td", { textContent: one.text }), make("td", { className: "number", textContent: percent(one.probability) })));
    return make("table", { className: "scores" }, make("tbody", {}, ...rows));
  }

  // The log has what was said, and never the images themselves. That it could not be written spoils no chat.
  function record(pane, type) {
    const words = content => typeof content === "string" ? content : content.map(part => part.text ?? "<image>").join("\n");
    const messages = pane.messages.map(one => ({ role: one.role, content: words(one.content) }));
    post("/playground?handler=Log", { type, model: pane.select.value, messages }).catch(() => {});
  }

  async function run() {
    running = new AbortController();
    busy();
    panes.forEach(pane => { pane.verdict.hidden = true; press(pane, null); });
    await Promise.all(active().filter(pane => pane.messages.length > 0).map(pane => answer(pane, running.signal)));
    running = null;
    busy();
    question.focus({ preventScroll: true });
  }

  form.addEventListener("submit", event => {
    event.preventDefault();
    const text = question.value.trim();
    if (running || text === "") {
      return;
    }

    for (const pane of active()) {
      const pictures = image ? [draw(image.bitmap, make("canvas", { role: "img", ariaLabel: "Image" }))] : [];
      append(pane, make("div", { className: "message user" }, ...pictures, text));
      pane.messages.push({ role: "user", content: image ? [{ type: "image_url", image_url: { url: image.url } }, { type: "text", text }] : text });
    }

    [question.value, file.value] = ["", ""];
    choose(null);
    run();
  });

  question.addEventListener("keydown", event => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });

  file.addEventListener("change", () => choose(file.files[0] ?? null));
  stop.addEventListener("click", () => running?.abort());
  again.addEventListener("click", () => {
    for (const pane of active().filter(one => one.messages.length > 0)) {
      if (pane.messages.at(-1).role === "assistant") {
        pane.messages.pop();
      }

      pane.last.remove();
    }

    run();
  });
  clear.addEventListener("click", () => {
    panes.forEach(pane => { pane.list.replaceChildren(); [pane.messages, pane.last, pane.verdict.hidden] = [[], null, true]; });
    busy();
    question.focus();
  });

  // Examples are drawn here: a shape in the world that the shipped model is at home in.
  document.querySelectorAll(".examples button").forEach(button => {
    const canvas = button.querySelector("canvas");
    const { shape, color, ground } = button.dataset;
    const [x, y, r] = [Number(button.dataset.x), Number(button.dataset.y), 26];
    const pen = canvas.getContext("2d");
    pen.fillStyle = ground;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = color;
    pen.beginPath();
    if (shape === "circle") {
      pen.arc(x, y, r, 0, 2 * Math.PI);
    } else if (shape === "square") {
      pen.rect(x - r, y - r, 2 * r, 2 * r);
    } else {
      pen.moveTo(x, y - r);
      pen.lineTo(x + r, y + r);
      pen.lineTo(x - r, y + r);
    }

    pen.fill();
    button.addEventListener("click", () => canvas.toBlob(async blob => {
      const chosen = new DataTransfer();
      chosen.items.add(new File([blob], `${color}-${shape}.png`, { type: blob.type }));
      file.files = chosen.files;
      await choose(blob);
      question.value = button.dataset.question;
      question.focus();
    }));
  });

  fit();
})();
