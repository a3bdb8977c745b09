"use strict";
/* The list of marks: only the rows that are seen are in the document. */

const ROW = 48;

class MarkList {
  constructor(element, index, picked) {
    Object.assign(this, { element, index, picked });
    this.marks = [];
    this.selected = null;
    this.stateOf = () => "undecided";
    this.space = document.createElement("div");
    this.space.setAttribute("role", "presentation");
    element.append(this.space);
    element.addEventListener("scroll", () => this.plan());
    new ResizeObserver(() => this.plan()).observe(element);
    element.addEventListener("mousedown", (event) => {
      if (event.target.closest(".row")) event.preventDefault(); // the focus stays, so that arrows go on moving
    });
    element.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) this.picked(this.marks[Number(row.dataset.place)]);
    });
  }

  /* The marks to list; the empty list says why. */
  show(marks, empty) {
    this.marks = marks;
    this.empty = empty;
    this.space.style.height = `${marks.length * ROW}px`;
    this.render();
  }

  select(mark) {
    this.selected = mark;
    const place = this.marks.indexOf(mark);
    if (place >= 0) {
      const { scrollTop, clientHeight } = this.element;
      if (place * ROW < scrollTop) this.element.scrollTop = place * ROW;
      else if ((place + 1) * ROW > scrollTop + clientHeight) this.element.scrollTop = (place + 1) * ROW - clientHeight;
    }
    this.render();
  }

  plan() {
    if (this.planned) return;
    this.planned = true;
    requestAnimationFrame(() => {
      this.planned = false;
      this.render();
    });
  }

  render() {
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - 4);
    const last = Math.min(this.marks.length, Math.ceil((scrollTop + clientHeight) / ROW) + 4);
    const rows = [];
    for (let place = first; place < last; place += 1) rows.push(this.row(this.marks[place], place));
    if (!this.marks.length && this.empty) {
      const said = document.createElement("p");
      said.className = "empty";
      said.textContent = this.empty;
      rows.push(said);
    }
    this.space.replaceChildren(...rows);
    const active = this.marks.indexOf(this.selected);
    if (active >= first && active < last) this.element.setAttribute("aria-activedescendant", `row-${active}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  row(mark, place) {
    const row = document.createElement("div");
    const state = this.stateOf(mark);
    row.className = "row";
    row.id = `row-${place}`;
    row.dataset.place = place;
    row.dataset.mark = mark.mark;
    row.style.top = `${place * ROW}px`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(mark === this.selected));
    row.setAttribute("aria-setsize", this.marks.length);
    row.setAttribute("aria-posinset", place + 1);
    const sign = MarkList.part("span", SIGNS[state], `state ${state}`);
    sign.title = WORDS[state];
    sign.setAttribute("aria-label", WORDS[state]);
    const name = MarkList.part("div", "");
    name.append(MarkList.swatch(this.index.colours[mark.lesion]), ` ${nameOf(mark)}`);
    const nothing = mark.found === "nothing";
    const what = MarkList.part("div", nothing ? "nothing found" : foundIn(mark), nothing ? "what nothing" : "what");
    const text = MarkList.part("div", "", "text");
    text.append(name, what);
    row.append(sign, text, this.trust(mark));
    return row;
  }

  trust(mark) {
    const cell = MarkList.part("div", "", "iou");
    if (mark.expected_iou === undefined) {
      cell.textContent = mark.found === "nothing" ? "" : "IoU –";
      return cell;
    }
    const meter = document.createElement("meter");
    Object.assign(meter, { min: 0, max: 1, low: 0.4, high: 0.6, optimum: 1, value: mark.expected_iou });
    meter.setAttribute("aria-label", "Expected IoU");
    cell.append(`IoU ${mark.expected_iou.toFixed(2)}`, meter);
    return cell;
  }

  static part(tag, text, name = "") {
    const part = document.createElement(tag);
    part.textContent = text;
    part.className = name;
    return part;
  }

  static swatch(colour) {
    const swatch = MarkList.part("span", "", "swatch");
    swatch.style.background = colour;
    return swatch;
  }
}

/* What a mark is called: its class, its number, and its own label where that is another. */
function nameOf(mark) {
  const label = mark.label && mark.label !== mark.lesion ? ` ${mark.label}` : "";
  return `${mark.lesion}${label} #${mark.id ?? mark.mark}`;
}

/* What was found for a mark, in words. */
function foundIn(mark) {
  const share = mark.drawn_pixels ? ` · ${Math.round((100 * mark.refined_pixels) / mark.drawn_pixels)} %` : "";
  return `${mark.found === "part" ? "part of the drawing" : mark.found}${share}`;
}
