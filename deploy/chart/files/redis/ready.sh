#!/bin/sh
# Ready is: answers and, for a replica, has caught up. A rolling update waits for it before it takes the next
# node away, and with it the last copy.
set -eu
info() {
  REDISCLI_AUTH=$(cat "$SECRETS_DIR/redis-password") \
    redis-cli -h 127.0.0.1 -p 6379 --user waxseal --no-auth-warning info replication | tr -d '\r'
}
replication=$(info)
case $replication in
  *role:master*) ;;
  *master_link_status:up*) ;;
  *) exit 1 ;;
esac
