// Chats with one model or two side by side, over the API that programs use. Whatever a model says is put on the page as text.
(() => {
  "use strict";

  const form = document.getElementById("ask");
  if (!form) {
    return;
  }

  const token = form.elements.namedItem("__RequestVerificationToken").value;
  const settings = document.getElementById("settings").elements;
  const panes = [...document.querySelectorAll(".transcript")].map(makePane);
  const [send, stop, again, clear] = ["send", "stop", "again", "clear"].map(id => document.getElementById(id));
  const preview = document.getElementById("preview");
  let image = null;
  let running = null;

  function make(tag, properties, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function makePane(root) {
    const pane = { root, select: root.querySelector("select"), list: root.querySelector(".messages"), verdict: root.querySelector(".verdict"), messages: [], last: null };
    pane.verdict.addEventListener("click", event => {
      const button = event.target.closest("button[data-type]");
      if (button) {
        record(pane, button.dataset.type);
        pane.verdict.querySelectorAll("button").forEach(one => one.setAttribute("aria-pressed", String(one === button)));
      }
    });
    pane.select.addEventListener("change", () => pane.root.classList.toggle("off", pane.select.value === ""));
    return pane;
  }

  const active = () => panes.filter(pane => pane.select.value !== "");

  function header() {
    return { "Content-Type": "application/json", "RequestVerificationToken": token };
  }

  // Images are drawn and never named by an address: the site's policy allows none but its own.
  async function show(blob, canvas) {
    const bitmap = await createImageBitmap(blob);
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    canvas.hidden = false;
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
      await show(blob, preview);
      image = { blob, url: await read(blob) };
      say("");
    } catch {
      say("That file is no image that this browser can read.");
    }
  }

  function say(text) {
    document.getElementById("problem").textContent = text;
  }

  function body(pane) {
    const number = name => settings.namedItem(name).value === "" ? undefined : Number(settings.namedItem(name).value);
    const choices = settings.namedItem("choices").value.split(",").map(text => text.trim()).filter(text => text !== "");
    return {
      model: pane.select.value, messages: pane.messages, stream: true, temperature: number("temperature"), top_p: number("top_p"), max_tokens: number("max_tokens"),
      seed: number("seed"), guided_choice: choices.length > 0 ? choices : undefined,
    };
  }

  async function answer(pane, signal) {
    const place = make("div", { className: "message assistant waits" });
    pane.list.append(place);
    pane.last = place;
    let text = "";
    let reason = "";
    try {
      const response = await fetch("/v1/chat/completions", { method: "POST", headers: header(), body: JSON.stringify(body(pane)), signal });
      if (!response.ok) {
        throw new Error((await response.json()).error.message);
      }

      for await (const event of events(response.body)) {
        if (event.error) {
          throw new Error(event.error.message);
        }

        const choice = event.choices[0];
        text += choice?.delta.content ?? "";
        reason = choice?.finish_reason ?? reason;
        place.textContent = text;
        if (choice?.x_choices) {
          place.append(scores(choice.x_choices));
        }
      }
    } catch (failure) {
      if (failure.name !== "AbortError") {
        place.classList.add("failed");
        text = "";
        place.textContent = failure.message;
      }
    }

    place.classList.remove("waits");
    if (reason === "length") {
      place.append(make("div", { className: "quiet small", textContent: "Cut off: no tokens left." }));
    }

    if (text !== "") {
      pane.messages.push({ role: "assistant", content: text });
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
        yield JSON.parse(line.slice(6));
      }
    }
  }

  function scores(choices) {
    const rows = choices.slice().sort((a, b) => b.probability - a.probability).slice(0, 8)
      .map(one => make("tr", {}, make("td", { textContent: one.text }), make("td", { className: "number", textContent: `${(100 * one.probability).toFixed(1)} %` })));
    return make("table", { className: "scores" }, make("tbody", {}, ...rows));
  }

  // The log has what was said, and never the images themselves.
  function record(pane, type) {
    const messages = pane.messages.map(one => ({ role: one.role, content: typeof one.content === "string" ? one.content : one.content.map(part => part.text ?? "<image>").join("\n") }));
    fetch("/playground?handler=Log", { method: "POST", headers: header(), body: JSON.stringify({ type, model: pane.select.value, messages }) }).catch(() => {});
  }

  async function run() {
    running = new AbortController();
    busy(true);
    panes.forEach(pane => { pane.verdict.hidden = true; pane.verdict.querySelectorAll("button").forEach(one => one.setAttribute("aria-pressed", "false")); });
    await Promise.all(active().map(pane => answer(pane, running.signal)));
    running = null;
    busy(false);
    form.elements.namedItem("question").focus();
  }

  function busy(is) {
    [send.disabled, stop.disabled, again.disabled, clear.disabled] = [is, !is, is || !active().some(pane => pane.messages.length > 0), is];
  }

  form.addEventListener("submit", async event => {
    event.preventDefault();
    const question = form.elements.namedItem("question");
    if (running || question.value.trim() === "") {
      return;
    }

    for (const pane of active()) {
      const message = make("div", { className: "message user" });
      if (image) {
        const canvas = make("canvas", {});
        await show(image.blob, canvas);
        message.append(canvas);
      }

      message.append(question.value);
      pane.list.append(message);
      pane.messages.push({ role: "user", content: image ? [{ type: "text", text: question.value }, { type: "image_url", image_url: { url: image.url } }] : question.value });
    }

    [question.value, image, preview.hidden, document.getElementById("file").value] = ["", null, true, ""];
    await run();
  });

  form.elements.namedItem("question").addEventListener("keydown", event => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  });

  document.getElementById("file").addEventListener("change", event => { if (event.target.files[0]) { choose(event.target.files[0]); } });
  stop.addEventListener("click", () => running?.abort());
  again.addEventListener("click", () => {
    for (const pane of active()) {
      if (pane.messages.at(-1)?.role === "assistant") {
        pane.messages.pop();
      }

      pane.last?.remove();
    }

    run();
  });
  clear.addEventListener("click", () => {
    panes.forEach(pane => { pane.list.replaceChildren(); [pane.messages, pane.last, pane.verdict.hidden] = [[], null, true]; });
    busy(false);
  });

  // Examples are drawn here: a shape in the world that the shipped model is at home in.
  document.querySelectorAll(".examples button").forEach(button => {
    const canvas = button.querySelector("canvas");
    const [x, y, r] = [80 + Number(button.dataset.x), 80 + Number(button.dataset.y), 26];
    [canvas.width, canvas.height] = [160, 160];
    const pen = canvas.getContext("2d");
    pen.fillStyle = button.dataset.ground;
    pen.fillRect(0, 0, 160, 160);
    pen.fillStyle = button.dataset.color;
    pen.beginPath();
    if (button.dataset.shape === "circle") {
      pen.arc(x, y, r, 0, 2 * Math.PI);
    } else if (button.dataset.shape === "square") {
      pen.rect(x - r, y - r, 2 * r, 2 * r);
    } else {
      pen.moveTo(x, y - r);
      pen.lineTo(x + r, y + r);
      pen.lineTo(x - r, y + r);
    }

    pen.fill();
    button.addEventListener("click", () => canvas.toBlob(blob => {
      choose(blob);
      form.elements.namedItem("question").value = button.dataset.question;
      form.elements.namedItem("question").focus();
    }));
  });

  busy(false);
})();
