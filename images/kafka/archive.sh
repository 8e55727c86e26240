# Makes archives of the classes that the formatter and a broker load (class data sharing), by running both once.
# Usage: archive.sh FOLDER   FOLDER gets storage.jsa and kafka.jsa, the names that the official image has
set -eu
folder=$1
work=$(mktemp -d)
cd "$work"
cat >server.properties <<END
process.roles=broker,controller
node.id=0
controller.quorum.voters=0@127.0.0.1:39093
listeners=CLIENT://127.0.0.1:39092,CONTROLLER://127.0.0.1:39093
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
log.dirs=$work/data
log.cleaner.dedupe.buffer.size=8388608
END
# The classpath is a part of what an archive is good for: as in charts/kafka.
java -XX:ArchiveClassesAtExit="$folder/storage.jsa" -Xlog:cds*=off -Xmx64m -XX:TieredStopAtLevel=1 \
    -cp '/opt/kafka/libs/*' kafka.tools.StorageTool format --cluster-id AAAAAAAAAAAAAAAAAAAAAA --config server.properties
java -XX:ArchiveClassesAtExit="$folder/kafka.jsa" -Xlog:cds*=off -Xmx192m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -cp '/opt/kafka/libs/*' kafka.Kafka server.properties >broker.log 2>&1 &
broker=$!
for _ in $(seq 300); do
    if (exec 3<>/dev/tcp/127.0.0.1/39092) 2>/dev/null; then break; fi
    kill -0 $broker 2>/dev/null || break
    sleep 0.2
done
sleep 1 # what it does once it serves
kill $broker 2>/dev/null || { cat broker.log >&2; exit 1; }
wait $broker || true # it ends by the signal
[ -s "$folder/kafka.jsa" ] || { cat broker.log >&2; exit 1; }
rm -rf "$work"
