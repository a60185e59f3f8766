#!/bin/sh
# Before the pod goes: let another node lead, so that nobody has to wait until Sentinel notices.
set -eu
. "$SCRIPTS_DIR/nodes.sh"

leads() { ask "$SELF" 6379 role | head -n 1 | grep -q '^master'; }

# Again and again: for some fifteen seconds after another switch, Sentinel knows of no replica that it
# could promote. The pod has a minute to end in.
waited=0
while leads && [ "$waited" -lt 45 ]; do
  ask "$SELF" 26379 sentinel failover waxseal
  sleep 1
  waited=$((waited + 1))
done
