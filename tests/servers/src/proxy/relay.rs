//! Bytes both ways, of any protocol.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;

use super::{Fault, Switch};

const PIECE_BYTES: usize = 64 * 1024;

/// Joins a client's connection with one to the target until both have ended.
pub(super) fn connection(client: TcpStream, switch: &Arc<Switch>) -> io::Result<()> {
    switch.wait_for_light()?;
    let server = switch.to_target()?;
    let (back_from, back_to, back_switch) = (server.try_clone()?, client.try_clone()?, Arc::clone(switch));
    let back = thread::spawn(move || pump(back_from, back_to, &back_switch));
    let forth = pump(client, server, switch);
    back.join().expect("a pump does not panic").and(forth)
}

/// Passes bytes on until the sender ends, then tells the receiver.
fn pump(mut from: TcpStream, mut to: TcpStream, switch: &Switch) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    let ended = loop {
        let length = match from.read(&mut piece) {
            Ok(0) => break Ok(()),
            Ok(length) => length,
            Err(error) => break Err(error),
        };
        match switch.wait_for_light() {
            Ok(Fault::Delay(delay)) => thread::sleep(delay),
            Ok(_) => {}
            Err(error) => break Err(error),
        }
        if let Err(error) = to.write_all(&piece[..length]) {
            break Err(error);
        }
    };
    // The receiver may be gone, which is what is wanted.
    let _ = to.shutdown(Shutdown::Write);
    ended
}
