"use strict";
/* What happens: photographs and marks are chosen, decided, filtered, saved and loaded. */

(() => {
  const byId = (id) => document.getElementById(id);
  const { index } = review;
  if (!index) {
    byId("name").textContent = "results.js cannot be loaded; keep the files of the page together";
    return;
  }
  const decisions = new Decisions(index);
  const viewer = new Viewer(byId("canvas"), index, select, showScale);
  const list = new MarkList(byId("marks"), index, select);
  const states = ["all", "undecided", "accept", "reject", "drawing"];
  const hidden = new Set();
  let place = -1; // of the photograph that is shown
  let marks = []; // all of it
  let selected = null;
  let state = "all";

  const stateOf = (mark) => decisions.of(place, mark.mark);
  viewer.stateOf = list.stateOf = stateOf;
  viewer.isShown = (mark) => !hidden.has(mark.lesion);

  function say(sentence, wrong = false) {
    byId("status").textContent = sentence;
    byId("status").classList.toggle("wrong", wrong);
  }

  function showScale(scale) {
    byId("scale").textContent = `${Math.round(scale * 100)} %`;
  }

  /* Photographs */

  async function open(next) {
    place = next;
    const photograph = index.photographs[place];
    marks = [];
    viewer.show(photograph);
    select(null);
    byId("name").textContent = photograph.image;
    byId("refiner").textContent = photograph.refiner ? `refined by ${photograph.refiner}` : "";
    byId("canvas").setAttribute("aria-label", `${photograph.image} with the outlines of ${photograph.marks} marks`);
    byId("wait").hidden = false;
    refresh();
    byId("photographs").children[place].scrollIntoView({ block: "nearest" });
    try {
      const loaded = await review.load(photograph);
      if (place !== next) return false;
      marks = loaded;
      viewer.outline(marks);
      refresh();
      return true;
    } catch (error) {
      say(error.message, true);
      return false;
    } finally {
      if (place === next) byId("wait").hidden = true;
    }
  }

  const listed = () => marks.filter((mark) => !hidden.has(mark.lesion) && (state === "all" || stateOf(mark) === state));

  /* Marks */

  function select(mark) {
    selected = mark;
    if (mark) viewer.focus(mark);
    else viewer.selected = null;
    list.select(mark);
    showMark();
    viewer.redraw();
  }

  async function step(by) {
    const shown = listed();
    const at = shown.indexOf(selected);
    const to = at < 0 ? (by > 0 ? 0 : shown.length - 1) : at + by;
    if (shown[to]) return select(shown[to]);
    if (!index.photographs[place + by]) return say(by > 0 ? "This was the last mark." : "This was the first mark.");
    if (!(await open(place + by))) return undefined;
    const others = listed();
    return select(others[by > 0 ? 0 : others.length - 1] || null);
  }

  function decide(decision) {
    if (!selected) return say("Choose a mark first: n goes to the first one.", true);
    const shown = listed();
    const next = shown[shown.indexOf(selected) + 1];
    decisions.set(place, selected.mark, decision);
    say(`${nameOf(selected)}: ${WORDS[decision]}.${decisions.kept ? "" : " This browser does not keep decisions; save them."}`);
    if (byId("advance").checked && next) select(next);
    else if (byId("advance").checked) say(`${byId("status").textContent} This was the last mark listed; n goes on.`);
    return refresh();
  }

  async function undo() {
    if (selected && stateOf(selected) !== "undecided") {
      decisions.set(place, selected.mark, "undecided");
      say(`${nameOf(selected)}: undecided.`);
      return refresh();
    }
    const last = decisions.undo();
    if (!last) return say("There is no decision to take back.");
    if (last.place !== place) await open(last.place);
    refresh();
    const mark = marks.find((one) => one.mark === last.mark);
    if (mark) select(mark);
    return say(`${mark ? nameOf(mark) : "The mark"}: undecided.`);
  }

  /* What is shown of them */

  function refresh() {
    const shown = listed();
    list.show(shown, marks.length ? "No mark of these classes has this decision." : "");
    byId("shown").textContent = marks.length ? `${shown.length} of ${marks.length}, those in doubt first` : "";
    showMark();
    showFilters();
    showProgress();
    viewer.redraw();
  }

  function showMark() {
    for (const id of ["accept", "reject", "drawing"]) {
      byId(id).setAttribute("aria-pressed", String(Boolean(selected) && stateOf(selected) === id));
      byId(id).disabled = !selected;
    }
    const panel = byId("mark");
    if (!selected) {
      panel.replaceChildren(MarkList.part("span", "No mark is chosen. Press n, or click on one.", "what"));
      return;
    }
    const title = MarkList.part("div", "");
    title.append(
      MarkList.swatch(index.colours[selected.lesion]), " ", MarkList.part("strong", nameOf(selected)),
      ` ${WORDS[stateOf(selected)]}`,
    );
    const facts = document.createElement("dl");
    const fixed = (value) => (value === undefined ? "no estimate" : value.toFixed(2));
    const rows = {
      "expected IoU": fixed(selected.expected_iou),
      found: selected.found === "part" ? "part of the drawing" : selected.found,
      "drawn as": `${selected.drawn_as}, ${selected.drawn_pixels} px`,
      refined: `${selected.refined_pixels} px, ${selected.outside_pixels} outside`,
    };
    if (selected.mean_probability !== undefined) rows["mean probability"] = fixed(selected.mean_probability);
    if (selected.overlap_pixels) rows["of other classes, too"] = `${selected.overlap_pixels} px`;
    for (const [name, value] of Object.entries(rows)) {
      const pair = document.createElement("div");
      pair.append(MarkList.part("dt", name), MarkList.part("dd", value));
      facts.append(pair);
    }
    panel.replaceChildren(title, facts);
  }

  function showFilters() {
    const classes = Object.keys(index.colours).filter((lesion) => marks.some((mark) => mark.lesion === lesion));
    byId("classes").replaceChildren(...classes.map((lesion) => {
      const count = marks.filter((mark) => mark.lesion === lesion).length;
      return chip(`class-${lesion}`, lesion, count, !hidden.has(lesion), index.colours[lesion]);
    }));
    const among = marks.filter((mark) => !hidden.has(mark.lesion));
    byId("states").replaceChildren(...states.map((name) => {
      const count = name === "all" ? among.length : among.filter((mark) => stateOf(mark) === name).length;
      return chip(`state-${name}`, name === "all" ? "all" : WORDS[name], count, state === name);
    }));
  }

  function chip(id, text, count, pressed, colour) {
    const old = byId(id);
    const button = old || MarkList.part("button", "");
    button.id = id;
    button.type = "button";
    button.setAttribute("aria-pressed", String(pressed));
    button.replaceChildren(...(colour ? [MarkList.swatch(colour), " "] : []), `${text} `, MarkList.part("small", count));
    return button;
  }

  function showProgress() {
    const total = index.photographs.reduce((sum, photograph) => sum + photograph.marks, 0);
    byId("bar").max = Math.max(total, 1);
    byId("bar").value = decisions.total();
    byId("decided").textContent = `${decisions.total()} of ${total} decided`;
    index.photographs.forEach((photograph, at) => {
      const button = byId("photographs").children[at].firstChild;
      const count = `${decisions.count(at)}/${photograph.marks}`;
      if (button.lastChild.textContent !== count) button.lastChild.textContent = count;
      button.classList.toggle("done", decisions.count(at) === photograph.marks);
      button.setAttribute("aria-current", String(at === place));
    });
  }

  /* Files of decisions */

  function save() {
    const text = `${JSON.stringify(decisions.document(), null, 1)}\n`;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "decisions.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    say(`Saved ${decisions.total()} decisions as decisions.json.`);
  }

  async function load(file) {
    try {
      let content;
      try {
        content = JSON.parse(await file.text());
      } catch {
        throw new Error(`${file.name} is not JSON; choose the decisions.json that was saved`);
      }
      say(decisions.take(content));
      refresh();
    } catch (error) {
      say(error instanceof TypeError ? `${file.name} is damaged; nothing was loaded` : error.message, true);
    }
  }

  /* Buttons and keys */

  function toggleOutlines() {
    viewer.outlines = !viewer.outlines;
    byId("outlines").setAttribute("aria-pressed", String(viewer.outlines));
    viewer.redraw();
  }

  const help = () => (byId("keys").open ? byId("keys").close() : byId("keys").showModal());
  const photographBy = (by) => index.photographs[place + by] && open(place + by);
  const keys = {
    a: () => decide("accept"),
    r: () => decide("reject"),
    d: () => decide("drawing"),
    u: undo,
    n: () => step(1),
    p: () => step(-1),
    "]": () => photographBy(1),
    "[": () => photographBy(-1),
    "+": () => viewer.zoom(1.5),
    "=": () => viewer.zoom(1.5),
    "-": () => viewer.zoom(1 / 1.5),
    0: () => viewer.whole(),
    h: toggleOutlines,
    s: save,
    "?": help,
    ArrowLeft: () => viewer.move(-80, 0),
    ArrowRight: () => viewer.move(80, 0),
    ArrowUp: () => viewer.move(0, -80),
    ArrowDown: () => viewer.move(0, 80),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (byId("keys").open && event.key !== "?") return;
    const inList = event.target === byId("marks") && { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const act = inList ? () => step(inList) : keys[event.key] || keys[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });

  const buttons = {
    accept: keys.a, reject: keys.r, drawing: keys.d, undo, next: keys.n, previous: keys.p,
    closer: keys["+"], farther: keys["-"], whole: keys[0], outlines: toggleOutlines, save, help,
    load: () => byId("file").click(),
  };
  for (const [id, act] of Object.entries(buttons)) byId(id).addEventListener("click", act);
  byId("file").addEventListener("change", async (event) => {
    if (event.target.files.length) await load(event.target.files[0]);
    event.target.value = "";
  });
  byId("classes").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const lesion = button.id.slice("class-".length);
    if (!hidden.delete(lesion)) hidden.add(lesion);
    refresh();
  });
  byId("states").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    state = button.id.slice("state-".length);
    refresh();
  });

  byId("photographs").append(...index.photographs.map((photograph, at) => {
    const item = document.createElement("li");
    const button = MarkList.part("button", "");
    button.type = "button";
    button.title = photograph.record;
    button.append(MarkList.part("span", photograph.image), MarkList.part("span", ""));
    button.addEventListener("click", () => open(at));
    item.append(button);
    return item;
  }));
  open(0);
})();
