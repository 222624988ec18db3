//! Documents that are found by what their texts say: an index that embeds titles and plots.
//!
//! `cargo run --example embed` needs nothing else: `letters.rs` makes vectors of the letters that stand side by side.
//! `cargo run --example embed -- 127.0.0.1:8080 384` has them made by a model server, by the few lines of `server.rs`; 384 is the
//! dimension of its model.

mod letters;
mod server;

use std::env;
use std::error::Error;
use std::io::Write;

use blaze::{Collection, Database, Document, Index};

use crate::letters::Letters;
use crate::server::ModelServer;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const FILMS: [(&str, &str); 5] = [
    ("Solaris", "A psychologist is sent to a station above an ocean that thinks and brings back the dead."),
    ("Stalker", "A guide leads two men through a forbidden zone to a room that grants wishes."),
    ("Brazil", "A clerk dreams of flying while a typing error sets the bureaucracy on an innocent man."),
    ("The Thing", "Researchers in the Antarctic find a being that imitates every creature it meets."),
    ("Playtime", "A man gets lost among glass, chairs and tourists in a modern Paris."),
];

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let db = Database::temporary()?;
    let films = db.collection::<Document>("films")?;
    // After each opening: the database keeps what is to be embedded, and not by what.
    match arguments.as_slice() {
        [] => {
            films.ensure_index(Index::vector("embedding", letters::DIMENSION).embed_from(["title", "plot"], Letters))?
        }
        [address, dimension] => {
            let index = Index::vector("embedding", dimension.parse()?);
            films.ensure_index(index.embed_from(["title", "plot"], ModelServer::at(address.as_str())))?;
        }
        _ => return Err("usage: embed [ADDRESS DIMENSION]".into()),
    }
    for (title, plot) in FILMS {
        films.insert(&Document::new().with("title", title).with("plot", plot))?;
    }
    // A program goes on with something else here: documents are embedded in the background.
    db.settle()?;
    let status = films.embedding_status("embedding")?;
    if let Some(error) = status.last_error.filter(|_| status.pending > 0) {
        return Err(format!("{} films are not embedded yet: {error}", status.pending).into());
    }
    for question in ["a thinking ocean", "flying clerks", "lost in the zone"] {
        show(&films, question)?;
    }
    Ok(())
}

fn show(films: &Collection<Document>, question: &str) -> Outcome<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{question}")?;
    for hit in films.search().nearest_text("embedding", question).limit(2).run()? {
        let title = hit.value.get("title").and_then(|title| title.as_str()).unwrap_or_default();
        writeln!(out, "  {:.3}  {title}", hit.score)?;
    }
    Ok(())
}
