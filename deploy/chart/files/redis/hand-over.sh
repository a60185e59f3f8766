#!/bin/sh
# Before the pod goes: let another node lead, so that nobody has to wait until Sentinel notices.
set -eu
. "$SCRIPTS_DIR/nodes.sh"

leads() { ask "$SELF" 6379 role | head -n 1 | grep -q '^master'; }

leads || exit 0
ask "$SELF" 26379 sentinel failover waxseal
waited=0
while leads && [ "$waited" -lt 15 ]; do
  sleep 1
  waited=$((waited + 1))
done
