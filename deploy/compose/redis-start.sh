#!/bin/sh
# Starts Redis the way Waxseal wants it: in memory only, behind an ACL, leaving nothing behind.
# compose.yaml and its overlays mount this file; it needs nothing but a shell and Redis itself.
#
#   REDIS_ROLE        whose address to write for the app: redis (default) or keyring
#   REDIS_MAXMEMORY   what Redis may use for data, stated in compose.yaml
#   REDIS_KEY_PREFIX  what Waxseal puts before every key: its user may touch no other (default: nothing)
#   REDIS_DURABLE     yes: keep an append-only file in /data (durable.yaml)
#   SENTINEL_NODES    every node's name, the first being the first master (sentinel.yaml)
#   SENTINELS         every Sentinel's name (sentinel.yaml)
#   ANNOUNCE          this node's own name (sentinel.yaml)
#
# The password is made here at the first start, or read from /run/secrets/redis_password. It travels
# in a file on a tmpfs that Redis and the app share: never in an argument, never in an environment,
# never on a disk. It lasts as long as one of the two runs, and so does everything it protects.
set -eu
umask 0077

# What Waxseal uses, from src/store/redis-commands.ts by `npm run readme` (CLIENT SETINFO is left out:
# Redis before 7.2 refuses a list that names it, and clients do without).
commands='+hello +client|setname +select +quit +info +ping +time +wait +set +get +getrange +setrange
+incr +decr +pttl +exists +getex +getdel +hset +pexpire +hmget +hgetall +hdel +zadd
+zincrby +zcard +zrangebyscore +zrem +xgroup|create +xadd +xreadgroup +xautoclaim +xack
+xdel +xlen +del +unlink +publish +subscribe +script|load +eval +evalsha'

role="${REDIS_ROLE:-redis}"
shared=/run/waxseal
own=/tmp

if [ -s /run/secrets/redis_password ]; then
  password="$(cat /run/secrets/redis_password)"
else
  if [ ! -s "$shared/$role.password" ]; then
    # Several nodes may start at once: whoever links the name first has chosen for all of them.
    head -c 32 /dev/urandom | sha256sum | cut -c 1-64 > "$shared/.$role.$$"
    ln "$shared/.$role.$$" "$shared/$role.password" 2> /dev/null || true
    rm -f "$shared/.$role.$$"
  fi
  password="$(cat "$shared/$role.password")"
fi
case "$password" in
  '' | *[!A-Za-z0-9_-]*)
    echo "The Redis password may hold only letters, digits, - and _, because it becomes part of an address." >&2
    exit 1
    ;;
esac

# It becomes part of the ACL, as src/config/kinds.ts allows it.
prefix="${REDIS_KEY_PREFIX:-}"
case "$prefix" in
  *[!A-Za-z0-9:._/-]*)
    echo "REDIS_KEY_PREFIX may hold only letters, digits and : . _ / -, such as waxseal:." >&2
    exit 1
    ;;
esac

# One line to find out who is master, from any Sentinel that answers.
master_by_sentinel() {
  for sentinel in ${SENTINELS:-}; do
    [ "$sentinel" = "${ANNOUNCE:-}" ] && continue
    answer="$(printf 'SENTINEL GET-MASTER-ADDR-BY-NAME waxseal\n' | timeout 2 redis-cli -h "$sentinel" -p 26379 2> /dev/null | head -n 1)" || continue
    case " $SENTINEL_NODES " in *" $answer "*) echo "$answer"; return 0 ;; esac
  done
  return 1
}

# Whether a Sentinel has seen replicas of the master: not so where everything starts for the first time.
replicas_are_known() {
  for sentinel in ${SENTINELS:-}; do
    answer="$(printf 'SENTINEL REPLICAS waxseal\n' | timeout 2 redis-cli -h "$sentinel" -p 26379 2> /dev/null)" || continue
    case "$answer" in *runid*) return 0 ;; esac
  done
  return 1
}

# What a node answers to the Sentinels' user.
ask() {
  printf 'AUTH sentinel %s\n%s\n' "$password" "$2" | timeout 2 redis-cli -h "$1" 2> /dev/null | tr -d '\r'
}

# Or from the nodes themselves, where no Sentinel remembers.
master_by_role() {
  for node in $SENTINEL_NODES; do
    [ "$node" = "${ANNOUNCE:-}" ] && continue
    case "$(ask "$node" 'INFO replication')" in *role:master*) echo "$node"; return 0 ;; esac
  done
  return 1
}

choose_master() {
  master_by_sentinel || master_by_role || echo "${SENTINEL_NODES%% *}"
}

# Whether another node still holds what this one has lost.
others_hold_secrets() {
  for node in $SENTINEL_NODES; do
    [ "$node" = "$ANNOUNCE" ] && continue
    case "$(ask "$node" 'INFO keyspace')" in *keys=*) return 0 ;; esac
  done
  return 1
}

# By hand, where every Sentinel has forgotten whom it could promote: docker compose exec redis-2 sh
# /redis-start.sh promote, and then a restart of the Sentinels.
if [ "${1:-server}" = promote ]; then
  ask "$ANNOUNCE" 'REPLICAOF NO ONE'
  exit
fi

# Waiting must not outlast a stop.
trap 'exit 143' TERM

if [ "${1:-server}" = sentinel ]; then
  # A Sentinel can promote only what the master has named to it, and asks every ten seconds: it begins when
  # all follow, or after half a minute without one of them. Where the others watch a master that is silent,
  # it is needed at once.
  set -- $SENTINEL_NODES
  deadline=$(($(date +%s) + 30))
  while
    master="$(choose_master)"
    [ "$(date +%s)" -lt "$deadline" ]
  do
    case "$(ask "$master" 'INFO replication')" in
      *"connected_slaves:$(($# - 1))"*) break ;;
      *role:master*) ;;
      *) master_by_sentinel > /dev/null && break ;;
    esac
    sleep 1
  done
  until getent hosts "$master" > /dev/null; do sleep 1; done
  cat > "$own/sentinel.conf" << CONF
port 26379
protected-mode no
dir $own
logfile ""
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $ANNOUNCE
sentinel monitor waxseal $master 6379 2
sentinel auth-user waxseal sentinel
sentinel auth-pass waxseal $password
sentinel down-after-milliseconds waxseal 3000
sentinel failover-timeout waxseal 15000
sentinel parallel-syncs waxseal 1
acllog-max-len 0
aclfile $own/users.acl
CONF
  # Asking is free, changing is not: no FAILOVER, SET, REMOVE, RESET or CONFIG from the network.
  cat > "$own/users.acl" << 'ACL'
user default on nopass resetkeys allchannels -@all +ping +hello +info +role +client|setname +publish +subscribe +unsubscribe +psubscribe +punsubscribe +sentinel|get-master-addr-by-name +sentinel|is-master-down-by-addr +sentinel|sentinels +sentinel|replicas +sentinel|slaves +sentinel|masters +sentinel|master +sentinel|myid +sentinel|ckquorum
ACL
  unset password
  exec redis-server "$own/sentinel.conf" --sentinel
fi

# The app reads one address per Redis. Written anew and renamed, so that it is never half there.
if [ -n "${SENTINELS:-}" ]; then
  list="$(for sentinel in $SENTINELS; do printf ',%s:26379' "$sentinel"; done)"
  address="redis+sentinel://waxseal:$password@${list#,}/waxseal"
else
  address="redis://waxseal:$password@$role:6379/0"
fi
printf '%s\n' "$address" > "$shared/.$role.url.$$"
chmod 0440 "$shared/.$role.url.$$"
mv -f "$shared/.$role.url.$$" "$shared/$role.url"

# Redis keeps the digest only. Each user may do what it does, and nothing else: no MONITOR, no CONFIG,
# no DEBUG, no KEYS or SCAN. The health check has a user that may PING. The default user may do all
# and be nobody: it is off, but Redis replays its append-only file in that name, and what it may not do
# would be missing after a restart.
digest="$(printf %s "$password" | sha256sum | cut -c 1-64)"
cat > "$own/users.acl" << ACL
user default off resetpass ~* &* +@all
user health on nopass resetkeys resetchannels -@all +ping
user waxseal on #$digest ~${prefix}ws:* resetchannels &${prefix}ws:changed -@all $(echo $commands)
ACL
if [ -n "${SENTINELS:-}" ]; then
  cat >> "$own/users.acl" << ACL
user replica on #$digest resetkeys resetchannels -@all +psync +replconf +ping
user sentinel on #$digest resetkeys &__sentinel__:hello -@all +multi +exec +slaveof +replicaof +ping +info +role +publish +subscribe +config|rewrite +client|setname +client|kill +script|kill
ACL
fi

cat > "$own/redis.conf" << CONF
port 6379
# The ACL decides who may do what; the network is internal.
protected-mode no
aclfile $own/users.acl
logfile ""
loglevel warning
maxmemory ${REDIS_MAXMEMORY:-384mb}
# Never drop a secret to make room for another: say "full" instead.
maxmemory-policy noeviction
# Nothing that repeats what passed through: no slow log, no ACL log, no arguments in a crash report.
slowlog-log-slower-than -1
slowlog-max-len 0
acllog-max-len 0
crash-log-enabled no
crash-memcheck-enabled no
CONF

if [ "${REDIS_DURABLE:-no}" = yes ]; then
  cat >> "$own/redis.conf" << 'CONF'
dir /data
save ""
appendonly yes
appendfsync everysec
CONF
else
  cat >> "$own/redis.conf" << CONF
dir $own
save ""
appendonly no
CONF
fi

if [ -n "${SENTINELS:-}" ]; then
  # A master that comes back empty must not be copied over the replicas that still hold everything: where
  # the Sentinels still think that this node is master, wait until they have chosen another. They may need
  # several attempts, with half a minute between them. One look without an answer proves nothing.
  master="$(choose_master)"
  begun="$(date +%s)" last="$begun" told="$begun" held=no
  while [ "$master" = "$ANNOUNCE" ]; do
    now="$(date +%s)"
    if [ "${REDIS_DURABLE:-no}" != yes ] && others_hold_secrets; then
      held=yes last="$now"
    elif [ "$((now - last))" -ge 40 ] || { [ "$held" = no ] && ! replicas_are_known; }; then
      break
    fi
    if [ "$((now - told))" -ge 60 ]; then
      told="$now"
      echo "Silent for $((now - begun)) s, until another node is master: what this one has lost, another may still hold. To give that up, restart all nodes. Should no Sentinel remember the others, see promote in $0."
    fi
    sleep 1
    master="$(choose_master)"
  done
  cat >> "$own/redis.conf" << CONF
replica-announce-ip $ANNOUNCE
masteruser replica
masterauth $password
# Straight from socket to socket: a copy of the data never touches a file system.
repl-diskless-sync yes
repl-diskless-sync-delay 0
repl-diskless-load swapdb
CONF
  [ "$master" = "$ANNOUNCE" ] || echo "replicaof $master 6379" >> "$own/redis.conf"
fi

unset password address
exec redis-server "$own/redis.conf"
