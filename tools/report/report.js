// Draws the report from the JSON beside it. Every text from the data goes through textContent or a canvas, never through HTML.
'use strict';
(() => {
const data = JSON.parse(document.getElementById('data').textContent);
const root = document.getElementById('report');
// Okabe and Ito's colours: distinguishable with any kind of colour vision.
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#d55e00', '#cc79a7', '#56b4e9', '#8c6d1f', '#333333', '#7a52a3', '#a3c644'];
const GREY = '#9aa3af';
const colour = i => COLOURS[i % COLOURS.length];
const faint = (c, alpha) => c + Math.round(alpha * 255).toString(16).padStart(2, '0');

Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.color = '#5b6676';
Chart.defaults.plugins.tooltip.displayColors = false;
// A page of paper is narrower than a window: charts are drawn anew for it.
const drawFor = printing => {
  document.body.classList.toggle('printing', printing);
  Object.values(Chart.instances).forEach(chart => chart.resize());
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
  if (value !== 0 && (Math.abs(value) >= 10 ** Math.max(7, digits + 2) || Math.abs(value) < 1e-3)) return value.toExponential(digits - 1);
  return Number(value.toPrecision(digits)).toLocaleString('en', {maximumSignificantDigits: digits});
}
const whole = value => value === null || value === undefined ? '–' : value.toLocaleString('en');
const percent = (value, digits = 3) => value === null || value === undefined ? '–' : number(100 * value, digits) + ' %';
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
  const node = el('table');
  rows.forEach((row, r) => {
    const tr = el('tr');
    row.forEach((cell, c) => {
      const kind = texts.includes(c) ? 'text' : r === 0 && c >= upright ? 'upright' : '';
      tr.append(el(r === 0 ? 'th' : 'td', kind ? {class: kind} : {}, el('span', {}, String(cell))));
    });
    node.append(tr);
  });
  parent.append(el('div', {class: 'scroll'}, node));
}

function facts(list) {
  const node = el('div', {class: 'facts'});
  for (const [value, name] of list) node.append(el('div', {class: 'fact'}, el('b', {}, value), el('span', {}, name)));
  return node;
}

// A table of coloured cells: values (row, column) from 0 = dark and good to 1 = light; titles show on hovering.
function heat(parent, title, rows, columns, values, texts, titles) {
  const node = el('table', {class: 'heat'});
  node.append(el('tr', {}, el('th', {}, ''), ...columns.map(column => el('th', {}, column))));
  rows.forEach((row, r) => {
    const tr = el('tr', {}, el('th', {}, row));
    columns.forEach((_, c) => {
      const value = values[r][c];
      const known = value !== null && value !== undefined;
      const shade = known ? Math.max(0, Math.min(1, value)) : 0;
      const style = known ? 'background:hsl(204 ' + (85 - 45 * shade) + '% ' + (30 + 66 * shade) + '%);color:' + (shade < 0.5 ? '#fff' : '#1c2430')
                          : 'color:#9aa3af';
      tr.append(el('td', {style, title: titles[r][c]}, texts[r][c]));
    });
    node.append(tr);
  });
  figure(parent, title).append(el('div', {class: 'scroll'}, node));
}

const legendWithoutBands = {labels: {filter: item => !item.text.startsWith('\u200b'), usePointStyle: true, pointStyle: 'line'}};

// The scale that shows values best: logarithmic where all are positive and the largest is thirty times the smallest.
function scaleOf(values) {
  let low = Infinity, high = -Infinity;
  for (const v of values) {
    if (v === null || v === undefined) continue;
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  return low > 0 && high > 30 * low ? 'logarithmic' : 'linear';
}

// Lines with a band between two others: series = [{label, colour, points: [{x, y, low, high, note}], dash}].
function lines(parent, title, height, series, options) {
  if (!series.some(s => s.points.some(p => p.y !== null && p.y !== undefined))) {
    figure(parent, title).append(el('p', {}, options.empty || 'No search made so many.'));
    return null;
  }
  const datasets = [];
  for (const s of series) {
    const points = s.points.filter(p => p.y !== null && p.y !== undefined);
    const line = {borderColor: s.colour, backgroundColor: s.colour, borderWidth: 2, pointRadius: points.length > 60 ? 0 : 2.5,
                  pointHoverRadius: 5, borderDash: s.dash || [], stepped: s.stepped || false};
    datasets.push({...line, label: s.label, data: points});
    if (points.some(p => p.low !== undefined && p.low !== null)) {
      const band = {borderWidth: 0, pointRadius: 0, pointHitRadius: 0, pointHoverRadius: 0, stepped: s.stepped || false};
      datasets.push({...band, label: '\u200blow', data: points.map(p => ({x: p.x, y: p.low}))});
      datasets.push({...band, label: '\u200bhigh', data: points.map(p => ({x: p.x, y: p.high})), fill: '-1',
                     backgroundColor: faint(s.colour, 0.15)});
    }
  }
  return chart(parent, title, height, {
    type: 'line',
    data: {datasets},
    options: {
      interaction: {mode: 'nearest', intersect: false},
      scales: {
        x: {type: options.logX ? 'logarithmic' : 'linear', title: {display: true, text: options.x}},
        y: {type: options.logY ? 'logarithmic' : 'linear', title: {display: true, text: options.y}, min: options.min, max: options.max},
      },
      plugins: {
        legend: {display: series.length > 1, ...legendWithoutBands},
        tooltip: {
          filter: item => !item.dataset.label.startsWith('\u200b'),
          callbacks: {
            title: items => items.length ? items[0].dataset.label : '',
            label: item => {
              const p = item.raw;
              const text = [options.x + ': ' + whole(p.x), options.y + ': ' + number(p.y, 6)];
              if (p.low !== undefined && p.low !== null) text.push('quartiles: ' + number(p.low, 4) + ' – ' + number(p.high, 4));
              return text.concat(p.note || []);
            },
          },
        },
      },
    },
  });
}

// Boxes: 5th to 95th percentile, quartiles, median. boxes = [{label, colour, box, scale, note}].
function boxes(parent, title, height, list, yTitle) {
  const labels = list.map(b => b.label);
  const scaled = (b, value) => value * (b.scale || 1);
  return chart(parent, title, height, {
    type: 'bar',
    data: {
      labels,
      datasets: [
        {type: 'line', showLine: false, data: list.map(b => scaled(b, b.box.median)), pointStyle: 'line', pointRadius: 12, pointHoverRadius: 12,
         borderColor: '#1c2430', borderWidth: 2.5},
        {data: list.map(b => [scaled(b, b.box.lower_quartile), scaled(b, b.box.upper_quartile)]), grouped: false, barThickness: 26,
         minBarLength: 2, backgroundColor: list.map(b => faint(b.colour, 0.55)), borderColor: list.map(b => b.colour), borderWidth: 1,
         borderSkipped: false},
        {data: list.map(b => [scaled(b, b.box.low), scaled(b, b.box.high)]), grouped: false, barThickness: 2, minBarLength: 1,
         backgroundColor: GREY},
      ],
    },
    options: {
      interaction: {mode: 'index', intersect: false},
      scales: {y: {min: 0, max: 1.001, title: {display: true, text: yTitle}, ticks: {callback: v => v > 1 ? '' : number(v, 2)}}},
      plugins: {
        legend: {display: false},
        tooltip: {
          filter: item => item.datasetIndex === 0,
          callbacks: {
            label: item => {
              const b = list[item.dataIndex];
              const at = name => number(scaled(b, b.box[name]), 4);
              return ['median ' + at('median'), 'quartiles ' + at('lower_quartile') + ' – ' + at('upper_quartile'),
                      '5 to 95 %: ' + at('low') + ' – ' + at('high'), 'range ' + at('minimum') + ' – ' + at('maximum')].concat(b.note || []);
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

function provenance(pairs) {
  const list = el('dl');
  for (const [name, value] of pairs) {
    if (value === '' || value === null || value === undefined) continue;
    list.append(el('dt', {}, name), el('dd', {}, typeof value === 'string' ? value : JSON.stringify(value)));
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
    return text === '' || Math.abs(value) < 1e6 ? text : Number(value.toPrecision(12)).toExponential().replace('e+', 'e');
  };
}

// ---- a study -------------------------------------------------------------------------------------------------------------

function problemName(problem) {
  return problem.workload + ', ' + problem.objective;
}

function study() {
  const {agents, problems, checkpoints} = data;
  const runs = agents.reduce((sum, a) => sum + a.runs, 0), evaluations = agents.reduce((sum, a) => sum + a.evaluations, 0);
  const exact = problems.every(p => p.exact);
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
  provenance([['Exarch', data.study.exarch], ['model', data.study.model], ['backend', data.study.backend],
              ['first seed', data.study.first_seed], ['costs from', data.study.costs], ['workloads', data.study.workload_content]]);
}

function compareAgents(agents) {
  const node = section('Which agent', 'Scores: 1 = the optimum, over all problems. The interquartile mean is that of the middle half of ' +
    'all searches, with its 95 % bootstrap interval. Wins: had everybody run each configuration once, in what share of ' +
    '(problem, seed) pairs the agent would have won by its best, or by its median, configuration.');
  table(node, [['agent', 'configurations', 'seeds', 'interquartile mean', '95 % interval', 'wins by best', 'wins by median']].concat(
    agents.map(a => [a.label, whole(a.configurations), whole(a.seeds), number(a.iqm.mean), number(a.iqm.low) + ' – ' + number(a.iqm.high),
                     percent(a.wins_by_best), percent(a.wins_by_median)])));
  const two = grid(node, 'wide');
  chart(two, 'Interquartile mean of the score, 95 % interval', 60 + 34 * agents.length, {
    type: 'bar',
    data: {
      labels: agents.map(a => a.label),
      datasets: [{data: agents.map(a => [a.iqm.low, a.iqm.high]), minBarLength: 4, barThickness: 16,
                  backgroundColor: agents.map((_, i) => colour(i))}],
    },
    options: {
      indexAxis: 'y',
      scales: {x: {min: 0, max: 1}},
      plugins: {
        legend: {display: false},
        tooltip: {callbacks: {label: item => {
          const a = agents[item.dataIndex];
          return [number(a.iqm.mean, 4) + ' (' + number(a.iqm.low, 4) + ' – ' + number(a.iqm.high, 4) + ')', a.agent];
        }}},
      },
    },
  });
  lines(two, 'Performance profile: share of searches that score at least so much', 300,
        agents.map((a, i) => ({label: a.label, colour: colour(i), points: data.thresholds.map((t, k) => ({x: t, y: a.profile[k]}))})),
        {x: 'score', y: 'share of searches', min: 0, max: 1});
  heat(node, 'Probability that a search of the row’s agent beats one of the column’s', agents.map(a => a.label), agents.map(a => a.label),
       agents.map(a => a.improvement.map(v => 1 - v)), agents.map(a => a.improvement.map(v => number(v, 2))),
       agents.map(a => a.improvement.map((v, j) => a.label + ' beats ' + agents[j].label + ': ' + number(v, 4))));
}

function lottery(agents, problems) {
  const node = section('The lottery', 'Best score of every search, all configurations and seeds of an agent together. Box: quartiles and ' +
    'median; line: 5 to 95 %. “By settings” is the share of the variance that the hyperparameters explain beyond chance; the rest is the seed.');
  const choice = el('select', {}, el('option', {value: 'optimum'}, 'the exact optimum'), el('option', {value: 'seen'}, 'the best that any search saw'));
  node.append(el('label', {}, 'Normalised by', choice));
  const panels = grid(node);
  const charts = problems.map((problem, p) => boxes(panels, problemName(problem), 230, agents.map((a, i) => {
    const r = a.problems[p];
    return {label: a.label, colour: colour(i), box: r.score, get scale() { return choice.value === 'seen' ? 1 / (problem.best_seen_score || 1) : 1; },
            note: ['at the optimum: ' + percent(r.found), 'by settings: ' + percent(r.variance_between_configurations),
                   'best: ' + settings(r.best.configuration), '  median ' + number(r.best.score.median),
                   'worst: ' + settings(r.worst.configuration), '  median ' + number(r.worst.score.median)]};
  }), 'score'));
  choice.addEventListener('change', () => charts.forEach((c, p) => {
    const factor = choice.value === 'seen' ? 1 / (problems[p].best_seen_score || 1) : 1;
    const of = name => agents.map(a => a.problems[p].score[name] * factor);
    const pairs = (low, high) => of(low).map((v, i) => [v, of(high)[i]]);
    c.data.datasets[0].data = of('median');
    c.data.datasets[1].data = pairs('lower_quartile', 'upper_quartile');
    c.data.datasets[2].data = pairs('low', 'high');
    c.update();
  }));
  const rows = [['problem', 'agent', 'median', 'quartiles', 'at the optimum', 'by settings', 'best settings', 'their median']];
  problems.forEach((problem, p) => agents.forEach(a => {
    const r = a.problems[p];
    rows.push([problemName(problem), a.label, number(r.score.median), number(r.score.lower_quartile) + ' – ' + number(r.score.upper_quartile),
               percent(r.found), percent(r.variance_between_configurations), settings(r.best.configuration), number(r.best.score.median)]);
  }));
  table(node, rows, [6]);
}

function budgets(agents, problems, checkpoints) {
  const node = section('Budgets', 'Score after so many evaluations: interquartile mean and quartiles of the searches that made so many.');
  const panels = grid(node);
  problems.forEach((problem, p) => lines(panels, problemName(problem), 250, agents.map((a, i) => ({
    label: a.label, colour: colour(i), points: checkpoints.map((n, k) => {
      const at = a.problems[p].curve[k];
      return {x: n, y: at.iqm, low: at.lower_quartile, high: at.upper_quartile, note: [percent(at.runs) + ' of its searches']};
    }),
  })), {x: 'evaluations', y: 'score', logX: true, min: 0, max: 1}));
}

// A regret from 0 (dark) to 100 % (light), by orders of magnitude down to 0.001 %.
const shadeOfRegret = regret => regret === null || regret === undefined ? null : regret <= 1e-5 ? 0 : 0.15 + 0.85 * (Math.log10(Math.min(regret, 1)) + 5) / 5;

function populations(agents, problems, checkpoints) {
  const shown = agents.map((a, i) => ({a, i})).filter(({a}) => a.problems[0].populations);
  if (shown.length === 0) return;
  const seconds = data.seconds;
  const node = section('Population size', 'Median regret in % by population size and evaluations made' +
    (seconds.length ? ', and by time on the machine named below' : '') + '; all other settings of an agent together. Darker is better.');
  const curves = grid(node);
  problems.forEach((problem, p) => {
    lines(curves, 'Searches at the optimum: ' + problemName(problem), 250, shown.map(({a, i}) => ({
      label: a.label, colour: colour(i), points: a.problems[p].populations.map(q => ({
        x: q.population, y: q.found, note: ['median evaluations to it: ' + number(q.median_evaluations_to_optimum),
                                            'median generations to it: ' + number(q.median_generations_to_optimum)]})),
    })), {x: 'population', y: 'share at the optimum', logX: true, min: 0, max: 1});
    lines(curves, 'Evaluations to the optimum: ' + problemName(problem), 250, shown.map(({a, i}) => ({
      label: a.label, colour: colour(i), points: a.problems[p].populations.map(q => ({x: q.population, y: q.median_evaluations_to_optimum,
        note: ['found by ' + percent(q.found)]})),
    })), {x: 'population', y: 'median evaluations', logX: true, logY: true, empty: 'At no size did half of the searches find it.'});
    if (seconds.length) {
      lines(curves, 'Evaluations per second: ' + problemName(problem), 250, shown.map(({a, i}) => ({
        label: a.label, colour: colour(i), points: a.problems[p].populations.map(q => ({x: q.population, y: q.evaluations_per_second})),
      })), {x: 'population', y: 'evaluations/s', logX: true, logY: true});
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
    'normalised by its optimum: for ArchGym’s rewards, what its parser, which drops the unit of a time, would have said.');
  const panels = grid(node);
  problems.forEach((problem, p) => boxes(panels, problem.workload + ', ' + problem.reported_as, 220, agents.map((a, i) => ({
    label: a.label, colour: colour(i), box: a.problems[p].reported, note: ['by ' + problem.objective + ': median ' + number(a.problems[p].score.median)],
  })), 'score as reported'));
}

function optima(problems) {
  const node = section('The problems', '');
  table(node, [['problem', 'optimum (cost)', 'best seen', 'optimal design']].concat(
    problems.map(p => [problemName(p), p.exact ? number(p.optimum_cost, 8) : 'not known', number(p.best_seen_cost, 8), p.best_design])), [3]);
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
  provenance(data.provenance);
}

function convergence(name, workload) {
  const node = section(name + 'Convergence', 'Best value so far, and the quartiles of each generation, by evaluations requested' +
    (workload.optimum !== undefined ? '; dashed: the exact optimum.' : '.'));
  const generations = workload.convergence;
  const series = [
    {label: 'best so far', colour: colour(0), stepped: false,
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
        {x: 'evaluations', y: 'value', logY: scaleOf(shown) === 'logarithmic', empty: 'No design is feasible.'});
}

function best(name, workload) {
  const node = section(name + 'Best designs', data.objective);
  if (workload.best.length === 0) {
    node.append(el('p', {}, 'No design is feasible.'));
    return;
  }
  const metrics = Object.keys(workload.best[0].metrics);
  const parameters = data.parameters;
  table(node, [['rank', 'value'].concat(metrics, parameters.map(p => p.name))].concat(
    workload.best.slice(0, 10).map((b, i) => [i + 1, number(b.value, 8)].concat(
      metrics.map(m => number(b.metrics[m], 8)), b.places.map((place, p) => parameters[p].values[place])))), [], 2);
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
      scales: {y: {min: -0.03, max: 1.03, ticks: {display: false}, grid: {display: false}}},
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
                      title: {display: true, text: axes[i].name + ', ' + axes[i].unit}});
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
