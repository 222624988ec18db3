//! Import and export of a collection.

use std::io::{Read, Write};

use super::Collection;
use crate::transfer::{Csv, Export, Import, JsonLines};

impl<T> Collection<T> {
    /// Imports lines of JSON, each an object, plain or compressed with zstd. Empty lines are left out.
    ///
    /// ```
    /// use blaze::{Database, Document, OnError};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// let lines = "{\"_id\": 1, \"title\": \"Solaris\"}\n{\"_id\": 2, \"title\": Stalker}\n";
    /// let error = films.import_json_lines(lines.as_bytes()).id_field("_id").run().unwrap_err();
    /// assert!(error.to_string().contains("nothing was imported: line 2, column 21: expected value"));
    /// let report = films.import_json_lines(lines.as_bytes()).id_field("_id").on_error(OnError::Skip).run()?;
    /// assert_eq!((report.documents, report.first_bad_lines[0].line), (1, 2));
    ///
    /// let mut copy = Vec::new();
    /// films.export_json_lines(&mut copy).run()?;
    /// assert_eq!(copy, b"{\"_id\":1,\"title\":\"Solaris\"}\n");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn import_json_lines<'a>(&self, reader: impl Read + 'a) -> Import<'a, JsonLines> {
        Import::new(JsonLines::default(), reader, &self.scope, &self.named)
    }

    /// Imports records of CSV, plain or compressed with zstd. The first one names the columns; a dot in a name leads into a map.
    ///
    /// ```
    /// use blaze::{Database, Document, Value};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// let text = "id,title,director.name,year\n1,Solaris,\"Tarkovsky, Andrei\",1972\n2,Stalker,,1979\n";
    /// films.import_csv(text.as_bytes()).id_field("id").run()?;
    /// let solaris = films.get(1)?.unwrap();
    /// assert_eq!(solaris.to_json()?, r#"{"title":"Solaris","director":{"name":"Tarkovsky, Andrei"},"year":1972}"#);
    /// assert!(films.get(2)?.unwrap().get("director").is_none());
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn import_csv<'a>(&self, reader: impl Read + 'a) -> Import<'a, Csv> {
        Import::new(Csv::default(), reader, &self.scope, &self.named)
    }

    /// Exports the documents as lines of JSON, as one view has them.
    pub fn export_json_lines<'a>(&self, writer: impl Write + 'a) -> Export<'a, JsonLines> {
        Export::new(JsonLines::default(), writer, &self.scope, &self.named)
    }

    /// Exports the documents as records of CSV, as one view has them.
    ///
    /// ```
    /// use blaze::{Database, Document};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.insert_with_id(1, &Document::from_json(r#"{"title": "Solaris", "director": {"name": "Tarkovsky"}}"#)?)?;
    /// let mut text = Vec::new();
    /// films.export_csv(&mut text).columns(["director.name", "title"]).run()?;
    /// assert_eq!(text, b"_id,director.name,title\n1,Tarkovsky,Solaris\n");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn export_csv<'a>(&self, writer: impl Write + 'a) -> Export<'a, Csv> {
        Export::new(Csv::default(), writer, &self.scope, &self.named)
    }
}
