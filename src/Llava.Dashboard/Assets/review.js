// Walking through a gallery and reviewing it from the keyboard: j k next and previous, a accept, e edit, r reject, o open.
(() => {
  "use strict";

  const gallery = document.getElementById("gallery");
  if (!gallery) {
    return;
  }

  const form = document.getElementById("review-form");
  const cards = () => [...gallery.querySelectorAll(".item")];
  const current = () => document.activeElement?.closest?.(".item") ?? gallery.querySelector(".item.current");

  function go(card) {
    if (card) {
      gallery.querySelector(".item.current")?.classList.remove("current");
      card.classList.add("current");
      card.focus({ preventScroll: true });
      card.scrollIntoView({ block: "nearest" });
    }
  }

  function step(by) {
    const all = cards();
    const at = all.indexOf(current());
    go(at < 0 ? all[0] : all[Math.min(all.length - 1, Math.max(0, at + by))]);
  }

  async function review(card, verdict, text) {
    const data = new FormData(form);
    data.set("item", card.dataset.item);
    data.set("verdict", verdict);
    if (text !== undefined) {
      data.set("text", text);
    }

    card.classList.add("sending");
    try {
      const answer = await fetch(form.action, { method: "POST", body: data });
      if (!answer.ok) {
        throw new Error(answer.status === 409 ? await answer.text() : "The review was not recorded; try again.");
      }

      const template = document.createElement("template");
      template.innerHTML = (await answer.text()).trim();
      const next = card.nextElementSibling;
      card.replaceWith(template.content);
      go(next?.classList.contains("item") ? next : gallery.querySelector(`[data-item="${card.dataset.item}"]`));
    } catch (failure) {
      card.classList.remove("sending");
      say(card, failure.message);
    }
  }

  function say(card, message) {
    const place = card.querySelector(".problem") ?? card.querySelector(".words").appendChild(document.createElement("p"));
    place.className = "problem bad small";
    place.setAttribute("role", "alert");
    place.textContent = message;
  }

  // The answer becomes a field in its place; Ctrl+Enter keeps what is written, Escape what was there.
  function edit(card) {
    const words = card.querySelector(".words");
    if (words.querySelector("textarea")) {
      return;
    }

    const field = document.createElement("textarea");
    field.value = card.querySelector("[data-answer]")?.textContent ?? "";
    field.setAttribute("aria-label", "The right answer; Ctrl+Enter saves, Escape cancels");
    const help = document.createElement("p");
    help.className = "small quiet";
    help.append(key("Ctrl+Enter"), " saves, ", key("Esc"), " cancels");
    words.append(field, help);
    card.classList.add("editing");
    field.focus();
    field.addEventListener("keydown", event => {
      event.stopPropagation();
      if (event.key === "Escape") {
        field.remove();
        help.remove();
        card.classList.remove("editing");
        go(card);
      } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        review(card, "edited", field.value);
      }
    });
  }

  function key(name) {
    const element = document.createElement("kbd");
    element.textContent = name;
    return element;
  }

  function act(card, verdict) {
    if (card && form && !card.classList.contains("sending")) {
      const button = card.querySelector(`[data-verdict="${verdict}"]`);
      if (button && !button.disabled) {
        verdict === "edited" ? edit(card) : review(card, verdict);
      }
    }
  }

  gallery.addEventListener("click", event => {
    const button = event.target.closest("[data-verdict]");
    if (button) {
      act(button.closest(".item"), button.dataset.verdict);
    }
  });

  const keys = {
    j: () => step(1),
    k: () => step(-1),
    a: () => act(current(), "accepted"),
    e: () => act(current(), "edited"),
    r: () => act(current(), "rejected"),
    o: () => current()?.querySelector(".name")?.click(),
  };
  addEventListener("keydown", event => {
    const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (!isTyping && !event.ctrlKey && !event.metaKey && !event.altKey && keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
})();
