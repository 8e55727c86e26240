# Writes this node's configuration, with its id and its addresses, and formats a disk that is new.
# Environment: POD_NAME, POD_IP, DOMAIN (of the nodes' names), CLUSTER_ID, POD_PORT ("" without that listener).
set -eu
config=/run/kafka/server.properties
name=$POD_NAME.$DOMAIN
addresses="CLIENT://$name:9092,INTERNAL://$name:9094"
case $POD_IP in *:*) ip="[$POD_IP]" ;; *) ip=$POD_IP ;; esac
[ -z "$POD_PORT" ] || addresses="$addresses,POD://$ip:$POD_PORT"
{
    cat /etc/kafka/config/server.properties
    echo "node.id=${POD_NAME##*-}"
    echo "advertised.listeners=$addresses"
} >"$config"
exec java -Xmx64m -XX:TieredStopAtLevel=1 -XX:SharedArchiveFile=/opt/kafka/storage.jsa '-Xlog:cds*=off' \
    -Dlog4j2.configurationFile=/etc/kafka/config/log4j2.properties \
    -cp '/opt/kafka/libs/*' kafka.tools.StorageTool format --ignore-formatted --cluster-id "$CLUSTER_ID" --config "$config"
