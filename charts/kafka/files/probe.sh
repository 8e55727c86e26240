# Asks the broker by its own protocol, without a JVM. Usage: probe.sh alive | in-sync
#   alive     it answers which requests it knows
#   in-sync   that, and since it started, it has once been among the replicas in sync of all partitions that it has:
#             only then does the next node of a rolling restart go
set -eu

# Sends a request (printf's escapes, without its size) and prints its answer, each byte a decimal number.
ask() {
    local size
    { exec 3<>/dev/tcp/127.0.0.1/9096; } 2>/dev/null || exit 1
    printf "$1" >&3
    # By dd, which takes no byte more: some heads read ahead, and what they took is gone.
    size=$(dd bs=1 count=4 <&3 2>/dev/null | od -An -v -tu1 | awk '{ print (($1 * 256 + $2) * 256 + $3) * 256 + $4 }')
    head -c "${size:-0}" <&3 | od -An -v -tu1
    exec 3>&-
}

# ApiVersions, version 0, correlation id 7, no client id. Its answer: that id, no error, and more.
alive() {
    ask '\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x07\xff\xff' |
        awk 'NR == 1 { exit !($4 == 7 && $5 == 0 && $6 == 0 && NF > 6) } END { if (NR == 0) exit 1 }'
}

# Metadata, version 1, correlation id 7, no client id, all topics.
in_sync() {
    ask '\x00\x00\x00\x0e\x00\x03\x00\x01\x00\x00\x00\x07\xff\xff\xff\xff\xff\xff' | awk -v me="${POD_NAME##*-}" '
        function short(v) { v = b[i] * 256 + b[i + 1]; i += 2; return v > 32767 ? v - 65536 : v }
        function int_(v) { v = ((b[i] * 256 + b[i + 1]) * 256 + b[i + 2]) * 256 + b[i + 3]; i += 4; return v }
        function text(n) { n = short(); if (n > 0) i += n }
        function has_me(n, found) { for (n = int_(); n > 0; n--) if (int_() == me) found = 1; return found }
        { for (k = 1; k <= NF; k++) b[count++] = $k }
        END {
            if (int_() != 7) exit 1
            for (n = int_(); n > 0; n--) { int_(); text(); int_(); text() }
            int_()
            for (topics = int_(); topics > 0; topics--) {
                short(); text(); i++
                for (n = int_(); n > 0; n--) {
                    short(); int_(); int_()
                    mine = has_me()
                    if (!has_me() && mine) behind++
                }
            }
            # An answer that was cut off, or read wrongly, says nothing.
            if (i != count) exit 1
            if (behind) { print "not in sync yet: " behind " partitions"; exit 1 }
        }'
}

alive || { echo "the broker does not answer"; exit 1; }
if [ "$1" = in-sync ]; then
    # The JVM is the container's first process: a mark of its start is void after the next one.
    started=$(awk '{ print $22 }' /proc/1/stat)
    mark=/run/kafka/in-sync
    [ "$(cat "$mark" 2>/dev/null)" = "$started" ] || { in_sync && echo "$started" >"$mark"; }
fi
