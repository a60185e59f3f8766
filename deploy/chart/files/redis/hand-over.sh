#!/bin/sh
# Before the pod goes: let another node lead, so that nobody has to wait until Sentinel notices.
set -eu
. "$SCRIPTS_DIR/nodes.sh"

# Silence says nothing: a node that is too busy to answer leads all the same, until the Sentinels name another.
leads() {
  case $(ask "$SELF" 6379 role | head -n 1) in
    master*) return 0 ;;
    slave*) return 1 ;;
  esac
  named=$(master_by_sentinels)
  [ -z "$named" ] || [ "$named" = "$SELF" ]
}

# Asks the first Sentinel that takes this node for the master: its own goes with the pod, and another's word
# would be for whoever leads by now.
fail_over() {
  for node in "$SELF" $REDIS_NODES; do
    [ "$(ask "$node" 26379 sentinel get-master-addr-by-name waxseal | head -n 1)" = "$SELF" ] || continue
    ask "$node" 26379 sentinel failover waxseal
    return
  done
}

# Again and again: for some fifteen seconds after another switch, Sentinel knows of no replica that it
# could promote. The pod has a minute to end in, and one round may take twenty seconds where nobody answers.
deadline=$(($(date +%s) + 40))
while leads && [ "$(date +%s)" -lt "$deadline" ]; do
  fail_over
  sleep 1
done
