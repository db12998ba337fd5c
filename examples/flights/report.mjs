// Writes report.md and its plots. stdin: the node's payload, with the inline rows of the SQL nodes.
// stdout: {"report": path, "plots": [path, …]}. Every figure in the text comes from the payload.

import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';

import {delayFan, lateCalendar} from './plots.mjs';

// Hours with fewer flights than this in half a year are left out of the plot: there are few of them
// and many are flights of the evening before.
const MIN_FLIGHTS_TO_PLOT = 20_000;

const payload = JSON.parse(readFileSync(0, 'utf8'));
const summary = payload.summary.data[0];
const hours = payload.by_hour.data;
const distances = payload.by_distance.data;
const days = payload.by_day.data;
const airports = payload.ranking.data;

const number = (value) => value.toLocaleString('en-US');
const percent = (share) => `${(100 * share).toFixed(1)}%`;
const points = (share) => `${share > 0 ? '+' : '−'}${Math.abs(100 * share).toFixed(1)}`;
const minutes = (value) => (value > 0 ? `+${value}` : value < 0 ? `−${-value}` : '0');
const clock = (hour) => `${String(hour).padStart(2, '0')}:00`;
const date = (day) => new Date(`${day}T00:00:00Z`).toLocaleString(
    'en-US', {weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC'});
const most = (rows, key) => rows.reduce((a, b) => (b[key] > a[key] ? b : a));
const least = (rows, key) => rows.reduce((a, b) => (b[key] < a[key] ? b : a));
const total = (rows, key) => rows.reduce((sum, row) => sum + row[key], 0);
/// Joins the lines of each paragraph and list item: the figures in them make their ends ragged.
const unwrapped = (markdown) => markdown.replace(/(?<=[^\n|])\n *(?=[^\n|#\- ])/g, ' ');
const place = (airport) => `**${airport.airport}** ${airport.name}, ${airport.city}`;

const directory = resolve(payload.report_dir ?? 'report');
mkdirSync(directory, {recursive: true});

const plotted = hours.filter((row) => row.flights >= MIN_FLIGHTS_TO_PLOT);
const subtitle = `${number(summary.flights)} US flights, January to June 2001. `
    + 'Source: US Bureau of Transportation Statistics';
const files = {
  'delay-by-hour.svg': delayFan(plotted, subtitle),
  'late-by-day.svg': lateCalendar(days, subtitle),
  'report.md': unwrapped(report()),
};
for (const [name, content] of Object.entries(files)) {
  writeFileSync(join(directory, name), content);
  console.error(`wrote ${join(directory, name)} (${number(Buffer.byteLength(content))} bytes)`);
}
console.log(JSON.stringify({
  report: join(directory, 'report.md'),
  plots: ['delay-by-hour.svg', 'late-by-day.svg'].map((name) => join(directory, name)),
}));

function report() {
  const run = process.env.WEIR_RUN_ID;
  return `# Where three million flights lost their time

US domestic flights, January to June 2001: ${number(summary.flights)} flights from
${summary.airports} airports on ${number(summary.routes)} routes. A flight is *late* when it arrives
15 minutes or more behind schedule. Delays are arrival delays; hours are local time and those of the
real departure.

${summaryText()}

## Leave early

![Arrival delay by hour of departure](delay-by-hour.svg)

${hourText()}

## Avoid Fridays

![Share of late flights by day](late-by-day.svg)

${dayText()}

## Which airport to leave from

Late flights alone would blame an airport for its timetable, because evening flights are late more
often everywhere. *Expected* is what the whole country's rates would give for the same hours of
departure, and *gap* is the difference in percentage points. The ${airports.length} airports with at
least 10,000 departures are ranked by it.

${airportTable([...airports.slice(0, 10), null, ...airports.slice(-5)])}

${moverText()}

## Distance hardly matters

${distanceText()}

${distanceTable()}

*Far outside* is beyond the third quartile by more than three times the distance between the
quartiles.

## What was left out

${qualityText()}
${run ? `\nRecorded as run \`${run}\`.\n` : ''}`;
}

function summaryText() {
  const {flights, median_minutes: median} = summary;
  const amount = `${Math.abs(median)} minute${Math.abs(median) === 1 ? '' : 's'}`;
  const arrived = median === 0 ? 'on the minute' : `${amount} ${median < 0 ? 'early' : 'late'}`;
  return `- **${percent(summary.late_flights / flights)} arrived late**, and
  ${percent(summary.punctual_flights / flights)} came on time or early. The median flight arrived
  ${arrived}.
- **Few flights, much of the loss.** The ${percent(summary.outlier_flights / flights)} of flights
  far outside what is usual for their distance make up
  **${percent(summary.outlier_minutes / summary.minutes_lost)}** of all the minutes by which flights
  were late. The longest delay was ${(summary.longest_minutes / 60).toFixed(1)} hours, from
  ${summary.longest_origin} to ${summary.longest_destination} on ${date(summary.longest_day)}.`;
}

function hourText() {
  const [first, last] = [plotted[0], plotted.at(-1)];
  const busy = plotted.filter((row) => row.flights >= 100_000);
  const [best, worst] = [least(busy, 'late_share'), most(busy, 'late_share')];
  const night = hours.filter((row) => row.flights < MIN_FLIGHTS_TO_PLOT);
  return `Of the flights that leave between ${clock(best.hour)} and ${clock(best.hour + 1)},
${percent(best.late_share)} are late; between ${clock(worst.hour)} and ${clock(worst.hour + 1)},
with ${percent(worst.late_share)}, it is ${(worst.late_share / best.late_share).toFixed(1)} times
the share. The typical flight hardly notices: from ${clock(first.hour)} to ${clock(last.hour)} the
median goes from ${minutes(first.p50)} to ${minutes(last.p50)} minutes. What grows is the risk: the
worst tenth begins at ${minutes(first.p90)} minutes in the morning and at ${minutes(last.p90)} at
night.

Part of that is the delay itself, which makes an evening flight leave at a later hour than planned.
The first two figures are of hours with at least 100,000 flights; the hours that the plot leaves out
have ${percent(total(night, 'flights') / summary.flights)} of all flights.`;
}

function dayText() {
  const names = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
  const weekdays = names.map((name, index) => {
    const rows = days.filter((day) => day.weekday === index + 1);
    return {name, late_share: total(rows, 'late_flights') / total(rows, 'flights')};
  });
  const [bad, good] = [most(weekdays, 'late_share'), least(weekdays, 'late_share')];
  const [worst, best] = [most(days, 'late_share'), least(days, 'late_share')];
  return `${bad.name}s are the worst with ${percent(bad.late_share)} late flights, ${good.name}s the
best with ${percent(good.late_share)}. The worst day was ${date(worst.day)}
(${percent(worst.late_share)} of ${number(worst.flights)} flights late), the best ${date(best.day)}
(${percent(best.late_share)}). ${togetherText()}`;
}

/// How often a day of the worst tenth follows another one, against how often one would by chance.
function togetherText() {
  const shares = days.map((day) => day.late_share).sort((a, b) => b - a);
  const limit = shares[Math.floor(days.length / 10)];
  const bad = days.map((day) => day.late_share > limit);
  const all = bad.filter(Boolean).length;
  const followed = bad.filter((is_bad, index) => is_bad && bad[index - 1]).length;
  return `A bad day tends to follow a bad day: of the ${all} worst
days, ${followed} came right after another of them, where chance would make it
about ${(all * all / days.length).toFixed(0)}.`;
}

function airportTable(rows) {
  const line = (row) => (row === null ? '| … | | | | | | |' : `| ${[
    row.rank, place(row), number(row.flights), percent(row.late_share), percent(row.expected_share),
    points(row.excess_share), percent(row.outlier_share),
  ].join(' | ')} |`);
  return ['| | airport | departures | late | expected | gap | far outside |',
          '|--:|:--|--:|--:|--:|--:|--:|', ...rows.map(line)].join('\n');
}

function moverText() {
  const moved = airports.map((row) => ({...row, moved: row.rank - row.rank_by_late_share}));
  const [excused, exposed] = [most(moved, 'moved'), least(moved, 'moved')];
  const places = (row) =>
    `place ${row.rank_by_late_share} by late flights, but ${row.rank} by the gap`;
  return `The timetable excuses most at ${place(excused)}: ${places(excused)}.
It hides most at ${place(exposed)}: ${places(exposed)}.
An airport is where a flight began, which need not be where its delay did.`;
}

function distanceText() {
  const [low, high] = [least(distances, 'late_share'), most(distances, 'late_share')];
  const [shortest, longest] = [distances[0], distances.at(-1)];
  return `Between the bands the share of late flights only goes from ${percent(low.late_share)} to
${percent(high.late_share)}. But long flights make up more time: the earliest tenth of the shortest
ones arrives ${-shortest.p10} minutes or more before time, of the longest ones ${-longest.p10}.`;
}

function distanceTable() {
  const band = ({from_miles: from, to_miles: to}) => {
    if (to === null) return `${number(from)} and more`;
    return from === 0 ? `under ${number(to)}` : `${number(from)} to ${number(to - 1)}`;
  };
  const line = (row) => `| ${[
    band(row), number(row.flights), percent(row.late_share), minutes(row.p10), minutes(row.p50),
    minutes(row.p90), `over ${row.fence_minutes}`,
  ].join(' | ')} |`;
  return ['| miles | flights | late | earliest tenth (min) | median | latest tenth | far outside |',
          '|--:|--:|--:|--:|--:|--:|--:|', ...distances.map(line)].join('\n');
}

function qualityText() {
  const found = payload.quality;
  return `${found.left_out} of ${number(found.row_count)} rows: ${found.midnight_slip} flights that
left just before midnight, were due just after it, and are filed a whole day late;
${found.outside_window} that left after the end of June; ${found.impossibly_early} that claim to
have arrived more than two hours early. The ${found.repeated} rows that look exactly like another
one stay in, because without a flight number two flights may look the same. Cancelled and diverted
flights are not in the file, so a day of cancellations looks better here than it was.`;
}
