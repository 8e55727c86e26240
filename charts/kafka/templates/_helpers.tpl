{{/* The client Service's name, and the stem of all others. */}}
{{- define "kafka.fullname" -}}
{{ .Values.fullnameOverride | default "kafka" }}
{{- end -}}

{{/* The headless Service, by which each node has a name. */}}
{{- define "kafka.brokers" -}}
{{ include "kafka.fullname" . }}-brokers
{{- end -}}

{{- define "kafka.releaseLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "kafka.selectorLabels" -}}
{{ include "kafka.releaseLabels" . }}
app.kubernetes.io/component: broker
{{- end -}}

{{/* Labels of an object: list of the root context and its component. */}}
{{- define "kafka.labels" -}}
{{- $root := index . 0 -}}
{{ include "kafka.releaseLabels" $root }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The full reference of an image: list of the root context and its values. */}}
{{- define "kafka.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $name := printf "%s/%s" ($image.registry | default $root.Values.image.registry) $image.repository -}}
{{- if $image.digest -}}
{{ $name }}@{{ $image.digest }}
{{- else -}}
{{ $name }}:{{ $image.tag | default $root.Chart.Version }}
{{- end -}}
{{- end -}}

{{/* 16 bytes in base64, the same at every upgrade. */}}
{{- define "kafka.clusterId" -}}
{{- $made := printf "%s/%s/%s" .Release.Namespace .Release.Name (include "kafka.fullname" .) | sha256sum | trunc 16 | b64enc | trimSuffix "==" -}}
{{ .Values.clusterId | default $made }}
{{- end -}}

{{- define "kafka.adminSecret" -}}
{{ .Values.auth.existingSecret | default (printf "%s-admin" (include "kafka.fullname" .)) }}
{{- end -}}

{{- define "kafka.internalSecret" -}}
{{ .Values.auth.internalSecret | default (printf "%s-internal" (include "kafka.fullname" .)) }}
{{- end -}}

{{- define "kafka.tlsSecret" -}}
{{ .Values.tls.existingSecret | default (printf "%s-tls" (include "kafka.fullname" .)) }}
{{- end -}}

{{- define "kafka.caSecret" -}}
{{ include "kafka.fullname" . }}-ca
{{- end -}}

{{/* The security protocol of a listener that asks for credentials if `auth` is on. */}}
{{- define "kafka.protocol" -}}
{{- if .Values.auth.enabled -}}
{{ ternary "SASL_SSL" "SASL_PLAINTEXT" .Values.tls.enabled }}
{{- else -}}
{{ ternary "SSL" "PLAINTEXT" .Values.tls.enabled }}
{{- end -}}
{{- end -}}

{{- define "kafka.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "kafka.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "kafka.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}
