package client

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	firstPause  = 50 * time.Millisecond
	longest     = 2 * time.Second
	maxFailures = 20 // in a row; about half a minute
)

// backoff grows the pause between tries, with jitter, so that the clients of a restarted server don't all return at once.
type backoff struct {
	onRetry  func(error) // may be nil
	failures int
}

func (b *backoff) reset() { b.failures = 0 }

// wait returns nil when it is time for another try, and otherwise the error that another try can't mend.
func (b *backoff) wait(ctx context.Context, err error) error {
	// CANCELLED, when it isn't by us, says that the server's limit of waiting calls was reached.
	passing := status.Code(err) == codes.Unavailable || status.Code(err) == codes.Canceled
	if !passing || ctx.Err() != nil || b.failures == maxFailures {
		return err
	}
	if b.failures == 0 && b.onRetry != nil {
		b.onRetry(err)
	}
	pause := min(firstPause<<b.failures, longest)
	b.failures++
	select {
	case <-time.After(retryDelay(err) + pause/2 + rand.N(pause/2)):
		return nil
	case <-ctx.Done():
		return err
	}
}

// retry calls until the call succeeds or fails for good. Only for calls that may be repeated.
func retry[R any](ctx context.Context, onRetry func(error), call func() (R, error)) (R, error) {
	for pause := (backoff{onRetry: onRetry}); ; {
		response, err := call()
		if err == nil {
			return response, nil
		}
		if err = pause.wait(ctx, err); err != nil {
			return response, err
		}
	}
}

// retryDelay returns how long the server asks to wait.
func retryDelay(err error) time.Duration {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}
