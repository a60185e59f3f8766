{{/* Values that cannot work together. Each message names the fix. Called once, from configmap.yaml. */}}
{{- define "waxseal.validate" -}}
{{- $url := urlParse (include "waxseal.publicUrl" .) }}
{{- $local := or (has $url.hostname (list "localhost" "127.0.0.1" "[::1]" "::1")) (hasSuffix ".localhost" $url.hostname) }}
{{- if and (eq $url.scheme "http") (not $local) }}
{{- fail (printf "publicUrl %s is plain http: browsers switch encryption off there. Use https://%s%s" .Values.publicUrl $url.host $url.path) }}
{{- end }}
{{- if and $local (or .Values.ingress.enabled .Values.httpRoute.enabled) }}
{{- fail "ingress and httpRoute take their host from publicUrl. Set publicUrl to the https address people will use" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "httpRoute needs a Gateway to attach to. Set httpRoute.parentRefs, e.g. [{name: public, namespace: gateways}]" }}
{{- end }}

{{- if .Values.autoscaling.enabled }}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) }}
{{- fail "autoscaling.minReplicas is more than autoscaling.maxReplicas. Raise the one or lower the other" }}
{{- end }}
{{- end }}

{{- $redis := .Values.redis }}
{{- $external := .Values.externalRedis }}
{{- if eq $redis.mode "none" }}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) }}
{{- fail "redis.mode none keeps secrets in the memory of one pod, so a second would not find them. Set replicaCount to 1 and autoscaling.enabled to false, or use redis.mode standalone" }}
{{- end }}
{{- end }}
{{- if and $redis.auth.password $redis.auth.existingSecret }}
{{- fail "redis.auth.password and redis.auth.existingSecret are both set. Keep one: leave password empty to use the Secret" }}
{{- end }}
{{- if and (not (include "waxseal.bundledRedis" .)) (or $redis.auth.password $redis.auth.existingSecret) }}
{{- fail (printf "redis.auth is for the bundled Redis, but redis.mode is %s. Put the URL with its password into externalRedis.existingSecret" $redis.mode) }}
{{- end }}
{{- if eq $redis.mode "external" }}
{{- if not (or $external.url $external.existingSecret) }}
{{- fail "redis.mode external needs to know where Redis is. Set externalRedis.existingSecret (or externalRedis.url)" }}
{{- end }}
{{- if and $external.url $external.existingSecret }}
{{- fail "externalRedis.url and externalRedis.existingSecret are both set. Keep one: leave url empty to use the Secret" }}
{{- end }}
{{- if and $external.keyring.url $external.keyring.existingSecret }}
{{- fail "externalRedis.keyring.url and externalRedis.keyring.existingSecret are both set. Keep one" }}
{{- end }}
{{- if and $external.tls.clientCertificate (not $external.tls.existingSecret) }}
{{- fail "externalRedis.tls.clientCertificate needs the certificate. Set externalRedis.tls.existingSecret to a Secret with ca.crt, tls.crt and tls.key" }}
{{- end }}
{{- if and (or $external.tls.existingSecret $external.tls.serverName) (regexMatch "^redis(\\+|:)" $external.url) }}
{{- fail "externalRedis.tls is set, but externalRedis.url says redis, which is not encrypted. Use rediss:// (rediss+sentinel://, rediss+cluster://)" }}
{{- end }}
{{- if and (or $external.passwordKey $external.sentinelPasswordKey) (not $external.existingSecret) }}
{{- fail "externalRedis.passwordKey and sentinelPasswordKey name items of a Secret. Set externalRedis.existingSecret to it, with the URL under urlKey" }}
{{- end }}
{{- if and $external.keyring.passwordKey (not $external.keyring.existingSecret) }}
{{- fail "externalRedis.keyring.passwordKey names an item of a Secret. Set externalRedis.keyring.existingSecret to it, with the URL under urlKey" }}
{{- end }}
{{- else if or $external.url $external.existingSecret $external.keyring.url $external.keyring.existingSecret $external.tls.existingSecret $external.tls.clientCertificate $external.tls.serverName $external.username $external.passwordKey $external.sentinelUsername $external.sentinelPasswordKey $external.keyring.username $external.keyring.passwordKey }}
{{- fail (printf "externalRedis is set, but redis.mode is %s, so it would be ignored. Set redis.mode to external, or remove externalRedis" $redis.mode) }}
{{- end }}

{{- with .Values.notifications }}
{{- $used := or .smtpUrlKey .webhooksKey }}
{{- if and $used (not .existingSecret) }}
{{- fail "notifications.smtpUrlKey and webhooksKey name items of a Secret. Set notifications.existingSecret to it" }}
{{- end }}
{{- if and .existingSecret (not $used) }}
{{- fail "notifications.existingSecret is set, but nothing is taken from it. Set notifications.smtpUrlKey or webhooksKey, or remove it" }}
{{- end }}
{{- if or (and .smtpCaKey (not .smtpUrlKey)) (and .webhookCaKey (not .webhooksKey)) }}
{{- fail "notifications.smtpCaKey goes with smtpUrlKey, and webhookCaKey with webhooksKey. Set both of a pair, or remove the authority" }}
{{- end }}
{{- if and .smtpUrlKey (not (and $.Values.settings.SMTP_FROM $.Values.settings.SMTP_ALLOW_DOMAINS)) }}
{{- fail "notifications.smtpUrlKey needs to know who writes and who may be written to. Set settings.SMTP_FROM and settings.SMTP_ALLOW_DOMAINS" }}
{{- end }}
{{- end }}

{{- with .Values.auditSyslog }}
{{- if and .existingSecret (not (hasPrefix "syslog+tls:" .url)) }}
{{- fail "auditSyslog.existingSecret is to check a certificate by. Set auditSyslog.url to syslog+tls://…, or remove it" }}
{{- end }}
{{- end }}

{{- $role := default "both" .Values.settings.ROLE }}
{{- if and (ne $role "both") (eq $redis.mode "none") }}
{{- fail (printf "settings.ROLE %s needs a Redis that it shares with the release that does the rest. Use redis.mode standalone, sentinel or external" $role) }}
{{- end }}
{{- if and (eq $role "create") (not .Values.settings.LINK_URL) }}
{{- fail "settings.ROLE create makes links that cannot be opened here. Set settings.LINK_URL to the publicUrl of the release with settings.ROLE open" }}
{{- end }}
{{- if and .Values.networkPolicy.redisFrom (not (include "waxseal.bundledRedis" .)) }}
{{- fail (printf "networkPolicy.redisFrom is for the bundled Redis, but redis.mode is %s. Remove it, or let the other release into your own Redis" $redis.mode) }}
{{- end }}

{{- with .Values.metrics }}
{{- if and (not .enabled) (or .serviceMonitor.enabled .prometheusRule.enabled .dashboard.enabled) }}
{{- fail "metrics.serviceMonitor, prometheusRule and dashboard need the metrics themselves. Set metrics.enabled to true" }}
{{- end }}
{{- end }}
{{- end }}
