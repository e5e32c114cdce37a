// What the contract's messages look like in protobuf's JSON form, as far as the page reads them.
// Fields at their default are absent; 64-bit integers are strings.

export type JobStatus =
  | "JOB_STATUS_INITIALIZING"
  | "JOB_STATUS_QUEUED"
  | "JOB_STATUS_VALIDATING"
  | "JOB_STATUS_RUNNING"
  | "JOB_STATUS_CANCELLED"
  | "JOB_STATUS_DONE"
  | "JOB_STATUS_ERROR";

export interface Progress {
  fraction?: number;
  shotsDone?: string;
  shotsTotal?: string;
  programsDone?: number;
  programsTotal?: number;
}

export interface JobError {
  reason?: string;
  message?: string;
  programIndex?: number;
}

export interface Job {
  jobId: string;
  backendName: string;
  status: JobStatus;
  sequence?: string;
  createTime: string;
  startTime?: string;
  endTime?: string;
  attempt?: number;
  queuePosition?: number;
  progress?: Progress;
  error?: JobError;
  cancelRequested?: boolean;
  labels?: Record<string, string>;
  metadata?: Record<string, unknown>;
  numPrograms?: number;
  shots?: string;
  requiredBytes?: string;
  resultSizeBytes?: string;
  resultExpireTime?: string;
  /** Whose it is, as "token:NAME"; nothing where nobody is asked. */
  principal?: string;
  warnings?: Diagnostic[];
}

export interface JobEvent {
  sequence?: string;
  time: string;
  status?: { status: JobStatus; attempt?: number; error?: JobError };
  progress?: Progress;
  queuePosition?: { ahead?: number };
}

export interface Diagnostic {
  severity: "SEVERITY_ERROR" | "SEVERITY_WARNING";
  programIndex?: number;
  line?: number;
  column?: number;
  endColumn?: number;
  message: string;
  expected?: string;
  hint?: string;
}

export interface Program {
  openqasm2?: string;
  openqasm3?: string;
}

export interface JobSpec {
  backendName: string;
  programs: Program[];
  options?: Record<string, unknown>;
  labels?: Record<string, string>;
}

export interface ResultArray {
  name: string;
  part: string;
  dtype: string;
  shape?: string[];
  sizeBytes?: string;
  data?: string;
  kind?: string;
  perShot?: boolean;
}

export interface Register {
  name: string;
  size: number;
  bits?: number[];
}

export interface ProgramResult {
  status: JobStatus;
  error?: JobError;
  header?: {
    name?: string;
    numQubits?: number;
    numClbits?: number;
    quantumRegisters?: Register[];
    classicalRegisters?: Register[];
  };
  shots?: string;
  seedSimulator?: string;
  timeTaken?: number;
  counts?: { wordsPerOutcome?: number; outcomes?: string[]; counts?: string[] };
  arrays?: ResultArray[];
  method?: string;
  programIndex?: number;
  row?: number;
  simulationMethod?: string;
  reason?: string;
  matrixProductState?: { largestBond?: string; discardedWeight?: number; estimatedFidelity?: number };
}

export interface Result {
  jobId: string;
  backendName: string;
  backendVersion?: string;
  success?: boolean;
  programs?: ProgramResult[];
  timeTaken?: number;
}

export interface OptionInfo {
  name: string;
  defaultValue?: string;
  description: string;
}

export interface BackendInfo {
  name: string;
  description: string;
  maxQubits?: number;
  options?: OptionInfo[];
  methods?: string[];
}

/** A process that shares jobs with the one that answers. */
export interface Member {
  name: string;
  address?: string;
  version?: string;
  workers?: number;
  maxMemoryBytes?: string;
  runningJobs?: string;
  runningBytes?: string;
  uptime?: string;
  nodes?: ClusterNode[];
}

/** A machine of the Ray cluster that a worker drives. */
export interface ClusterNode {
  name: string;
  address: string;
  gone?: boolean;
  cpus?: number;
  memoryBytes?: string;
  reservedBytes?: string;
  warmProcesses?: number;
  runningJobs?: string;
}

export interface CallerLoad {
  principal: string;
  queuedJobs?: string;
  runningJobs?: string;
}

export interface ServerInfo {
  version: string;
  startTime: string;
  workers?: number;
  queuedJobs?: string;
  runningJobs?: string;
  members?: Member[];
  callers?: CallerLoad[];
  limits?: Record<string, unknown> & { maxMemoryBytes?: string; maxQueuedJobs?: string };
}

export interface Session {
  needed: boolean;
  signedIn: boolean;
  principal: string;
  admin: boolean;
  grpcPort: number;
}

export interface Drawing {
  fault?: string;
  phase?: string;
  qubits?: string[];
  columns?: { labels: Record<string, string>; joined: boolean }[][];
  leftOut?: boolean;
}
