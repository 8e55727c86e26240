{{/* Which Kafka there is, and how to talk to it, for the controller and the command line. */}}
{{- define "kubeless.kafka" -}}
{{- $client := .Values.kafka.client -}}
{{- $found := dict
      "bootstrapServers" .Values.kafka.bootstrapServers
      "tls" $client.tls
      "mechanism" $client.mechanism
      "authSecret" $client.authSecret
      "tlsSecret" $client.tlsSecret
      "adminAuthSecret" $client.adminAuthSecret
      "adminTlsSecret" $client.adminTlsSecret
      "namespace" .Release.Namespace
      "consumerImage" (include "kubeless.image" (list . "kafka-trigger"))
      "imagePullPolicy" .Values.images.pullPolicy
      "resources" .Values.kafkaTrigger.resources -}}
{{- if .Values.kafka.enabled -}}
{{- /* The subchart's own templates, with its values as it sees them. */ -}}
{{- $kafka := dict "Values" .Values.kafka -}}
{{- $_ := set $found "bootstrapServers" (printf "%s.%s:9092" (include "kafka.fullname" $kafka) .Release.Namespace) -}}
{{- $_ := set $found "tls" .Values.kafka.tls.enabled -}}
{{- if .Values.kafka.auth.enabled -}}
{{- $_ := set $found "mechanism" "SCRAM-SHA-512" -}}
{{- $_ := set $found "adminAuthSecret" ($client.adminAuthSecret | default (include "kafka.adminSecret" $kafka)) -}}
{{- end -}}
{{- if .Values.kafka.tls.enabled -}}
{{- $_ := set $found "tlsSecret" ($client.tlsSecret | default (include "kafka.caSecret" $kafka)) -}}
{{- $_ := set $found "adminTlsSecret" ($client.adminTlsSecret | default (include "kafka.caSecret" $kafka)) -}}
{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end -}}
