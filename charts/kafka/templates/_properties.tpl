{{/* The configuration of every node, but its id and its addresses, which its pod adds. */}}
{{- define "kafka.properties" -}}
{{- $replicas := int .Values.replicas -}}
{{- $protocol := include "kafka.protocol" . -}}
{{- $voters := list -}}
{{- range $i := until $replicas -}}
{{- $voters = append $voters (printf "%d@%s-%d.%s.%s.svc:9093" $i (include "kafka.fullname" $) $i (include "kafka.brokers" $) $.Release.Namespace) -}}
{{- end -}}
{{- $listeners := list "CLIENT://:9092" "CONTROLLER://:9093" "INTERNAL://:9094" "PROBE://127.0.0.1:9096" -}}
{{- $map := list (printf "CLIENT:%s" $protocol) (printf "CONTROLLER:%s" $protocol) (printf "INTERNAL:%s" $protocol) "PROBE:PLAINTEXT" -}}
{{- $clients := list "client" -}}
{{- if .Values.podListener.enabled -}}
{{- $listeners = append $listeners (printf "POD://:%d" (int .Values.podListener.port)) -}}
{{- $map = append $map (printf "POD:%s" $protocol) -}}
{{- $clients = append $clients "pod" -}}
{{- end -}}
{{- range $name, $value := .Values.config }}
{{ $name }}={{ $value }}
{{- end }}
process.roles=broker,controller
controller.quorum.voters={{ join "," $voters }}
controller.listener.names=CONTROLLER
listeners={{ join "," $listeners }}
# PROBE is for the pod's own probes: they ask the broker without credentials and certificates.
listener.security.protocol.map={{ join "," $map }}
inter.broker.listener.name=INTERNAL
log.dirs=/var/lib/kafka/data
{{- /* What users may set in `config` stands here as a default. A record of 1 MiB must fit with what a dead letter adds; a
small heap has no room for the cleaner's usual 128 MiB. A group without consumers, whose trigger is paused or scaled to zero,
finds its place also after more than Kafka's seven days. */}}
{{- $defaults := dict
      "auto.create.topics.enable" "false"
      "default.replication.factor" $replicas
      "min.insync.replicas" (ternary 2 1 (eq $replicas 3))
      "offsets.topic.replication.factor" $replicas
      "transaction.state.log.replication.factor" $replicas
      "transaction.state.log.min.isr" (ternary 2 1 (eq $replicas 3))
      "share.coordinator.state.topic.replication.factor" $replicas
      "share.coordinator.state.topic.min.isr" (ternary 2 1 (eq $replicas 3))
      "broker.session.timeout.ms" "6000"
      "broker.heartbeat.interval.ms" "1000"
      "message.max.bytes" "2097152"
      "offsets.retention.minutes" "5256000"
      "log.cleaner.dedupe.buffer.size" "33554432" -}}
{{- range $name, $value := $defaults }}
{{- if not (hasKey $.Values.config $name) }}
{{ $name }}={{ $value }}
{{- end }}
{{- end }}
{{- if or .Values.auth.enabled .Values.tls.enabled }}
# Secrets are read from their files: no command line and no ConfigMap has them.
config.providers=dir
config.providers.dir.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider
config.providers.dir.param.allowed.paths=/etc/kafka/secrets
{{- end }}
{{- if .Values.auth.enabled }}
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
{{- range list "internal" "controller" }}
listener.name.{{ . }}.sasl.enabled.mechanisms=PLAIN
listener.name.{{ . }}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="${dir:/etc/kafka/secrets/internal:username}" password="${dir:/etc/kafka/secrets/internal:password}" user_${dir:/etc/kafka/secrets/internal:username}="${dir:/etc/kafka/secrets/internal:password}";
{{- end }}
{{- range $clients }}
listener.name.{{ . }}.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.{{ . }}.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
{{- end }}
# Users may do with topics and groups what no rule forbids; only the administrator changes users and the cluster.
# ANONYMOUS is who comes by PROBE, from within the pod: a probe must see topics whatever rules they have.
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
super.users=User:${dir:/etc/kafka/secrets/internal:username};User:${dir:/etc/kafka/secrets/admin:username};User:ANONYMOUS
{{- end }}
{{- if .Values.tls.enabled }}
ssl.keystore.type=PEM
ssl.keystore.key=${dir:/etc/kafka/secrets/tls:tls.key}
ssl.keystore.certificate.chain=${dir:/etc/kafka/secrets/tls:tls.crt}
ssl.truststore.type=PEM
ssl.truststore.certificates=${dir:/etc/kafka/secrets/tls:ca.crt}
{{- if not .Values.auth.enabled }}
# Without passwords, who has no certificate of this authority is no node.
listener.name.internal.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
{{- end }}
{{- end }}
{{- end -}}
