#!/bin/sh
# Answers calls one after the other, and counts them: it stays between them.
calls=0
while read -r line; do
  case $line in *'"method":"call"'*) ;; *) continue ;; esac # a cancellation: we are done at once
  calls=$((calls + 1))
  id=$(printf '%s' "$line" | sed 's/.*"id":\([0-9]*\),"params".*/\1/')
  echo '{"jsonrpc":"2.0","method":"log","params":{"level":"info","message":"one more"}}'
  printf '{"jsonrpc":"2.0","id":%s,"result":{"output":{"greeting":"hello","calls":%d}}}\n' \
    "$id" "$calls"
done
