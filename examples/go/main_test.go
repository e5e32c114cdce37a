package main

import (
	"context"
	"math"
	"os"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "basicaer.dev/examples/go/basicaerv1"
	"basicaer.dev/examples/go/client"
)

// connect returns a client of the server behind a proxy that cuts every second call.
func connect(t *testing.T) *client.Client {
	t.Helper()
	address, ok := os.LookupEnv("BASICAER_FLAKY_SERVER")
	if !ok {
		t.Fatal("BASICAER_FLAKY_SERVER is not set: `make example-go` starts a server and sets it")
	}
	server, err := client.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// finish submits a job and watches it to its end.
func finish(t *testing.T, server *client.Client, spec *pb.JobSpec) (jobID string, statuses []pb.JobStatus) {
	t.Helper()
	job, err := server.Submit(t.Context(), spec, "")
	if err != nil {
		t.Fatal(err)
	}
	for event, err := range server.Watch(t.Context(), job.GetJobId(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if event.GetStatus() != nil {
			statuses = append(statuses, event.GetStatus().GetStatus())
		}
	}
	return job.GetJobId(), statuses
}

var ran = []pb.JobStatus{
	pb.JobStatus_JOB_STATUS_QUEUED, pb.JobStatus_JOB_STATUS_RUNNING, pb.JobStatus_JOB_STATUS_DONE,
}

func TestBellGivesEqualBits(t *testing.T) {
	server := connect(t)
	jobID, statuses := finish(t, server, on("qasm_simulator", bell()))
	if !slices.Equal(statuses, ran) {
		t.Errorf("statuses are %v, want %v", statuses, ran)
	}
	result, err := server.Result(t.Context(), jobID)
	if err != nil {
		t.Fatal(err)
	}
	counts := client.Counts(result.GetPrograms()[0])
	if len(counts) != 2 || counts["00"]+counts["11"] != 1024 {
		t.Errorf("counts are %v, want 1024 of 00 and 11", counts)
	}
}

func TestNoiseComesByTheMethodThatIsAskedFor(t *testing.T) {
	server := connect(t)
	jobID, statuses := finish(t, server, noisy())
	if !slices.Equal(statuses, ran) {
		t.Errorf("statuses are %v, want %v", statuses, ran)
	}
	result, err := server.Result(t.Context(), jobID)
	if err != nil {
		t.Fatal(err)
	}
	program := result.GetPrograms()[0]
	if program.GetSimulationMethod() != pb.SimulationMethod_SIMULATION_METHOD_MATRIX_PRODUCT_STATE {
		t.Errorf("it ran by %v, since %s", program.GetSimulationMethod(), program.GetReason())
	}
	counts := client.Counts(program)
	if wrong := counts["01"] + counts["10"]; wrong < 1 || wrong > 30 {
		t.Errorf("counts are %v, want about 5 of 01 and 10", counts)
	}
}

func TestStateComesInChunks(t *testing.T) {
	server := connect(t)
	jobID, _ := finish(t, server, on("statevector_simulator", superposition(17)))
	state, err := server.State(t.Context(), jobID, "0/statevector")
	if err != nil {
		t.Fatal(err)
	}
	if len(state) != 1<<17 {
		t.Fatalf("the state has %d amplitudes, want 2^17", len(state))
	}
	for index, amplitude := range state {
		if math.Abs(real(amplitude)-math.Exp2(-8.5)) > 1e-12 || math.Abs(imag(amplitude)) > 1e-12 {
			t.Fatalf("amplitude %d is %v", index, amplitude)
		}
	}
}

func TestCancelEndsARunningJob(t *testing.T) {
	server := connect(t)
	job, err := server.Submit(t.Context(), on("qasm_simulator", endless()), "")
	if err != nil {
		t.Fatal(err)
	}
	var last pb.JobStatus
	for event, err := range server.Watch(t.Context(), job.GetJobId(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if event.GetStatus() == nil {
			continue
		}
		last = event.GetStatus().GetStatus()
		if last == pb.JobStatus_JOB_STATUS_RUNNING {
			if _, err := server.Cancel(t.Context(), job.GetJobId(), "test"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if last != pb.JobStatus_JOB_STATUS_CANCELLED {
		t.Errorf("the job ended as %v, want CANCELLED", last)
	}
}

func TestErrorsHaveReasonsAndFacts(t *testing.T) {
	server := connect(t)
	_, err := server.Submit(t.Context(), on("no_such_backend", bell()), "")
	info := client.Info(err)
	if status.Code(err) != codes.NotFound || info.GetReason() != "BACKEND_NOT_FOUND" {
		t.Errorf("the error is %v with %v, want NOT_FOUND for BACKEND_NOT_FOUND", err, info)
	}
	if info.GetMetadata()["backend_name"] != "no_such_backend" {
		t.Errorf("the facts are %v, want the backend's name", info.GetMetadata())
	}
}

func TestTheProgramRuns(t *testing.T) {
	address, ok := os.LookupEnv("BASICAER_SERVER")
	if !ok {
		t.Fatal("BASICAER_SERVER is not set: `make example-go` starts a server and sets it")
	}
	if err := run(context.Background(), address); err != nil {
		t.Error(err)
	}
}
