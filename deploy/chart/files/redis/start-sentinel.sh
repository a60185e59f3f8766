#!/bin/sh
# Starts the Sentinel beside this pod's Redis.
set -eu
umask 077
ulimit -c 0

. "$SCRIPTS_DIR/nodes.sh"
secret() { cat "$SECRETS_DIR/$1"; }
hash_of() { secret "$1" | tr -d '\n' | sha256sum | cut -d ' ' -f 1; }

conf=$RUN_DIR/sentinel.conf
# After a mere restart of the container Sentinel goes on with what it had learnt.
if [ ! -s "$conf" ]; then
  # Silent until some Redis leads: a Sentinel that names a master too early makes start-redis.sh believe that
  # this master has just lost its memory.
  until find_master && [ -n "$found" ]; do sleep 1; done
  master=$found
  # It can promote only what the master has named to it, and asks every ten seconds: it begins when all
  # follow, or after half a minute without one of them. Where the others watch a master that is silent, it is
  # needed at once.
  set -- $REDIS_NODES
  deadline=$(($(date +%s) + 30))
  while [ "$(date +%s)" -lt "$deadline" ]; do
    find_master
    master=${found:-$master}
    case $(ask "$master" 6379 info replication) in
      *"connected_slaves:$(($# - 1))"*) break ;;
      *role:master*) ;;
      *) [ -z "$named" ] || break ;;
    esac
    sleep 1
  done
  cat > "$conf.new" <<CONF
bind * -::*
port 26379
protected-mode no
dir $RUN_DIR
acllog-max-len 0
user default off
user sentinel on #$(hash_of sentinel-password) allchannels +@all
user waxseal on #$(hash_of redis-password) resetchannels &* -@all +auth +hello +ping +subscribe +unsubscribe +psubscribe +client|setname +info +role +sentinel|get-master-addr-by-name +sentinel|sentinels +sentinel|replicas +sentinel|slaves +sentinel|master +sentinel|masters
sentinel sentinel-user sentinel
sentinel sentinel-pass $(secret sentinel-password)
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $SELF
sentinel announce-port 26379
sentinel myid $(printf %s "$SELF" | sha1sum | cut -d ' ' -f 1)
sentinel deny-scripts-reconfig yes
sentinel monitor waxseal $master 6379 $QUORUM
sentinel auth-user waxseal sentinel
sentinel auth-pass waxseal $(secret sentinel-password)
sentinel down-after-milliseconds waxseal $DOWN_AFTER_MILLISECONDS
sentinel failover-timeout waxseal $FAILOVER_TIMEOUT_MILLISECONDS
sentinel parallel-syncs waxseal 1
CONF
  mv "$conf.new" "$conf"
  echo "watching: $master"
fi
exec redis-server "$conf" --sentinel
