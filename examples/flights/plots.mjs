// The two plots of the report as SVG text: no library, no script in the file, only fonts that every
// system has, and a background of their own so that they read the same on a light and a dark page.

const FONT = 'font-family="-apple-system, \'Segoe UI\', Roboto, Helvetica, Arial, sans-serif"';
const INK = '#1f2933';
const MUTED = '#5f6c7b';
const GRID = '#e4e8ed';
const PAPER = '#ffffff';

const number = (value) => value.toLocaleString('en-US');
const percent = (share) => `${(100 * share).toFixed(0)}%`;
const signed = (minutes) => (minutes > 0 ? `+${minutes}` : minutes < 0 ? `−${-minutes}` : '0');
const hour_label = (hour) => `${String(hour).padStart(2, '0')}:00`;

/// Percentiles of the delay by hour of departure as nested bands, with the number of flights below.
/// `hours`: rows of the node by_hour, in order, without gaps. `subtitle`: what was measured.
export function delayFan(hours, subtitle) {
  const width = 920, height = 596;
  const left = 70, right = 150, top = 104, fan_height = 330, bars_top = 480, bars_height = 52;
  const label_x = width - right + 22;
  const step = (width - left - right) / (hours.length - 1);
  const x = (index) => left + index * step;

  const low = -30, high = 30 * Math.ceil(Math.max(...hours.map((row) => row.p90)) / 30);
  const y = (minutes) => top + (high - minutes) / (high - low) * fan_height;

  const ticks = range(low, high, 30);
  const grid = ticks.map((minutes) => `
    <line x1="${left}" x2="${width - right}" y1="${r(y(minutes))}" y2="${r(y(minutes))}"
      stroke="${minutes === 0 ? '#9aa5b1' : GRID}"/>
    ${text(left - 10, y(minutes) + 4, signed(minutes), {anchor: 'end', fill: MUTED})}`);

  const band = (lower, upper, fill) => `<path fill="${fill}" d="M${
      [...hours.map((row, i) => `${r(x(i))} ${r(y(row[upper]))}`),
       ...hours.map((row, i) => `${r(x(i))} ${r(y(row[lower]))}`).reverse()].join('L')}Z"/>`;
  const median = hours.map((row, i) => `${r(x(i))} ${r(y(row.p50))}`).join('L');

  const last = hours.at(-1);
  const labels = spread([
    {at: y(last.p90), says: '90th percentile'}, {at: y(last.p75), says: '75th percentile'},
    {at: y(last.p50), says: 'median', bold: true}, {at: y(last.p25), says: '25th percentile'},
    {at: y(last.p10), says: '10th percentile'},
  ], 17).map(({at, says, bold}) => text(label_x, at + 4, says,
                                        {fill: bold ? '#0b4a83' : MUTED, bold}));

  const most = Math.max(...hours.map((row) => row.flights));
  const bars = hours.map((row, i) => {
    const size = row.flights / most * bars_height;
    return `<rect x="${r(x(i) - step * 0.34)}" y="${r(bars_top + bars_height - size)}"
      width="${r(step * 0.68)}" height="${r(size)}" fill="#9fb3c8"/>`;
  });
  const hour_ticks = hours.map((row, i) => i % 2 === 1 ? '' :
    text(x(i), bars_top + bars_height + 19, hour_label(row.hour), {anchor: 'middle', fill: MUTED}));

  return svg(width, height, 'Arrival delay by hour of departure', `
    ${text(left - 50, 36, 'Most flights stay on time all day. The tail does not.',
           {size: 20, bold: true})}
    ${text(left - 50, 60, subtitle, {size: 13, fill: MUTED})}
    ${text(left - 50, top - 16, 'minutes late on arrival', {fill: MUTED})}
    ${grid.join('')}
    ${band('p10', 'p90', '#d6e6f4')}
    ${band('p25', 'p75', '#9cc4e4')}
    <path d="M${median}" fill="none" stroke="#0b4a83" stroke-width="2.5" stroke-linejoin="round"/>
    <line x1="${left}" x2="${width - right}" y1="${r(y(15))}" y2="${r(y(15))}"
      stroke="#c2410c" stroke-dasharray="5 4"/>
    ${text(left + 6, y(15) - 6, '15 min: late', {fill: '#c2410c'})}
    ${labels.join('')}
    ${text(left - 50, bars_top - 12, 'flights in the half year, by hour', {fill: MUTED})}
    ${bars.join('')}
    <line x1="${left - step * 0.34}" x2="${r(x(hours.length - 1) + step * 0.34)}"
      y1="${bars_top + bars_height}" y2="${bars_top + bars_height}" stroke="#9aa5b1"/>
    ${text(label_x, bars_top + 10, 'tallest bar:', {fill: MUTED})}
    ${text(label_x, bars_top + 27, `${number(most)} flights`, {fill: MUTED})}
    ${hour_ticks.join('')}
    ${text((left + width - right) / 2, height - 20, 'hour of departure, local time of the origin',
           {anchor: 'middle', fill: MUTED})}`);
}

/// One cell a day, one column a week from Monday to Sunday, coloured by the share of late flights.
/// `days`: rows of the node by_day, in order, every day once.
export function lateCalendar(days, subtitle) {
  const cell = 31, left = 66, top = 112, width = 920;
  const first_weekday = days[0].weekday;
  const place = (index) => ({
    column: Math.floor((index + first_weekday - 1) / 7),
    row: (index + first_weekday - 1) % 7,
  });
  const height = top + 7 * cell + 78;
  const worst = days.reduce((a, b) => (b.late_share > a.late_share ? b : a));
  const scale_end = Math.ceil(worst.late_share * 20) / 20;

  const cells = days.map((day, index) => {
    const {column, row} = place(index);
    const fill = colour(day.late_share / scale_end);
    const x = left + column * cell, y = top + row * cell;
    return `<rect x="${x}" y="${y}" width="${cell - 2}" height="${cell - 2}" rx="3" fill="${fill}">
      <title>${day.day}: ${(100 * day.late_share).toFixed(1)}% late</title></rect>
      ${text(x + cell / 2 - 1, y + cell / 2 + 3, (100 * day.late_share).toFixed(0),
             {anchor: 'middle', size: 11, fill: isDark(fill) ? '#ffffff' : INK})}`;
  });

  const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].map(
      (name, row) => text(left - 12, top + row * cell + cell / 2 + 3, name,
                          {anchor: 'end', fill: MUTED}));

  // A month's name stands over the first week that has its first day, its border between the cells.
  const months = days.flatMap((day, index) => {
    if (!day.day.endsWith('-01')) return [];
    const {column, row} = place(index);
    const name = new Date(`${day.day}T00:00:00Z`).toLocaleString('en-US',
                                                                 {month: 'long', timeZone: 'UTC'});
    const x = left + column * cell - 1;
    const border = index === 0 ? '' : `<path fill="none" stroke="${MUTED}" stroke-width="1.5" d="${
        row === 0 ? `M${x} ${top - 1}V${top + 7 * cell - 1}` :
        `M${x + cell} ${top - 1}V${top + row * cell - 1}H${x}V${top + 7 * cell - 1}`}"/>`;
    return [border, text(x + (row === 0 ? 1 : cell + 1), top - 10, name, {fill: INK})];
  });

  const legend_top = top + 7 * cell + 24, legend_width = 240, parts = 48;
  const legend = range(0, parts - 1, 1).map((part) => `<rect x="${
      r(left + part * legend_width / parts)}" y="${legend_top}" width="${
      r(legend_width / parts + 0.5)}" height="12" fill="${colour((part + 0.5) / parts)}"/>`);
  const legend_labels = range(0, scale_end + 1e-9, scale_end / 3).map(
      (share, i) => text(left + i * legend_width / 3, legend_top + 28, percent(share),
                         {anchor: 'middle', fill: MUTED}));

  return svg(width, height, 'Share of late flights by day', `
    ${text(20, 36, 'Fridays run late, and bad days come together',
           {size: 20, bold: true})}
    ${text(20, 60, subtitle, {size: 13, fill: MUTED})}
    ${cells.join('')}${weekdays.join('')}${months.join('')}
    ${legend.join('')}${legend_labels.join('')}
    ${text(left + legend_width + 40, legend_top + 11,
           'percentage of the day’s flights that arrived 15 minutes late or more',
           {fill: MUTED})}`);
}

function svg(width, height, title, body) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}"
  height="${height}" role="img" ${FONT}>
  <title>${escape(title)}</title>
  <rect width="${width}" height="${height}" fill="${PAPER}"/>${body}
</svg>
`;
}

function text(x, y, says, {anchor = 'start', size = 12, fill = INK, bold = false} = {}) {
  return `<text x="${r(x)}" y="${r(y)}" font-size="${size}" fill="${fill}" text-anchor="${anchor}"${
      bold ? ' font-weight="600"' : ''}>${escape(says)}</text>`;
}

function escape(value) {
  return String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/// A tenth of a pixel is exact enough and keeps the file small.
function r(value) {
  return Math.round(value * 10) / 10;
}

function range(from, to, step) {
  return Array.from({length: Math.floor((to - from) / step + 1e-6) + 1}, (_, i) => from + i * step);
}

/// Moves labels, given from top to bottom, apart until they are `gap` pixels from each other. The
/// list is pushed down from the top and then, where it ran too low, up again from the bottom.
function spread(labels, gap) {
  const lowest = labels.at(-1).at + gap;
  for (let i = 1; i < labels.length; ++i)
    labels[i].at = Math.max(labels[i].at, labels[i - 1].at + gap);
  for (let i = labels.length - 1, limit = lowest; i >= 0; --i, limit -= gap)
    labels[i].at = Math.min(labels[i].at, limit);
  return labels;
}

/// From pale yellow to dark red; `part` from 0 to 1.
function colour(part) {
  const stops = [[255, 250, 232], [253, 219, 158], [252, 165, 97], [236, 97, 66], [189, 25, 43],
                 [117, 4, 32]];
  const place = Math.min(Math.max(part, 0), 1) * (stops.length - 1);
  const index = Math.min(Math.floor(place), stops.length - 2);
  const mixed = stops[index].map(
      (from, i) => Math.round(from + (stops[index + 1][i] - from) * (place - index)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

function isDark(fill) {
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(fill.slice(i, i + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue < 140;
}
