"use strict";
/* What the page knows: the results, the marks of photographs that were loaded, and the decisions. */

var review = {
  index: null,
  waiting: new Map(),

  /* Called by results.js. */
  results(index) {
    this.index = index;
  },

  /* Called by the marks.js of a photograph. */
  photograph(folder, content) {
    const waiting = this.waiting.get(folder);
    if (waiting) waiting.resolve(content.marks);
  },

  /* The marks of a photograph, loaded when they are first asked for. */
  load(photograph) {
    const folder = photograph.folder;
    if (!this.waiting.has(folder)) {
      const waiting = {};
      waiting.promise = new Promise((resolve, reject) => Object.assign(waiting, { resolve, reject }));
      this.waiting.set(folder, waiting);
      const script = document.createElement("script");
      script.src = `${folder}/marks.js`;
      script.onerror = () => {
        this.waiting.delete(folder);
        waiting.reject(new Error(`${folder}/marks.js cannot be loaded; keep the files of the page together`));
      };
      document.head.append(script);
    }
    return this.waiting.get(folder).promise;
  },
};

const WORDS = { accept: "accepted", reject: "rejected", drawing: "drawing kept", undecided: "undecided" };
const SIGNS = { accept: "✓", reject: "✗", drawing: "◌", undecided: "·" };
const DIGESTS = ["photograph_sha256", "drawing_sha256", "weights_sha256", "masks_sha256"];

/* Decisions by photograph and mark, kept by the browser under the digest of the results. */
class Decisions {
  constructor(index) {
    this.index = index;
    this.kept = true;
    this.history = [];
    this.made = index.photographs.map((photograph) => this.read(photograph));
  }

  name(photograph) {
    return `coarsekit-review:${this.index.results_sha256}:${photograph.record}`;
  }

  read(photograph) {
    try {
      const found = JSON.parse(localStorage.getItem(this.name(photograph)) || "[]");
      return new Map(found.filter(([mark, decision]) => this.fits(photograph, mark, decision)));
    } catch {
      return new Map();
    }
  }

  fits(photograph, mark, decision) {
    return Number.isInteger(mark) && mark >= 0 && mark < photograph.marks && this.index.decisions.includes(decision);
  }

  of(place, mark) {
    return this.made[place].get(mark) || "undecided";
  }

  count(place) {
    return this.made[place].size;
  }

  total() {
    return this.made.reduce((sum, made) => sum + made.size, 0);
  }

  set(place, mark, decision) {
    this.history = this.history.filter((one) => one.place !== place || one.mark !== mark);
    if (decision === "undecided") {
      this.made[place].delete(mark);
    } else {
      this.made[place].set(mark, decision);
      this.history.push({ place, mark });
    }
    this.keep(place);
  }

  /* Take the last decision back; the mark that it was on, or undefined. */
  undo() {
    const last = this.history.at(-1);
    if (last) this.set(last.place, last.mark, "undecided");
    return last;
  }

  keep(place) {
    const name = this.name(this.index.photographs[place]);
    try {
      if (this.made[place].size) localStorage.setItem(name, JSON.stringify([...this.made[place]]));
      else localStorage.removeItem(name);
    } catch {
      this.kept = false;
    }
  }

  document() {
    const photographs = this.index.photographs.map((photograph, place) => ({
      record: photograph.record,
      ...Object.fromEntries(DIGESTS.map((name) => [name, photograph[name]])),
      decisions: [...this.made[place]].sort(([a], [b]) => a - b).map(([mark, decision]) => ({ mark, decision })),
    }));
    return {
      format: "coarsekit-review",
      version: 1,
      results_sha256: this.index.results_sha256,
      photographs: photographs.filter((photograph) => photograph.decisions.length),
    };
  }

  /* Take decisions from a document, in place of those on its photographs; a sentence of what was taken. */
  take(content) {
    if (!content || content.format !== "coarsekit-review" || content.version !== 1 || !Array.isArray(content.photographs)) {
      throw new Error("the file has no decisions of a review; choose the decisions.json that was saved");
    }
    const places = new Map(this.index.photographs.map((photograph, place) => [photograph.record, place]));
    const taken = [];
    let other = 0;
    for (const one of content.photographs) {
      const place = places.get(one.record);
      const photograph = this.index.photographs[place];
      if (!photograph || DIGESTS.some((name) => one[name] != null && one[name] !== photograph[name])) {
        other += 1;
        continue;
      }
      for (const { mark, decision } of one.decisions) {
        if (!this.fits(photograph, mark, decision)) {
          throw new Error(`${one.record} has no mark ${mark} with the decision ${decision}; nothing was loaded`);
        }
      }
      taken.push([place, new Map(one.decisions.map(({ mark, decision }) => [mark, decision]))]);
    }
    let count = 0;
    for (const [place, made] of taken) {
      this.made[place] = made;
      this.keep(place);
      count += made.size;
    }
    this.history = [];
    const left = other ? ` Decisions on ${other} of its photographs are of other results, and were left out.` : "";
    return `Loaded ${count} decisions.${left}`;
  }
}
