"""The settings of a server, each with its meaning, its unit and its default; `Config` checks them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from basicaer.service.config._memory import available_memory
from basicaer.service.config._setting import (
    ADDRESS,
    COUNT,
    LIMIT,
    NAMES,
    PATH,
    RETENTION,
    SIZE,
    SWITCH,
    TEXT,
    TIME,
    URL,
    described,
    setting,
)

__all__ = ["DEFAULT_HTTP", "Values"]

DEFAULT_HTTP = "127.0.0.1:8050"
"""What an empty `http_listen` stands for."""
_MIB = 1024 * 1024
_DAY = 86_400.0


def _default_memory() -> int:
    return available_memory() * 8 // 10


def _default_workers() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What `Config` holds. Sizes are in bytes, times in seconds; None for a time means for ever."""

    listen: str = setting(
        ADDRESS,
        "127.0.0.1:50051",
        "Where to listen. Port 0 takes any free one. Outside of this machine (0.0.0.0, a name) it takes "
        "--auth and --tls-certificate.",
    )
    health_listen: str = setting(
        ADDRESS,
        "",
        "Where health alone is answered too, without TLS, for probes that can't do it, such as those of "
        "Kubernetes. Nothing else is told there, to whoever asks.",
    )
    http_listen: str = setting(
        TEXT,
        "",
        "Where browsers and HTTP/JSON are answered, as HOST:PORT such as 127.0.0.1:8050; none for nowhere. "
        "Port 0 takes any free one. Outside of this machine it takes what --listen takes.",
        shown=f"{DEFAULT_HTTP}, or a free port when it is taken",
    )
    http_hosts: tuple[str, ...] = setting(
        NAMES,
        (),
        "Names by which HTTP is reached, such as lab.example.org; by IP addresses, localhost and the host of "
        "--http-listen it always is. Other names are refused: they could be a page's that wants to get in.",
    )
    http_origins: tuple[str, ...] = setting(
        NAMES,
        (),
        "Origins whose pages may call by HTTP (CORS), such as https://app.example.org; beside the server's "
        "own, none.",
    )
    data_dir: Path = field(
        metadata=described(
            PATH,
            "Where jobs, results and tokens are kept. It is made if it is not there; one server at a time "
            "may use it.",
            shown=".basicaer",
        )
    )
    database: str = setting(
        URL,
        "",
        "Where jobs, results and tokens are kept instead: a PostgreSQL database, 15 or newer, such as "
        "postgresql://basicaer@db/jobs?sslmode=verify-full. All servers that name "
        "it are one service. Needs pip install 'basicaer[postgresql]'. Keep a password in ~/.pgpass.",
    )
    object_store: str = setting(
        TEXT,
        "",
        "With --database: where results above 64 MiB are kept, such as s3://bucket/prefix; without it jobs "
        "that have such are refused. All servers need the same. Needs pip install 'basicaer[s3]', and "
        "credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or by the machine's role.",
    )
    object_store_endpoint: str = setting(
        TEXT,
        "",
        "Where --object-store is reached when that isn't AWS, such as https://minio.example.org:9000.",
        shown="that of AWS, or AWS_ENDPOINT_URL",
    )
    lease_time: float = setting(
        TIME,
        10.0,
        "With --database: how long a server that isn't heard of keeps the jobs that it runs; then they start "
        "anew with another one.",
        least=1,
    )
    run_jobs: bool = setting(
        SWITCH,
        True,
        "With --database: run jobs that wait. Without it a server runs only those that take no longer than "
        "their way to another one; 'basicaer work' has to run the others.",
    )
    executor: str = setting(
        TEXT,
        "",
        "Of 'basicaer work': run jobs on the nodes of a Ray cluster, whose head is at ray://HOST:PORT; this "
        "machine has to be one of its nodes. The memory is the nodes', and --workers says how many jobs run "
        "there at once. Needs pip install 'basicaer[ray]'.",
    )
    max_nodes: int = setting(
        COUNT,
        1,
        "With --database: over how many nodes of a Ray cluster one job's state may be spread: a power of 2. "
        "'basicaer work --executor' runs such jobs; servers and it need the same. The --max-memory-bytes of "
        "servers is then what each node has for a job.",
        above=0,
    )
    workers: int = setting(
        COUNT, _default_workers, "Simulations that run at once.", shown="the number of cores", above=0
    )
    validation_workers: int = setting(COUNT, 2, "Programs that are parsed and checked at once.", above=0)
    max_memory_bytes: int = setting(
        SIZE,
        _default_memory,
        "Memory that all running simulations may use together. A job that needs more is refused at "
        "submission; one that does not fit now waits.",
        shown="80 % of what is free",
        above=0,
    )
    max_queued_jobs: int = setting(
        COUNT, 10_000, "Waiting jobs; beyond them a submission is refused with QUEUE_FULL.", above=0
    )
    max_queued_jobs_per_principal: int = setting(
        COUNT, 5_000, "The same for the jobs of one caller with a name.", above=0
    )
    max_reads_per_caller: int = setting(
        COUNT,
        512,
        "Results that one caller, or one connection without a name, reads at a time. A further one waits for "
        "up to 10 s, and is then refused with QUEUE_FULL.",
        above=0,
    )
    max_watches_per_caller: int = setting(
        COUNT,
        20_000,
        "Streams of WatchJob and RunJob that one caller, or one connection without a name, holds open. "
        "Further ones are refused with QUEUE_FULL.",
        above=0,
    )
    max_programs: int = setting(COUNT, 1_000, "Programs in a job.", above=0)
    max_rows: int = setting(COUNT, 100_000, "Rows of values for inputs, over all programs of a job.", above=0)
    max_shots: int = setting(COUNT, 10_000_000, "Shots of a program.", above=0)
    max_program_bytes: int = setting(SIZE, 16 * _MIB, "A program's OpenQASM text.", above=0)
    max_instructions: int = setting(
        COUNT, 10_000_000, "A program's instructions, after all gates are expanded.", above=0
    )
    max_check_time: float = setting(
        TIME,
        300.0,
        "How long checking a job's programs may take; beyond it the submission is refused with "
        "PROGRAM_TOO_LARGE.",
        above=0,
    )
    max_metadata_bytes: int = setting(
        SIZE, 16 * 1024, "A job's own metadata, serialized; it comes back with the job each time.", least=0
    )
    max_message_bytes: int = setting(SIZE, 64 * _MIB, "A request message.", above=0)
    max_inline_result_bytes: int = setting(
        SIZE,
        256 * 1024,
        "The largest result that comes with the last event of RunJob. Arrays that fit come inside of it.",
        least=0,
    )
    prepared_cache_bytes: int = setting(
        SIZE,
        256 * _MIB,
        "Checked programs of waiting jobs that are kept in memory; others are read again when their turn "
        "comes.",
        least=0,
    )
    finished_cache_bytes: int = setting(
        SIZE,
        32 * _MIB,
        "Recently finished jobs that are kept in memory, so that their readers don't cost a query.",
        least=0,
    )
    result_retention: float | None = setting(
        RETENTION, 30 * _DAY, "How long a result is kept after its job has ended.", least=0
    )
    event_retention: float | None = setting(
        RETENTION, 30 * _DAY, "How long a final job's events are kept; then only the last one is.", least=0
    )
    job_retention: float | None = setting(
        RETENTION, 90 * _DAY, "How long a final job is kept at all; then its id is unknown.", least=0
    )
    max_stored_bytes: int | None = setting(
        LIMIT,
        None,
        "What all jobs and results may take on the disk. Beyond it the oldest large results go, or the "
        "oldest jobs, whichever take the most.",
        least=0,
    )
    max_attempts: int = setting(
        COUNT, 3, "How often a job is started before it is given up, if the server dies each time.", above=0
    )
    max_run_time: float | None = setting(
        RETENTION,
        _DAY,
        "How long a job may run; then it ends with TIME_LIMIT_EXCEEDED. A job's own option can ask for less.",
        above=0,
    )
    max_overtakes: int = setting(
        COUNT,
        64,
        "How many jobs may start before the first waiting one that needs more memory than is free.",
        least=0,
    )
    drain_grace: float = setting(
        TIME,
        10.0,
        "How long SIGTERM and Ctrl-C wait for running jobs. Those that are not done by then start anew with "
        "the next server.",
        least=0,
    )
    progress_interval: float = setting(TIME, 0.1, "How often progress and queue positions are told.", above=0)
    sweep_interval: float = setting(
        TIME, 60.0, "How often expired results and old events are looked for.", above=0
    )

    auth: tuple[str, ...] = setting(
        NAMES,
        (),
        "How callers prove who they are: any of token ('basicaer token create'), jwt (--jwks-file) and "
        "certificate (--tls-client-ca). Without any, everyone who reaches the port may do everything.",
    )
    tls_certificate: Path | None = setting(
        PATH,
        None,
        "The server's certificate with its chain, as PEM; turns TLS on. It is read again when it changes.",
    )
    tls_key: Path | None = setting(PATH, None, "The key of --tls-certificate, as PEM.")
    tls_client_ca: Path | None = setting(
        PATH,
        None,
        "Mutual TLS: the authorities, as PEM, one of which must have signed a caller's certificate. It is "
        "read again when it changes.",
    )
    certificate_admins: tuple[str, ...] = setting(
        NAMES, (), "Common names of client certificates that see and stop everybody's jobs."
    )
    jwks_file: Path | None = setting(
        PATH, None, "The issuer's public keys, as a JWKS file. It is read again when it changes."
    )
    jwt_issuer: str = setting(TEXT, "", "The 'iss' that a JWT must have.")
    jwt_audience: str = setting(TEXT, "", "The 'aud' that a JWT must have.")
    jwt_algorithms: tuple[str, ...] = setting(
        NAMES, ("RS256", "ES256", "EdDSA"), "Signatures that are accepted; none that need a shared secret."
    )
    jwt_leeway: float = setting(TIME, 30.0, "How far the issuer's clock may be off.", least=0)
    jwt_roles_claim: str = setting(TEXT, "roles", "The claim of a JWT that lists its bearer's roles.")
    jwt_user_role: str = setting(
        TEXT, "", "The role that a JWT must list; others get PERMISSION_DENIED. Without it every JWT will do."
    )
    jwt_admin_role: str = setting(
        TEXT, "", "The role whose bearers see and stop everybody's jobs. Without it no JWT does."
    )
    insecure_no_auth: bool = setting(
        SWITCH,
        False,
        "Listen outside of this machine without --auth: everyone who reaches the port may read, stop and "
        "delete all jobs.",
    )
    insecure_no_tls: bool = setting(
        SWITCH,
        False,
        "Listen outside of this machine without TLS: whoever sees the traffic reads tokens, programs and "
        "results. For a server behind a proxy that ends TLS.",
    )
    reflection: bool = setting(
        SWITCH, True, "Tell tools the contract (gRPC server reflection); it tells nothing about jobs."
    )

    metrics_listen: str = setting(
        TEXT,
        "",
        "Where Prometheus reads metrics, as HOST:PORT such as 127.0.0.1:9464; nowhere unless set. It is HTTP "
        "without TLS, and asks nobody who they are; outside of this machine it takes --insecure-metrics.",
    )
    insecure_metrics: bool = setting(
        SWITCH,
        False,
        "Let --metrics-listen be outside of this machine: everyone who reaches the port reads how much is "
        "done, but no job, principal or program.",
    )
    trace_endpoint: str = setting(
        TEXT,
        "",
        "Where traces are sent: an OTLP collector's gRPC address, such as http://127.0.0.1:4317; nowhere "
        "unless set. Needs pip install 'basicaer[otel]'; its OTEL_* variables hold too.",
    )

    max_concurrent_streams: int = setting(
        COUNT, 10_000, "Calls of one connection at a time; a client keeps further ones back.", above=0
    )
    max_connection_age: float | None = setting(
        RETENTION,
        _DAY,
        "How long a connection may last, so that who holds one must prove again who it is, and load spreads "
        "over servers. Clients connect anew.",
        above=0,
    )
    max_connection_age_grace: float = setting(
        TIME,
        600.0,
        "How long calls go on when their connection has reached its age. Streams that last longer are cut, "
        "and clients resume them.",
        above=0,
    )
    keepalive_time: float = setting(
        TIME, 60.0, "After how long a silence the server asks whether the client is still there.", above=0
    )
    keepalive_timeout: float = setting(
        TIME, 20.0, "How long it waits for that answer before it drops the connection.", above=0
    )
    min_ping_interval: float = setting(
        TIME,
        10.0,
        "How often a client may ask the same; one that asks more often is disconnected. BasicAer's own asks "
        "every 30 s.",
        above=0,
    )
