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

# The first node leads where no Sentinel speaks and nobody leads: either everything is starting, or only
# Redis is up.
choose_master() {
  find_master
  master=${found:-$FIRST_NODE}
}

# Where this node is to lead, it may have just lost its memory. If it answered now, its replicas would copy
# the emptiness. It stays silent until another one has been promoted, however often that fails first. Who
# doesn't answer may hold something; when everything is starting, the others answer and hold nothing.
choose_master
begun=$(date +%s) last=$(date +%s) told=$(date +%s)
while [ "$master" = "$SELF" ]; do
  now=$(date +%s)
  if others_say keys=; then
    last=$now
  elif [ "$((now - last))" -ge "$FAILOVER_WAIT_SECONDS" ]; then
    [ "$now" = "$begun" ] || echo "nobody else could be promoted in $((now - begun)) s: leading, empty"
    break
  elif [ -z "$named" ] && others_say Keyspace; then
    break
  fi
  if [ "$((now - told))" -ge 60 ]; then
    told=$now
    echo "silent for $((now - begun)) s, until another node leads: what this one has lost, another may still hold"
  fi
  sleep 1
  choose_master
done

{
  echo "replica-announce-ip $SELF"
  echo "replica-announce-port 6379"
  echo "masteruser replication"
  echo "masterauth $(secret replication-password)"
  if [ "$master" != "$SELF" ]; then echo "replicaof $master 6379"; fi
} >> "$conf"
echo "master: $master"
exec redis-server "$conf"
