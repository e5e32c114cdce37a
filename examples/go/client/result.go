package client

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "basicaer.dev/examples/go/basicaerv1"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Result reads a final job's result, with its counts.
func (c *Client) Result(ctx context.Context, jobID string) (*pb.Result, error) {
	part, err := c.read(ctx, jobID, "result")
	if err != nil {
		return nil, err
	}
	result := &pb.Result{}
	if err := proto.Unmarshal(part.data, result); err != nil {
		return nil, fmt.Errorf("the result of job %s is not a Result of this contract: %w", jobID, err)
	}
	return result, nil
}

// Counts returns how often each outcome was seen. An outcome is written with classical bit 0 last.
func Counts(program *pb.ProgramResult) map[string]uint64 {
	words := int(program.GetCounts().GetWordsPerOutcome())
	counts := make(map[string]uint64)
	for i, count := range program.GetCounts().GetCounts() {
		outcome := program.GetCounts().GetOutcomes()[i*words : (i+1)*words]
		bits := make([]byte, program.GetHeader().GetNumClbits())
		for bit := range bits {
			bits[len(bits)-1-bit] = '0' + byte(outcome[bit/64]>>(bit%64)&1)
		}
		counts[string(bits)] = count
	}
	return counts
}

// State reads an array of amplitudes, such as "0/statevector".
func (c *Client) State(ctx context.Context, jobID, name string) ([]complex128, error) {
	part, err := c.read(ctx, jobID, name)
	if err != nil {
		return nil, err
	}
	order := binary.LittleEndian
	switch dtype := part.header.GetArray().GetDtype(); dtype {
	case "<c16":
		state := make([]complex128, len(part.data)/16)
		for i := range state {
			real, imag := order.Uint64(part.data[16*i:]), order.Uint64(part.data[16*i+8:])
			state[i] = complex(math.Float64frombits(real), math.Float64frombits(imag))
		}
		return state, nil
	case "<c8":
		state := make([]complex128, len(part.data)/8)
		for i := range state {
			real, imag := order.Uint32(part.data[8*i:]), order.Uint32(part.data[8*i+4:])
			state[i] = complex(float64(math.Float32frombits(real)), float64(math.Float32frombits(imag)))
		}
		return state, nil
	default:
		return nil, fmt.Errorf("%s of job %s has the dtype %q, which is not complex", name, jobID, dtype)
	}
}

// download is a part of a result on its way.
type download struct {
	header *pb.ResultHeader
	data   []byte // what has arrived, with room for all of it
}

func (d *download) complete() bool {
	return d.header != nil && uint64(len(d.data)) == d.header.GetArray().GetSizeBytes()
}

// read reads a part of a result. When the stream breaks, or a chunk arrives damaged, it goes on with the first byte
// that is missing.
func (c *Client) read(ctx context.Context, jobID, name string) (*download, error) {
	var part download
	for pause := (backoff{onRetry: c.OnRetry}); !part.complete(); {
		before := len(part.data)
		if err := c.readOn(ctx, jobID, name, &part); err != nil {
			if len(part.data) > before {
				pause.reset()
			}
			if err = pause.wait(ctx, err); err != nil {
				return nil, err
			}
		}
	}
	if crc32.Checksum(part.data, castagnoli) != part.header.GetArray().GetCrc32C() {
		return nil, status.Errorf(codes.DataLoss, "%s of job %s differs from its checksum: read it again", name, jobID)
	}
	return &part, nil
}

// readOn takes the chunks of one stream.
func (c *Client) readOn(ctx context.Context, jobID, name string, part *download) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.jobs.ReadResult(ctx, &pb.ReadResultRequest{
		JobId: jobID, Part: name, ReadOffset: uint64(len(part.data)), Etag: part.header.GetEtag(),
	})
	if err != nil {
		return err
	}
	for {
		message, err := stream.Recv()
		if err == io.EOF && part.complete() {
			return nil
		}
		if err == io.EOF {
			return status.Errorf(codes.Unavailable, "the stream ended before %s did", name)
		}
		if err != nil {
			return err
		}
		if header := message.GetHeader(); header != nil && part.header == nil {
			part.header = header
			part.data = make([]byte, 0, header.GetArray().GetSizeBytes())
		}
		if chunk := message.GetChunk(); chunk != nil {
			inOrder := chunk.GetOffset() == uint64(len(part.data))
			if !inOrder || crc32.Checksum(chunk.GetData(), castagnoli) != chunk.GetCrc32C() {
				return status.Errorf(codes.Unavailable, "the chunk at %d of %s arrived damaged", chunk.GetOffset(), name)
			}
			part.data = append(part.data, chunk.GetData()...)
		}
	}
}
