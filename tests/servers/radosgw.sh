#!/usr/bin/env bash
# An S3 server for the tests: a Ceph object gateway (radosgw) with one monitor and one store in memory, in a folder of
# its own, on 127.0.0.1.
#
#   radosgw.sh start DIR   starts it and prints its address and keys: http://127.0.0.1:PORT ACCESS_KEY SECRET_KEY;
#                          an empty bucket `knik-test` is there
#   radosgw.sh stop DIR    stops it by its process ids
#
# DIR must be an empty folder that this script may own. It needs the Debian packages radosgw, ceph-mon, ceph-osd,
# ceph-common, curl and openssl. What is in it is gone when it stops; nothing but test data belongs in it.
set -euo pipefail

fail() { printf 'radosgw.sh: %s\n' "$1" >&2; exit 1; }

free_ports() {
    local port found=0 given=' '
    while [[ $found -lt $1 ]]; do
        port=$((20000 + RANDOM % 12000))
        if [[ $given != *" $port "* ]] && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            printf '%s\n' "$port"
            given+="$port "
            found=$((found + 1))
        fi
    done
}

settings() {
    local dir=$1 monitor_v2=$2 monitor_v1=$3 gateway=$4
    cat <<END
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = [v2:127.0.0.1:$monitor_v2,v1:127.0.0.1:$monitor_v1]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = $dir/keyring
run dir = $dir/run
log file = $dir/\$name.log
admin socket = $dir/run/\$name.asok
pid file = $dir/run/\$name.pid
mon data = $dir/mon
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 1073741824
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 2000
mon warn on pool no redundancy = false
osd crush chooseleaf type = 0
rgw enable usage log = false
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$gateway
END
}

# run NAME COMMAND...: a daemon in the background, its process id remembered.
run() {
    local dir=$1 name=$2
    shift 2
    "$@" >>"$dir/start.log" 2>&1 </dev/null &
    printf '%s\n' "$!" >"$dir/$name.own-pid"
}

# make_bucket ADDRESS NAME, with a signature of version 2: the curl of Debian 12 signs version 4 in a way Ceph refuses.
make_bucket() {
    local now signature
    now=$(LC_ALL=C date -u +'%a, %d %b %Y %H:%M:%S GMT')
    signature=$(printf 'PUT\n\n\n%s\n/%s' "$now" "$2" | openssl dgst -sha1 -hmac knik-test-secret -binary | base64)
    curl --silent --fail --output /dev/null --max-time 20 -X PUT -H "Date: $now" \
        -H "Authorization: AWS knik-test:$signature" "$1/$2"
}

start() {
    local dir=$1 ports key
    for tool in curl openssl radosgw radosgw-admin ceph ceph-mon ceph-osd ceph-authtool monmaptool; do
        command -v "$tool" >/dev/null || fail "$tool is missing; install radosgw, ceph-mon, ceph-osd and ceph-common"
    done
    mkdir -p "$dir/run" "$dir/mon" "$dir/osd"
    mapfile -t ports < <(free_ports 3)
    export CEPH_CONF=$dir/ceph.conf
    settings "$dir" "${ports[@]}" >"$CEPH_CONF"
    {
        ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *'
        ceph-authtool "$dir/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
        ceph-authtool "$dir/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
        ceph-authtool "$dir/keyring" --gen-key -n client.rgw --cap mon 'allow rw' --cap osd 'allow rwx'
        monmaptool --create --addv a "[v2:127.0.0.1:${ports[0]},v1:127.0.0.1:${ports[1]}]" \
            --fsid "$(sed -n 's/^fsid = //p' "$CEPH_CONF")" "$dir/monmap"
        ceph-mon --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/keyring"
    } >>"$dir/start.log" 2>&1 </dev/null || { cat "$dir/start.log" >&2; fail "the monitor could not be made"; }
    run "$dir" mon ceph-mon -f -i a
    {
        timeout 60 ceph auth import -i "$dir/keyring"
        timeout 60 ceph osd create
        ceph-osd --mkfs -i 0 --osd-uuid "$(cat /proc/sys/kernel/random/uuid)"
    } >>"$dir/start.log" 2>&1 </dev/null || { tail -n 20 "$dir/start.log" >&2; stop "$dir"; fail "the store could not be made"; }
    run "$dir" osd ceph-osd -f -i 0
    {
        timeout 60 ceph osd crush add osd.0 1.0 root=default
        key=$(timeout 120 radosgw-admin -n client.rgw user create --uid=knik --display-name=knik --access-key=knik-test --secret-key=knik-test-secret)
    } >>"$dir/start.log" 2>&1 </dev/null || { tail -n 20 "$dir/start.log" >&2; stop "$dir"; fail "the user could not be made"; }
    run "$dir" rgw radosgw -f -n client.rgw
    for _ in {1..600}; do
        if (exec 3<>"/dev/tcp/127.0.0.1/${ports[2]}") 2>/dev/null; then
            for _ in {1..30}; do
                if make_bucket "http://127.0.0.1:${ports[2]}" knik-test; then
                    printf 'http://127.0.0.1:%s knik-test knik-test-secret\n' "${ports[2]}"
                    return
                fi
                sleep 1
            done
            break
        fi
        sleep 0.1
    done
    tail -n 20 "$dir/start.log" >&2
    stop "$dir"
    fail "the gateway did not start"
}

stop() {
    local dir=$1 name pid
    for name in rgw osd mon; do
        [[ -r $dir/$name.own-pid ]] || continue
        pid=$(<"$dir/$name.own-pid")
        kill "$pid" 2>/dev/null || continue
        for _ in {1..50}; do
            kill -0 "$pid" 2>/dev/null || continue 2
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null || true
    done
}

[[ $# -eq 2 && -d $2 ]] || fail "usage: radosgw.sh start|stop DIR (an existing folder)"
case $1 in
    start) start "$(realpath "$2")" ;;
    stop) stop "$(realpath "$2")" ;;
    *) fail "usage: radosgw.sh start|stop DIR" ;;
esac
