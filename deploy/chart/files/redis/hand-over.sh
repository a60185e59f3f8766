#!/bin/sh
# Before the pod goes: let another node lead, so that nobody has to wait until Sentinel notices.
set -eu
. "$SCRIPTS_DIR/nodes.sh"

leads() { ask "$SELF" 6379 role | head -n 1 | grep -q '^master'; }

# Again and again: right after another switch, Sentinel knows of no replica yet that it could promote.
waited=0
while leads && [ "$waited" -lt 15 ]; do
  ask "$SELF" 26379 sentinel failover waxseal
  sleep 1
  waited=$((waited + 1))
done
