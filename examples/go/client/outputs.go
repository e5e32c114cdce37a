package client

import (
	"fmt"
	"math"

	pb "basicaer.dev/examples/go/basicaerv1"
)

// Outcome is what a program's outputs held in some of its shots. A value is a string of bits, the last one first, for bit
// and bit[n]; a bool, int64, uint64, float64 (of an angle in radians) or complex128; or a []any along each axis of an array.
type Outcome struct {
	Values map[string]any
	Count  uint64
}

// Outputs returns the values of a program's typed outputs, with how often they were seen together. Integers of more than
// 64 bits and floats of 16 are not read.
func Outputs(program *pb.ProgramResult) ([]Outcome, error) {
	words := int(program.GetCounts().GetWordsPerOutcome())
	var seen []Outcome
	for i, count := range program.GetCounts().GetCounts() {
		bits := outcomeBits(program.GetCounts().GetOutcomes()[i*words : (i+1)*words])
		values := make(map[string]any)
		for _, output := range program.GetHeader().GetOutputs() {
			at := int(output.GetClbit())
			value, err := bits.array(output.GetType(), output.GetShape(), &at)
			if err != nil {
				return nil, fmt.Errorf("output %s: %w", output.GetName(), err)
			}
			values[output.GetName()] = value
		}
		seen = append(seen, Outcome{values, count})
	}
	return seen, nil
}

type outcomeBits []uint64

// array reads an array's elements from a bit on, or a single value, and moves behind them.
func (b outcomeBits) array(kind *pb.ClassicalType, shape []uint32, at *int) (any, error) {
	if len(shape) == 0 {
		return b.scalar(kind, at)
	}
	elements := make([]any, shape[0])
	for i := range elements {
		var err error
		if elements[i], err = b.array(kind, shape[1:], at); err != nil {
			return nil, err
		}
	}
	return elements, nil
}

func (b outcomeBits) scalar(kind *pb.ClassicalType, at *int) (any, error) {
	width := int(kind.GetWidth())
	switch kind.GetKind() {
	case pb.ClassicalKind_CLASSICAL_KIND_BIT:
		text := make([]byte, max(width, 1))
		for i := len(text) - 1; i >= 0; i-- {
			text[i] = '0' + byte(b.take(at, 1))
		}
		return string(text), nil
	case pb.ClassicalKind_CLASSICAL_KIND_BOOL:
		return b.take(at, 1) == 1, nil
	}
	if width == 0 {
		width = 64
	}
	if width > 64 {
		return nil, fmt.Errorf("%v has %d bits", kind.GetKind(), width)
	}
	switch kind.GetKind() {
	case pb.ClassicalKind_CLASSICAL_KIND_UINT:
		return b.take(at, width), nil
	case pb.ClassicalKind_CLASSICAL_KIND_INT:
		return int64(b.take(at, width)<<(64-width)) >> (64 - width), nil
	case pb.ClassicalKind_CLASSICAL_KIND_ANGLE:
		return math.Ldexp(float64(b.take(at, width)), -width) * 2 * math.Pi, nil
	case pb.ClassicalKind_CLASSICAL_KIND_FLOAT:
		return b.float(at, width)
	case pb.ClassicalKind_CLASSICAL_KIND_COMPLEX:
		re, err := b.float(at, width)
		if err != nil {
			return nil, err
		}
		im, err := b.float(at, width)
		return complex(re, im), err
	default:
		return nil, fmt.Errorf("the type %v is newer than this client", kind.GetKind())
	}
}

func (b outcomeBits) float(at *int, width int) (float64, error) {
	switch width {
	case 64:
		return math.Float64frombits(b.take(at, 64)), nil
	case 32:
		return float64(math.Float32frombits(uint32(b.take(at, 32)))), nil
	default:
		return 0, fmt.Errorf("a float has %d bits", width)
	}
}

// take reads up to 64 bits and moves behind them.
func (b outcomeBits) take(at *int, size int) uint64 {
	word, shift := *at/64, *at%64
	value := b[word] >> shift
	if shift+size > 64 {
		value |= b[word+1] << (64 - shift)
	}
	*at += size
	return value << (64 - size) >> (64 - size)
}
