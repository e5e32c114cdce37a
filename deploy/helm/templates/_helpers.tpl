{{- define "basicaer.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "basicaer.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "basicaer.labels" -}}
{{ include "basicaer.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- /* Workers have a name of their own, or the service would lead calls to them. */}}
{{- define "basicaer.workerSelector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-worker
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "basicaer.workerLabels" -}}
{{ include "basicaer.workerSelector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "basicaer.databaseEnv" -}}
- name: BASICAER_DATABASE
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.secretName }}
      key: url
{{- end }}

{{- define "basicaer.egress" -}}
{{- if .Values.database.secretName -}}
egress:
  - ports:
      - port: {{ .Values.database.port }}
        protocol: TCP
    {{- with .Values.database.to }}
    to: {{- toYaml . | nindent 6 }}
    {{- end }}
  # The database's name.
  - ports:
      - port: 53
        protocol: UDP
      - port: 53
        protocol: TCP
{{- else -}}
egress: []
{{- end }}
{{- end }}

{{- /* What the server would refuse at its start is refused before it is installed. */}}
{{- define "basicaer.check" -}}
{{- if and (not .Values.tls.secretName) (not .Values.insecure.noTls) -}}
{{- fail "tls.secretName is empty: name a Secret of type kubernetes.io/tls, or set insecure.noTls=true behind a proxy that ends TLS" -}}
{{- end -}}
{{- if and (not .Values.auth) (not .Values.insecure.noAuth) -}}
{{- fail "auth is empty: set auth={token}, or insecure.noAuth=true to let everyone in who reaches the port" -}}
{{- end -}}
{{- if and (not .Values.database.secretName) (gt (int .Values.replicas) 1) -}}
{{- fail "replicas is more than 1: name the Secret with the URL of a database that they share in database.secretName" -}}
{{- end -}}
{{- if and (not .Values.database.secretName) .Values.workers.replicas -}}
{{- fail "workers.replicas is not 0: name the Secret with the URL of the servers' database in database.secretName" -}}
{{- end -}}
{{- if and .Values.ray.enabled (not .Values.database.secretName) -}}
{{- fail "ray.enabled: name the Secret with the URL of the servers' database in database.secretName" -}}
{{- end -}}
{{- if and .Values.ray.enabled (not .Values.ray.tokenSecretName) -}}
{{- fail "ray.enabled: Ray runs whatever it is sent, so name the Secret with a token in ray.tokenSecretName" -}}
{{- end -}}
{{- if and (has "certificate" .Values.auth) (not .Values.tls.clientCaSecretName) -}}
{{- fail "auth has certificate: name the Secret with its authority in tls.clientCaSecretName" -}}
{{- end -}}
{{- if and (has "jwt" .Values.auth) (not (and .Values.jwt.secretName .Values.jwt.issuer .Values.jwt.audience)) -}}
{{- fail "auth has jwt: set jwt.secretName, jwt.issuer and jwt.audience" -}}
{{- end -}}
{{- end }}
