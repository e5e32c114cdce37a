// Programs that run what this browser sent, or read a job that it didn't.
import { server } from "../api/server";
import type { Job, JobSpec } from "../api/types";
import { noiseOf } from "../write/noise";
import { type Amplitudes, amplitudeWords } from "../write/state";

const quoted = (text: string): string => JSON.stringify(text);
const inShell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function only(spec: JobSpec): string {
  const program = spec.programs[0];
  return program?.openqasm3 ?? program?.openqasm2 ?? "";
}

function pythonText(text: string): string {
  return text.includes('"""') || text.includes("\\") ? quoted(text) : `"""\\\n${text.trimEnd()}\n"""`;
}

/** An option's value as people write it: without the contract's prefixes and units. */
function value(name: string, given: unknown): string {
  const text = String(given).replace(/^(SIMULATION_METHOD|PRECISION)_/, "");
  return name === "max_run_time"
    ? text.replace(/s$/, "")
    : text === String(given)
      ? text
      : text.toLowerCase();
}

/** The fields of an option that has some, as JSON and Python write them. */
function bounds(given: unknown): string {
  const fields = Object.entries(given as Record<string, string>);
  return `{${fields.map(([name, each]) => `${quoted(name)}: ${numeral(each)}`).join(", ")}}`;
}

const numeral = (text: string): string => (/^-?[\d.]+(e-?\d+)?$/i.test(text) ? text : quoted(text));

function pythonOptions(spec: JobSpec): string {
  return Object.entries(spec.options ?? {})
    .map(([name, given]) => {
      if (name === "noise_model") return ", noise_model=noise";
      if (name === "initial_statevector")
        return `, ${name}=[${amplitudeWords(given as Amplitudes).join(", ")}]`;
      if (typeof given === "boolean") return `, ${name}=${given ? "True" : "False"}`;
      if (typeof given === "object") return `, ${name}=${bounds(given)}`;
      return `, ${name}=${numeral(value(name, given))}`;
    })
    .join("");
}

export function python(id: string, _job: Job, spec: JobSpec | undefined): string {
  const token = server.needsToken ? ", token=TOKEN" : "";
  const noise = spec?.options?.["noise_model"];
  const names = noise ? "BasicAerProvider, Channel, NoiseModel" : "BasicAerProvider";
  const head = `from basicaer.client import ${names}

provider = BasicAerProvider(${quoted(server.grpc)}${token})
`;
  if (!spec) return `${head}job = provider.retrieve_job(${quoted(id)})\nprint(job.result())\n`;
  const model = noise ? `noise = NoiseModel()\nnoise.add(Channel.depolarizing(${noiseOf(noise)}, 2))\n` : "";
  return `${head}${model}backend = provider.get_backend(${quoted(spec.backendName)})
job = backend.run(${pythonText(only(spec))}${pythonOptions(spec)})
print(job.result())
`;
}

function flags(spec: JobSpec): string {
  const known: Record<string, string> = { shots: "--shots", seed_simulator: "--seed", method: "--method" };
  return Object.entries(spec.options ?? {})
    .map(([name, given]) => {
      if (name === "noise_model") return " --noise noise.json";
      if (name === "memory") return given ? " --memory" : "";
      if (name === "initial_statevector")
        return ` --option '${name}=${JSON.stringify(amplitudeWords(given as Amplitudes))}'`;
      if (typeof given === "object") return ` --option ${inShell(`${name}=${bounds(given)}`)}`;
      return known[name]
        ? ` ${known[name]} ${value(name, given)}`
        : ` --option ${name}=${value(name, given)}`;
    })
    .join("");
}

export function shell(id: string, _job: Job, spec: JobSpec | undefined): string {
  const token = server.needsToken ? " --token-file token" : "";
  if (!spec) return `basicaer result ${id} --server ${server.grpc}${token}\n`;
  const noise = spec.options?.["noise_model"];
  const model = noise ? `cat > noise.json <<'END'\n${JSON.stringify(noise)}\nEND\n` : "";
  return `cat > circuit.qasm <<'END'
${only(spec).trimEnd()}
END
${model}basicaer run circuit.qasm --backend ${spec.backendName}${flags(spec)} --server ${server.grpc}${token}
`;
}

export function curl(id: string, _job: Job, spec: JobSpec | undefined): string {
  const token = server.needsToken ? ' -H "Authorization: Bearer $TOKEN"' : "";
  if (!spec) {
    return `curl -sSN${token} '${location.origin}/v1/jobs/${id}:watch?after_sequence=0'
curl -sS${token} ${location.origin}/v1/jobs/${id}/result
`;
  }
  return `curl -sS${token} --json ${inShell(JSON.stringify(spec, null, 2))} \\
  ${location.origin}/v1/jobs:run
`;
}

export function go(id: string, _job: Job, spec: JobSpec | undefined): string {
  const method = spec ? "POST" : "GET";
  const path = spec ? "/v1/jobs:run" : `/v1/jobs/${id}/result`;
  const body = spec ? "strings.NewReader(job)" : "nil";
  const job = spec ? `\nconst job = ${goText(JSON.stringify(spec, null, 2))}\n` : "";
  const token = server.needsToken
    ? '\n\trequest.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))'
    : "";
  const json = spec ? '\n\trequest.Header.Set("Content-Type", "application/json")' : "";
  return `package main

import (
	"io"
	"log"
	"net/http"
	"os"${spec ? '\n\t"strings"' : ""}
)
${job}
func main() {
	request, err := http.NewRequest("${method}", ${quoted(location.origin + path)}, ${body})
	if err != nil {
		log.Fatal(err)
	}${json}${token}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	io.Copy(os.Stdout, answer.Body)
}
`;
}

function goText(text: string): string {
  return text.includes("`") ? quoted(text) : `\`${text}\``;
}
