# Sourced by the other scripts: who is who among the Redis nodes.
# REDIS_NODES is the list of their names, one of which ends this pod's own.

SELF=
FIRST_NODE=
for node in $REDIS_NODES; do
  [ -n "$FIRST_NODE" ] || FIRST_NODE=$node
  case $node in "$POD_NAME" | "$POD_NAME".*) SELF=$node ;; esac
done
[ -n "$SELF" ] || { echo "POD_NAME $POD_NAME is none of: $REDIS_NODES" >&2; exit 1; }

# redis-cli reads the password from its environment; as an argument it would be in the process list.
ask() { # node port command…
  ask_host=$1 ask_port=$2
  shift 2
  REDISCLI_AUTH=$(cat "$SECRETS_DIR/sentinel-password") \
    timeout 2 redis-cli -h "$ask_host" -p "$ask_port" --user sentinel --no-auth-warning "$@" 2>/dev/null || true
}

is_node() {
  for known in $REDIS_NODES; do
    [ "$1" != "$known" ] || return 0
  done
  return 1
}

# The master that most Sentinels name; nothing where none answers. Errors are answers too, hence is_node.
master_by_sentinels() {
  for node in $REDIS_NODES; do
    named=$(ask "$node" 26379 sentinel get-master-addr-by-name waxseal | head -n 1)
    if is_node "$named"; then echo "$named"; fi
  done | sort | uniq -c | sort -rn | head -n 1 | awk '{ print $2 }'
}

# The node that says itself that it leads: the one with the most replicas where several do.
master_by_roles() {
  for node in $REDIS_NODES; do
    info=$(ask "$node" 6379 info replication | tr -d '\r')
    case $info in
      *role:master*) echo "$(echo "$info" | sed -n 's/^connected_slaves://p') $node" ;;
    esac
  done | sort -rn | head -n 1 | cut -d ' ' -f 2
}

# Sets `named`, the master by the Sentinels, and `found`, the master by them or else by the nodes; empty where
# there is none.
find_master() {
  named=$(master_by_sentinels)
  found=${named:-$(master_by_roles)}
}

# Whether another node's answer about its keys has this in it: `keys=` where it still holds what this one has
# lost, `Keyspace` in any case.
others_say() {
  for node in $REDIS_NODES; do
    [ "$node" != "$SELF" ] || continue
    case $(ask "$node" 6379 info keyspace) in *"$1"*) return 0 ;; esac
  done
  return 1
}

# Waiting must not outlast a stop: the first process of a container ignores a signal that it does not name.
trap 'exit 143' TERM
