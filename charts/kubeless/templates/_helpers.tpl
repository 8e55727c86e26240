{{/* The stem of all names of this release. */}}
{{- define "kubeless.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride }}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "kubeless.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{- define "kubeless.labels" -}}
{{ include "kubeless.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "kubeless.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "kubeless.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ .Values.serviceAccount.name }}
{{- end -}}
{{- end -}}

{{/* The full reference of one image: list of the root context and the image's name. */}}
{{- define "kubeless.image" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $tag := get $root.Values.images.tags $name | default $root.Values.images.tag | default $root.Chart.AppVersion -}}
{{ printf "%s/%s:%s" $root.Values.images.registry $name $tag }}
{{- end -}}

{{/* The image of a row of the table: as it is when it says where it comes from. */}}
{{- define "kubeless.runtimeImage" -}}
{{- if contains "/" (index . 1) -}}
{{ index . 1 }}
{{- else -}}
{{ include "kubeless.image" . }}
{{- end -}}
{{- end -}}

{{/* The controller's configuration, as JSON. */}}
{{- define "kubeless.config" -}}
{{- $rows := list -}}
{{- $overrides := deepCopy .Values.runtimes -}}
{{- range (.Files.Get "files/runtimes.yaml" | fromYamlArray) -}}
{{- $rows = append $rows (merge (dict) (get $overrides .id | default dict) .) -}}
{{- $_ := unset $overrides .id -}}
{{- end -}}
{{- range $id, $row := $overrides -}}
{{- $rows = append $rows (merge (dict "id" $id) $row) -}}
{{- end -}}
{{- $runtimes := list -}}
{{- range $rows -}}
{{- if or (not (hasKey . "enabled")) .enabled -}}
{{- $installImage := "" -}}
{{- if .installImage -}}
{{- $installImage = include "kubeless.runtimeImage" (list $ .installImage) -}}
{{- end -}}
{{- $runtimes = append $runtimes (dict
      "id" .id
      "image" (include "kubeless.runtimeImage" (list $ .image))
      "installImage" $installImage
      "installCommand" (.installCommand | default list)
      "suffix" .suffix
      "dependencyFile" (.dependencyFile | default "")
      "aliases" (.aliases | default list)) -}}
{{- end -}}
{{- end -}}
{{- dict
      "runtimes" $runtimes
      "imagePullPolicy" .Values.images.pullPolicy
      "imagePullSecrets" .Values.functions.imagePullSecrets
      "drainSeconds" .Values.functions.drainSeconds
      "prepareImage" (include "kubeless.image" (list $ "python3.13"))
      "dependencies" .Values.dependencies
      "sources" .Values.sources
      "http" .Values.http
      "kafka" (include "kubeless.kafka" . | fromJson)
      "leaderElection" (merge (dict "enabled" true "name" (printf "%s-controller" (include "kubeless.fullname" .)) "namespace" .Release.Namespace) .Values.controller.leaderElection)
      "watchNamespaces" .Values.watchNamespaces
      "workers" .Values.controller.workers
      "logFormat" .Values.controller.logFormat
    | toPrettyJson -}}
{{- end -}}
