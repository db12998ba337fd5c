#!/usr/bin/env bash
# Runs the flights pipeline and then one that is built to fail, and asks Weir about both.
#
#   WEIR         the program       default: build/release/weir of this project
#   WEIR_STORE   where it records  default: build/demo/.weir of this project
#
# Exit 0 when both runs went as intended, the failing one included; 1 when one did not.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
# A path from the environment counts from where the caller stands, so it is made absolute before cd.
weir=$(realpath -m "${WEIR:-$project/build/release/weir}")
WEIR_STORE=$(realpath -m "${WEIR_STORE:-$project/build/demo/.weir}")
export WEIR_STORE
report_dir=$project/build/demo/report
data=examples/flights/node_modules/vega-datasets/data/flights-3m.parquet
cd "$project"

fail() {
  printf 'demo: %s\n' "$*" >&2
  exit 1
}

heading() {
  printf '\n== %s\n' "$*"
}

# Prints the command as one would type it, then runs it. No argument here has both kinds of quotes.
weir() {
  local shown='$ weir' argument
  for argument in "$@"; do
    case $argument in
      *\'*) shown+=" \"$argument\"" ;;
      *[!A-Za-z0-9_./=-]*) shown+=" '$argument'" ;;
      *) shown+=" $argument" ;;
    esac
  done
  printf '%s\n' "$shown"
  "$weir" "$@"
}

# One value, asked quietly: the first column of the last row.
value() {
  "$weir" sql --format csv "$1" | tail -n 1 | tr -d '"\r'
}

[[ -x $weir ]] || fail "there is no program at $weir; ./dev build makes it, or set WEIR"
[[ -f $data ]] || fail "$data is missing; run npm ci --ignore-scripts in examples/flights"
mkdir -p "$(dirname "$WEIR_STORE")"

heading "Three million flights: SQL and scripts, from one file to a report"
printf '$ export WEIR_STORE=%s\n' "$(realpath -m --relative-to="$project" "$WEIR_STORE")"
weir run examples/flights/pipeline.yaml --input "{\"report_dir\": \"$report_dir\"}"

heading "What ran, in which order, for how long"
weir show last

heading "Questions to everything recorded so far: which nodes take long?"
weir sql --cookbook slowest-nodes

heading "Which chain of nodes decided how long the run took?"
weir sql --cookbook critical-path

heading "How much of it ran at the same time?"
weir sql --cookbook parallelism

[[ -s $report_dir/report.md ]] || fail "the run left no report in $report_dir"
heading "The report"
printf '%s\n' "$report_dir"/report.md "$report_dir"/*.svg

heading "A second pipeline, built to fail in the middle"
status=0
# Four at a time, so that audit runs beside convert on a machine with one core too.
weir run examples/failing/pipeline.yaml --jobs 4 || status=$?
[[ $status -eq 1 ]] || fail "expected exit code 1 from the failing pipeline, got $status"
printf 'exit code %s\n' "$status"

heading "Where did it stop, and what never ran?"
weir show last

heading "Why? What the failed node said"
run=$(value "SELECT run_id FROM logs
  WHERE event_type = 'pipeline_started' AND pipeline_id = 'takings-in-euros'
  ORDER BY timestamp DESC LIMIT 1")
weir sql "SELECT level, message FROM logs
  WHERE run_id = '$run' AND node_id = 'convert' AND message IS NOT NULL
  ORDER BY run_seq"

states=$(value "SELECT
    any_value(failed_node_id) FILTER (WHERE event_type = 'pipeline_failed')
    || ' ' || count(*) FILTER (WHERE event_type = 'pipeline_node_cancelled' AND node_id = 'audit')
    || ' ' || count(*) FILTER (WHERE event_type = 'pipeline_node_started'
                                 AND node_id IN ('totals', 'publish'))
  FROM logs WHERE run_id = '$run'")
[[ $states == 'convert 1 0' ]] ||
  fail "expected convert failed, audit cancelled once, nothing after it started; got: $states"

heading "So: a currency without a rate. Both runs went as intended."
