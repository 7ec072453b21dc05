{{/* Who may talk to whom. */}}

{{/*
Peers of a policy. A range that holds the metadata address of clouds gets an exception: whoever reaches that address
has the rights of the node.
*/}}
{{- define "cronzimus.peers" -}}
{{- range . }}
{{- if .cidr }}
- ipBlock:
    cidr: {{ .cidr | quote }}
    {{- with include "cronzimus.metadataIn" .cidr }}
    except: [{{ . | quote }}]
    {{- end }}
{{- else }}
- {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The metadata address where a range holds it, else nothing. Of IPv6 only the ranges are known that people write. */}}
{{- define "cronzimus.metadataIn" -}}
{{- if contains ":" . -}}
{{- if hasPrefix "fd00:ec2:" (lower .) -}}
{{- fail (printf "networkPolicy: %s is the metadata address of the cloud, which stays denied" .) -}}
{{- else if has (lower .) (list "::/0" "fc00::/7" "fd00::/8" "fd00::/16") -}}
fd00:ec2::254/128
{{- end -}}
{{- else if eq (include "cronzimus.coversMetadata" .) "true" -}}
{{- if hasSuffix "/32" . -}}
{{- fail (printf "networkPolicy: %s is the metadata address of the cloud, which stays denied" .) -}}
{{- end -}}
169.254.169.254/32
{{- end -}}
{{- end -}}

{{/* Both addresses as numbers, without the bits that the range leaves open. */}}
{{- define "cronzimus.coversMetadata" -}}
{{- $address := 0 -}}
{{- range splitList "." (splitList "/" . | first) }}{{ $address = add (mul $address 256) (atoi .) }}{{ end -}}
{{- $metadata := 0 -}}
{{- range list 169 254 169 254 }}{{ $metadata = add (mul $metadata 256) . }}{{ end -}}
{{- range until (sub 32 (splitList "/" . | last | atoi) | int) -}}
{{- $address = div $address 2 }}{{ $metadata = div $metadata 2 -}}
{{- end -}}
{{- eq $address $metadata -}}
{{- end -}}
