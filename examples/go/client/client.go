// Package client submits circuits to a BasicAer server, watches the jobs, and reads what they gave.
//
// It is an example to start from: everything that it knows is in protos/basicaer/v1.
package client

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	pb "basicaer.dev/examples/go/basicaerv1"
)

// Client is a connection to one server, for any number of goroutines.
type Client struct {
	// OnRetry is told when a call has failed and will be tried again, for about half a minute. Set it before the
	// first call; it may be nil.
	OnRetry func(err error)

	conn *grpc.ClientConn
	jobs pb.JobServiceClient
}

// Dial makes a client of the server at HOST:PORT. It connects with the first call.
func Dial(address string) (*Client, error) {
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		// Finds out within a minute and a half that a server is gone without a word.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 30 * time.Second}))
	if err != nil {
		return nil, fmt.Errorf("%q is not HOST:PORT of a server: %w", address, err)
	}
	return &Client{conn: conn, jobs: pb.NewJobServiceClient(conn)}, nil
}

// Close ends every call; jobs go on.
func (c *Client) Close() error { return c.conn.Close() }

// Submit submits a job, as often as it takes: the request id makes sure that there is only one. An empty request id
// stands for a new one.
func (c *Client) Submit(ctx context.Context, spec *pb.JobSpec, requestID string) (*pb.Job, error) {
	if requestID == "" {
		requestID = uuid.NewString()
	}
	request := &pb.SubmitJobRequest{Spec: spec, RequestId: requestID}
	response, err := retry(ctx, c.OnRetry, func() (*pb.SubmitJobResponse, error) { return c.jobs.SubmitJob(ctx, request) })
	return response.GetJob(), err
}

// Watch yields a job's events after a sequence (0 for all), up to the final one. When the stream breaks it goes on
// after the last event that it saw, so each change of status comes exactly once. An error is the last thing yielded.
func (c *Client) Watch(ctx context.Context, jobID string, after uint64) iter.Seq2[*pb.Event, error] {
	return func(yield func(*pb.Event, error) bool) {
		for pause := (backoff{onRetry: c.OnRetry}); ; {
			before := after
			finished, err := c.follow(ctx, jobID, &after, yield)
			if finished {
				return
			}
			if after > before {
				pause.reset()
			}
			if err = pause.wait(ctx, err); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// follow yields the events of one stream, moving the cursor along. It returns whether there is no more to come.
func (c *Client) follow(
	ctx context.Context, jobID string, after *uint64, yield func(*pb.Event, error) bool,
) (finished bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.jobs.WatchJob(ctx, &pb.WatchJobRequest{JobId: jobID, AfterSequence: after})
	if err != nil {
		return false, err
	}
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			return false, status.Error(codes.Unavailable, "the stream ended before the job did")
		}
		if err != nil {
			return false, err
		}
		if job := message.GetJob(); isFinal(job.GetStatus()) && job.GetSequence() <= *after {
			return true, nil
		}
		event := message.GetEvent()
		if event == nil {
			continue
		}
		if event.GetStatus() != nil { // durable: in the order of its sequence, without gaps
			if event.GetSequence() <= *after {
				continue
			}
			if event.GetSequence() > *after+1 {
				return false, status.Errorf(codes.Unavailable, "event %d came after event %d", event.GetSequence(), *after)
			}
			*after = event.GetSequence()
		}
		if !yield(event, nil) || isFinal(event.GetStatus().GetStatus()) {
			return true, nil
		}
	}
}

// Cancel asks for a job to be stopped and returns it as it stands then.
func (c *Client) Cancel(ctx context.Context, jobID, reason string) (*pb.Job, error) {
	request := &pb.CancelJobRequest{JobId: jobID, Reason: reason}
	response, err := retry(ctx, c.OnRetry, func() (*pb.CancelJobResponse, error) { return c.jobs.CancelJob(ctx, request) })
	return response.GetJob(), err
}

// Info returns the reason and the facts that the server gave for a failed call, or nil when there are none, as for a
// call that never reached it.
func Info(err error) *errdetails.ErrorInfo {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == "basicaer.dev" {
			return info
		}
	}
	return nil
}

func isFinal(status pb.JobStatus) bool {
	switch status {
	case pb.JobStatus_JOB_STATUS_CANCELLED, pb.JobStatus_JOB_STATUS_DONE, pb.JobStatus_JOB_STATUS_ERROR:
		return true
	}
	return false
}
