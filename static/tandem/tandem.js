/* What the pages do beyond plain HTML: menus that close, sheets, keys, drag and drop, live refresh.
   Everything here has a way without it: a link, a form, a reload. */
(() => {
  "use strict";
  const root = document.documentElement;
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  root.classList.add("js");

  const typing = (element) => element?.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable]");

  /* Messages and menus ------------------------------------------------------------------ */
  const say = (text, kind = "error") => {
    const flash = document.createElement("div");
    flash.className = `flash flash-${kind}`;
    flash.append(Object.assign(document.createElement("span"), { textContent: text }));
    one("#flashes")?.append(flash);
    fade(flash);
  };
  const fade = (flash) => {
    if (!flash.classList.contains("flash-error")) setTimeout(() => flash.remove(), 6000);
    else setTimeout(() => flash.remove(), 15000);
  };

  document.addEventListener("click", (event) => {
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    if (event.target.closest("[data-dismiss]")) event.target.closest(".flash").remove();
    if (event.target.closest("[data-help]")) one("#help").showModal();
    const dialog = event.target.closest("dialog");
    if (dialog && (event.target === dialog || event.target.closest("[data-close]"))) {
      event.preventDefault();
      dialog.close();
    }
  }, true);

  /* Sheets: a link marked `data-sheet` shows the panel of its page over this one ---------- */
  const fetchPage = async (url, options) => {
    const response = await fetch(url, { credentials: "same-origin", headers: { Accept: "text/html" }, ...options });
    return { response, page: new DOMParser().parseFromString(await response.text(), "text/html") };
  };
  const openSheet = async (link) => {
    const { response, page } = await fetchPage(link.href);
    const panel = one("#panel", page);
    if (!panel || response.redirected) return location.assign(link.href);
    showSheet(panel);
  };
  const showSheet = (panel) => {
    const sheet = one("#sheet");
    sheet.setAttribute("aria-label", one("h1", panel)?.textContent ?? "Dialog");
    fillSheet(panel);
    if (!sheet.open) sheet.showModal();
    (one("[autofocus]", sheet) ?? one("input:not([type=hidden]), select, textarea, button", sheet))?.focus();
  };
  const fillSheet = (panel) => {
    const sheet = one("#sheet");
    sheet.replaceChildren(...panel.children);
    all("form", sheet).forEach((form) => form.setAttribute("hx-boost", "false"));
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-sheet]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    event.stopPropagation();
    link.closest("details.menu")?.removeAttribute("open");
    openSheet(link).catch(() => location.assign(link.href));
  }, true);
  /* Forms marked `data-preview` say, while one types, what sending them would lead to. */
  let foreseeing;
  let foreseen = 0;
  const foresee = async (form) => {
    const mine = ++foreseen;
    const body = new URLSearchParams(new FormData(form));
    body.set("choice", "preview");
    const { response, page } = await fetchPage(form.action, { method: "POST", body });
    const fresh = response.ok && one("#preview", page);
    const here = one("#preview", form);
    if (mine === foreseen && here) here.replaceChildren(...(fresh ? fresh.childNodes : []));
  };
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-preview]");
    if (!form) return;
    clearTimeout(foreseeing);
    foreseeing = setTimeout(() => foresee(form).catch(() => {}), 300);
  });
  /* A refusal comes back into the sheet with what was typed; otherwise go where the answer leads. */
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.matches(".deal-card form")) {
      event.preventDefault();
      return place(form, event.submitter.value);
    }
    if (!form.closest("#sheet") || form.method === "dialog") return;
    event.preventDefault();
    const button = event.submitter;
    if (button) button.disabled = true;
    try {
      const { response, page } = await fetchPage(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form, button)),
      });
      const panel = one("#panel", page);
      if (!response.ok && panel) return fillSheet(panel);
      if (!response.ok) throw new Error(response.statusText);
      one("#sheet").close();
      if (response.url !== location.href.split("#")[0]) history.pushState(null, "", response.url);
      document.body.replaceChildren(...page.body.children);
      document.title = page.title;
      htmx.process(document.body);
      ready(document.body);
    } catch {
      say("Tandem cannot be reached. Nothing was changed; try again in a moment.");
      if (button) button.disabled = false;
    }
  });

  /* Keys ---------------------------------------------------------------------------------- */
  let chosen = null;
  let before = "";
  const choose = (step) => {
    const rows = all("[data-row]").filter((row) => row.offsetParent);
    if (!rows.length) return;
    const at = rows.indexOf(rows.find((row) => row.id && row.id === chosen) ?? rows.find((row) => row.ariaCurrent === "true"));
    const row = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
    rows.forEach((other) => other.removeAttribute("aria-current"));
    row.setAttribute("aria-current", "true");
    chosen = row.id;
    (one("[data-open], [data-complete], summary, a, button", row) ?? row).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of all("details.menu[open]")) { menu.open = false; one("summary", menu).focus(); }
    if (typing(event.target) || event.metaKey || event.ctrlKey || event.altKey || one("dialog[open]")) return;
    const pair = before + event.key;
    before = event.key === "g" ? "g" : "";
    const places = { gw: "/", gd: "/approvals", gp: "/pipeline", gc: "/calendar", ga: "/accounts", gr: "/partners", gb: "/playbooks" };
    if (places[pair]) return location.assign(places[pair]);
    const shortcut = event.key === "/" || event.key === "n" ? one(`[data-shortcut="${event.key}"]`) : null;
    if (event.key === "?") one("#help")?.showModal();
    else if (shortcut) { event.preventDefault(); typing(shortcut) ? shortcut.focus() : shortcut.click(); }
    else if (event.key === "j") choose(1);
    else if (event.key === "k") choose(-1);
    else if (event.key === "c") one('[data-row][aria-current="true"] [data-complete], [data-row]:focus-within [data-complete]')?.click();
    else if (/^[a-z]$/.test(event.key)) {
      const named = `[data-key="${event.key}"]`;
      const key = one(`[data-row][aria-current="true"] ${named}, [data-row]:focus-within ${named}`) ?? one(`${named}:not([data-row] *)`);
      if (key) { event.preventDefault(); key.click(); }
    }
  });

  /* Filters apply themselves -------------------------------------------------------------- */
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-auto]");
    if (form) form.requestSubmit();
  });
  let pause;
  document.addEventListener("input", (event) => {
    const form = event.target.type === "search" && event.target.closest("form[data-auto]");
    if (!form) return;
    clearTimeout(pause);
    pause = setTimeout(() => form.requestSubmit(), 350);
  });
  document.addEventListener("formdata", (event) => {
    if (event.target.method !== "get") return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });

  /* Drag a card to another column ---------------------------------------------------------- */
  let dragging = false;
  const move = (event) => {
    dragging = false;
    if (event.from === event.to) return refresh();
    return place(one("form.menu-items", event.item), event.to.dataset.stage);
  };
  const place = async (form, stage) => {
    const body = new URLSearchParams(new FormData(form));
    body.set("stage", stage);
    form.closest("details").open = false;
    try {
      const { response, page } = await fetchPage(form.action, { method: "POST", body });
      const panel = one("#panel", page);
      if (panel) showSheet(panel);
      else if (!response.ok) say(one('#main [role="alert"]', page)?.textContent.trim().replace(/\s+/g, " ") ?? "The deal was not moved.");
      else all("#flashes .flash", page).forEach((flash) => { one("#flashes").append(flash); fade(flash); });
    } catch {
      say("Tandem cannot be reached. The deal stays where it was.");
    }
    refresh();
  };
  const sortable = (board) => {
    for (const list of all("[data-stage]", board)) {
      Sortable.create(list, {
        group: "board", draggable: ".deal-card", filter: ".menu, .menu *", preventOnFilter: false, delay: 150,
        delayOnTouchOnly: true, sort: false, animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
        onStart: () => { dragging = true; }, onEnd: move,
      });
    }
  };

  /* Live: regions marked `data-live` are fetched again when something happened elsewhere --- */
  const dirty = new WeakSet();
  document.addEventListener("input", (event) => { if (event.target.form) dirty.add(event.target.form); });
  document.addEventListener("submit", (event) => dirty.delete(event.target));
  /* Nobody's typing, open menu or dragged card is taken away. */
  let pressed = null;
  /* The browser cancels the pointer when a drag begins, a moment before the board hears of it. */
  document.addEventListener("dragstart", () => { dragging = true; }, true);
  document.addEventListener("dragend", () => { dragging = false; }, true);
  document.addEventListener("pointerdown", (event) => { pressed = event.target; }, true);
  for (const end of ["pointerup", "pointercancel", "dragend"]) {
    document.addEventListener(end, () => { pressed = null; if (held) setTimeout(refresh, 50); }, true);
  }
  const busy = (region) => dragging
    || region.contains(pressed)
    || (region.contains(document.activeElement) && typing(document.activeElement))
    || all("form", region).some((form) => dirty.has(form))
    || all("details.menu[open]", region).length > 0;
  let asked = 0;
  let held = false;
  const where = () => location.pathname + location.search;
  async function refresh() {
    const regions = all("[data-live]");
    if (!regions.length) return;
    const mine = ++asked;
    const here = where();
    const { response, page } = await fetchPage(here, { headers: { Accept: "text/html", "Tandem-Live": "1" } }).catch(() => ({}));
    /* Whoever has gone on to another page meanwhile reads that one: its regions may have the same names. */
    if (mine !== asked || here !== where() || !response?.ok || response.redirected) return;
    held = false;
    for (const region of [...regions, ...all("[data-live-along]")]) {
      const fresh = region.id && one(`#${CSS.escape(region.id)}`, page);
      if (!fresh || !region.isConnected || same(region, fresh)) continue;
      if (busy(region)) { held = true; continue; }
      const focused = region.contains(document.activeElement) ? trail(document.activeElement) : null;
      const open = all("details[open]", region).map((item) => item.closest("[id]")?.id);
      const scroll = one(".board", region)?.scrollLeft;
      region.replaceChildren(...fresh.childNodes);
      for (const id of open) one(`#${CSS.escape(id)} details.how`, region)?.setAttribute("open", "");
      if (scroll) one(".board", region).scrollLeft = scroll;
      htmx.process(region);
      ready(region);
      if (focused) one(focused, region)?.focus({ preventScroll: true });
    }
  }
  /* Every form has a key of its own at each rendering, and words like "2 minutes ago" change: not news. */
  const bare = (element) => {
    const copy = element.cloneNode(true);
    const versions = all('[name="_version"]', copy).map((field) => field.value);
    all('[name="_key"], time', copy).forEach((part) => part.remove());
    all("details[open], .htmx-request, [aria-current]", copy).forEach((part) => {
      if (part.matches("details")) part.removeAttribute("open");
    });
    return copy.textContent.replace(/\s+/g, " ") + all("[id], [data-stage]", copy).map((part) => part.id).join() + versions;
  };
  const same = (one, other) => bare(one) === bare(other);
  const trail = (element) => {
    const row = element.closest("[id]");
    const what = ["data-complete", "data-open"].find((name) => element.hasAttribute(name));
    return row && what ? `#${CSS.escape(row.id)} [${what}]` : null;
  };
  document.addEventListener("focusout", () => { if (held) setTimeout(refresh, 50); });

  let soon;
  const news = () => { clearTimeout(soon); soon = setTimeout(refresh, 120); };
  /* The bell counts on every page, also where nothing else is live. */
  const ring = (unread) => {
    const link = one("#bell a");
    if (!link) return;
    link.setAttribute("aria-label", unread ? `Notices: ${unread} not read` : "Notices");
    let count = one(".count", link);
    if (!unread) return count?.remove();
    if (!count) link.append(count = Object.assign(document.createElement("span"), { className: "count" }));
    count.textContent = unread < 99 ? unread : "99+";
  };
  let stream = null;
  const listen = () => {
    if (stream || !one(".bar")) return;
    stream = new EventSource("/api/v1/events/stream");
    stream.addEventListener("timeline", (event) => {
      const about = JSON.parse(event.data).opportunity_id;
      if (all("[data-live]").some((region) => region.dataset.live === "*" || region.dataset.live === about)) news();
    });
    stream.addEventListener("notices", (event) => {
      ring(JSON.parse(event.data).unread);
      if (one("#notices[data-live]")) news();
    });
    /* What happened between the page and the stream, or while it was broken, is fetched now. */
    stream.addEventListener("open", () => { root.dataset.liveState = "on"; news(); });
    stream.addEventListener("error", () => {
      root.dataset.liveState = "off";
      if (stream.readyState === EventSource.CLOSED) { stream = null; setTimeout(listen, 5000); }
    });
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden && stream) news(); });
  addEventListener("pagehide", () => { stream?.close(); stream = null; });
  addEventListener("pageshow", (event) => { if (event.persisted) { listen(); news(); } });

  /* Times in the reader's own zone ---------------------------------------------------------- */
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const ready = (region) => {
    for (const time of all("time[title]", region)) time.title = local.format(new Date(time.dateTime));
    if (window.Sortable) all('.board[data-board="stage"][data-may-move="yes"]', region).forEach(sortable);
    all("#flashes .flash", region).forEach(fade);
    if (chosen) document.getElementById(chosen)?.setAttribute("aria-current", "true");
    listen();
  };

  document.addEventListener("htmx:before:request", () => root.classList.add("busy"));
  document.addEventListener("htmx:finally:request", () => root.classList.remove("busy"));
  document.addEventListener("htmx:after:swap", () => ready(document.body));
  document.addEventListener("htmx:error", () => say("Tandem cannot be reached. Try again in a moment."));
  ready(document.body);
})();
