"use strict";
/* The photograph with outlines on a canvas, which zooms and moves. */

class Viewer {
  constructor(canvas, index, picked, moved) {
    Object.assign(this, { canvas, index, picked, moved });
    this.context = canvas.getContext("2d");
    this.scale = 1; // CSS px for a pixel of the photograph
    this.x = this.y = 0; // the place of the photograph that is in the middle
    this.marks = [];
    this.outlines = true;
    this.selected = null;
    this.stateOf = () => "undecided";
    this.isShown = () => true;
    this.tiles = new Map();
    this.rims = Object.fromEntries(Object.entries(index.colours).map(([lesion, colour]) => [lesion, rimOf(colour)]));
    this.listen();
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  /* Show a photograph: at once its size, its pictures as they come. */
  show(photograph) {
    this.photograph = photograph;
    this.marks = [];
    this.selected = null;
    this.tiles = new Map();
    this.overview = this.picture(this.index.overview.file);
    this.whole();
  }

  /* The marks with their outlines. */
  outline(marks) {
    for (const mark of marks) {
      mark.paths ||= { drawn: Viewer.drawn(mark.drawn), refined: Viewer.path(mark.refined) };
    }
    this.marks = [...marks].sort((a, b) => Viewer.area(b) - Viewer.area(a));
    this.redraw();
  }

  static drawn(shape) {
    if (!shape.ellipse) return Viewer.path(shape.loops);
    const [x, y, rx, ry, angle] = shape.ellipse;
    const path = new Path2D();
    path.ellipse(x, y, rx, ry, (angle * Math.PI) / 180, 0, 2 * Math.PI);
    return path;
  }

  static path(loops) {
    const path = new Path2D();
    for (const loop of loops) {
      let [x, y] = loop;
      path.moveTo(x, y);
      for (let place = 2; place < loop.length; place += 2) path.lineTo((x += loop[place]), (y += loop[place + 1]));
      path.closePath();
    }
    return path;
  }

  static area(mark) {
    const [x0, y0, x1, y1] = mark.box;
    return (x1 - x0) * (y1 - y0);
  }

  picture(file) {
    const image = new Image();
    image.src = `${this.photograph.folder}/${file}`;
    image.decode().then(
      () => {
        image.ready = true; // decoded beside the page, which answers keys meanwhile
        this.redraw();
      },
      () => {},
    );
    return image;
  }

  get fit() {
    if (!this.photograph) return 1;
    return Math.min(this.width / this.photograph.width, this.height / this.photograph.height);
  }

  whole() {
    this.scale = this.fit;
    this.x = this.photograph.width / 2;
    this.y = this.photograph.height / 2;
    this.redraw();
  }

  /* Zoom by a factor; what is at the place (CSS px from the middle) stays there. */
  zoom(factor, dx = 0, dy = 0) {
    const scale = Math.min(Math.max(this.scale * factor, this.fit), 40);
    this.x += dx / this.scale - dx / scale;
    this.y += dy / this.scale - dy / scale;
    this.scale = scale;
    this.redraw();
  }

  move(dx, dy) {
    this.x += dx / this.scale;
    this.y += dy / this.scale;
    this.redraw();
  }

  /* Choose a mark and zoom to it, with as much again around it. */
  focus(mark) {
    this.selected = mark;
    const [x0, y0, x1, y1] = mark.box;
    const side = Math.max(x1 - x0, y1 - y0, 24) * 3;
    this.scale = Math.max(this.fit, Math.min(this.width / side, this.height / side, 12));
    this.x = (x0 + x1) / 2;
    this.y = (y0 + y1) / 2;
    this.redraw();
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    const atWhole = this.photograph && Math.abs(this.scale - this.fit) < 1e-6;
    this.width = Math.max(clientWidth, 1);
    this.height = Math.max(clientHeight, 1);
    this.ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    if (atWhole) this.whole();
    this.redraw();
  }

  redraw() {
    if (this.planned) return;
    this.planned = true;
    requestAnimationFrame(() => {
      this.planned = false;
      if (this.photograph) this.draw();
    });
  }

  /* Left, top, right and bottom of what is seen, px of the photograph. */
  seen() {
    const [wide, high] = [this.width / this.scale / 2, this.height / this.scale / 2];
    const { width, height } = this.photograph;
    this.x = Math.min(Math.max(this.x, Math.min(wide, width / 2)), Math.max(width - wide, width / 2));
    this.y = Math.min(Math.max(this.y, Math.min(high, height / 2)), Math.max(height - high, height / 2));
    return [this.x - wide, this.y - high, this.x + wide, this.y + high];
  }

  draw() {
    const { context, canvas } = this;
    const seen = this.seen();
    const scale = this.scale * this.ratio;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = scale > 1 ? "low" : "medium";
    const across = (x) => Math.round((x - seen[0]) * scale);
    const down = (y) => Math.round((y - seen[1]) * scale);
    const place = (image, x0, y0, x1, y1) => {
      context.drawImage(image, across(x0), down(y0), across(x1) - across(x0), down(y1) - down(y0));
    };
    const { width, height } = this.photograph;
    const close = width > this.index.overview.width && scale > (1.05 * this.index.overview.width) / width;
    const tiles = close ? this.tilesIn(seen) : [];
    if (this.overview.ready && !(close && tiles.every((tile) => tile.image.ready))) place(this.overview, 0, 0, width, height);
    for (const { image, box } of tiles) if (image.ready) place(image, ...box);
    context.setTransform(scale, 0, 0, scale, -seen[0] * scale, -seen[1] * scale);
    if (this.outlines) {
      const near = (mark) =>
        mark.box[2] > seen[0] && mark.box[0] < seen[2] && mark.box[3] > seen[1] && mark.box[1] < seen[3];
      const marks = this.marks.filter((mark) => this.isShown(mark) && near(mark) && mark !== this.selected);
      for (const mark of marks) this.drawMark(mark, 1 / this.scale);
      if (this.selected) this.drawMark(this.selected, 1 / this.scale);
    }
    if (this.selected) this.bracket(this.selected, 1 / this.scale);
    this.moved(this.scale);
  }

  /* The tiles of what is seen, which are loaded when they are first asked for. */
  tilesIn(seen) {
    const found = [];
    const { width, height } = this.photograph;
    const side = this.index.tile;
    for (let row = Math.max(0, Math.floor(seen[1] / side)); row * side < Math.min(seen[3], height); row += 1) {
      for (let column = Math.max(0, Math.floor(seen[0] / side)); column * side < Math.min(seen[2], width); column += 1) {
        const file = `tile_${column}_${row}.jpg`;
        if (!this.tiles.has(file)) this.tiles.set(file, this.picture(file));
        const [x, y] = [column * side, row * side];
        const box = [x, y, Math.min(x + side, width), Math.min(y + side, height)];
        found.push({ image: this.tiles.get(file), box });
      }
    }
    return found;
  }

  /* Lines of one mark; what its decision leaves out is faint, and what is kept is filled. */
  drawMark(mark, pixel) {
    const { context } = this;
    const state = this.stateOf(mark);
    const faint = { refined: state === "reject" || state === "drawing", drawn: state === "accept" || state === "reject" };
    const kept = { accept: "refined", drawing: "drawn" }[state];
    const colour = this.index.colours[mark.lesion];
    const wide = (mark === this.selected ? 2.5 : 1.75) * pixel;
    context.lineJoin = "round";
    if (kept) {
      context.globalAlpha = 0.16;
      context.fillStyle = colour;
      context.fill(mark.paths[kept], "evenodd");
    }
    for (const which of ["drawn", "refined"]) {
      const dashed = which === "drawn" && state !== "drawing";
      context.setLineDash(dashed ? [6 * pixel, 5 * pixel] : []);
      context.globalAlpha = faint[which] ? 0.35 : 1;
      context.strokeStyle = this.rims[mark.lesion];
      context.lineWidth = wide + 1.75 * pixel;
      context.stroke(mark.paths[which]);
      context.strokeStyle = colour;
      context.lineWidth = dashed ? wide * 0.8 : wide;
      context.stroke(mark.paths[which]);
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
    if (state !== "undecided") this.badge(mark, state, pixel);
  }

  /* The sign of a decision at the upper right of its mark. */
  badge(mark, state, pixel) {
    const { context } = this;
    const [, y0, x1] = mark.box;
    if ((x1 - mark.box[0]) / pixel < 14) return;
    context.font = `700 ${18 * pixel}px system-ui, sans-serif`;
    context.lineWidth = 3.5 * pixel;
    context.strokeStyle = "rgb(0 0 0 / 80%)";
    context.strokeText(SIGNS[state], x1, y0 + 4 * pixel);
    context.fillStyle = { accept: "#7ee08f", reject: "#ff8f92", drawing: "#ffce70" }[state];
    context.fillText(SIGNS[state], x1, y0 + 4 * pixel);
  }

  /* Corners around the selected mark. */
  bracket(mark, pixel) {
    const { context } = this;
    const room = 8 * pixel;
    const [x0, y0, x1, y1] = [mark.box[0] - room, mark.box[1] - room, mark.box[2] + room, mark.box[3] + room];
    const arm = Math.min(14 * pixel, (x1 - x0) / 3, (y1 - y0) / 3);
    context.beginPath();
    for (const [x, dx] of [[x0, arm], [x1, -arm]]) {
      for (const [y, dy] of [[y0, arm], [y1, -arm]]) {
        context.moveTo(x + dx, y);
        context.lineTo(x, y);
        context.lineTo(x, y + dy);
      }
    }
    context.strokeStyle = "rgb(0 0 0 / 70%)";
    context.lineWidth = 4 * pixel;
    context.stroke();
    context.strokeStyle = "#fff";
    context.lineWidth = 1.75 * pixel;
    context.stroke();
  }

  /* The smallest mark at a place of the canvas, or undefined. */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const [left, top] = this.seen();
    const x = left + (event.clientX - box.left) / this.scale;
    const y = top + (event.clientY - box.top) / this.scale;
    const room = 4 / this.scale;
    return this.marks
      .filter((mark) => this.isShown(mark))
      .findLast(
        ({ box: [x0, y0, x1, y1] }) => x > x0 - room && x < x1 + room && y > y0 - room && y < y1 + room,
      );
  }

  listen() {
    const { canvas } = this;
    let drag = null;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = canvas.getBoundingClientRect();
      const step = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
      const factor = Math.exp(-Math.max(-240, Math.min(240, step)) / 400);
      this.zoom(factor, event.clientX - box.left - this.width / 2, event.clientY - box.top - this.height / 2);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      drag = { x: event.clientX, y: event.clientY, far: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!drag) return;
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      if (!drag.far && Math.hypot(dx, dy) < 4) return;
      this.move(-dx, -dy);
      drag = { x: event.clientX, y: event.clientY, far: true };
    });
    canvas.addEventListener("pointerup", (event) => {
      const mark = drag && !drag.far && this.at(event);
      drag = null;
      if (mark) this.picked(mark);
    });
    canvas.addEventListener("pointercancel", () => (drag = null));
  }
}

/* The colour of the rim below a line: dark, or light where the line itself is dark. */
function rimOf(colour) {
  const [red, green, blue] = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
  return 0.3 * red + 0.59 * green + 0.11 * blue < 110 ? "rgb(255 255 255 / 65%)" : "rgb(0 0 0 / 60%)";
}
