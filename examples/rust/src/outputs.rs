use std::{collections::BTreeMap, f64::consts::TAU};

use num_complex::Complex64;
use tonic::Status;

use crate::v1::{ClassicalKind, ClassicalType, ProgramResult};

/// What an output holds. The last one of `Bits` comes first; an angle is a `Float`, in radians.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Bits(String),
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Complex(Complex64),
    Array(Vec<Value>),
}

/// What a program's outputs held, by their names, in some of its shots.
pub struct Outcome {
    pub values: BTreeMap<String, Value>,
    pub count: u64,
}

/// The values of a program's typed outputs, with how often they were seen together. Integers of more than 64 bits and
/// floats of 16 are not read.
pub fn outputs(program: &ProgramResult) -> Result<Vec<Outcome>, Status> {
    let (Some(header), Some(counts)) = (&program.header, &program.counts) else { return Ok(vec![]) };
    let outcomes = counts.outcomes.chunks(counts.words_per_outcome.max(1) as usize);
    let values = |words| {
        let value = |output: &crate::v1::ClassicalOutput| {
            let type_ = output.r#type.ok_or_else(|| Status::internal("an output has no type"))?;
            let mut reader = Reader { words, at: output.clbit as usize };
            Ok((output.name.clone(), reader.array(&type_, &output.shape)?))
        };
        header.outputs.iter().map(value).collect::<Result<_, Status>>()
    };
    outcomes
        .zip(&counts.counts)
        .map(|(words, &count)| Ok(Outcome { values: values(words)?, count }))
        .collect()
}

/// Reads an outcome's bits from one of them on.
struct Reader<'a> {
    words: &'a [u64],
    at: usize,
}

impl Reader<'_> {
    fn array(&mut self, type_: &ClassicalType, shape: &[u32]) -> Result<Value, Status> {
        let Some((&length, inner)) = shape.split_first() else { return self.scalar(type_) };
        (0..length).map(|_| self.array(type_, inner)).collect::<Result<_, _>>().map(Value::Array)
    }

    fn scalar(&mut self, type_: &ClassicalType) -> Result<Value, Status> {
        let width = type_.width as usize;
        let size = if width == 0 { 64 } else { width };
        match type_.kind() {
            ClassicalKind::Bit => {
                let bits: Vec<_> =
                    (0..width.max(1)).map(|_| if self.take(1) == 1 { '1' } else { '0' }).collect();
                Ok(Value::Bits(bits.into_iter().rev().collect()))
            }
            ClassicalKind::Bool => Ok(Value::Bool(self.take(1) == 1)),
            kind if size > 64 => Err(Status::unimplemented(format!("{kind:?} has {size} bits"))),
            ClassicalKind::Uint => Ok(Value::Uint(self.take(size))),
            ClassicalKind::Int => Ok(Value::Int((self.take(size) << (64 - size)) as i64 >> (64 - size))),
            ClassicalKind::Angle => Ok(Value::Float(self.take(size) as f64 / (size as f64).exp2() * TAU)),
            ClassicalKind::Float => Ok(Value::Float(self.float(size)?)),
            ClassicalKind::Complex => {
                Ok(Value::Complex(Complex64::new(self.float(size)?, self.float(size)?)))
            }
            ClassicalKind::Unspecified => {
                Err(Status::unimplemented("an output's type is newer than this client"))
            }
        }
    }

    fn float(&mut self, size: usize) -> Result<f64, Status> {
        match size {
            64 => Ok(f64::from_bits(self.take(64))),
            32 => Ok(f32::from_bits(self.take(32) as u32).into()),
            _ => Err(Status::unimplemented(format!("a float has {size} bits"))),
        }
    }

    /// Reads up to 64 bits and moves behind them.
    fn take(&mut self, size: usize) -> u64 {
        let (word, shift) = (self.at / 64, self.at % 64);
        let mut value = self.words[word] >> shift;
        if shift + size > 64 {
            value |= self.words[word + 1] << (64 - shift);
        }
        self.at += size;
        value << (64 - size) >> (64 - size)
    }
}
