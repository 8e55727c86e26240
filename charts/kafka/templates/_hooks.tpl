{{/* What the hook that makes Secrets shall make, as JSON; "" when there is nothing. */}}
{{- define "kafka.secretsPlan" -}}
{{- $name := include "kafka.fullname" . -}}
{{- $credentials := dict -}}
{{- if .Values.auth.enabled -}}
{{- if not .Values.auth.existingSecret -}}
{{- $_ := set $credentials (include "kafka.adminSecret" .) "admin" -}}
{{- end -}}
{{- if not .Values.auth.internalSecret -}}
{{- $_ := set $credentials (include "kafka.internalSecret" .) "node" -}}
{{- end -}}
{{- end -}}
{{- $certificate := false -}}
{{- if .Values.tls.enabled -}}
{{- $names := list "localhost" $name -}}
{{- range $stem := list $name (printf "*.%s" (include "kafka.brokers" .)) (include "kafka.brokers" .) -}}
{{- range $end := list "" ".svc" ".svc.cluster.local" -}}
{{- $names = append $names (printf "%s.%s%s" $stem $.Release.Namespace $end) -}}
{{- end -}}
{{- end -}}
{{- $certificate = dict
      "secret" (include "kafka.tlsSecret" .)
      "make" (not .Values.tls.existingSecret)
      "authority" (include "kafka.caSecret" .)
      "names" $names
      "days" .Values.tls.days -}}
{{- end -}}
{{- if or $credentials $certificate -}}
{{- dict
      "namespace" .Release.Namespace
      "labels" (include "kafka.releaseLabels" . | fromYaml)
      "credentials" $credentials
      "certificate" ($certificate | default nil)
    | toPrettyJson -}}
{{- end -}}
{{- end -}}

{{/* Annotations of a hook: list of when it runs, and its weight. */}}
{{- define "kafka.hook" -}}
helm.sh/hook: {{ index . 0 }}
helm.sh/hook-weight: {{ index . 1 | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
