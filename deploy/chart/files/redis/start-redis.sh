#!/bin/sh
# Starts Redis from what the chart mounted. Passwords come from files and go into files in memory: never into
# arguments, which every process list shows.
set -eu
umask 077
# A core dump would write secrets to the node's disk.
ulimit -c 0

secret() { cat "$SECRETS_DIR/$1"; }
hash_of() { secret "$1" | tr -d '\n' | sha256sum | cut -d ' ' -f 1; }

conf=$RUN_DIR/redis.conf
acl=$RUN_DIR/users.acl
cp "$CONFIG_DIR/redis.conf" "$conf"
{
  echo "user default off"
  echo "user waxseal on #$(hash_of redis-password) $(cat "$CONFIG_DIR/app.acl")"
} > "$acl"
echo "aclfile $acl" >> "$conf"

if [ -z "${REDIS_NODES:-}" ]; then
  exec redis-server "$conf"
fi

# From here on: one of several nodes under Sentinel.
. "$SCRIPTS_DIR/nodes.sh"
{
  # What redis.io/docs lists for replication and for Sentinel, and nothing else.
  echo "user replication on #$(hash_of replication-password) -@all +psync +replconf +ping"
  echo "user sentinel on #$(hash_of sentinel-password) resetchannels &__sentinel__:hello -@all +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish +info +client|setname +client|kill +script|kill"
} >> "$acl"

master=$(master_by_sentinels)
if [ -z "$master" ]; then
  # No Sentinel speaks: either everything is starting, or only Redis is up. The first node leads unless
  # another does already.
  master=$(master_by_roles)
  [ -n "$master" ] || master=$FIRST_NODE
elif [ "$master" = "$SELF" ]; then
  # This node is to lead, but it has just lost its memory. If it answered now, its replicas would copy
  # the emptiness. It stays silent until another one has been promoted, however often that fails first.
  waited=0
  while [ "$master" = "$SELF" ] && { [ "$waited" -lt "$FAILOVER_WAIT_SECONDS" ] || others_hold_secrets; }; do
    sleep 1
    waited=$((waited + 1))
    [ "$((waited % 60))" -ne 0 ] || echo "waiting until the Sentinels promote another node, which still holds secrets"
    found=$(master_by_sentinels)
    [ -z "$found" ] || master=$found
  done
  [ "$master" != "$SELF" ] || echo "nobody else could be promoted in ${waited} s: leading, empty"
fi

{
  echo "replica-announce-ip $SELF"
  echo "replica-announce-port 6379"
  echo "masteruser replication"
  echo "masterauth $(secret replication-password)"
  if [ "$master" != "$SELF" ]; then echo "replicaof $master 6379"; fi
} >> "$conf"
echo "master: $master"
exec redis-server "$conf"
