// Draws the report from the JSON beside it. Every text from the data goes through textContent or a canvas, never through HTML.
'use strict';
(() => {
const data = JSON.parse(document.getElementById('data').textContent);
const root = document.getElementById('report');
// Okabe and Ito's colours: distinguishable with any kind of colour vision.
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#d55e00', '#cc79a7', '#56b4e9', '#8c6d1f', '#333333', '#7a52a3', '#a3c644'];
const GREY = '#9aa3af';
const colour = i => COLOURS[i % COLOURS.length];
// Lines beyond the last colour begin again with the first, dashed.
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]];
const dash = i => DASHES[Math.floor(i / COLOURS.length) % DASHES.length];
const faint = (c, alpha) => c + Math.round(alpha * 255).toString(16).padStart(2, '0');

Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.color = '#5b6676';
Chart.defaults.plugins.tooltip.displayColors = false;
// A page of paper is narrower than a window, and cannot be scrolled: charts are drawn anew for it, and the letters of tables that
// are still too wide become smaller, as a browser would else shrink the whole page, or cut it.
const drawFor = printing => {
  document.body.classList.toggle('printing', printing);
  Object.values(Chart.instances).forEach(chart => chart.resize());
  for (const table of document.querySelectorAll('table')) {
    table.style.removeProperty('--letters');
    for (let letters = 10; printing && letters > 4 && table.offsetWidth > table.parentNode.clientWidth; letters -= 0.5) {
      table.style.setProperty('--letters', letters + 'px');
    }
  }
};
window.addEventListener('beforeprint', () => drawFor(true));
window.addEventListener('afterprint', () => drawFor(false));

// ---- small helpers -------------------------------------------------------------------------------------------------------

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  for (const child of children) node.append(child);  // a string becomes a text node
  return node;
}

function number(value, digits = 3) {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0';  // be it negative
  if (Math.abs(value) >= 10 ** Math.max(7, digits + 2) || Math.abs(value) < 1e-3) return value.toExponential(digits - 1);
  return Number(value.toPrecision(digits)).toLocaleString('en', {maximumSignificantDigits: digits});
}
const whole = value => value === null || value === undefined ? '–' : value.toLocaleString('en');
// What is less than all never reads as all: as many decimals as show the difference, or the difference itself.
function lessThan(all, value, digits) {
  const gap = all - value, text = number(value, digits);
  if (!(gap > 0) || value <= 0 || Number(text) < all) return text;
  return gap < 1e-8 * all ? all + ' − ' + gap.toExponential(0) : value.toFixed(Math.ceil(-Math.log10(gap)));
}
const score = (value, digits = 3) => value === null || value === undefined ? '–' : lessThan(1, value, digits);
const range = (low, high, format) => format(low) + ' – ' + format(high);
const percent = (value, digits = 3) => value === null || value === undefined ? '–' : lessThan(100, 100 * value, digits) + ' %';
const withUnit = (name, unit) => unit ? name + ', ' + unit : name;
const settings = configuration => Object.entries(configuration).map(([name, value]) => name + '=' + value).join(' ');

function section(title, text) {
  const node = el('section', {}, el('h2', {}, title));
  if (text) node.append(el('p', {}, text));
  root.append(node);
  return node;
}

function grid(parent, kind = '') {
  const node = el('div', {class: 'grid ' + kind});
  parent.append(node);
  return node;
}

function figure(parent, title) {
  const node = el('figure', {}, el('h3', {}, title));
  parent.append(node);
  return node;
}

function chart(parent, title, height, config) {
  const canvas = el('canvas', {role: 'img', 'aria-label': title});
  const holder = el('div', {class: 'canvas', style: 'height:' + height + 'px'}, canvas);
  figure(parent, title).append(holder);
  return new Chart(canvas, config);
}

// rows: header first; columns in `texts` are prose, headers from column `upright` on stand upright.
function table(parent, rows, texts = [], upright = Infinity) {
  const head = el('thead'), body = el('tbody');
  rows.forEach((row, r) => {
    const tr = el('tr');
    row.forEach((cell, c) => {
      const kind = texts.includes(c) ? 'text' : r === 0 && c >= upright ? 'upright' : '';
      tr.append(el(r === 0 ? 'th' : 'td', kind ? {class: kind} : {}, el('span', {}, String(cell))));
    });
    (r === 0 ? head : body).append(tr);
  });
  parent.append(el('div', {class: rows.length > 20 ? 'scroll' : 'scroll short'}, el('table', {}, head, body)));
}

function facts(list) {
  const node = el('div', {class: 'facts'});
  for (const [value, name] of list) node.append(el('div', {class: 'fact'}, el('b', {}, value), el('span', {}, name)));
  return node;
}

// The colour of a shade from 0 = dark to 1 = light, and black or white upon it, whichever stands out: one of them has a contrast of
// 4.5 : 1 or more on any colour.
function shaded(shade) {
  const dark = [8, 72, 122], light = [238, 245, 250];
  const rgb = dark.map((d, i) => Math.round(d + (light[i] - d) * Math.max(0, Math.min(1, shade))));
  const linear = rgb.map(v => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return 'background:rgb(' + rgb.join(' ') + ');color:' + (1.05 / (luminance + 0.05) >= 4.5 ? '#fff' : '#000');
}

// A table of coloured cells: values (row, column) from 0 = dark and good to 1 = light; titles show on hovering.
function heat(parent, title, rows, columns, values, texts, titles) {
  const upright = columns.length > 10 ? {class: 'upright'} : {};
  const head = el('tr', {}, el('th', {}, ''), ...columns.map(column => el('th', upright, el('span', {}, column))));
  const node = el('table', {class: 'heat'}, el('thead', {}, head));
  rows.forEach((row, r) => {
    const tr = el('tr', {}, el('th', {}, row));
    columns.forEach((_, c) => {
      const value = values[r][c];
      const style = value === null || value === undefined ? 'color:var(--soft)' : shaded(value);
      tr.append(el('td', {style, title: titles[r][c]}, texts[r][c]));
    });
    node.append(tr);
  });
  figure(parent, title).append(el('div', {class: 'scroll'}, node));
}

// The least and the greatest of the values that are known.
function extent(values) {
  let low = Infinity, high = -Infinity;
  for (const v of values) {
    if (v === null || v === undefined) continue;
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  return [low, high];
}

// The scale that shows values best: logarithmic where all are positive and the largest is thirty times the smallest.
function scaleOf(values) {
  const [low, high] = extent(values);
  return low > 0 && high > 30 * low ? 'logarithmic' : 'linear';
}

// Room for the rows of a legend, beyond its first.
const legendHeight = entries => 18 * Math.floor(Math.max(0, entries - 1) / 4);

// A category axis that leaves out no label, however many there are.
const everyLabel = labels => ({ticks: {autoSkip: false, maxRotation: 90, minRotation: labels.length > 10 ? 90 : 0}});

// An axis of scores: from zero, or, where all are above 0.9, from just below the lowest; to a little above 1, so that what is there
// can be seen.
function scoreAxis(title, values) {
  const [lowest] = extent(values);
  const from = lowest > 0.9 && lowest < 1 ? lowest - 0.1 * (1 - lowest) : 0;
  const room = 0.03 * (1 - from);
  return {
    min: from, max: 1 + room, title: {display: true, text: title},
    ticks: {
      includeBounds: false,
      callback(value, ...rest) { return value > 1 + room / 2 ? '' : Chart.defaults.scales.linear.ticks.callback.call(this, value, ...rest); },
    },
  };
}

// Fills the range between the low and the high of a line's points. Drawn, not datasets: those could be pointed at.
const bands = {
  id: 'bands',
  beforeDatasetsDraw(chart) {
    const {ctx, chartArea: area, scales: {x, y}} = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(area.left, area.top, area.width, area.height);
    ctx.clip();
    for (const {index} of chart.getSortedVisibleDatasetMetas()) {
      const dataset = chart.data.datasets[index];
      const points = dataset.data.filter(p => p.low !== undefined && p.low !== null);
      ctx.beginPath();
      for (const p of points) ctx.lineTo(x.getPixelForValue(p.x), y.getPixelForValue(p.high));
      for (const p of points.reverse()) ctx.lineTo(x.getPixelForValue(p.x), y.getPixelForValue(p.low));
      ctx.fillStyle = faint(dataset.borderColor, 0.15);
      ctx.fill();
    }
    ctx.restore();
  },
};

// Ticks of a logarithmic axis where the data are, if they are few: the last, and what is not too near to the next.
function ticksAt(values) {
  const places = [...new Set(values)].sort((a, b) => b - a);
  if (places.length > 20) return {};
  const apart = (places[0] / places[places.length - 1]) ** 0.15, ticks = [];
  for (const value of places) {
    if (ticks.length === 0 || ticks[0].value >= value * apart) ticks.unshift({value});
  }
  return {afterBuildTicks(axis) { axis.ticks = ticks; }, ticks: {callback: value => number(value, 6)}};
}

// Lines with bands: series = [{label, colour, dash, points: [{x, y, low, high, note}]}]. options.scaleY overrides the usual axis,
// options.format how its numbers read.
function lines(parent, title, height, series, options) {
  const format = options.format || (v => number(v, 6));
  const known = series.map(s => ({...s, points: s.points.filter(p => p.y !== null && p.y !== undefined)})).filter(s => s.points.length > 0);
  if (known.length === 0) {
    figure(parent, title).append(el('p', {}, options.empty || 'No search made so many.'));
    return;
  }
  const all = known.flatMap(s => s.points);
  const [firstX, lastX] = extent(all.map(p => p.x)), [low, high] = extent(all.flatMap(p => [p.y, p.low, p.high]));
  chart(parent, title, height + legendHeight(series.length), {
    type: 'line',
    data: {datasets: known.map(s => ({
      label: s.label, data: s.points, borderColor: s.colour, backgroundColor: s.colour, borderDash: s.dash || [], borderWidth: 2, clip: 4,
      pointRadius: s.points.length > 60 ? 0 : 2.5, pointHoverRadius: 5,
    }))},
    plugins: [bands],
    options: {
      interaction: {mode: 'nearest', intersect: false},
      scales: {
        // Ends where the data end, not at the next round number.
        x: {type: options.logX ? 'logarithmic' : 'linear', title: {display: true, text: options.x}, ticks: {includeBounds: false},
            ...(firstX < lastX ? {min: options.logX ? firstX : 0, max: lastX} : {}), ...(options.logX ? ticksAt(all.map(p => p.x)) : {})},
        y: options.scaleY || {type: options.logY ? 'logarithmic' : 'linear', title: {display: true, text: options.y}, suggestedMin: low,
                              suggestedMax: high},
      },
      plugins: {
        legend: {display: series.length > 1, labels: {usePointStyle: true, pointStyle: 'line', pointStyleWidth: 26}},
        tooltip: {
          callbacks: {
            title: () => [],  // several lines may share a point
            label: item => {
              const p = item.raw;
              if (item.chart.tooltip.dataPoints.length > 3) return item.dataset.label + ': ' + format(p.y);  // else taller than the chart
              const text = [item.dataset.label, options.x + ': ' + whole(p.x), options.y + ': ' + format(p.y)];
              if (p.low !== undefined && p.low !== null) text.push('quartiles: ' + range(p.low, p.high, format));
              return text.concat(p.note || []);
            },
          },
        },
      },
    },
  });
}

// Boxes: 5th to 95th percentile, quartiles, median. list = [{label, colour, box, note}].
function boxes(parent, title, height, list, yTitle) {
  const of = name => list.map(b => b.box[name]);
  const bars = (low, high) => of(low).map((v, i) => [v, of(high)[i]]);
  chart(parent, title, height + (list.length > 10 ? 70 : 0), {  // upright labels are high
    type: 'bar',
    data: {
      labels: list.map(b => b.label),
      datasets: [
        {type: 'line', showLine: false, data: of('median'), pointStyle: 'line', pointRadius: list.length > 10 ? 6 : 12,
         pointHoverRadius: 12, borderColor: '#1c2430', borderWidth: 2.5},
        {data: bars('lower_quartile', 'upper_quartile'), grouped: false, maxBarThickness: 26, minBarLength: 2,
         backgroundColor: list.map(b => faint(b.colour, 0.55)), borderColor: list.map(b => b.colour), borderWidth: 1, borderSkipped: false},
        {data: bars('low', 'high'), grouped: false, barThickness: 2, minBarLength: 1, backgroundColor: GREY},
      ],
    },
    options: {
      interaction: {mode: 'index', intersect: false},
      scales: {x: everyLabel(list), y: scoreAxis(yTitle, of('low'))},
      plugins: {
        legend: {display: false},
        tooltip: {
          filter: item => item.datasetIndex === 0,
          callbacks: {
            label: item => {
              const b = list[item.dataIndex];
              const between = (low, high) => range(b.box[low], b.box[high], v => score(v, 4));
              return ['median ' + score(b.box.median, 4), 'quartiles ' + between('lower_quartile', 'upper_quartile'),
                      '5 to 95 %: ' + between('low', 'high'), 'range ' + between('minimum', 'maximum')].concat(b.note || []);
            },
          },
        },
      },
    },
  });
}

function designLines(text) {
  const words = text.split(' ');
  const result = [];
  for (let i = 0; i < words.length; i += 3) result.push(words.slice(i, i + 3).join('  '));
  return result;
}

// A study's plan, much as it was written: an agent a line, without what it leaves open.
function planText({agents, ...rest}) {
  const words = pairs => pairs.filter(([, value]) => !Array.isArray(value) || value.length > 0)
    .map(([name, value]) => name + ' = ' + JSON.stringify(value));
  const agentLine = ({set, ...more}) => '[[agents]] ' +
    words(Object.entries(more).concat(set.map(([name, values]) => ['set.' + name, values]))).join(', ');
  return words(Object.entries(rest)).concat(agents.map(agentLine)).join('\n');
}

function provenance() {
  const list = el('dl');
  for (const [name, value] of data.provenance) {
    if (value === '') continue;
    list.append(el('dt', {}, name), el('dd', {}, name === 'plan' ? planText(JSON.parse(value)) : value));
  }
  section('Where this comes from').append(list);
}

function heading(title, text, list) {
  document.title = title;
  root.append(el('header', {}, el('h1', {}, title), el('p', {}, text), facts(list)));
}

// Ticks of large numbers are short: 1e9 where Chart.js would write 1,000,000,000.
for (const kind of ['linear', 'logarithmic']) {
  const usual = Chart.registry.getScale(kind).defaults.ticks.callback;
  Chart.defaults.scales[kind].ticks.callback = function(value, ...rest) {
    const text = usual.call(this, value, ...rest);
    const short = Number(value.toPrecision(12)).toExponential().replace('e+', 'e');
    return Math.abs(value) >= 1e6 && short.length <= text.length ? short : text;
  };
}

// ---- a study -------------------------------------------------------------------------------------------------------------

function problemName(problem) {
  return problem.workload + ', ' + problem.objective;
}

// What scores and regrets are to.
const exact = data.kind === 'study' && data.problems.every(p => p.exact);
const TARGET = exact ? 'the optimum' : 'the best that any search saw';
const atTarget = exact ? 'at the optimum' : 'at the best seen';
const toTarget = exact ? 'to the optimum' : 'to the best seen';

// How the i-th agent is drawn.
const style = (agent, i) => ({label: agent.label, colour: colour(i), dash: dash(i)});

function study() {
  const {agents, problems, checkpoints} = data;
  const runs = agents.reduce((sum, a) => sum + a.runs, 0), evaluations = agents.reduce((sum, a) => sum + a.evaluations, 0);
  heading(data.study.doc || data.study.name,
          exact ? 'Every search against the exact optimum of its space.' : 'Every search against the best that any of them saw.',
          [[whole(runs), 'searches'], [whole(evaluations), 'evaluations'],
           [whole(agents.reduce((sum, a) => sum + a.configurations, 0)), 'configurations'], [whole(problems.length), 'problems'],
           [data.study.environment + ' / ' + data.study.space, 'environment / space']]);
  compareAgents(agents);
  lottery(agents, problems);
  budgets(agents, problems, checkpoints);
  populations(agents, problems, checkpoints);
  reported(agents, problems);
  optima(problems);
  for (const problem of data.infeasible) {
    section('Left out', 'No search saw a design that is feasible by ' + problem.objective + ' on ' + problem.workload + '.');
  }
  provenance();
}

function compareAgents(agents) {
  const node = section('Which agent', 'Scores: 1 = ' + TARGET + ', over all problems. The interquartile mean is that of the middle half of ' +
    'all searches, with its 95 % bootstrap interval. Wins: had everybody run each configuration once, in what share of ' +
    '(problem, seed) pairs the agent would have won by its best, or by its median, configuration.');
  table(node, [['agent', 'configurations', 'seeds', 'interquartile mean', '95 % interval', 'wins by best', 'wins by median']].concat(
    agents.map(a => [a.label, whole(a.configurations), whole(a.seeds), score(a.iqm.mean), range(a.iqm.low, a.iqm.high, score),
                     percent(a.wins_by_best), percent(a.wins_by_median)])));
  const two = grid(node, 'wide');
  chart(two, 'Interquartile mean of the score, 95 % interval', 80 + 34 * agents.length, {
    type: 'bar',
    data: {
      labels: agents.map(a => a.label),
      datasets: [{data: agents.map(a => [a.iqm.low, a.iqm.high]), minBarLength: 4, barThickness: 16,
                  backgroundColor: agents.map((_, i) => colour(i))}],
    },
    options: {
      indexAxis: 'y',
      interaction: {mode: 'index', axis: 'y', intersect: false},
      scales: {x: scoreAxis('interquartile mean of the score', agents.map(a => a.iqm.low)), y: {ticks: {autoSkip: false}}},
      plugins: {
        legend: {display: false},
        tooltip: {callbacks: {label: item => {
          const a = agents[item.dataIndex];
          return [score(a.iqm.mean, 4) + ' (' + range(a.iqm.low, a.iqm.high, v => score(v, 4)) + ')', a.agent];
        }}},
      },
    },
  });
  lines(two, 'Performance profile: share of searches that score at least so much', 300,
        agents.map((a, i) => ({...style(a, i), points: data.thresholds.map((t, k) => ({x: t, y: a.profile[k]}))})),
        {x: 'score', y: 'share of searches', scaleY: scoreAxis('share of searches', [0]), format: percent});
  heat(node, 'Probability that a search of the row’s agent beats one of the column’s', agents.map(a => a.label), agents.map(a => a.label),
       agents.map(a => a.improvement.map(v => 1 - v)), agents.map(a => a.improvement.map(v => lessThan(1, v, 2))),
       agents.map(a => a.improvement.map((v, j) => a.label + ' beats ' + agents[j].label + ': ' + lessThan(1, v, 4))));
}

function lottery(agents, problems) {
  const node = section('The lottery', 'Best score of every search, all configurations and seeds of an agent together. Box: quartiles and ' +
    'median; line: 5 to 95 %; where all scores are above 0.9, the axis begins there. “By settings” is the share of the variance that the ' +
    'hyperparameters explain beyond chance; the rest is the seed.');
  const draw = by => {
    const shown = el('div');
    node.append(shown);
    const rows = [['problem', 'agent', 'median', 'quartiles', atTarget, 'by settings', 'best settings', 'their median']];
    const panels = grid(shown, agents.length > 10 ? 'wide' : '');
    problems.forEach((problem, p) => {
      const one = by === 'seen' ? problem.best_seen_score || 1 : 1;  // the score that becomes 1
      const scaled = box => Object.fromEntries(Object.entries(box).map(([name, value]) => [name, value / one]));
      const list = agents.map((a, i) => {
        const r = a.problems[p], box = scaled(r.score), best = scaled(r.best.score), worst = scaled(r.worst.score);
        rows.push([problemName(problem), a.label, score(box.median), range(box.lower_quartile, box.upper_quartile, score), percent(r.found),
                   percent(r.variance_between_configurations), settings(r.best.configuration), score(best.median)]);
        return {...style(a, i), box, note: [
          atTarget + ': ' + percent(r.found), 'by settings: ' + percent(r.variance_between_configurations),
          'best: ' + settings(r.best.configuration), '  median ' + score(best.median),
          'worst: ' + settings(r.worst.configuration), '  median ' + score(worst.median)]};
      });
      boxes(panels, problemName(problem), 250, list, 'score');
    });
    table(shown, rows, [6]);
    return shown;
  };
  if (!exact) {  // the best seen is all that there is to normalise by
    draw('optimum');
    return;
  }
  const choice = el('select', {}, el('option', {value: 'optimum'}, 'the exact optimum'), el('option', {value: 'seen'}, 'the best that any search saw'));
  node.append(el('label', {}, 'Normalised by', choice));
  let shown = draw(choice.value);
  choice.addEventListener('change', () => {
    const before = shown;
    shown = draw(choice.value);
    for (const canvas of before.querySelectorAll('canvas')) Chart.getChart(canvas).destroy();
    before.remove();
  });
}

function budgets(agents, problems, checkpoints) {
  const node = section('Budgets', 'Score after so many evaluations: interquartile mean and quartiles of the searches that made so many.');
  const panels = grid(node, agents.length > 10 ? 'wide' : '');
  problems.forEach((problem, p) => {
    const series = agents.map((a, i) => ({...style(a, i), points: a.problems[p].curve.map((at, k) => (
      {x: checkpoints[k], y: at.iqm, low: at.lower_quartile, high: at.upper_quartile, note: [percent(at.runs) + ' of its searches']}))}));
    lines(panels, problemName(problem), 250, series, {
      x: 'evaluations', y: 'score', logX: true, format: v => score(v, 4),
      scaleY: scoreAxis('score', series.flatMap(s => s.points.map(q => q.low))),
    });
  });
}

// A regret from 0 (dark) to 100 % (light), by orders of magnitude down to 0.001 %.
const shadeOfRegret = regret => regret === null || regret === undefined ? null : regret <= 1e-5 ? 0 : 0.15 + 0.85 * (Math.log10(Math.min(regret, 1)) + 5) / 5;

function populations(agents, problems, checkpoints) {
  const shown = agents.map((a, i) => ({a, i})).filter(({a}) => a.problems[0].populations);
  if (shown.length === 0) return;
  const seconds = data.seconds;
  const node = section('Population size', 'Median regret to ' + TARGET + ' in % by population size and evaluations made' +
    (seconds.length ? ', and by time on the machine named below' : '') + '; all other settings of an agent together. Darker is better.');
  const curves = grid(node, shown.length > 10 ? 'wide' : '');
  problems.forEach((problem, p) => {
    const draw = (title, y, value, note, options) =>
      lines(curves, title + ': ' + problemName(problem), 250, shown.map(({a, i}) => ({
        ...style(a, i), points: a.problems[p].populations.map(q => ({x: q.population, y: value(q), note: note(q)})),
      })), {x: 'population', y, logX: true, ...options});
    const found = q => ['found by ' + percent(q.found)];
    const never = 'At no size did half of the searches reach it.';
    draw('Searches ' + atTarget, 'share ' + atTarget, q => q.found,
         q => ['median evaluations to it: ' + number(q.median_evaluations_to_optimum),
               'median generations to it: ' + number(q.median_generations_to_optimum)]
           .concat(seconds.length ? ['median seconds to it: ' + number(q.median_seconds_to_optimum)] : []),
         {scaleY: scoreAxis('share ' + atTarget, [0]), format: percent});
    draw('Evaluations ' + toTarget, 'median evaluations', q => q.median_evaluations_to_optimum, found, {logY: true, empty: never});
    if (seconds.length) {
      draw('Seconds ' + toTarget, 'median seconds', q => q.median_seconds_to_optimum, found, {logY: true, empty: never});
      draw('Evaluations per second', 'evaluations/s', q => q.evaluations_per_second, () => [], {logY: true});
    }
  });
  const maps = grid(node, 'maps');
  problems.forEach((problem, p) => shown.forEach(({a}) => {
    const list = a.problems[p].populations;
    const kept = checkpoints.map((_, k) => k).filter(k => list.some(q => q.median_regret[k] !== null));
    const cells = q => kept.map(k => q.median_regret[k]).concat(q.median_regret_in_time || []);
    heat(maps, a.label + ': ' + problemName(problem), list.map(q => whole(q.population)),
         kept.map(k => number(checkpoints[k], 6)).concat(seconds.map(s => number(s) + ' s')),
         list.map(q => cells(q).map(shadeOfRegret)), list.map(q => cells(q).map(v => v === null ? '–' : number(100 * v, 2))),
         list.map(q => cells(q).map((v, c) => a.label + ', population ' + whole(q.population) + ', ' +
           (c < kept.length ? whole(checkpoints[kept[c]]) + ' evaluations' : seconds[c - kept.length] + ' s') + ': regret ' + percent(v, 4))));
  }));
}

function reported(agents, problems) {
  if (!problems.some(p => p.reported_as)) return;
  const node = section('As it would have been reported', 'The best designs of all searches, priced by the plan’s other objective and ' +
    'normalised by ' + (exact ? 'its optimum' : 'the best by it') + ': for ArchGym’s rewards, what its parser, which drops the unit of a time, would have said.');
  const panels = grid(node, agents.length > 10 ? 'wide' : '');
  problems.forEach((problem, p) => boxes(panels, problem.workload + ', ' + problem.reported_as, 250, agents.map((a, i) => ({
    ...style(a, i), box: a.problems[p].reported, note: ['by ' + problem.objective + ': median ' + score(a.problems[p].score.median)],
  })), 'score as reported'));
}

function optima(problems) {
  const node = section('The problems', '');
  const value = (v, unit) => number(v, 8) + (unit ? ' ' + unit : '');
  table(node, [['problem', 'best seen'].concat(exact ? ['optimum', 'optimal design'] : [])].concat(
    problems.map(p => [problemName(p), value(p.best_seen, p.unit)].concat(exact ? [value(p.optimum, p.unit), p.best_design] : []))), [3]);
}

// ---- a run: a search or a sweep ------------------------------------------------------------------------------------------

function run() {
  heading(data.title, data.subtitle, data.facts);
  for (const workload of data.workloads) {
    const name = data.workloads.length > 1 ? workload.name + ': ' : '';
    if (workload.convergence) convergence(name, workload);
    best(name, workload);
    if (workload.importance) importance(name, workload);
    if (workload.distribution) distribution(name, workload);
    if (workload.cloud) front(name, workload);
  }
  provenance();
}

function convergence(name, workload) {
  const node = section(name + 'Convergence', 'Best value so far, and the quartiles of each generation, by evaluations requested' +
    (workload.optimum !== undefined ? '; dashed: the exact optimum.' : '.'));
  const generations = workload.convergence;
  const series = [
    {label: 'best so far', colour: colour(0),
     points: generations.map(g => ({x: g.requested, y: g.best, note: ['generation ' + g.generation].concat(designLines(g.design))}))},
    {label: 'generation: median', colour: colour(1),
     points: generations.map(g => ({x: g.requested, y: g.median, low: g.lower_quartile, high: g.upper_quartile, note: ['generation ' + g.generation]}))},
  ];
  if (workload.optimum !== undefined && generations.length > 0) {
    const ends = [generations[0].requested, generations[generations.length - 1].requested];
    series.push({label: 'optimum', colour: '#1c2430', dash: [6, 4], points: ends.map(x => ({x, y: workload.optimum}))});
  }
  const shown = series.flatMap(s => s.points.flatMap(p => [p.y, p.low, p.high]));
  lines(node, data.objective, 340, series,
        {x: 'evaluations', y: withUnit('value', data.unit), logY: scaleOf(shown) === 'logarithmic', empty: 'No design is feasible.'});
  if (workload.optimum) regret(node, generations, workload.optimum);
}

// How near the best came to the optimum: by orders of magnitude, which the values do not show.
function regret(node, generations, optimum) {
  const of = g => g.best === null ? null : 100 * Math.abs(g.best - optimum) / Math.abs(optimum);
  const found = generations.find(g => of(g) === 0);
  const open = generations.filter(g => of(g) > 0);
  const title = 'Regret of the best so far' + (found ? '; ' + whole(found.requested) + ' evaluations include an optimum' : '');
  lines(node, title, 240, [{label: 'regret', colour: colour(0),
    points: open.map(g => ({x: g.requested, y: of(g), note: ['generation ' + g.generation].concat(designLines(g.design))}))}],
        {x: 'evaluations', y: '% of the optimum', logY: true, empty: found ? 'The first feasible design is an optimum.' : 'No design is feasible.'});
}

function best(name, workload) {
  const node = section(name + 'Best designs', data.objective);
  if (workload.best.length === 0) {
    node.append(el('p', {}, 'No design is feasible.'));
    return;
  }
  const metrics = Object.keys(workload.best[0].metrics);
  const parameters = data.parameters;
  table(node, [['rank', withUnit('value', data.unit)].concat(metrics.map(m => withUnit(m, data.units[m])),
                                                              parameters.map(p => withUnit(p.name, p.unit)))].concat(
    workload.best.slice(0, 10).map((b, i) => [i + 1, number(b.value, 8)].concat(
      metrics.map(m => number(b.metrics[m], 8)), b.places.map((place, p) => parameters[p].values[place])))), [], 2);
  if (parameters.length === 0) {
    node.append(el('p', {}, 'No parameter varies in this space.'));
    artifacts(node, workload.best[0]);
    return;
  }
  const count = workload.best.length;
  chart(node, 'Parallel coordinates of the best ' + count + ': every line is a design, darker is better; first values below, last ones above', 320, {
    type: 'line',
    data: {
      labels: parameters.map(p => p.name),
      datasets: workload.best.map((b, i) => ({
        data: b.places.map((place, p) => parameters[p].values.length > 1 ? place / (parameters[p].values.length - 1) : 0.5),
        borderColor: 'hsl(204 85% ' + (25 + 55 * i / Math.max(1, count - 1)) + '%)', borderWidth: i === 0 ? 3 : 1.5, pointRadius: 3, tension: 0.15,
        order: i,
      })),
    },
    options: {
      interaction: {mode: 'nearest', intersect: false},
      scales: {x: everyLabel(parameters), y: {min: -0.03, max: 1.03, ticks: {display: false}, grid: {display: false}}},
      plugins: {
        legend: {display: false},
        tooltip: {callbacks: {
          title: items => items.length ? 'rank ' + (items[0].datasetIndex + 1) + ': ' + number(workload.best[items[0].datasetIndex].value, 8) : '',
          label: item => [parameters[item.dataIndex].name + ' = ' + parameters[item.dataIndex].values[workload.best[item.datasetIndex].places[item.dataIndex]]]
            .concat(designLines(workload.best[item.datasetIndex].text)),
        }},
      },
    },
  });
  artifacts(node, workload.best[0]);
}

// What came of a design beside its numbers, as text: the mappings of a network's layers.
function artifacts(node, design) {
  for (const [name, text] of Object.entries(design.artifact || {})) {
    if (text === '') continue;
    node.append(el('h3', {}, 'Of the best design: ' + name), el('pre', {}, text));
  }
}

function importance(name, workload) {
  const node = section(name + 'What decides', 'Share of the variance of ' + data.objective + ' over the whole space that a parameter decides: alone, and in all, ' +
    'with its interactions (exact functional ANOVA).');
  const list = workload.importance;
  chart(node, 'Importance of parameters', 60 + 30 * list.length, {
    type: 'bar',
    data: {
      labels: list.map(i => i.parameter),
      datasets: [{label: 'alone', data: list.map(i => 100 * i.alone), backgroundColor: colour(0)},
                 {label: 'in all', data: list.map(i => 100 * i.total), backgroundColor: faint(colour(0), 0.35)}],
    },
    options: {
      indexAxis: 'y',
      interaction: {mode: 'index', axis: 'y', intersect: false},
      scales: {x: {min: 0, title: {display: true, text: '% of the variance'}}},
      plugins: {tooltip: {callbacks: {label: item => item.dataset.label + ': ' + number(item.raw, 4) + ' %'}}},
    },
  });
}

function distribution(name, workload) {
  const node = section(name + 'How rare good designs are', 'Share of the feasible designs whose regret is at most so much.');
  lines(node, 'Designs by regret', 300, [{label: 'designs', colour: colour(2), points: workload.distribution.map(d => ({x: d.regret, y: d.share}))}],
        {x: 'regret, % of the best', y: '% of designs', logX: true, logY: true, empty: 'All designs are equally good.'});
}

function front(name, workload) {
  const axes = data.tradeoffs;
  const node = section(name + 'Trade-offs', 'Designs seen and their Pareto front over ' + axes.map(a => a.name).join(', ') +
    (workload.exact_front ? '; rings: the exact front of the space.' : '.'));
  const panels = grid(node, 'wide');
  const axis = i => ({type: scaleOf(workload.cloud.concat(workload.exact_front || []).map(p => p.at[i])),
                      title: {display: true, text: withUnit(axes[i].name, axes[i].unit)}});
  for (let a = 0; a < axes.length; ++a) {
    for (let b = a + 1; b < axes.length; ++b) {
      const points = list => list.map(p => ({x: p.at[a], y: p.at[b], text: p.text}));
      const datasets = [{label: 'front', data: points(workload.cloud.filter(p => p.front)), backgroundColor: colour(3), pointRadius: 4}];
      if (workload.exact_front) {
        datasets.push({label: 'exact front', data: points(workload.exact_front), backgroundColor: 'transparent', borderColor: '#1c2430', borderWidth: 1,
                       pointRadius: 6});
      }
      datasets.push({label: 'seen', data: points(workload.cloud.filter(p => !p.front)), backgroundColor: faint(colour(0), 0.3), pointRadius: 2.5});
      chart(panels, axes[a].name + ' and ' + axes[b].name, 360, {
        type: 'scatter',
        data: {datasets},
        options: {
          scales: {x: axis(a), y: axis(b)},
          plugins: {
            legend: {labels: {usePointStyle: true}},
            tooltip: {callbacks: {label: item => [item.dataset.label, axes[a].name + ': ' + number(item.raw.x, 8), axes[b].name + ': ' + number(item.raw.y, 8)]
              .concat(designLines(item.raw.text))}},
          },
        },
      });
    }
  }
}

if (data.kind === 'study') study(); else run();
root.append(el('footer', {}, 'Made by exarch report; charts by Chart.js (MIT licence), contained in this file.'));
})();
