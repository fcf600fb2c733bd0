// Small comforts of forms: asking back, ticking all, filters that apply themselves, a menu that closes.
(() => {
  "use strict";

  // data-confirm="…" asks before a form is sent.
  addEventListener("submit", event => {
    const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
    if (question && !confirm(question)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);

  // A box with data-ticks="name" ticks all boxes of that name; buttons with data-needs="name" wait for one.
  function ticked(name) {
    const boxes = [...document.querySelectorAll(`input[type="checkbox"][name="${CSS.escape(name)}"]`)];
    const count = boxes.filter(box => box.checked).length;
    document.querySelectorAll(`[data-needs="${CSS.escape(name)}"]`).forEach(button => { button.disabled = count === 0; });
    document.querySelectorAll(`[data-counts="${CSS.escape(name)}"]`).forEach(place => { place.textContent = count === 0 ? "None selected" : `${count} selected`; });
    document.querySelectorAll(`[data-ticks="${CSS.escape(name)}"]`).forEach(all => {
      all.checked = count > 0 && count === boxes.length;
      all.indeterminate = count > 0 && count < boxes.length;
    });
  }

  addEventListener("change", event => {
    const box = event.target;
    if (box.dataset.ticks) {
      document.querySelectorAll(`input[type="checkbox"][name="${CSS.escape(box.dataset.ticks)}"]`).forEach(one => { one.checked = box.checked; });
      ticked(box.dataset.ticks);
    } else if (box.type === "checkbox" && document.querySelector(`[data-counts="${CSS.escape(box.name)}"]`)) {
      ticked(box.name);
    } else if (box.form?.dataset.applies !== undefined && box.tagName === "SELECT") {
      box.form.requestSubmit();
    }
  });

  const ready = () => document.querySelectorAll("[data-counts]").forEach(place => ticked(place.dataset.counts));
  document.body.addEventListener("live", ready);
  ready();

  // On a wide screen the menu is always open; it is a details element so that it opens without scripts on a narrow one.
  const wide = matchMedia("(min-width: 56.01rem)");
  const menu = document.querySelector(".menu");
  const fit = () => { if (menu) { menu.open = wide.matches; } };
  wide.addEventListener("change", fit);
  fit();
})();
