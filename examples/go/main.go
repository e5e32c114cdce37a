// Runs a Bell pair on a BasicAer server, reads a state vector, cancels a job, and reads a typed error:
//
//	go run . 127.0.0.1:50051
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"basicaer.dev/examples/go/client"
)

func main() {
	address := "127.0.0.1:50051"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if err := run(context.Background(), address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address string) (err error) {
	server, err := client.Dial(address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	server.OnRetry = func(err error) {
		fmt.Fprintf(os.Stderr, "%s: %v; trying again for half a minute\n", address, err)
	}

	job, err := server.Submit(ctx, on("qasm_simulator", bell()), "")
	if err != nil {
		return err
	}
	for event, err := range server.Watch(ctx, job.GetJobId(), 0) {
		if err != nil {
			return err
		}
		fmt.Println(event.GetSequence(), event.GetStatus().GetStatus())
	}
	result, err := server.Result(ctx, job.GetJobId())
	if err != nil {
		return err
	}
	fmt.Println(client.Counts(result.GetPrograms()[0]))

	if job, err = server.Submit(ctx, on("statevector_simulator", superposition(3)), ""); err != nil {
		return err
	}
	for _, err := range server.Watch(ctx, job.GetJobId(), 0) {
		if err != nil {
			return err
		}
	}
	state, err := server.State(ctx, job.GetJobId(), "0/statevector")
	if err != nil {
		return err
	}
	fmt.Println(state)

	if job, err = server.Submit(ctx, on("qasm_simulator", endless()), ""); err != nil {
		return err
	}
	if job, err = server.Cancel(ctx, job.GetJobId(), "only an example"); err != nil {
		return err
	}
	fmt.Println("to be cancelled:", job.GetCancelRequested())

	_, err = server.Submit(ctx, on("no_such_backend", bell()), "")
	if info := client.Info(err); info != nil {
		fmt.Println(info.GetReason(), info.GetMetadata())
		return nil
	}
	return err
}
