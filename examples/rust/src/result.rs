use std::collections::BTreeMap;

use num_complex::Complex64;
use prost::Message;
use tonic::Status;

use crate::{
    Client,
    retry::Backoff,
    v1::{
        ProgramResult, ReadResultRequest, Result as JobResult, ResultChunk, ResultHeader,
        read_result_response::Kind,
    },
};

/// How often each outcome was seen. An outcome is written with classical bit 0 last.
pub fn counts(program: &ProgramResult) -> BTreeMap<String, u64> {
    let width = program.header.as_ref().map_or(0, |header| header.num_clbits as usize);
    let Some(counts) = &program.counts else { return BTreeMap::new() };
    let outcomes = counts.outcomes.chunks(counts.words_per_outcome.max(1) as usize);
    let bit = |words: &[u64], bit: usize| if words[bit / 64] >> (bit % 64) & 1 == 1 { '1' } else { '0' };
    let text = |words: &[u64]| (0..width).rev().map(|k| bit(words, k)).collect();
    outcomes.map(text).zip(counts.counts.iter().copied()).collect()
}

impl Client {
    /// Reads a final job's result, with its counts.
    pub async fn result(&self, job_id: &str) -> Result<JobResult, Status> {
        let download = self.read(job_id, "result").await?;
        JobResult::decode(download.data.as_slice())
            .map_err(|error| Status::internal(format!("the result of job {job_id} is not a Result: {error}")))
    }

    /// Reads an array of amplitudes, such as "0/statevector".
    pub async fn state(&self, job_id: &str, part: &str) -> Result<Vec<Complex64>, Status> {
        let download = self.read(job_id, part).await?;
        match download.dtype() {
            "<c16" => Ok(complex::<16>(&download.data, |number| {
                f64::from_le_bytes(number.try_into().expect("8 bytes"))
            })),
            "<c8" => Ok(complex::<8>(&download.data, |number| {
                f32::from_le_bytes(number.try_into().expect("4 bytes")).into()
            })),
            other => {
                Err(Status::invalid_argument(format!("{part} has the dtype {other:?}, which is not complex")))
            }
        }
    }

    /// Reads a part of a result. When the stream breaks, or a chunk arrives damaged, it goes on with the first byte
    /// that is missing.
    async fn read(&self, job_id: &str, part: &str) -> Result<Download, Status> {
        let mut download = Download::default();
        let mut backoff = Backoff::new(self.on_retry.clone());
        while !download.complete() {
            let before = download.data.len();
            if let Err(error) = self.read_on(job_id, part, &mut download).await {
                if download.data.len() > before {
                    backoff.reset();
                }
                backoff.wait(error).await?;
            }
        }
        if crc32c::crc32c(&download.data) != download.crc32c() {
            let message = format!("{part} of job {job_id} differs from its checksum: read it again");
            return Err(Status::data_loss(message));
        }
        Ok(download)
    }

    /// Takes the chunks of one stream.
    async fn read_on(&self, job_id: &str, part: &str, download: &mut Download) -> Result<(), Status> {
        let request = ReadResultRequest {
            job_id: job_id.into(),
            part: part.into(),
            read_offset: download.data.len() as u64,
            etag: download.etag(),
            ..Default::default()
        };
        let mut stream = self.jobs.clone().read_result(request).await?.into_inner();
        while let Some(message) = stream.message().await? {
            match message.kind {
                Some(Kind::Header(header)) => download.begin(header),
                Some(Kind::Chunk(chunk)) => download.add(&chunk)?,
                None => {}
            }
        }
        if download.complete() {
            Ok(())
        } else {
            Err(Status::unavailable("the stream ended before its data did"))
        }
    }
}

/// A part of a result on its way.
#[derive(Default)]
struct Download {
    header: Option<ResultHeader>,
    data: Vec<u8>,
}

impl Download {
    /// Makes room at the first header; a later one repeats it, since the request had its etag.
    fn begin(&mut self, header: ResultHeader) {
        if self.header.is_none() {
            self.header = Some(header);
            self.data.reserve_exact(self.size() as usize);
        }
    }

    fn add(&mut self, chunk: &ResultChunk) -> Result<(), Status> {
        if chunk.offset != self.data.len() as u64 || crc32c::crc32c(&chunk.data) != chunk.crc32c {
            return Err(Status::unavailable(format!("the chunk at {} arrived damaged", chunk.offset)));
        }
        self.data.extend_from_slice(&chunk.data);
        Ok(())
    }

    fn complete(&self) -> bool {
        self.header.is_some() && self.data.len() as u64 == self.size()
    }

    fn etag(&self) -> String {
        self.header.as_ref().map(|header| header.etag.clone()).unwrap_or_default()
    }

    fn dtype(&self) -> &str {
        self.array().map_or("", |array| &array.dtype)
    }

    fn size(&self) -> u64 {
        self.array().map_or(0, |array| array.size_bytes)
    }

    fn crc32c(&self) -> u32 {
        self.array().map_or(0, |array| array.crc32c)
    }

    fn array(&self) -> Option<&crate::v1::Array> {
        self.header.as_ref()?.array.as_ref()
    }
}

/// Amplitudes of `SIZE` bytes, the first half of each being the real part.
fn complex<const SIZE: usize>(data: &[u8], number: impl Fn(&[u8]) -> f64) -> Vec<Complex64> {
    let amplitude = |bytes: &[u8]| {
        let (real, imaginary) = bytes.split_at(SIZE / 2);
        Complex64::new(number(real), number(imaginary))
    };
    data.chunks_exact(SIZE).map(amplitude).collect()
}
