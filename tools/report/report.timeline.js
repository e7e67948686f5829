// Draws the commands of one run: a lane per bank, one per rank, one for the data bus, over time. Every text from the data goes
// through textContent or a canvas, never through HTML.
'use strict';
(() => {
const data = JSON.parse(document.getElementById('data').textContent);
const root = document.getElementById('report');
// Okabe and Ito's colours: distinguishable with any kind of colour vision.
const COLOURS = {ACT: '#009e73', PRE: '#d55e00', PREA: '#d55e00', RD: '#0072b2', RDA: '#0072b2', WR: '#e69f00', WRA: '#e69f00',
                 REFA: '#cc79a7', REFB: '#cc79a7'};
const colour = name => COLOURS[name] || '#333333';
const LEFT = 118, TOP = 26;
let LANE = 24;  // height; less on paper where there are many lanes

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  for (const child of children) node.append(child);  // a string becomes a text node
  return node;
}
const number = value => value === null ? '–' : value.toLocaleString('en', {maximumFractionDigits: 3});

// ---- lanes ---------------------------------------------------------------------------------------------------------------

const banks = data.ranks * data.banks_per_rank, groups = data.banks_per_rank / data.banks_per_group;
const lanes = [], bankLane = new Map(), rankLane = new Map(), dataLane = new Map();
for (let c = 0; c < data.channels; c++) {
  const of = data.channels > 1 ? 'ch ' + c + ' ' : '';
  for (let r = 0; r < data.ranks; r++) {
    rankLane.set(c * data.ranks + r, lanes.length);
    lanes.push({name: of + 'rank ' + r, all: true});
    for (let b = 0; b < data.banks_per_rank; b++) {
      bankLane.set(c * banks + r * data.banks_per_rank + b, lanes.length);
      const group = groups > 1 ? 'group ' + Math.floor(b / data.banks_per_group) + ' ' : '';
      lanes.push({name: of + (data.ranks > 1 ? 'r' + r + ' ' : '') + group + 'bank ' + b % data.banks_per_group});
    }
  }
  for (let d = 0; d < data.data_buses; d++) {
    dataLane.set(c * data.data_buses + d, lanes.length);
    lanes.push({name: of + 'data bus' + (data.data_buses > 1 ? ' ' + d : ''), all: true});
  }
}
const requests = new Map(data.requests.map(r => [r[0], r]));

// Everything to draw, as boxes: lane, from, to, what to write and to tell.
const boxes = [];
for (const [from, to, c, b, row] of data.open_rows) {
  boxes.push({lane: bankLane.get(c * banks + b), from, to, fill: '#dbe7f3', label: 'row ' + row, under: true, tell: ['row ' + row + ' is open', number(from) + ' to ' + number(to)]});
}
for (const [from, to, c, b] of data.refreshes) {
  boxes.push({lane: bankLane.get(c * banks + b), from, to, fill: '#f2dfea', label: 'refresh', under: true, tell: ['refresh', number(from) + ' to ' + number(to)]});
}
const about = id => {
  const r = requests.get(id);
  if (!r) return [];
  return ['request ' + id + ': number ' + r[2] + ' of initiator ' + r[1] + ', row ' + r[3] + ', row ' + r[7],
          'arrives at ' + number(r[4]) + ', in the buffer at ' + number(r[5]) + ', response at ' + number(r[6])];
};
for (const [from, to, c, b, write, id] of data.bursts) {
  const bus = c * data.data_buses + (data.data_buses > 1 ? Math.floor(b / data.banks_per_rank) : 0);
  boxes.push({lane: dataLane.get(bus), from, to, fill: colour(write ? 'WR' : 'RD'), label: 'b' + b, id,
              tell: ['data of a ' + (write ? 'write' : 'read') + ', bank ' + b, number(from) + ' to ' + number(to), ...about(id)]});
}
for (const [at, name, c, r, b, id, length] of data.commands) {
  boxes.push({lane: b < 0 ? rankLane.get(c * data.ranks + r) : bankLane.get(c * banks + b), from: at, to: at + length, fill: colour(name), label: name,
              id, command: true, tell: [name + ' at cycle ' + number(at) + ', ' + number(at * data.tck_ps / 1000) + ' ns', ...about(id)]});
}

// ---- page ----------------------------------------------------------------------------------------------------------------

document.title = 'Commands of ' + data.memory;
root.replaceChildren();
root.append(el('header', {}, el('h1', {}, 'Commands, bank by bank'), el('p', {}, data.title)));
const fact = (value, name) => el('div', {class: 'fact'}, el('b', {}, value), el('span', {}, name));
root.append(el('div', {class: 'facts'}, fact(data.memory, data.type + ', a cycle is ' + data.tck_ps + ' ps'),
               fact(number(data.from) + ' – ' + number(data.to), 'cycles on this page'),
               fact(number(data.total_ps / data.tck_ps), 'cycles of the run'), fact(number(data.commands.length), 'commands'),
               fact(number(data.bursts.length), 'bursts of data')));
const part = el('section', {}, el('h2', {}, 'Time in cycles'),
  el('p', {}, 'Turn the wheel to zoom, drag to move; or use the buttons and the arrow keys. Point at a box for its request; all of that request is then framed. ' +
              'A pale blue bar is an open row, a pale red one a refresh. On paper the part that is shown is printed.'));
const buttons = el('p', {class: 'noprint'});
const from = el('input', {type: 'number', 'aria-label': 'from cycle'}), to = el('input', {type: 'number', 'aria-label': 'to cycle'});
const canvas = el('canvas', {role: 'img', tabindex: '0', 'aria-label': 'Commands of every bank over time'});
const told = el('p', {id: 'told'}, '\u00a0');
const legend = el('p', {});
for (const [name, text] of [['ACT', 'activate'], ['RD', 'read'], ['WR', 'write'], ['PRE', 'precharge'], ['REFA', 'refresh'], ['other', 'power-down and self-refresh']]) {
  const mark = el('span', {}, '\u25a0 ');
  mark.style.color = colour(name);
  legend.append(mark, text + '\u2003');
}
part.append(buttons, el('div', {class: 'canvas'}, canvas), told, legend);
root.append(part, el('footer', {}, 'Made by exarch eval dram --picture.'));

// ---- view ----------------------------------------------------------------------------------------------------------------

const end = Math.max(Math.min(data.to, Math.ceil(data.total_ps / data.tck_ps) + 1), data.from + 8);
const view = {from: data.from, to: Math.min(end, data.from + 200)};
let hovered = null;

function show(a, b) {
  const span = Math.min(Math.max(b - a, 8), end - data.from);
  view.from = Math.min(Math.max(a, data.from), end - span);
  view.to = view.from + span;
  from.value = Math.floor(view.from);
  to.value = Math.ceil(view.to);
  draw();
}
const zoom = (factor, at = (view.from + view.to) / 2) => show(at - (at - view.from) * factor, at + (view.to - at) * factor);
const move = part => show(view.from + part * (view.to - view.from), view.to + part * (view.to - view.from));

function step(pixels) {
  const least = (view.to - view.from) * 80 / pixels, power = 10 ** Math.floor(Math.log10(least));
  return Math.max(1, [1, 2, 5, 10].map(m => m * power).find(s => s >= least));
}

function draw() {
  const width = canvas.parentNode.clientWidth, height = TOP + lanes.length * LANE + 4, ratio = Math.max(window.devicePixelRatio || 1, 2);
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = width + 'px';
  canvas.style.height = height + 'px';
  const g = canvas.getContext('2d');
  g.scale(ratio, ratio);
  g.font = '11px ' + getComputedStyle(document.body).fontFamily;
  g.textBaseline = 'middle';
  const plot = width - LEFT - 4, x = cycle => LEFT + (cycle - view.from) / (view.to - view.from) * plot;
  lanes.forEach((lane, i) => {
    const y = TOP + i * LANE;
    if (lane.all) { g.fillStyle = '#f5f6f8'; g.fillRect(LEFT, y, plot, LANE); }
    g.fillStyle = '#5b6676';
    g.textAlign = 'right';
    g.fillText(lane.name, LEFT - 8, y + LANE / 2);
    g.fillStyle = '#d9dee6';
    g.fillRect(LEFT, y, plot, 1);
  });
  g.textAlign = 'center';
  const every = step(plot);
  for (let t = Math.ceil(view.from / every) * every; t <= view.to; t += every) {
    g.fillStyle = '#d9dee6';
    g.fillRect(x(t), TOP, 1, lanes.length * LANE);
    g.fillStyle = '#5b6676';
    g.fillText(t.toLocaleString('en'), Math.min(x(t), width - 24), TOP / 2);
  }
  g.save();
  g.beginPath();
  g.rect(LEFT, 0, plot, height);
  g.clip();
  for (const box of boxes) {
    if (box.to < view.from || box.from > view.to) continue;
    const a = Math.max(x(box.from), LEFT - 2), w = Math.max(Math.min(x(box.to), LEFT + plot + 2) - a, box.under ? 0.5 : 1.5);
    const inset = box.under ? 2 : 4, y = TOP + box.lane * LANE + inset, h = LANE - 2 * inset + 1;
    g.fillStyle = box.fill;
    g.fillRect(a, y, w, h);
    if (hovered && hovered.id && box.id === hovered.id) { g.strokeStyle = '#1c2430'; g.lineWidth = 2; g.strokeRect(a, y, w, h); }
    const text = g.measureText(box.label).width;
    if (w > text + 4) { g.fillStyle = box.under ? '#5b6676' : '#ffffff'; if (box.fill === '#e69f00') g.fillStyle = '#1c2430'; g.fillText(box.label, a + w / 2, y + h / 2); }
  }
  g.restore();
}

function boxAt(event) {
  const place = canvas.getBoundingClientRect(), plot = place.width - LEFT - 4;
  const cycle = view.from + (event.clientX - place.left - LEFT) / plot * (view.to - view.from);
  const lane = Math.floor((event.clientY - place.top - TOP) / LANE), near = 3 * (view.to - view.from) / plot;
  let found = null;
  for (const box of boxes) {
    if (box.lane === lane && box.from - (box.under ? 0 : near) <= cycle && cycle <= box.to + (box.under ? 0 : near)) found = box;  // the topmost
  }
  return found;
}

let drag = null;
canvas.addEventListener('wheel', event => {
  event.preventDefault();
  const place = canvas.getBoundingClientRect(), share = Math.min(Math.max((event.clientX - place.left - LEFT) / (place.width - LEFT - 4), 0), 1);
  zoom(event.deltaY > 0 ? 1.25 : 0.8, view.from + share * (view.to - view.from));
}, {passive: false});
canvas.addEventListener('mousedown', event => { drag = {x: event.clientX, from: view.from, to: view.to}; });
window.addEventListener('mouseup', () => { drag = null; });
canvas.addEventListener('mousemove', event => {
  if (drag) {
    const by = (drag.x - event.clientX) / (canvas.clientWidth - LEFT - 4) * (drag.to - drag.from);
    return show(drag.from + by, drag.to + by);
  }
  const box = boxAt(event);
  if (box === hovered) return;
  hovered = box;
  told.textContent = box ? box.tell.join('; ') : '\u00a0';
  draw();
});
canvas.addEventListener('keydown', event => {
  const act = {ArrowLeft: () => move(-0.25), ArrowRight: () => move(0.25), '+': () => zoom(0.5), '-': () => zoom(2)}[event.key];
  if (act) { event.preventDefault(); act(); }
});
for (const [text, act] of [['\u2212', () => zoom(2)], ['+', () => zoom(0.5)], ['\u2190', () => move(-0.5)], ['\u2192', () => move(0.5)],
                           ['all', () => show(data.from, end)]]) {
  const button = el('button', {type: 'button'}, text);
  button.addEventListener('click', act);
  buttons.append(button, ' ');
}
buttons.append('cycles ', from, ' to ', to);
for (const input of [from, to]) input.addEventListener('change', () => show(Number(from.value), Math.max(Number(to.value), Number(from.value) + 8)));
const fit = printing => { document.body.classList.toggle('printing', printing); LANE = printing ? Math.min(24, 620 / lanes.length) : 24; draw(); };
window.addEventListener('resize', draw);
window.addEventListener('beforeprint', () => fit(true));
window.addEventListener('afterprint', () => fit(false));
show(view.from, view.to);
})();
