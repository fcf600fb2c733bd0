// Keeps the parts of a page that change up to date. Each element with data-live names a topic; one stream brings
// all of them, each event the whole of a topic, and what differs on the page is changed in place.
(() => {
  "use strict";

  let stream = null;
  let retry = 0;

  const topics = () => [...new Set([...document.querySelectorAll("[data-live]")].map(element => element.dataset.live))];

  function open() {
    close();
    const wanted = topics();
    if (wanted.length === 0 || document.hidden) {
      return;
    }

    stream = new EventSource("/events?" + wanted.map(topic => "on=" + encodeURIComponent(topic)).join("&"));
    for (const topic of wanted) {
      stream.addEventListener(topic, event => apply(topic, event.data));
    }

    stream.onopen = () => disconnected(false);
    stream.onerror = () => {
      disconnected(true);
      if (stream && stream.readyState === EventSource.CLOSED) {
        // The browser gave up, as after a restart that no longer knows the reader; look again, slowly.
        clearTimeout(retry);
        retry = setTimeout(open, 3000);
      }
    };
  }

  function close() {
    clearTimeout(retry);
    stream?.close();
    stream = null;
  }

  function disconnected(isAway) {
    const banner = document.getElementById("connection");
    if (banner) {
      banner.hidden = !isAway;
    }
  }

  function apply(topic, html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    for (const element of document.querySelectorAll(`[data-live="${CSS.escape(topic)}"]`)) {
      changeChildren(element, template.content.cloneNode(true));
      htmx.process(element);
    }

    document.body.dispatchEvent(new CustomEvent("live", { detail: { topic } }));
  }

  // Changes what is there instead of replacing it, so that the focus, selected text, ticks and open details stay.
  function change(from, to) {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || from.id !== to.id) {
      from.replaceWith(to);
    } else if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.data !== to.data) {
        from.data = to.data;
      }
    } else if (!from.isEqualNode(to)) {
      changeAttributes(from, to);
      if (!from.hasAttribute("data-chart")) {
        changeChildren(from, to);
      }
    }
  }

  function changeAttributes(from, to) {
    for (const { name, value } of [...to.attributes]) {
      if (from.getAttribute(name) !== value) {
        from.setAttribute(name, value);
      }
    }

    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && name !== "open" && !name.startsWith("data-hx")) {
        from.removeAttribute(name);
      }
    }
  }

  function changeChildren(from, to) {
    let at = from.firstChild;
    for (const wanted of [...to.childNodes]) {
      const known = wanted.id ? [...from.children].find(child => child.id === wanted.id) : null;
      if (known && known !== at) {
        from.insertBefore(known, at);
        at = known;
      }

      if (!at) {
        from.append(wanted);
      } else if (!known && (wanted.id || at.id)) {
        from.insertBefore(wanted, at);
      } else {
        const next = at.nextSibling;
        change(at, wanted);
        at = next;
      }
    }

    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  // A page in the background needs no stream, and a browser has only six connections to a site.
  document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
  addEventListener("pagehide", close);
  addEventListener("pageshow", event => event.persisted && open());
  open();
})();
