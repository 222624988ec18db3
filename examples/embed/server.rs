//! An embedder that asks a server near by: one that answers `POST /v1/embeddings` as many model servers do, over plain HTTP.
//!
//! Blaze itself opens no connection. What a program for production has beyond this, such as TLS, it takes from its HTTP client.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use blaze::{Embedder, Error, Result};
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(20);

/// An answer that is longer is cut, and so none.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

pub(crate) struct ModelServer {
    address: String,
}

impl ModelServer {
    pub(crate) fn at(address: impl Into<String>) -> ModelServer {
        ModelServer { address: address.into() }
    }

    /// Sends a request, and reads the answer to its end.
    fn post(&self, body: &str) -> std::io::Result<String> {
        let address = self.address.to_socket_addrs()?.next().ok_or(std::io::ErrorKind::NotFound)?;
        let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        let (host, length) = (&self.address, body.len());
        // HTTP/1.0: the server closes the connection behind its answer, which comes in one piece.
        write!(
            stream,
            "POST /v1/embeddings HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Embedder for ModelServer {
    fn model(&self) -> &str {
        "server-v1" // the name of the model that the server has
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let body = json!({ "model": self.model(), "input": texts }).to_string();
        // Whatever is wrong with the connection is another thing a minute later: it is tried again.
        let answer = self.post(&body).map_err(|error| Error::unavailable(format!("{}: {error}", self.address)))?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).unwrap_or("none");
        match status {
            "200" => vectors(body).ok_or_else(|| Error::unavailable("the server has answered something else")),
            // A text that is refused for itself will be so the next time. A 400 may be for the request: the model's name, say.
            "413" | "422" => Err(Error::invalid(format!("the server refuses the text: {body}"))),
            _ => Err(Error::unavailable(format!("the server answers {status}"))),
        }
    }
}

/// The vectors of `{"data": [{"index": 0, "embedding": [...]}, ...]}`, in the order of the texts.
fn vectors(body: &str) -> Option<Vec<Vec<f32>>> {
    let answer: Value = serde_json::from_str(body).ok()?;
    let mut data: Vec<&Value> = answer.get("data")?.as_array()?.iter().collect();
    data.sort_by_key(|item| item.get("index").and_then(Value::as_u64));
    let number = |number: &Value| number.as_f64().map(|number| number as f32);
    data.into_iter().map(|item| item.get("embedding")?.as_array()?.iter().map(number).collect()).collect()
}
