// Puts the Go client behind the protocol of tests/conformance/README.md: one JSON object a line, in and out.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	rpccode "google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	pb "basicaer.dev/examples/go/basicaerv1"
	"basicaer.dev/examples/go/client"
)

type request struct {
	Op            string          `json:"op"`
	Message       string          `json:"message"`
	JSON          json.RawMessage `json:"json"`
	Hex           string          `json:"hex"`
	Spec          json.RawMessage `json:"spec"`
	RequestID     string          `json:"request_id"`
	JobID         string          `json:"job_id"`
	AfterSequence uint64          `json:"after_sequence"`
	Until         string          `json:"until"`
	Part          string          `json:"part"`
	At            []int           `json:"at"`
	Reason        string          `json:"reason"`
}

type object map[string]any

func main() {
	if err := serve(os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(address string, in io.Reader, out io.Writer) error {
	server, err := client.Dial(address)
	if err != nil {
		return err
	}
	requests, replies := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	for {
		var asked request
		if err := requests.Decode(&asked); err == io.EOF {
			return server.Close()
		} else if err != nil {
			return err
		}
		reply, err := answer(context.Background(), server, asked)
		if err != nil {
			reply = object{"error": failure(err)}
		}
		if err := replies.Encode(reply); err != nil {
			return err
		}
	}
}

func answer(ctx context.Context, server *client.Client, asked request) (object, error) {
	switch asked.Op {
	case "encode":
		return encode(asked)
	case "decode":
		return decode(asked)
	case "submit":
		return submit(ctx, server, asked)
	case "watch":
		return watch(ctx, server, asked)
	case "counts":
		return counts(ctx, server, asked)
	case "outputs":
		return outputs(ctx, server, asked)
	case "methods":
		return methods(ctx, server, asked)
	case "state":
		return state(ctx, server, asked)
	case "cancel":
		job, err := server.Cancel(ctx, asked.JobID, asked.Reason)
		final := job.GetStatus() == pb.JobStatus_JOB_STATUS_DONE || job.GetStatus() == pb.JobStatus_JOB_STATUS_ERROR
		return object{"cancelled": job.GetCancelRequested() && !final}, err
	default:
		return nil, fmt.Errorf("there is no operation %q", asked.Op)
	}
}

func encode(asked request) (object, error) {
	message, err := newMessage(asked.Message)
	if err != nil {
		return nil, err
	}
	if err := protojson.Unmarshal(asked.JSON, message); err != nil {
		return nil, err
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	return object{"hex": hex.EncodeToString(data)}, err
}

func decode(asked request) (object, error) {
	message, err := newMessage(asked.Message)
	if err != nil {
		return nil, err
	}
	data, err := hex.DecodeString(asked.Hex)
	if err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(data, message); err != nil {
		return nil, err
	}
	text, err := protojson.Marshal(message)
	return object{"json": json.RawMessage(text)}, err
}

func newMessage(name string) (proto.Message, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName("basicaer.v1." + name))
	if err != nil {
		return nil, err
	}
	return kind.New().Interface(), nil
}

func submit(ctx context.Context, server *client.Client, asked request) (object, error) {
	spec := &pb.JobSpec{}
	if err := protojson.Unmarshal(asked.Spec, spec); err != nil {
		return nil, err
	}
	job, err := server.Submit(ctx, spec, asked.RequestID)
	return object{"job_id": job.GetJobId()}, err
}

func watch(ctx context.Context, server *client.Client, asked request) (object, error) {
	events := []object{}
	for event, err := range server.Watch(ctx, asked.JobID, asked.AfterSequence) {
		if err != nil {
			return nil, err
		}
		if event.GetStatus() == nil {
			continue
		}
		name := strings.TrimPrefix(event.GetStatus().GetStatus().String(), "JOB_STATUS_")
		events = append(events, object{"sequence": event.GetSequence(), "status": name})
		if name == asked.Until {
			break
		}
	}
	return object{"events": events}, nil
}

func counts(ctx context.Context, server *client.Client, asked request) (object, error) {
	result, err := server.Result(ctx, asked.JobID)
	if err != nil {
		return nil, err
	}
	programs := []map[string]uint64{}
	for _, program := range result.GetPrograms() {
		programs = append(programs, client.Counts(program))
	}
	return object{"counts": programs}, nil
}

func outputs(ctx context.Context, server *client.Client, asked request) (object, error) {
	result, err := server.Result(ctx, asked.JobID)
	if err != nil {
		return nil, err
	}
	programs := [][]object{}
	for _, program := range result.GetPrograms() {
		outcomes, err := client.Outputs(program)
		if err != nil {
			return nil, err
		}
		seen := []object{}
		for _, outcome := range outcomes {
			values := object{}
			for name, value := range outcome.Values {
				values[name] = plain(value)
			}
			seen = append(seen, object{"values": values, "count": outcome.Count})
		}
		programs = append(programs, seen)
	}
	return object{"outputs": programs}, nil
}

// plain returns a value as the protocol has it: integers as text, which JSON's numbers don't hold.
func plain(value any) any {
	switch value := value.(type) {
	case []any:
		elements := []any{}
		for _, element := range value {
			elements = append(elements, plain(element))
		}
		return elements
	case int64, uint64:
		return fmt.Sprint(value)
	case complex128:
		return [2]float64{real(value), imag(value)}
	default:
		return value
	}
}

func methods(ctx context.Context, server *client.Client, asked request) (object, error) {
	result, err := server.Result(ctx, asked.JobID)
	if err != nil {
		return nil, err
	}
	programs := []object{}
	for _, program := range result.GetPrograms() {
		method := strings.TrimPrefix(program.GetSimulationMethod().String(), "SIMULATION_METHOD_")
		programs = append(programs, object{"method": method, "reason": program.GetReason()})
	}
	return object{"methods": programs}, nil
}

func state(ctx context.Context, server *client.Client, asked request) (object, error) {
	amplitudes, err := server.State(ctx, asked.JobID, asked.Part)
	if err != nil {
		return nil, err
	}
	chosen := [][2]float64{}
	for _, index := range asked.At {
		chosen = append(chosen, [2]float64{real(amplitudes[index]), imag(amplitudes[index])})
	}
	return object{"shape": []int{len(amplitudes)}, "amplitudes": chosen}, nil
}

func failure(err error) object {
	info := client.Info(err)
	return object{
		"code":     rpccode.Code(status.Code(err)).String(),
		"reason":   info.GetReason(),
		"metadata": info.GetMetadata(),
		"message":  err.Error(),
	}
}
