{{/* Names, labels and checks. What pods are made of: _pod.tpl; who may talk to whom: _network.tpl. */}}

{{- define "cronzimus.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects every pod of this release. */}}
{{- define "cronzimus.releaseLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* What selects the pods of one component: (dict "root" $ "component" "web"). Never changed: selectors are immutable. */}}
{{- define "cronzimus.selectorLabels" -}}
{{ include "cronzimus.releaseLabels" .root }}
app.kubernetes.io/component: {{ .component | quote }}
{{- end -}}

{{- define "cronzimus.labels" -}}
{{ include "cronzimus.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | quote }}
{{- end -}}

{{/* The schema asks the same; this holds where helm is told to skip it. */}}
{{- define "cronzimus.environment" -}}
{{- if not (has .Values.environment (list "staging" "production")) -}}
{{- fail (printf "environment: %q is not known; it must be staging or production" (toString .Values.environment)) -}}
{{- end -}}
{{- .Values.environment -}}
{{- end -}}

{{- define "cronzimus.secretName" -}}
{{- required "existingSecret: name a Secret of this namespace with the keys database-url and api-token; the chart holds no secrets" .Values.existingSecret -}}
{{- end -}}

{{- define "cronzimus.image" -}}
{{- $repository := required "image.repository: name the image of Cronzimus" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "cronzimus.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "cronzimus.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Where the web pods listen. The image exposes it, and the application takes it unasked. */}}
{{- define "cronzimus.port" -}}5000{{- end -}}
