//! The bridge from the thread that makes rows to the task that writes them: a bounded channel of large chunks.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use shardmill_shared::job::Made;
use shardmill_shared::process::Stop;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::execute::{ExecuteError, ShardSink};
use crate::limits::{CHUNK_BYTES, CHUNKS};

/// How far an attempt has come.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    pub(crate) fn made(&self) -> Made {
        Made { rows: self.rows.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }
}

/// The end of the pipe that the executor sees.
pub(crate) struct PipeSink {
    pieces: Option<Sender<Bytes>>,
    counters: Arc<Counters>,
    stop: Stop,
}

impl PipeSink {
    /// A pipe, whose sink stops when `stop` is set.
    pub(crate) fn new(counters: Arc<Counters>, stop: Stop) -> (Self, Receiver<Bytes>) {
        let (pieces, receiver) = mpsc::channel(CHUNKS);
        (Self { pieces: Some(pieces), counters, stop }, receiver)
    }
}

impl ShardSink for PipeSink {
    fn file(&mut self) -> Result<Box<dyn Write + Send>, ExecuteError> {
        let started_before = || ExecuteError::Refused("the file of the shard was started before".to_owned());
        let pieces = self.pieces.take().ok_or_else(started_before)?;
        Ok(Box::new(Pipe { pieces, counters: Arc::clone(&self.counters), chunk: BytesMut::new(), is_started: false }))
    }

    fn made(&mut self, rows: u64) -> Result<(), ExecuteError> {
        self.counters.rows.fetch_add(rows, Ordering::Relaxed);
        if self.stop.is_set() { Err(ExecuteError::Stopped) } else { Ok(()) }
    }
}

/// The file, as the executor sees it.
struct Pipe {
    pieces: Sender<Bytes>,
    counters: Arc<Counters>,
    chunk: BytesMut,
    is_started: bool,
}

impl Pipe {
    fn send(&mut self) -> io::Result<()> {
        self.is_started = true;
        self.counters.bytes.fetch_add(self.chunk.len() as u64, Ordering::Relaxed);
        // A file that fills one chunk is likely to fill the next; one that does not costs what it holds.
        let next = if self.chunk.len() == CHUNK_BYTES { BytesMut::with_capacity(CHUNK_BYTES) } else { BytesMut::new() };
        let chunk = std::mem::replace(&mut self.chunk, next).freeze();
        self.pieces.blocking_send(chunk).map_err(|_| closed())
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK_BYTES - self.chunk.len();
        let taken = room.min(bytes.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        if self.chunk.len() == CHUNK_BYTES {
            self.send()?;
        }
        Ok(taken)
    }

    /// Does nothing: a chunk leaves when it is full, or with the writer's end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // A file that is empty is there all the same.
        if !self.chunk.is_empty() || !self.is_started {
            // Nobody listens only when the upload failed, and that failure is reported.
            let _ = self.send();
        }
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the upload ended early")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn chunks_are_large_and_lose_nothing() {
        let (mut sink, mut receiver) = PipeSink::new(Arc::default(), Stop::default());
        let size = CHUNK_BYTES * 2 + 5;
        let writer = tokio::task::spawn_blocking(move || {
            let mut file = sink.file().expect("starts");
            assert!(sink.file().is_err(), "a shard has one file");
            file.write_all(&vec![7; size]).expect("writes");
        });
        for expected in [CHUNK_BYTES, CHUNK_BYTES, 5] {
            match receiver.recv().await {
                Some(chunk) => assert_eq!(chunk.len(), expected),
                None => panic!("a chunk of {expected} bytes is missing"),
            }
        }
        assert_eq!(receiver.recv().await, None);
        writer.await.expect("ends");
    }

    #[tokio::test]
    async fn an_empty_file_is_a_file_and_none_is_none() {
        let (mut sink, mut receiver) = PipeSink::new(Arc::default(), Stop::default());
        tokio::task::spawn_blocking(move || drop(sink.file())).await.expect("ends");
        assert_eq!(receiver.recv().await, Some(Bytes::new()));
        assert_eq!(receiver.recv().await, None);
        let (sink, mut receiver) = PipeSink::new(Arc::default(), Stop::default());
        drop(sink);
        assert_eq!(receiver.recv().await, None);
    }

    #[tokio::test]
    async fn a_lost_reader_ends_the_writer() {
        let (mut sink, mut receiver) = PipeSink::new(Arc::default(), Stop::default());
        let writer = tokio::task::spawn_blocking(move || {
            let mut file = sink.file().expect("starts");
            file.write_all(&vec![7; CHUNK_BYTES * 8]).expect_err("nobody reads").kind()
        });
        assert_eq!(receiver.recv().await.map(|chunk| chunk.len()), Some(CHUNK_BYTES));
        drop(receiver);
        assert_eq!(writer.await.expect("ends"), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_stop_ends_the_rows() {
        let stop = Stop::default();
        let (mut sink, _receiver) = PipeSink::new(Arc::default(), stop.clone());
        sink.made(1).expect("goes on");
        stop.set();
        assert!(matches!(sink.made(1), Err(ExecuteError::Stopped)));
        assert_eq!(sink.counters.made().rows, 2);
    }
}
