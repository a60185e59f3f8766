{{- define "waxseal.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* 40, so that the longest suffix still fits into the 52 that a StatefulSet's pods leave. */}}
{{- define "waxseal.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "waxseal.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "waxseal.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "waxseal.redisName" -}}
{{ include "waxseal.fullname" . }}-redis
{{- end }}

{{- define "waxseal.metricsName" -}}
{{ include "waxseal.fullname" . }}-metrics
{{- end }}

{{/* What every pod of the release has in common; with a component, one part of it. */}}
{{- define "waxseal.releaseSelector" -}}
app.kubernetes.io/name: {{ include "waxseal.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "waxseal.selector" -}}
{{ include "waxseal.releaseSelector" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "waxseal.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_") }}
{{ include "waxseal.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: waxseal
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "waxseal.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "waxseal.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* {root, image, tag}: prefix, registry, repository and digest or tag. */}}
{{- define "waxseal.image" -}}
{{- $name := list .root.Values.global.imageRegistry .image.registry .image.repository | compact | join "/" }}
{{- if .image.digest }}
{{- printf "%s@%s" $name .image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .tag .image.tag) }}
{{- end }}
{{- end }}

{{- define "waxseal.publicUrl" -}}
{{- default "http://localhost:8080" .Values.publicUrl | trimSuffix "/" }}
{{- end }}

{{- define "waxseal.publicHost" -}}
{{- (urlParse (include "waxseal.publicUrl" .)).hostname }}
{{- end }}

{{- define "waxseal.publicPath" -}}
{{- default "/" (urlParse (include "waxseal.publicUrl" .)).path }}
{{- end }}

{{- define "waxseal.trustProxy" -}}
{{- if ne (toString .Values.trustProxy) "" }}
{{- include "waxseal.plain" .Values.trustProxy }}
{{- else if or .Values.ingress.enabled .Values.httpRoute.enabled }}
{{- "1" }}
{{- end }}
{{- end }}

{{- define "waxseal.bundledRedis" -}}
{{- if has .Values.redis.mode (list "standalone" "sentinel") }}true{{ end }}
{{- end }}

{{/*
What was meant: YAML numbers reach a template as floats, so that 104857600 would be written
1.048576e+08, and YAML reads on and off as booleans.
*/}}
{{- define "waxseal.plain" -}}
{{- if kindIs "float64" . }}{{ printf "%.0f" . }}
{{- else if kindIs "bool" . }}{{ ternary "on" "off" . }}
{{- else }}{{ toString . }}{{ end }}
{{- end }}

{{- define "waxseal.redisSecretName" -}}
{{- if include "waxseal.bundledRedis" . }}
{{- default (include "waxseal.redisName" .) .Values.redis.auth.existingSecret }}
{{- else }}
{{- default (include "waxseal.redisName" .) .Values.externalRedis.existingSecret }}
{{- end }}
{{- end }}

{{- define "waxseal.keyringSecretName" -}}
{{- default (printf "%s-keyring" (include "waxseal.fullname" .)) .Values.externalRedis.keyring.existingSecret }}
{{- end }}

{{- define "waxseal.hasKeyring" -}}
{{- if and (eq .Values.redis.mode "external") (or .Values.externalRedis.keyring.url .Values.externalRedis.keyring.existingSecret) }}true{{ end }}
{{- end }}

{{/* The part after the @ of the bundled Redis' URL. */}}
{{- define "waxseal.redisAddress" -}}
{{- $name := include "waxseal.redisName" . }}
{{- if eq .Values.redis.mode "sentinel" }}
{{- $hosts := list }}
{{- range $i := until (int .Values.redis.sentinel.replicas) }}
{{- $hosts = append $hosts (printf "%s-%d.%s.%s.svc:26379" $name $i $name $.Release.Namespace) }}
{{- end }}
{{- printf "%s/waxseal" (join "," $hosts) }}
{{- else }}
{{- printf "%s.%s.svc:6379" $name .Release.Namespace }}
{{- end }}
{{- end }}

{{/* The container half of Pod Security "restricted", for every container of the chart. */}}
{{- define "waxseal.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "waxseal.podSecurityContext" -}}
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "waxseal.openshift" -}}
{{- if .Capabilities.APIVersions.Has "security.openshift.io/v1" }}true{{ end }}
{{- end }}

{{- define "waxseal.pullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The settings that come from the Secret of the notifications, each with its item there. */}}
{{- define "waxseal.notificationKeys" -}}
{{- with .Values.notifications }}
{{- with .smtpUrlKey }}
SMTP_URL_FILE: {{ . | quote }}
{{- end }}
{{- with .smtpCaKey }}
SMTP_CA_FILE: {{ . | quote }}
{{- end }}
{{- with .webhooksKey }}
WEBHOOKS_FILE: {{ . | quote }}
{{- end }}
{{- with .webhookCaKey }}
WEBHOOK_CA_FILE: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* What the app and the test pod need alike to be Waxseal: settings, credentials, and their files. */}}
{{- define "waxseal.environment" -}}
envFrom:
  - configMapRef:
      name: {{ include "waxseal.fullname" . }}
{{- with .Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "waxseal.volumeMounts" -}}
{{- if ne .Values.redis.mode "none" }}
- name: redis-url
  mountPath: /run/secrets/waxseal/redis
  readOnly: true
{{- end }}
{{- if include "waxseal.hasKeyring" . }}
- name: keyring-redis-url
  mountPath: /run/secrets/waxseal/keyring
  readOnly: true
{{- end }}
{{- if .Values.externalRedis.tls.existingSecret }}
- name: redis-tls
  mountPath: /run/secrets/waxseal/redis-tls
  readOnly: true
{{- end }}
{{- if .Values.notifications.existingSecret }}
- name: notifications
  mountPath: /run/secrets/waxseal/notifications
  readOnly: true
{{- end }}
{{- if .Values.auditSyslog.existingSecret }}
- name: audit-syslog
  mountPath: /run/secrets/waxseal/audit-syslog
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Only the items in use: the app has no business with Redis' replication password. */}}
{{- define "waxseal.volumes" -}}
{{- if ne .Values.redis.mode "none" }}
- name: redis-url
  secret:
    secretName: {{ include "waxseal.redisSecretName" . }}
    items:
      - key: {{ if eq .Values.redis.mode "external" }}{{ .Values.externalRedis.urlKey }}{{ else }}redis-url{{ end }}
        path: url
      {{- with .Values.externalRedis.passwordKey }}
      - key: {{ . }}
        path: password
      {{- end }}
      {{- with .Values.externalRedis.sentinelPasswordKey }}
      - key: {{ . }}
        path: sentinel-password
      {{- end }}
{{- end }}
{{- if include "waxseal.hasKeyring" . }}
- name: keyring-redis-url
  secret:
    secretName: {{ include "waxseal.keyringSecretName" . }}
    items:
      - key: {{ .Values.externalRedis.keyring.urlKey }}
        path: url
      {{- with .Values.externalRedis.keyring.passwordKey }}
      - key: {{ . }}
        path: password
      {{- end }}
{{- end }}
{{- with .Values.externalRedis.tls }}
{{- if .existingSecret }}
- name: redis-tls
  secret:
    secretName: {{ .existingSecret }}
    items:
      - key: {{ .caKey }}
        path: ca.crt
      {{- if .clientCertificate }}
      - key: {{ .certKey }}
        path: tls.crt
      - key: {{ .keyKey }}
        path: tls.key
      {{- end }}
{{- end }}
{{- end }}
{{- with .Values.notifications.existingSecret }}
- name: notifications
  secret:
    secretName: {{ . }}
    items:
      {{- range include "waxseal.notificationKeys" $ | fromYaml | values | sortAlpha }}
      - key: {{ . }}
        path: {{ . }}
      {{- end }}
{{- end }}
{{- with .Values.auditSyslog }}
{{- if .existingSecret }}
- name: audit-syslog
  secret:
    secretName: {{ .existingSecret }}
    items:
      - key: {{ .caKey }}
        path: ca.crt
{{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "waxseal.syslogPort" -}}
{{- $url := .Values.auditSyslog.url }}
{{- default (ternary "6514" "514" (hasPrefix "syslog+tls:" $url)) (regexFind ":[0-9]+/?$" $url | trimPrefix ":" | trimSuffix "/") }}
{{- end }}

{{- define "waxseal.dnsEgress" -}}
- ports:
    {{- range .Values.networkPolicy.dnsPorts }}
    - port: {{ . }}
      protocol: UDP
    - port: {{ . }}
      protocol: TCP
    {{- end }}
  to:
    {{- toYaml .Values.networkPolicy.dnsTo | nindent 4 }}
{{- end }}
