#!/bin/sh
# Counts the words of the whole payload: {"text": "a b"} gives {"words": 2}.
words=$(tr -c 'A-Za-z0-9' ' ' | wc -w)
echo "counted for $WEIR_TOOL_ID" >&2
printf '{"words": %d}\n' "$((words - 1))" # without the key
