{{/* What all pods have in common. Each takes (dict "root" $ "component" "web" "values" .Values.web) or less. */}}

{{/* The restricted Pod Security Standard, pod side. fsGroup lets the user read the mounted secrets. */}}
{{- define "cronzimus.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
automountServiceAccountToken: false
# The variables of Services would look like settings: CRONZIMUS_PORT.
enableServiceLinks: false
# The pause process reaps what jobs leave behind, and a restarted container gets another process id than 1: with it
# another name, so that a worker need not wait for the silence of its former life.
shareProcessNamespace: true
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "cronzimus.containerSecurity" -}}
image: {{ include "cronzimus.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.extraEnvFrom }}
envFrom: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Variables of every container; each component adds its own behind them. */}}
{{- define "cronzimus.env" -}}
- {name: CRONZIMUS_ENV, value: {{ include "cronzimus.environment" . | quote }}}
- {name: DATABASE_URL_FILE, value: /run/secrets/cronzimus/database-url}
{{- end -}}

{{/* Of the components that live: web and worker. */}}
{{- define "cronzimus.serviceEnv" -}}
{{ include "cronzimus.env" .root }}
- {name: CRONZIMUS_CONFIG_PATH, value: /app/config}
- {name: CRONZIMUS_DATABASE__AUTO_MIGRATE, value: {{ not .root.Values.migration.enabled | quote }}}
- {name: CRONZIMUS_WORKER__MAX_CONCURRENT_TASKS, value: {{ .values.concurrency | int | quote }}}
- {name: CRONZIMUS_WORKER__DRAIN_SECONDS, value: {{ .root.Values.drainSeconds | int | quote }}}
{{- if .root.Values.jobSecret }}
- {name: CRONZIMUS_SECRETS__DIR, value: /run/secrets/jobs}
{{- end }}
{{- end -}}

{{/* Mounts and volumes: `config` and the jobs' secrets only where a service lives. */}}
{{- define "cronzimus.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: secrets, mountPath: /run/secrets/cronzimus, readOnly: true}
{{- if .values }}
- {name: config, mountPath: /app/config, readOnly: true}
{{- if .root.Values.jobSecret }}
- {name: job-secrets, mountPath: /run/secrets/jobs, readOnly: true}
{{- end }}
{{- end }}
{{- with .root.Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "cronzimus.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: {{ ternary "64Mi" (get (default dict .values) "tmpSize") (not .values) | quote }}}
- name: secrets
  secret:
    secretName: {{ include "cronzimus.secretName" .root | quote }}
    # 0440 in octal, which JSON does not know: the group is fsGroup.
    defaultMode: 288
    # podman 4, with which a rendered pod is tried without a cluster, breaks where it is not said.
    optional: false
    items:
      - {key: database-url, path: database-url}
      {{- if eq .component "web" }}
      - {key: api-token, path: api-token}
      {{- end }}
{{- if .values }}
- name: config
  configMap: {name: {{ include "cronzimus.fullname" .root | quote }}}
{{- if .root.Values.jobSecret }}
- name: job-secrets
  secret: {secretName: {{ .root.Values.jobSecret | quote }}, defaultMode: 288, optional: false}
{{- end }}
{{- end }}
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "cronzimus.podMetadata" -}}
labels: {{- merge (include "cronzimus.labels" . | fromYaml) .values.podLabels | toYaml | nindent 2 }}
annotations:
  checksum/config: {{ include (print .root.Template.BasePath "/cronzimus-configmap.yaml") .root | sha256sum }}
  {{- with .values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Where pods may be put, and how they are spread. Only pods of the same rollout are counted. */}}
{{- define "cronzimus.scheduling" -}}
{{- include "cronzimus.wishes" .values }}
topologySpreadConstraints:
  {{- range $key, $when := dict "kubernetes.io/hostname" .root.Values.topologySpread.nodes "topology.kubernetes.io/zone" .root.Values.topologySpread.zones }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ $when }}
    matchLabelKeys: [pod-template-hash]
    # A node that is gone is no place that waits for its share.
    nodeTaintsPolicy: Honor
    labelSelector:
      matchLabels: {{- include "cronzimus.selectorLabels" $ | nindent 8 }}
  {{- end }}
{{- end -}}

{{- define "cronzimus.wishes" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Never fewer than wanted: the new pod is ready before the old one goes. The ledger allows any number at once. */}}
{{- define "cronzimus.rollout" -}}
revisionHistoryLimit: 5
strategy:
  type: RollingUpdate
  rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
selector:
  matchLabels: {{- include "cronzimus.selectorLabels" . | nindent 4 }}
{{- end -}}
